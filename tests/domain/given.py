"""Whatever may happen on a school day: what hypothesis draws from."""

from datetime import date, timedelta

from hypothesis import strategies as st

from gateway.domain.model import LaneId, MarkReason, PersonId, Source, Status
from gateway.domain.register import (
    Coverage,
    Day,
    EntryRef,
    Fact,
    FactKind,
    Interval,
    LaneCoverage,
    Outage,
    OutageKind,
)
from gateway.domain.statement import Excuse, Statement, StatementKind
from tests.domain.build import at, slot

PERSON = PersonId("p-1")
DAY = Day(person=PERSON, date=date(2026, 9, 1))
TWO = (slot(), slot("09:25", "10:10", number=2))
OPENS, CLOSES = at("07:00"), at("18:00")

#: Every quarter of a minute from seven to ten.
moments = st.integers(0, 3 * 60 * 4).map(lambda n: OPENS + timedelta(seconds=15 * n))
spans = st.tuples(moments, moments).map(sorted).filter(lambda pair: pair[0] < pair[1])
refs = st.builds(EntryRef, gateway=st.sampled_from(["n", "s"]), epoch=st.just("e"), seq=st.integers(1, 99))
lanes = st.sampled_from(["n/1", "n/2", "s/1"])
kinds = st.sampled_from(sorted(FactKind))
facts = st.builds(Fact, at=moments, kind=kinds, ref=refs, lane=lanes, uncertain=st.booleans())
certain = st.builds(Fact, at=moments, kind=kinds, ref=refs, lane=lanes)
sources = st.sampled_from([Source.TEACHER, Source.OFFICE])
reasons = st.none() | st.sampled_from(sorted(MarkReason))
statements = st.builds(
    Statement,
    person=st.sampled_from([PERSON, PERSON, PersonId("p-2")]),
    kind=st.sampled_from(sorted(StatementKind)),
    at=moments,
    until=st.none() | moments,
    status=st.none() | st.sampled_from([Status.PRESENT, Status.LATE, Status.ABSENT, Status.LEFT_EARLY]),
    minutes_late=st.integers(0, 45),
    reason=reasons,
    source=sources,
    said=moments,
)
excuses = st.builds(
    lambda span, reason, source: Excuse(person=PERSON, since=span[0], until=span[1], reason=reason, source=source),
    spans,
    st.sampled_from(sorted(MarkReason)),
    sources,
)
intervals = spans.map(lambda span: Interval(since=span[0], until=span[1]))
outages = st.builds(
    lambda kind, span, ends: Outage(kind=kind, since=span[0], until=span[1] if ends else None),
    st.sampled_from(sorted(OutageKind)),
    spans,
    st.booleans(),
)
coverages = st.lists(
    st.builds(
        LaneCoverage,
        gateway=st.just("n"),
        lane=st.sampled_from([LaneId("1"), LaneId("2"), LaneId("3")]),
        opens=st.just(OPENS),
        closes=st.just(CLOSES),
        intervals=st.lists(intervals, max_size=4).map(tuple),
        outages=st.lists(outages, max_size=2).map(tuple),
        closed=st.lists(intervals, max_size=2).map(tuple),
    ),
    max_size=3,
).map(lambda found: Coverage(lanes=tuple(found)))


def heard(*between: tuple[str, str]) -> Coverage:
    """Of one lane, from these intervals."""
    told = tuple(Interval(since=at(since), until=at(until)) for since, until in between)
    return Coverage(lanes=(LaneCoverage(gateway="n", lane=LaneId("1"), opens=OPENS, closes=CLOSES, intervals=told),))


WHOLE = heard(("07:00", "18:00"))
