"""Why somebody was not there: which explanation counts, and for how much of a slot."""

from datetime import timedelta

import pytest

from gateway.domain.coverage import EVER
from gateway.domain.model import MarkReason, PersonId, Source, Status
from gateway.domain.policy import Policy
from gateway.domain.presence import NEVER, Presence, presence
from gateway.domain.reasons import explanations, reason_of, released, ruling
from gateway.domain.statement import Excuse, Statement, StatementKind
from tests.domain.build import at, slot
from tests.domain.test_presence import fact

PERSON = PersonId("p")
LESSON = slot()


def where(*words: str) -> Presence:
    found = [fact(word, seq) for seq, word in enumerate(words, 1)]
    return presence(found, as_of=at("12:00"), ends=at("11:00"), policy=Policy())


def excuse(words: str) -> Excuse:
    """`08:00-09:00 released teacher`."""
    span, reason, *source = words.split()
    since, until = map(at, span.split("-"))
    who = Source(source[0]) if source else Source.OFFICE
    return Excuse(person=PERSON, since=since, until=until, reason=MarkReason(reason), source=who)


def word(source: Source, said: str, status: Status | None = None, about: str = "08:30-09:15") -> Statement:
    since, _, until = about.partition("-")
    return Statement(
        person=PERSON,
        kind=StatementKind.MARK,
        at=at(since),
        until=at(until) if until else None,
        status=status,
        source=source,
        said=at(said),
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], None),
        (["08:00-08:30 queue"], None),
        (["08:00-08:31 queue"], MarkReason.QUEUE),
        (["08:40-09:00 released"], None),
        (["09:15-10:00 released"], None),
        (["08:00-09:00 queue", "08:00-09:00 ill_reported teacher"], MarkReason.QUEUE),
        (["08:00-09:00 queue", "08:01-09:00 transport"], MarkReason.TRANSPORT),
        (["08:00-09:01 queue", "08:00-09:00 transport"], MarkReason.QUEUE),
        (["08:00-09:00 queue", "08:00-09:00 transport"], MarkReason.TRANSPORT),
    ],
)
def test_who_came_at_08_40_is_explained_by_what_covers_the_time_before(
    words: list[str], reason: MarkReason | None
) -> None:
    outside = where("in 08:40").outside
    assert reason_of(LESSON, list(map(excuse, words)), outside) is reason
    assert reason_of(LESSON, list(map(excuse, words[::-1])), outside) is reason


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ([], 0),
        (["08:50-20:00 released"], 20),
        (["08:50-09:00 released"], 5),
        (["08:50-09:00 released", "09:00-09:10 application"], 15),
        (["08:50-09:05 released", "09:00-09:10 application"], 15),
        (["09:00-09:10 application", "08:50-09:05 released"], 15),
        (["08:50-09:10 released", "08:55-09:00 application"], 15),
        (["08:50-20:00 invalid"], 0),
        (["08:50-20:00 unexplained"], 0),
        (["08:50-20:00 transport"], 20),
        (["08:50-20:00 released teacher"], 20),
        (["09:20-20:00 released"], 0),
        (["07:00-08:30 released"], 0),
    ],
)
def test_who_left_at_08_55_is_let_gofor_so_long(words: list[str], minutes: int) -> None:
    outside = where("in 08:00", "out 08:55").outside
    assert released(LESSON, map(excuse, words), outside) == timedelta(minutes=minutes)


def test_the_word_of_the_higher_source_then_the_later_one() -> None:
    first, later = word(Source.TEACHER, "08:40", Status.PRESENT), word(Source.TEACHER, "08:50", Status.ABSENT)
    office = word(Source.OFFICE, "08:30", Status.LATE)
    assert ruling(LESSON, [later, first]) == later
    assert ruling(LESSON, [office, later, first]) == office
    assert ruling(LESSON, []) is None
    twins = [word(Source.TEACHER, "08:40", Status.PRESENT), word(Source.TEACHER, "08:40", Status.ABSENT)]
    assert ruling(LESSON, twins) == ruling(LESSON, twins[::-1])


@pytest.mark.parametrize(
    ("about", "counts"),
    [
        ("08:30-08:31", True),
        ("08:30-08:30", False),
        ("08:31-10:00", False),
        ("08:00-08:30", False),
        ("08:00", True),
        ("08:31", False),
    ],
)
def test_a_word_is_about_the_slots_that_begin_in_its_time(about: str, counts: bool) -> None:
    assert (ruling(LESSON, [word(Source.OFFICE, "08:40", Status.PRESENT, about)]) is not None) is counts


def test_a_word_about_a_way_is_none_about_a_mark() -> None:
    came = Statement(person=PERSON, kind=StatementKind.CAME, at=at("08:00"), source=Source.OFFICE, said=at("08:00"))
    assert ruling(LESSON, [came]) is None


def _way(kind: StatementKind, moment: str, reason: MarkReason | None) -> Statement:
    return Statement(person=PERSON, kind=kind, at=at(moment), reason=reason, source=Source.TEACHER, said=at("12:00"))


def test_who_was_let_in_is_explained_from_the_last_stay_on() -> None:
    came = _way(StatementKind.CAME, "09:00", MarkReason.TRANSPORT)
    [before] = explanations([came], where("in 07:30", "out 08:00", "in 09:30", "out 10:00").stays)
    assert (before.since, before.until, before.reason) == (at("08:00"), at("09:00"), MarkReason.TRANSPORT)
    assert (before.person, before.source) == (PERSON, Source.TEACHER)
    [back] = explanations([came], where("in 07:30", "out 08:00", "in 09:00", "out 09:00 south/1").stays)
    assert back == before
    [first] = explanations([came], where("in 09:00").stays)
    assert (first.since, first.until) == (EVER, at("09:00"))


def test_who_was_let_go_is_explained_until_the_next_stay() -> None:
    left = _way(StatementKind.LEFT, "09:00", MarkReason.RELEASED)
    [until] = explanations([left], where("in 08:00", "out 09:00", "in 09:30", "out 10:00", "in 10:30").stays)
    assert (until.since, until.until) == (at("09:00"), at("09:30"))
    [rest] = explanations([left], where("in 09:00", "out 09:10").stays)
    assert (rest.since, rest.until) == (at("09:00"), NEVER)


def test_what_has_no_reason_or_is_about_a_mark_explains_no_way() -> None:
    mark = _way(StatementKind.MARK, "09:00", MarkReason.ORDER)
    left, let_go = (_way(StatementKind.LEFT, "09:00", reason) for reason in (None, MarkReason.RELEASED))
    assert explanations([left, mark], []) == []
    assert explanations([left, mark, let_go], []) == explanations([let_go], []) != []
