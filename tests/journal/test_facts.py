"""From the rows of the store to what judge() takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.domain.clocks import TERMINAL
from gateway.domain.coverage import OutageKind
from gateway.domain.entry import (
    ClockData,
    DeviceData,
    DeviceState,
    EpochData,
    ManualAction,
    ManualData,
    PassageData,
    PassageKind,
)
from gateway.domain.model import ClockState, Direction, PersonId, Reason, Seq, Verdict
from gateway.domain.register import Coverage, Fact, FactKind
from journal import tables
from journal.facts import bounds, gather, interpret
from journal.registry import revoke
from journal.store import milliseconds
from tests.journal.judging import Judge
from tests.journal.school import KEY, LANE, SITE, TODAY, ZONE, School, at, card


@dataclass
class Found:
    facts: Mapping[PersonId, list[Fact]]
    coverage: Coverage
    words: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for person, facts in self.facts.items():
            self.words[person] = [
                f"{'uncertain ' if f.uncertain else ''}{f.kind} {f.at.astimezone(ZONE):%H:%M}"
                for f in sorted(facts, key=lambda f: f.at)
            ]


async def read(place: School, day: date = TODAY, persons: set[str] | None = None) -> Found:
    await place.deliver()
    async with place.store.read() as connection:
        return Found(*interpret(await gather(connection, SITE, day, ZONE, persons)))


async def test_only_the_day_and_only_the_persons_asked_for(place: School) -> None:
    place.north.tap(1, "00:00")
    place.south.tap(2, "23:59:59")
    found = await read(place)
    assert found.words == {"p1": ["arrival 00:00"], "p2": ["arrival 23:59"]}
    assert (await read(place, persons={"p2"})).words == {"p2": ["arrival 23:59"]}
    assert (await read(place, TODAY + timedelta(days=1))).words == {}


async def test_a_card_is_its_holders_of_that_time(place: School) -> None:
    token = KEY.token(card(1))
    async with place.store.begin() as connection:
        mine = tables.cards.c.token == token
        await connection.execute(update(tables.cards).where(mine).values(valid_to=milliseconds(at("08:30"))))
    again = {"technology": "em4100", "uid_encrypted": b"x", "state": "active"}
    await place.add(tables.cards, {"token": token, "person": "p9", "valid_from": milliseconds(at("08:30")), **again})
    place.north.tap(1, "08:29:59")
    place.north.tap(1, "08:30")
    assert (await read(place)).words == {"p1": ["arrival 08:29"], "p9": ["arrival 08:30"]}


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict(admit=True, reason=Reason.KNOWN), FactKind.ARRIVAL),
        (Verdict(admit=True, reason=Reason.EXPIRED), FactKind.ARRIVAL),
        (Verdict(admit=False, reason=Reason.UNKNOWN_CARD), FactKind.ARRIVAL),
        (Verdict(admit=False, reason=Reason.BLOCKED), FactKind.PERMIT),
        (Verdict(admit=False, reason=Reason.LOST), FactKind.PERMIT),
        (Verdict(admit=False, reason=Reason.EXPIRED), FactKind.PERMIT),
    ],
    ids=str,
)
async def test_a_refused_card_was_seen_and_proves_nothing(place: School, verdict: Verdict, kind: FactKind) -> None:
    place.north.tap(1, "08:20", verdict=verdict)
    assert (await read(place)).words == {"p1": [f"{kind} 08:20"]}


def repaired(place: School, since: str, correction: timedelta) -> None:
    """The first synchronisation of the boot, by the wrong clock at `since`."""
    wrong = at(since)
    boottime = milliseconds(wrong) - milliseconds(at("00:00"))
    data = ClockData(
        boot="b1", boottime=boottime, wall=wrong + correction, correction=correction // timedelta(milliseconds=1)
    )
    place.north.append(wrong + correction, data)


async def test_a_clock_that_is_set_later_repairs_what_was_before(place: School) -> None:
    place.north.tap(1, "06:20", clock=ClockState.UNSYNCED)
    assert (await read(place)).words == {"p1": ["uncertain arrival 06:20"]}
    repaired(place, "06:30", timedelta(hours=2))
    place.north.tap(2, "08:40")
    assert (await read(place)).words == {"p1": ["arrival 08:20"], "p2": ["arrival 08:40"]}


async def test_a_clock_may_have_been_on_another_day(place: School) -> None:
    place.north.tap(1, "08:20", clock=ClockState.UNSYNCED)
    repaired(place, "08:30", timedelta(days=2))
    assert (await read(place)).words == {}
    assert (await read(place, TODAY + timedelta(days=2))).words == {"p1": ["arrival 08:20"]}


async def test_a_clock_may_have_been_ahead_of_its_own_repair(place: School) -> None:
    place.north.tap(1, "08:20", clock=ClockState.UNSYNCED)
    place.north.tap(2, "08:20", clock=ClockState.UNSYNCED)
    repaired(place, "08:30", timedelta(days=-1))
    for persons, facts in (
        (None, {"p1": ["arrival 08:20"], "p2": ["arrival 08:20"]}),
        ({"p2"}, {"p2": ["arrival 08:20"]}),
    ):
        assert (await read(place, persons=persons)).words == {}
        assert (await read(place, TODAY - timedelta(days=1), persons)).words == facts


async def test_a_boot_that_nobody_synchronised_lies_between_its_neighbours(place: School) -> None:
    north = place.north
    north.append(at("07:00"), EpochData(previous=None, reason="a start"))
    north.tap(1, "07:30")
    ages = timedelta(days=-2_000)
    north.append(at("07:40") + ages, EpochData(previous=None, reason="a start"), clock=ClockState.UNSYNCED, boot="b2")
    for person in (2, 3):
        north.tap(person, "08:20", clock=ClockState.UNSYNCED, boot="b2", wrong=ages)
    found = await read(place)
    assert found.words == {
        "p1": ["arrival 07:30"],
        "p2": ["uncertain arrival 07:30"],
        "p3": ["uncertain arrival 07:30"],
    }
    assert words(found.coverage, "07:20", "08:00")[-1] == "unsynced north/main since 2026-09-01T04:30:00.000Z"
    north.append(at("09:00"), EpochData(previous=None, reason="a start"), boot="b3")
    only = await read(place, persons={"p2"})
    assert only.words["p2"] == ["uncertain arrival 07:30"]
    assert only.coverage == (await read(place)).coverage
    assert [(o.since, o.until) for o in only.coverage.lanes[0].outages] == [(at("07:30"), at("09:00"))]


async def test_neighbours_are_looked_for_on_other_days(place: School) -> None:
    north = place.north
    north.append(at("23:00") - timedelta(days=1), EpochData(previous=None, reason="a start"))
    ages = timedelta(days=-2_000)
    north.tap(1, "07:00", clock=ClockState.UNSYNCED, boot="b2", wrong=ages)
    north.tap(2, "07:30", boot="b3")
    north.tap(3, "08:00", boot="b3", wrong=timedelta(days=1))
    north.tap(1, "08:01", boot="b3", wrong=timedelta(days=1))
    found = await read(place)
    assert found.words == {"p2": ["arrival 07:30"]}
    [lane] = [lane for lane in found.coverage.lanes if lane.gateway == "north"]
    assert [(o.since, o.until) for o in lane.outages] == [(at("23:00") - timedelta(days=1), at("07:30"))]
    async with place.store.read() as connection:
        assert len((await gather(connection, SITE, TODAY, ZONE, None)).bodies) == 4


async def test_what_a_terminal_tells_late_is_of_its_own_day_and_nobody_s_neighbour(place: School) -> None:
    north = place.north
    yesterday = timedelta(days=-1)
    north.append(at("23:00") + yesterday, EpochData(previous=None, reason="a start"))
    north.tap(1, "07:00", clock=ClockState.UNSYNCED, boot="b2", wrong=timedelta(days=-2_000))
    north.tap(2, "12:00", boot=TERMINAL, wrong=yesterday, clock=ClockState.HOLDOVER)
    north.tap(3, "07:30", boot="b3")
    found = await read(place)
    assert found.words == {"p3": ["arrival 07:30"]}
    assert [(o.since, o.until) for o in found.coverage.lanes[0].outages] == [(at("23:00") + yesterday, at("07:30"))]
    assert (await read(place, TODAY + yesterday)).words == {"p1": ["uncertain arrival 23:00"], "p2": ["arrival 12:00"]}


async def test_modes_alarms_and_what_the_guard_did_are_evidence(place: School) -> None:
    north = place.north
    north.append(at("07:40"), DeviceData(lane=LANE, kind=DeviceState.MODE, detail="free"))
    north.append(at("08:10"), DeviceData(lane=LANE, kind=DeviceState.MODE, detail="single"))
    for action, persons in ((ManualAction.ENTER, ("p1", "p9")), (ManualAction.OPEN, ())):
        names = tuple(map(PersonId, persons))
        north.append(
            at("08:25"), ManualData(lane=LANE, operator="guard", action=action, persons=names, reason="no cards")
        )
    found = await read(place, persons={"p1"})
    assert found.words["p1"] == ["arrival 08:25"]
    [lane] = [lane for lane in found.coverage.lanes if lane.gateway == "north"]
    assert [(o.kind, o.since, o.until) for o in lane.outages] == [
        (OutageKind.FREE, at("07:40"), at("08:10")),
        (OutageKind.OPENED, at("08:25"), at("08:25")),
    ]


async def test_a_gate_that_reports_rotations_tells_who_went_through(place: School) -> None:
    taps = [place.north.tap(person, "08:20") for person in (1, 2, 3)]
    for tap, kind, direction in (
        (taps[0], PassageKind.NOT_USED, Direction.IN),
        (taps[0], PassageKind.CONFIRMED, Direction.IN),
        (taps[1], PassageKind.NOT_USED, Direction.IN),
        (None, PassageKind.FREE, Direction.IN),
    ):
        passage = PassageData(lane=LANE, direction=direction, kind=kind, tap=None if tap is None else Seq(tap))
        place.north.append(at("08:21"), passage)
    assert (await read(place)).words == {"p1": ["arrival 08:21"], "p2": ["permit 08:21"], "p3": ["arrival 08:20"]}


def words(coverage: Coverage, since: str, until: str) -> list[str]:
    return [str(doubt) for doubt in coverage.gaps(at(since), at(until))]


async def test_coverage_by_lane(place: School) -> None:
    place.north.covers("07:00", "08:00")
    place.north.covers("08:00", "09:00")
    found = await read(place)
    assert words(found.coverage, "07:30", "08:59") == ["silent south/main since 2026-09-01T04:30:00.000Z"]
    assert words(found.coverage, "05:00", "08:59") == ["silent south/main since 2026-09-01T04:00:00.000Z"]
    assert words(found.coverage, "05:00", "06:59") == ["no_lane since 2026-09-01T02:00:00.000Z"]


@pytest.mark.parametrize(
    ("revoked", "silent"), [("06:00", []), ("08:10", ["silent south/main since 2026-09-01T04:30:00.000Z"])]
)
async def test_a_revoked_gateway_is_not_waited_for_from_then_on(place: School, revoked: str, silent: list[str]) -> None:
    place.north.covers("07:00", "09:00")
    await revoke(place.store, "south", at=at(revoked))
    assert words((await read(place)).coverage, "07:30", "08:59") == silent


@pytest.mark.parametrize(("revoked", "kinds"), [("08:30", ["out", "permit"]), (None, ["out", "out"])])
async def test_an_exit_at_a_revoked_gateway_counts_until_then(
    place: School, revoked: str | None, kinds: list[str]
) -> None:
    """Of those that were revoked before their moments were kept, always."""
    for when in ("08:20", "08:35"):
        place.south.tap(1, when, way=Direction.OUT)
    await place.deliver()
    await revoke(place.store, "south", at=at(revoked) if revoked else datetime.fromtimestamp(0, UTC))
    facts = (await read(place)).facts[PersonId("p1")]
    assert [fact.kind.value for fact in facts] == kinds


async def test_what_a_stolen_gateway_never_delivered_makes_nobody_absent(place: School) -> None:
    place.north.covers("07:00", "09:16")
    await place.deliver()
    judge = Judge(place)
    await judge.at("09:10")
    await revoke(place.store, "south", at=at("09:10"))
    await judge.at("09:20")
    assert await place.marks() == {"p1": "unknown", "p2": "unknown", "p3": "unknown"}
    assert await place.notices() == []


async def test_bytes_that_nobody_can_read_are_left_out(place: School) -> None:
    place.north.tap(1, "08:20")
    await place.deliver()
    async with place.store.begin() as connection:
        await connection.execute(update(tables.entries).values(flag="malformed", body=b"{"))
    assert (await read(place)).facts == {}


@given(
    day=st.dates(date(2000, 1, 1), date(2037, 12, 31)),
    zone=st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin", "America/St_Johns", "Africa/Cairo"]),
)
def test_days_of_any_zone_follow_each_other_without_a_hole(day: date, zone: str) -> None:
    here = ZoneInfo(zone)
    (since, until), (following, _) = bounds(day, here), bounds(day + timedelta(days=1), here)
    assert milliseconds(until) == milliseconds(following)
    assert (
        timedelta(hours=23) <= timedelta(milliseconds=milliseconds(until) - milliseconds(since)) <= timedelta(hours=25)
    )


def test_a_moment_belongs_to_the_day_of_the_school() -> None:
    since, until = bounds(TODAY, ZONE)
    assert since <= at("00:00") < until
    assert not since <= at("00:00") + timedelta(days=1) < until


async def test_how_a_gate_stands_outlasts_midnight_until_somebody_tells_otherwise(place: School) -> None:
    evening = timedelta(days=-1)
    place.north.append(at("22:00") + evening, DeviceData(lane=LANE, kind=DeviceState.MODE, detail="free"))
    place.north.append(at("22:10") + evening, ManualData(lane=LANE, operator="g", action=ManualAction.HOLD, reason="-"))
    place.north.tap(1, "22:20", wrong=evening)
    place.north.append(at("08:10"), DeviceData(lane=LANE, kind=DeviceState.MODE, detail="single"))
    place.north.append(at("08:20"), ManualData(lane=LANE, operator="g", action=ManualAction.RELEASE, reason="-"))
    found = await read(place)
    assert {(o.kind, o.since, o.until) for lane in found.coverage.lanes for o in lane.outages} == {
        (OutageKind.FREE, at("22:00") + evening, at("08:10")),
        (OutageKind.OPENED, at("22:10") + evening, at("08:20")),
    }
    assert found.words == {}
