"""One line for each record, for people and for journald."""

import logging

import pytest

from gateway.log import Lines, Once


def line(priorities: bool, level: int = logging.WARNING, message: str = "device lost", **extra: object) -> str:
    record = logging.LogRecord("gateway", level, __file__, 1, message, (), None)
    record.__dict__.update(extra)
    return Lines(priorities=priorities).format(record)


@pytest.mark.parametrize(
    ("level", "front"),
    [(logging.DEBUG, "<7>"), (logging.INFO, "<6>"), (logging.WARNING, "<4>"), (logging.ERROR, "<3>")],
)
def test_journald_reads_the_priority(level: int, front: str) -> None:
    assert line(True, level) == f"{front}device lost"


def test_values_are_quoted_when_they_need_it() -> None:
    assert line(True, device="door", hint="check its cable", empty="").endswith(
        "device=door hint='check its cable' empty=''"
    )


def test_a_line_break_in_a_message_makes_no_second_line() -> None:
    said = line(False, message="a\nforged line", detail="b\nc")
    assert "\n" not in said
    assert said.endswith(r"a\nforged line detail='b\nc'")


def test_an_exception_is_one_line_too() -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        record = logging.LogRecord("gateway", logging.ERROR, __file__, 1, "bug", (), (KeyError, error, None))
    assert "\n" not in Lines(priorities=True).format(record)


def test_a_sentence_is_said_once_for_as_long_as_it_stands(caplog: pytest.LogCaptureFixture) -> None:
    once = Once(logging.getLogger("gateway"))
    for sentence in (None, "a", "a", "b", None, "b"):
        once.say("directory", sentence, hint="mend it")
        once.say("disk", "full")
    assert [record.getMessage() for record in caplog.records] == ["full", "a", "b", "b"]
    assert [getattr(record, "hint", None) for record in caplog.records] == [None, "mend it", "mend it", "mend it"]
