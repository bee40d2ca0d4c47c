"""What the screen at the door says: to whom, in which language, and in how little room."""

import gettext
import re
from itertools import product
from pathlib import Path

import pytest

import gateway.words.door
from gateway.domain.answer import Answer
from gateway.domain.model import Match, Reason, SlotId, Status, Verdict
from gateway.words.catalogue import read_po
from gateway.words.door import CHARACTERS, LINES, words

KNOWN = Verdict(admit=True, reason=Reason.KNOWN)
ON_TIME = Match(slot=SlotId("5a-20260901-1"), status=Status.PRESENT, minutes=0)
PO = Path(gateway.words.door.__file__).with_name("ru.po")
VERDICTS = [Verdict(admit=admit, reason=reason) for admit, reason in product((True, False), Reason)]
MATCHES = [None, ON_TIME, *(Match(slot=ON_TIME.slot, status=Status.LATE, minutes=n) for n in range(1, 1000))]


def late(minutes: int) -> Match:
    return Match(slot=ON_TIME.slot, status=Status.LATE, minutes=minutes)


def said(
    verdict: Verdict, match: Match | None = None, language: str = "ru", *, public: bool = True, off: bool = False
) -> str:
    return " / ".join(words(verdict, match, language, public=public, off=off).lines)


@pytest.mark.parametrize(
    ("admit", "reason", "russian", "english"),
    [
        (True, Reason.KNOWN, "Проходите", "Please pass"),
        (False, Reason.UNKNOWN_CARD, "Подойдите / к охраннику", "Please go / to the guard"),
        (False, Reason.BLOCKED, "Подойдите / к охраннику", "Please go / to the guard"),
        (False, Reason.LOST, "Подойдите / к охраннику", "Please go / to the guard"),
        (False, Reason.EXPIRED, "Подойдите / к охраннику", "Please go / to the guard"),
        (False, Reason.UNREADABLE, "Не прочитано: / к охраннику", "Card not read: / go to the guard"),
        (False, Reason.NOT_RECORDED, "Не записано: / скажите охране", "Not recorded: / tell the guard"),
        (True, Reason.NOT_RECORDED, "Не записано: / скажите охране", "Not recorded: / tell the guard"),
    ],
)
def test_every_verdict_has_its_words(admit: bool, reason: Reason, russian: str, english: str) -> None:
    verdict = Verdict(admit=admit, reason=reason)
    assert said(verdict) == russian
    assert said(verdict, language="en") == english


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_public_screen_says_the_same_to_the_late_the_punctual_and_the_unexpected(
    verdict: Verdict, language: str
) -> None:
    assert len({words(verdict, match, language, off=off) for match in MATCHES for off in (False, True)}) == 1


@pytest.mark.parametrize(
    ("minutes", "russian", "english"),
    [
        (1, "1 минута", "1 minute"),
        (2, "2 минуты", "2 minutes"),
        (4, "4 минуты", "4 minutes"),
        (5, "5 минут", "5 minutes"),
        (11, "11 минут", "11 minutes"),
        (12, "12 минут", "12 minutes"),
        (14, "14 минут", "14 minutes"),
        (20, "20 минут", "20 minutes"),
        (21, "21 минута", "21 minutes"),
        (33, "33 минуты", "33 minutes"),
        (45, "45 минут", "45 minutes"),
        (111, "111 минут", "111 minutes"),
        (112, "112 минут", "112 minutes"),
        (121, "121 минута", "121 minutes"),
    ],
)
def test_a_private_screen_says_how_late(minutes: int, russian: str, english: str) -> None:
    assert said(KNOWN, late(minutes), public=False) == f"Опоздание / {russian}"
    assert said(KNOWN, late(minutes), "en", public=False) == f"Late by / {english}"


def test_a_private_screen_says_on_time_where_the_door_can_judge_and_nothing_where_it_cannot() -> None:
    assert said(KNOWN, ON_TIME, public=False) == "Вовремя"
    assert said(KNOWN, None, public=False) == "Проходите"
    assert said(Verdict(admit=False, reason=Reason.LOST), late(3), public=False) == "Подойдите / к охраннику"


def test_a_private_screen_says_that_there_is_no_lesson_today() -> None:
    assert said(KNOWN, public=False, off=True) == "Сегодня / уроков нет"
    assert said(KNOWN, None, "en", public=False, off=True) == "No lessons / today"


def answer(
    verdict: Verdict, match: Match | None = None, *, public: bool = False, off: bool = False, waits: bool = False
) -> Answer:
    return words(verdict, match, "ru", public=public, off=off, waits=waits).answer


def test_what_lamp_and_buzzer_answer() -> None:
    assert answer(KNOWN) == answer(KNOWN, ON_TIME) == answer(KNOWN, late(3), public=True) == Answer.PASS
    assert answer(KNOWN, late(3)) is Answer.LATE
    assert answer(KNOWN, off=True) is Answer.NOT_TODAY
    refused = (Reason.UNKNOWN_CARD, Reason.BLOCKED, Reason.LOST, Reason.EXPIRED)
    assert {answer(Verdict(admit=False, reason=reason), waits=True) for reason in refused} == {Answer.GUARD}
    assert answer(Verdict(admit=False, reason=Reason.UNREADABLE)) is Answer.UNREADABLE
    for admit in (True, False):
        assert answer(Verdict(admit=admit, reason=Reason.NOT_RECORDED), waits=admit) is Answer.NOT_RECORDED


def test_a_gate_that_waits_for_the_passage_answers_so_and_says_what_it_would_say() -> None:
    for match, off in product(MATCHES[:3], (True, False)):
        assert answer(KNOWN, match, off=off, waits=True) is Answer.WAITING
    assert words(KNOWN, late(3), "en", public=False, waits=True).lines == ("Late by", "3 minutes")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_everything_fits_a_display_of_two_lines(language: str) -> None:
    for verdict, match, public, off in product(VERDICTS, MATCHES, (True, False), (True, False)):
        lines = words(verdict, match, language, public=public, off=off).lines
        assert len(lines) <= LINES
        assert max(map(len, lines)) <= CHARACTERS


def test_russian_has_every_message_and_no_other() -> None:
    code = Path(gateway.words.door.__file__).read_text(encoding="utf-8")
    in_code = re.findall(r'(?:\b_\(|ngettext\()("[^"]+")', code)
    assert sorted(in_code) == sorted(re.findall(r'^msgid ("[^"]+")', PO.read_text(encoding="utf-8"), re.MULTILINE))
    for verdict, match, public, off in product(VERDICTS, MATCHES[:3], (True, False), (True, False)):
        assert not re.search("[A-Za-z]", said(verdict, match, public=public, off=off))


def test_a_catalogue_is_read_as_translators_write_it() -> None:
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=2; plural=n>1;\\n"\n'
    text = (
        f'# a remark\n{header}\n\n#: place\nmsgid "b"\nmsgstr "б\\"\\n"\n'
        'msgid "a"\nmsgid_plural "as"\nmsgstr[0] "а"\nmsgstr[1] "аа"\nmsgid "x"\n"y"\nmsgstr ""\n"икс"\n"игрек"\n'
    )
    read = read_po(text)
    assert isinstance(read, gettext.GNUTranslations)
    assert (read.gettext("b"), read.gettext("xy"), read.gettext("c")) == ('б"\n', "иксигрек", "c")
    assert (read.ngettext("a", "as", 1), read.ngettext("a", "as", 2)) == ("а", "аа")


@pytest.mark.parametrize(
    ("line", "why"),
    [("nonsense", "no line"), ('msgid "a', "no line"), ('"stray"', "no line"), ('msgid "a\\"', "without its end")],
)
def test_a_broken_catalogue_names_the_line(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"line 2 .*{why}"):
        read_po(f"# first\n{line}\n")


def test_a_language_without_a_file_is_no_silence() -> None:
    with pytest.raises(OSError, match=r"de\.po"):
        words(KNOWN, None, "de")
