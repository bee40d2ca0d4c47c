"""What must hold for every mark, whatever happened."""

import itertools
import locale
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.model import GroupId, Mark, Slot, SlotId, Source, Status
from gateway.domain.policy import Policy
from gateway.domain.presence import presence
from gateway.domain.register import Coverage, EntryRef, Fact, FactKind, Interval, judge
from gateway.domain.statement import Excuse, Statement
from tests.domain import given as any_
from tests.domain.build import at
from tests.domain.given import DAY, TWO, WHOLE
from tests.domain.situation import situations
from tests.domain.test_situations import marks as marks_of

POLICY = Policy()
STEP = timedelta(seconds=15)
DIRECTED = [kind for kind in FactKind if kind is not FactKind.ALTERNATING]

Known = Fact | Statement
some_facts = st.lists(any_.facts, max_size=8)
anything = st.lists(any_.facts | any_.statements, max_size=8)
some_excuses = st.lists(any_.excuses, max_size=3)


def marks(
    known: Iterable[Known],
    as_of: datetime,
    coverage: Coverage = WHOLE,
    excuses: Sequence[Excuse] = (),
    slots: Sequence[Slot] = TWO,
) -> list[Mark]:
    return judge(DAY, slots, known, excuses, coverage, as_of, POLICY)


def ticks(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += STEP


@given(anything, some_excuses, any_.coverages, any_.moments, st.randoms(use_true_random=False))
def test_order_batching_and_repetition_change_no_mark(
    known: list[Known], excuses: list[Excuse], coverage: Coverage, as_of: datetime, shuffle: random.Random
) -> None:
    again, other = [*known, *known[::2]], [*excuses, *excuses[::2]]
    shuffle.shuffle(again)
    shuffle.shuffle(other)
    lanes = tuple(
        replace(lane, intervals=lane.intervals[::-1], outages=lane.outages[::-1], closed=lane.closed[::-1])
        for lane in coverage.lanes[::-1]
    )
    expected = marks(known, as_of, coverage, excuses)
    assert marks(iter(again), as_of, Coverage(lanes=lanes), other, TWO[::-1]) == expected
    assert [mark.slot for mark in expected] == [s.id for s in TWO if s.id in {mark.slot for mark in expected}]


@given(anything, any_.certain, any_.coverages)
def test_a_fact_changes_no_slot_that_was_over(known: list[Known], fact: Fact, coverage: Coverage) -> None:
    before, after = marks(known, at("12:00"), coverage), marks([*known, fact], at("12:00"), coverage)
    told = {mark.slot: mark for mark in before}
    reasons = any(isinstance(one, Statement) and one.reason is not None for one in known)
    for slot, mark in ((s, m) for s in TWO for m in after if m.slot == s.id and s.end <= fact.at):
        assert replace(mark, reason=None) == replace(told[slot.id], reason=None)
        assert reasons or mark.reason == told[slot.id].reason


@given(
    st.lists(any_.certain, max_size=8),
    st.builds(Fact, at=any_.moments, kind=st.sampled_from(DIRECTED), ref=any_.refs, lane=any_.lanes),
    st.integers(1, 400),
)
def test_a_fact_changes_no_slot_after_the_next_exit(known: list[Fact], fact: Fact, wait: int) -> None:
    left = Fact(at=fact.at + wait * STEP, kind=FactKind.OUT, ref=fact.ref, lane="elsewhere/1")
    before, after = marks([*known, left], at("12:00")), marks([*known, left, fact], at("12:00"))
    for slot, old, new in zip(TWO, before, after, strict=True):
        if left.at <= slot.start:
            assert new == old


WORSE = [Status.PRESENT, Status.LATE, Status.LEFT_EARLY, Status.PENDING, Status.ABSENT]


@given(anything, any_.moments, any_.coverages, any_.lanes, st.sampled_from([FactKind.IN, FactKind.ARRIVAL]))
def test_a_late_entry_never_worsens_a_mark(
    known: list[Known], when: datetime, coverage: Coverage, lane: str, kind: FactKind
) -> None:
    """Unknown is no mark: an entry may settle it either way, and a mark never becomes it."""
    entry = Fact(at=when, kind=kind, ref=EntryRef(gateway="z", epoch="e", seq=1), lane=lane)
    before, after = marks(known, at("12:00"), coverage), marks([*known, entry], at("12:00"), coverage)
    for old, new in zip(before, after, strict=True):
        if old.status is not Status.UNKNOWN:
            assert WORSE.index(new.status) <= WORSE.index(old.status)


@given(any_.coverages, any_.moments)
def test_whoever_was_not_seen_is_absent_only_where_nothing_is_missing(coverage: Coverage, as_of: datetime) -> None:
    for slot, mark in zip(TWO, marks([], as_of, coverage), strict=True):
        if mark.status is Status.ABSENT:
            assert as_of >= slot.end
            assert any(_open(coverage, n, moment) for n in range(len(coverage.lanes)) for moment in _day(slot))
            for number, moment in itertools.product(range(len(coverage.lanes)), _day(slot)):
                assert not _open(coverage, number, moment) or _named(coverage, number, moment)


def _day(slot: Slot) -> list[datetime]:
    """Moments between ticks, so that it does not matter to which side a tick belongs."""
    return [moment + STEP / 2 for moment in ticks(at("07:00"), slot.end)]


def _open(coverage: Coverage, number: int, moment: datetime) -> bool:
    return not any(c.since < moment < c.until for c in coverage.lanes[number].closed)


def _named(coverage: Coverage, number: int, moment: datetime) -> bool:
    lane = coverage.lanes[number]
    heard = any(i.since < moment < i.until for i in lane.intervals)
    impaired = any(o.since < moment and (o.until is None or moment < o.until) for o in lane.outages)
    return heard and (not impaired or moment < TWO[0].start - POLICY.coverage_before)


@given(anything, some_excuses, any_.coverages, any_.moments)
def test_a_mark_says_what_it_may(
    known: list[Known], excuses: list[Excuse], coverage: Coverage, as_of: datetime
) -> None:
    for slot, mark in zip(TWO, marks(known, as_of, coverage, excuses), strict=True):
        assert mark.complete is (not mark.doubts and mark.status is not Status.PENDING)
        assert mark.final is (as_of >= slot.end and mark.status is not Status.PENDING)
        assert 0 <= mark.minutes_missed <= 45
        if mark.status is Status.ABSENT and mark.source is Source.GATE:
            assert mark.complete
        if as_of < slot.start:
            assert mark == replace(mark, status=Status.PENDING, reason=None, source=Source.GATE)
        if mark.status is Status.LATE and mark.source is Source.GATE:
            assert mark.minutes_late > 0


@given(anything, some_excuses, any_.moments, st.timedeltas(timedelta(days=-9000), timedelta(days=9000)))
def test_marks_move_with_the_clock(known: list[Known], excuses: list[Excuse], as_of: datetime, by: timedelta) -> None:
    """Midnight, a skipped hour and a repeated one are moments like any other."""
    facts = [replace(f, at=f.at + by) if isinstance(f, Fact) else _said(f, by) for f in known]
    given_ = [replace(e, since=e.since + by, until=e.until + by) for e in excuses]
    slots = [replace(s, start=s.start + by, end=s.end + by) for s in TWO]
    lanes = tuple(
        replace(
            lane,
            opens=lane.opens + by,
            closes=lane.closes + by,
            intervals=tuple(Interval(since=i.since + by, until=i.until + by) for i in lane.intervals),
        )
        for lane in WHOLE.lanes
    )
    moved = judge(DAY, slots, facts, given_, Coverage(lanes=lanes), as_of + by, POLICY)
    plain = [replace(mark, doubts=()) for mark in marks(known, as_of, WHOLE, excuses)]
    assert [replace(mark, doubts=()) for mark in moved] == plain


def _said(one: Statement, by: timedelta) -> Statement:
    until = one.until + by if one.until is not None else None
    return replace(one, at=one.at + by, said=one.said + by, until=until)


@given(some_facts, any_.moments)
def test_a_pupil_of_two_groups_gets_the_same_mark_in_both(known: list[Fact], as_of: datetime) -> None:
    twins = [replace(s, id=SlotId(f"{s.id}-b"), group=GroupId("english-b")) for s in TWO]
    found = {mark.slot: replace(mark, slot=SlotId("")) for mark in marks(known, as_of, slots=[*TWO, *twins])}
    for mine, twin in zip(TWO, twins, strict=True):
        assert found[mine.id] == found[twin.id]
    assert [replace(found[s.id], slot=s.id) for s in TWO] == marks(known, as_of)


ways = st.builds(
    Fact,
    at=any_.moments,
    kind=st.sampled_from([FactKind.IN, FactKind.OUT, FactKind.ARRIVAL]),
    ref=any_.refs,
    lane=st.just(""),
)


@given(st.lists(ways, max_size=8, unique_by=lambda fact: fact.at), any_.spans)
def test_time_outside_is_counted_tick_by_tick(known: list[Fact], span: tuple[datetime, datetime]) -> None:
    def inside(moment: datetime) -> bool:
        last = max((f for f in known if f.at <= moment), key=lambda f: f.at, default=None)
        left = any(f.kind is FactKind.OUT and f.at > moment for f in known)
        return last is not None and last.kind is not FactKind.OUT and (left or moment < at("09:30"))

    where = presence(known, as_of=at("12:00"), ends=at("09:30"), policy=POLICY)
    assert where.outside(*span) == STEP * sum(not inside(moment) for moment in ticks(*span))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Vladivostok", "America/St_Johns", "Europe/Berlin"])
def test_no_mark_depends_on_the_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = [s for s in situations() if s.doors or s.staff][::4]
    expected: list[Any] = [marks_of(situation) for situation in table]
    before = locale.setlocale(locale.LC_ALL)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for name in ("C", "C.UTF-8"):
            locale.setlocale(locale.LC_ALL, name)
            assert [marks_of(situation) for situation in table] == expected
    finally:
        locale.setlocale(locale.LC_ALL, before)
        monkeypatch.undo()
        time.tzset()
