"""What the screen at the door tells a pupil: two short lines, Russian or English, nobody's business but theirs."""

import gettext
from functools import cache
from pathlib import Path

from gateway.domain.model import Match, Reason, Status, Verdict, Words
from gateway.words.catalogue import read_po

#: A character display of the ordinary kind.
LINES, CHARACTERS = 2, 16


def words(verdict: Verdict, match: Match | None, language: str, *, public: bool = True) -> Words:
    """The words beside the lamp: at most LINES of CHARACTERS, in `language`, ru or en.

    What everybody in the hall can read is the same for who is on time, late or not expected now. Why a card is refused
    stands on no screen: the guard sees to it.
    """
    catalogue = _catalogue(language)
    _ = catalogue.gettext
    if verdict.reason is Reason.NOT_RECORDED:
        text = _("Not recorded:\ntell the guard")
    elif verdict.reason is Reason.UNREADABLE:
        text = _("Card not read:\ngo to the guard")
    elif not verdict.admit:
        text = _("Please go\nto the guard")
    elif public or match is None:
        text = _("Please pass")
    elif match.status is Status.LATE:
        text = catalogue.ngettext("Late by\n%d minute", "Late by\n%d minutes", match.minutes) % match.minutes
    else:
        text = _("On time")
    return Words(lines=tuple(text.split("\n")))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """English is what the code says. Raises OSError for a language without a file."""
    if language == "en":
        return gettext.NullTranslations()
    return read_po(Path(__file__).with_name(f"{language}.po").read_text(encoding="utf-8"))
