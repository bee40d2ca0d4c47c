"""What holds of every day, whatever the doors, the staff and the mail server do."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coverage import Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import LaneId, MarkReason, Source, Status
from gateway.domain.presence import EntryRef, Fact, FactKind
from gateway.domain.register import Day, judge
from gateway.domain.statement import Excuse, Statement, StatementKind
from journal.notify.due import due
from journal.notify.notice import ON_REQUEST, PupilDay, Recipient, Template, Told
from tests.journal.morning import FIRST, PARENT, PERSON, SECOND, TODAY, Morning, at

MINUTE = timedelta(minutes=1)
MOMENTS = st.integers(-60, 110).map(lambda minutes: FIRST.start + minutes * MINUTE)
ASKS = Recipient(address=PARENT, language="ru", asked=ON_REQUEST)
OTHER = Recipient(address="father@example.org", language="en")


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    kinds = st.tuples(MOMENTS, st.sampled_from(FactKind), st.booleans())
    return [
        Fact(at=when, kind=kind, ref=EntryRef(gateway="g", epoch="e", seq=seq), uncertain=uncertain and seq % 3 == 0)
        for seq, (when, kind, uncertain) in enumerate(draw(st.lists(kinds, max_size=5)))
    ]


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    found = []
    for slot in draw(st.lists(st.sampled_from([FIRST, SECOND]), max_size=3)):
        status = draw(st.sampled_from([Status.PRESENT, Status.LATE, Status.ABSENT, Status.LEFT_EARLY]))
        said = slot.start + draw(st.integers(-30, 60)) * MINUTE
        found.append(
            Statement(
                person=PERSON,
                kind=StatementKind.MARK,
                at=slot.start,
                until=slot.end,
                status=status,
                minutes_late=7 if status is Status.LATE else 0,
                source=Source.TEACHER,
                said=said,
            )
        )
    for when, kind in draw(st.lists(st.tuples(MOMENTS, st.sampled_from(["came", "left"])), max_size=2)):
        found.append(
            Statement(person=PERSON, kind=StatementKind(kind), at=when, source=Source.OFFICE, said=when + MINUTE)
        )
    return found


@st.composite
def coverages(draw: st.DrawFn) -> Coverage:
    """Heard of up to some moment, perhaps with a hole of a minute, perhaps with an outage."""
    until = draw(MOMENTS | st.just(at("12:00")))
    holes = sorted({at("07:00"), *draw(st.lists(MOMENTS, max_size=1)), until})
    heard = tuple(Interval(since=a + MINUTE * (a != at("07:00")), until=b) for a, b in pairwise(holes))
    broken = [
        Outage(kind=draw(st.sampled_from(OutageKind)), since=since, until=draw(st.none() | st.just(since + 9 * MINUTE)))
        for since in draw(st.lists(MOMENTS, max_size=1))
    ]
    lane = LaneCoverage(
        gateway="g", lane=LaneId("l"), opens=at("07:00"), closes=at("20:00"), intervals=heard, outages=tuple(broken)
    )
    return Coverage(lanes=(lane,))


@st.composite
def excuses(draw: st.DrawFn) -> list[Excuse]:
    return [
        Excuse(person=PERSON, since=since, until=since + 30 * MINUTE, reason=draw(st.sampled_from(MarkReason)))
        for since in draw(st.lists(MOMENTS, max_size=1))
    ]


def known(day: PupilDay, as_of: datetime) -> PupilDay:
    """The day with its marks of that moment."""
    heard: list[Fact | Statement] = [*day.facts, *day.statements]
    who = Day(person=PERSON, date=TODAY)
    return replace(day, marks=judge(who, day.slots, heard, day.excuses, day.coverage, as_of, day.policy))


DAYS = st.builds(
    lambda facts, statements, coverage, excuses, primary: replace(
        (day := Morning(name="", now="08:45").day()),
        pupil=replace(day.pupil, primary=primary, recipients=(ASKS, OTHER)),
        facts=facts,
        statements=statements,
        coverage=coverage,
        excuses=excuses,
    ),
    facts(),
    statements(),
    coverages(),
    excuses(),
    st.booleans(),
)
TIMES = st.lists(st.integers(0, 200), min_size=1, max_size=8).map(sorted)


@given(day=DAYS, minutes=st.integers(0, 200))
def test_partial_coverage_tells_parents_nothing_on_the_word_of_doors(day: PupilDay, minutes: int) -> None:
    as_of = FIRST.start + minutes * MINUTE
    for notice in due(known(day, as_of), [], as_of):
        assert notice.template not in (Template.CORRECTION, Template.UPDATE, Template.SEEN), "nothing was said before"
        assert notice.window.expires > as_of
        assert not day.coverage.alarms or not any(alarm.meets(as_of, as_of) for alarm in day.coverage.alarms)
        if notice.template is Template.ABSENT:
            assert any(s.status is Status.ABSENT and s.said <= as_of for s in day.statements)
        else:
            assert notice.at is not None
            assert day.coverage.gaps(at("00:00"), notice.at) == ()
            assert not any(f.at <= notice.at and (f.uncertain or f.kind is FactKind.PERMIT) for f in day.facts)


@given(days=st.lists(DAYS, min_size=1, max_size=5), times=TIMES, lost=st.sets(st.integers(0, 7)))
def test_each_message_once_and_no_correction_of_what_nobody_heard(
    days: list[PupilDay], times: list[int], lost: set[int]
) -> None:
    """The day may look different at every moment; whatever is due is told, unless the mail server is away."""
    told: dict[tuple[str, Template], Told] = {}
    for turn, minutes in enumerate(times):
        as_of = FIRST.start + minutes * MINUTE
        found = due(known(days[turn % len(days)], as_of), told.values(), as_of)
        spoken = {address for address, _ in told}
        for notice in found:
            key = notice.recipient.address, notice.template
            assert key not in told, "each once"
            assert not _silenced(told, notice.recipient.address), "after a correction nothing"
            assert notice.template not in ON_REQUEST or notice.recipient == ASKS, "only who asked"
            if notice.template in (Template.CORRECTION, Template.UPDATE, Template.SEEN):
                assert notice.recipient.address in spoken, "only who heard something"
        if turn not in lost:
            for notice in found:
                key = notice.recipient.address, notice.template
                told[key] = Told(address=key[0], template=key[1], at=notice.at, window=notice.window)


def _silenced(told: Mapping[tuple[str, Template], Told], address: str) -> bool:
    return (address, Template.CORRECTION) in told


@given(day=DAYS, minutes=st.integers(0, 200))
def test_whatever_was_said_truthfully_needs_no_correction(day: PupilDay, minutes: int) -> None:
    """Nothing new was learnt since: only time passed."""
    as_of = FIRST.start + minutes * MINUTE
    told = [
        Told(address=n.recipient.address, template=n.template, at=n.at, window=n.window)
        for n in due(known(day, as_of), [], as_of)
    ]
    past = [f for f in day.facts if f.at <= as_of]
    said = [s for s in day.statements if s.said <= as_of]
    later = as_of + MINUTE
    still = known(replace(day, facts=past, statements=said), later)
    assert Template.CORRECTION not in {n.template for n in due(still, told, later)}
