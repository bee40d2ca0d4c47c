"""What the door tells a pupil: an answer and two short lines, Russian or English, nobody's business but theirs."""

import gettext
from functools import cache
from pathlib import Path

from gateway.domain.answer import Answer, Words
from gateway.domain.model import Match, Reason, Status, Verdict
from gateway.words.catalogue import read_po

#: A character display of the ordinary kind.
LINES, CHARACTERS = 2, 16
_PASSING = (Answer.PASS, Answer.LATE, Answer.NOT_TODAY)


def words(
    verdict: Verdict, match: Match | None, language: str, *, public: bool = True, off: bool = False, waits: bool = False
) -> Words:
    """The answer, and the words beside it: at most LINES of CHARACTERS, in `language`, ru or en.

    What everybody in the hall can see is the same for who is on time, late, not expected now or `off` today. Why a card
    is refused stands on no screen: the guard sees to it. A gate that `waits` for the passage says so.
    """
    answer = _answer(verdict, None if public else match, off=off and not public)
    catalogue = _catalogue(language)
    _ = catalogue.gettext
    match answer:
        case Answer.NOT_RECORDED:
            text = _("Not recorded:\ntell the guard")
        case Answer.UNREADABLE:
            text = _("Card not read:\ngo to the guard")
        case Answer.GUARD:
            text = _("Please go\nto the guard")
        case Answer.NOT_TODAY:
            text = _("No lessons\ntoday")
        case Answer.LATE if match is not None:
            text = catalogue.ngettext("Late by\n%d minute", "Late by\n%d minutes", match.minutes) % match.minutes
        case _:
            text = _("Please pass") if public or match is None else _("On time")
    return Words(answer=Answer.WAITING if waits and answer in _PASSING else answer, lines=tuple(text.split("\n")))


def _answer(verdict: Verdict, match: Match | None, *, off: bool) -> Answer:
    if verdict.reason is Reason.NOT_RECORDED:
        return Answer.NOT_RECORDED
    if not verdict.admit:
        return Answer.UNREADABLE if verdict.reason is Reason.UNREADABLE else Answer.GUARD
    if match is None:
        return Answer.NOT_TODAY if off else Answer.PASS
    return Answer.LATE if match.status is Status.LATE else Answer.PASS


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """English is what the code says. Raises OSError for a language without a file."""
    if language == "en":
        return gettext.NullTranslations()
    return read_po(Path(__file__).with_name(f"{language}.po").read_text(encoding="utf-8"))
