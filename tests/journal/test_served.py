"""Lanes keep their past: what an import says is true from its day on, and old days are judged by what was true then."""

import datetime as dt
from datetime import timedelta

import pytest

from gateway.domain.directory import GatewayRow, LaneRow
from gateway.domain.entry import DeviceData, DeviceState
from gateway.domain.model import Direction, LaneDirection, PersonId
from journal import tables
from journal.facts import gather, interpret
from journal.reports.muster import mustered
from journal.rules import rules_of
from journal.served import serve
from journal.store import Day, mark_dirty, moment
from tests.journal.bureau import Office, Shelf
from tests.journal.judging import Judge, told
from tests.journal.school import LANE, SITE, TODAY, ZONE, School, at, lesson

NORTH, SOUTH, WEST = (
    GatewayRow(id=name, lanes=(LaneRow(id=LANE, direction=LaneDirection.ARRIVAL_ONLY, opens="07:00", closes="20:00"),))
    for name in ("north", "south", "west")
)


LATER = GatewayRow(id="south", lanes=(SOUTH.lanes[0].model_copy(update={"opens": "12:00"}),))


@pytest.mark.parametrize(
    ("heard", "listed", "mark"),
    [
        pytest.param("north", [NORTH], "unknown", id="a door is gone"),
        pytest.param("both", [NORTH, SOUTH, WEST], "absent", id="a door is new"),
        pytest.param("north", [], "unknown", id="all doors are gone"),
    ],
)
async def test_an_old_day_that_is_judged_again_waits_for_its_own_lanes(
    place: School, heard: str, listed: list[GatewayRow], mark: str
) -> None:
    for ledger in (place.north, place.south) if heard == "both" else (place.north,):
        ledger.covers("07:00", "09:16")
    await place.deliver()
    judge = Judge(place)
    await judge.at("09:20")
    before = await place.marks()
    assert set(before.values()) == {mark}
    next_month = at("12:00") + timedelta(days=31)
    async with place.store.begin() as connection:
        assert await serve(connection, SITE, listed, next_month)
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat())])
    judge.clock.moment = next_month
    await judge.loop.round()
    assert await place.marks() == before


@pytest.mark.parametrize("listed", [[NORTH], [NORTH, LATER]], ids=["gone", "opens later"])
async def test_a_lane_that_is_gone_or_different_was_waited_for_until_then(
    place: School, listed: list[GatewayRow]
) -> None:
    place.north.covers("07:00", "09:00")
    async with place.store.begin() as connection:
        await serve(connection, SITE, listed, at("08:10"))
    await place.deliver()
    async with place.store.read() as connection:
        _, coverage = interpret(await gather(connection, SITE, TODAY, ZONE, None))
    assert [doubt.lane for doubt in coverage.gaps(at("07:30"), at("08:59"))] == ["south/main"]
    assert coverage.gaps(at("08:10"), at("08:59")) == ()


LANES = "gateway;lane;direction;opens;closes\n"
FRONT, BACK = "door-1;north;arrival_only;07:00;20:00\n", "door-2;south;in;07:00;20:00\n"


async def served(office: Office) -> list[tuple[str, str, str | None, str | None]]:
    """(lane, direction, from, until) by the school's clock; always and still are None."""

    def wall(at: int | None) -> str | None:
        return f"{moment(at).astimezone(ZONE):%d.%m. %H:%M}" if at else None

    rows = [(row["lane"], row["direction"], row["since"], row["until"]) for row in await office.rows("lanes")]
    rows.sort(key=lambda row: (row[0], row[2]))
    return [(lane, direction, wall(since), wall(until)) for lane, direction, since, until in rows]


async def test_lanes_keep_their_past(office: Office) -> None:
    await office.imports(lanes=LANES + FRONT + BACK)
    assert await served(office) == [("north", "arrival_only", None, None), ("south", "in", None, None)]
    office.clock.at += dt.timedelta(days=30)
    assert await office.imports(lanes=LANES + FRONT, since=dt.date(2026, 9, 1)), (
        "who was waiting for it is judged again"
    )
    left = ("south", "in", None, "01.10. 10:00")
    assert await served(office) == [("north", "arrival_only", None, None), left], (
        "whatever day lessons are replaced from"
    )
    assert await office.imports(lanes=LANES + FRONT) == set()
    office.clock.at += dt.timedelta(days=1)
    await office.imports(lanes=LANES + FRONT.replace("arrival_only", "in") + BACK)
    turned = [("north", "arrival_only", None, "02.10. 10:00"), ("north", "in", "02.10. 10:00", None)]
    assert await served(office) == [*turned, left, ("south", "in", "02.10. 10:00", None)]


async def test_a_lane_that_changes_twice_on_a_day_was_waited_for_each_time(office: Office) -> None:
    await office.imports(lanes=LANES + FRONT)
    for hours in ("07:00;20:00", "12:00;20:00", "12:00;20:00", "13:00;20:00"):
        office.clock.at += dt.timedelta(hours=1)
        await office.imports(lanes=LANES + FRONT + BACK.replace("07:00;20:00", hours))
    assert (await served(office))[1:] == [
        ("south", "in", "01.09. 11:00", "01.09. 12:00"),
        ("south", "in", "01.09. 12:00", "01.09. 14:00"),
        ("south", "in", "01.09. 14:00", None),
    ]


async def test_lanes_of_a_day_to_come_serve_from_then_on(office: Office) -> None:
    await office.imports(lanes=LANES + FRONT)
    await office.imports(lanes=LANES + BACK, since=dt.date(2026, 9, 7))
    expected = [("north", "arrival_only", None, "07.09. 00:00"), ("south", "in", "07.09. 00:00", None)]
    assert await served(office) == expected
    shelf = Shelf()
    for lane in ("north", "south"):
        await office.publishes(shelf)
        assert [row.id for door in shelf.read()[1].gateways for row in door.lanes] == [lane]
        office.clock.at += dt.timedelta(days=6)
    office.clock.at -= dt.timedelta(days=11)
    await office.imports(lanes=LANES + FRONT)
    assert await served(office) == [("north", "arrival_only", None, None)], "it was taken back before it began"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"direction": LaneDirection.CHECKPOINT}, id="checkpoint"),
        pytest.param({"direction": LaneDirection.OUT}, id="out"),
        pytest.param({"rotations": True}, id="rotations"),
    ],
)
async def test_a_lane_that_changes_during_the_lesson_makes_no_true_message_false(
    place: School, change: dict[str, object]
) -> None:
    place.north.tap(1, "08:20", way=Direction.UNKNOWN)
    place.north.tap(2, "08:40", way=Direction.UNKNOWN)
    await place.heard("07:00", "08:46")
    judge = Judge(place)
    await judge.at("08:46")
    for template in ("late", "not_seen"):
        await told(place, template)
    before = await place.marks(), await place.notices()
    assert before == ({"p1": "present", "p2": "late 10"}, ["p2 late sent", "p3 not_seen sent"])
    changed = GatewayRow(id="north", lanes=(NORTH.lanes[0].model_copy(update=change),))
    async with place.store.begin() as connection:
        await serve(connection, SITE, [changed, SOUTH], at("08:47"))
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat())])
    await place.heard("08:46", "08:48")
    await judge.at("08:48")
    assert (await place.marks(), await place.notices()) == before


async def test_a_tap_is_read_by_what_its_lane_was_unless_that_was_a_mistake_from_midnight_on(place: School) -> None:
    place.north.tap(1, "08:20", way=Direction.UNKNOWN)
    place.north.tap(1, "08:50", way=Direction.UNKNOWN)
    await place.deliver()
    for direction, start, expected in (
        (LaneDirection.OUT, "08:30", ["arrival", "out"]),
        (LaneDirection.CHECKPOINT, "00:00", ["checkpoint", "checkpoint"]),
        (LaneDirection.IN, "08:30", ["checkpoint", "in"]),
        (LaneDirection.CHECKPOINT, "00:00", ["checkpoint", "checkpoint"]),
        (LaneDirection.ARRIVAL_ONLY, "00:00", ["arrival", "arrival"]),
    ):
        turned = GatewayRow(id="north", lanes=(NORTH.lanes[0].model_copy(update={"direction": direction}),))
        async with place.store.begin() as connection:
            await serve(connection, SITE, [turned, SOUTH], at(start))
        async with place.store.read() as connection:
            facts, _ = interpret(await gather(connection, SITE, TODAY, ZONE, None))
        assert [fact.kind.value for fact in facts[PersonId("p1")]] == expected


async def test_an_import_of_today_s_date_says_what_lanes_were_since_midnight(office: Office) -> None:
    await office.imports(lanes=LANES + FRONT)
    office.clock.at += dt.timedelta(days=1)
    today = dt.date(2026, 9, 2)
    await office.imports(lanes=LANES + FRONT.replace("arrival_only", "out") + BACK)
    office.clock.at += dt.timedelta(hours=1)
    assert await office.imports(lanes=LANES + FRONT, since=today), "the day is judged again"
    assert await served(office) == [("north", "arrival_only", None, None)], "a mistake of the same day never was"
    await office.imports(lanes=LANES + FRONT.replace("arrival_only", "in"), since=today)
    assert await served(office) == [
        ("north", "arrival_only", None, "02.09. 00:00"),
        ("north", "in", "02.09. 00:00", None),
    ]


@pytest.mark.parametrize("back", [False, True], ids=["out", "out and in"])
async def test_who_left_through_a_lane_that_is_gone_is_not_absent(place: School, back: bool) -> None:
    """It turns although nobody waits for it any more: whoever went out may be back, and nobody would hear of it."""
    for ledger in (place.north, place.south):
        ledger.tap(1 if ledger is place.north else 2, "08:20", way=Direction.IN)
    async with place.store.begin() as connection:
        await serve(connection, SITE, [SOUTH], at("08:30"))
    place.north.covers("07:00", "08:30")
    place.north.tap(1, "08:35", way=Direction.OUT)
    place.south.tap(2, "08:35", way=Direction.OUT)
    if back:
        place.north.tap(1, "08:37", way=Direction.IN)
    place.south.covers("07:00", "10:12")
    await place.deliver()
    await Judge(place).at("09:20")
    assert await place.marks() == {"p1": "present", "p2": "absent", "p3": "absent"}


async def test_an_alarm_of_a_lane_that_is_gone_ends_with_it(place: School) -> None:
    """Its contact was stuck: nobody would ever tell the all-clear."""
    await place.add(tables.slots, lesson(3, "14:00", "14:45"))
    place.north.tap(1, "08:20", way=Direction.IN)
    place.south.append(at("10:05"), DeviceData(lane=LANE, kind=DeviceState.FIRE_ALARM, detail="alarm"))
    await place.heard("07:00", "10:06")
    async with place.store.begin() as connection:
        await serve(connection, SITE, [NORTH], at("10:06"))
    place.north.tap(1, "12:00", way=Direction.OUT)
    place.north.covers("10:06", "14:46")
    await place.deliver()
    async with place.store.read() as connection:
        found = await mustered(connection, SITE, (await rules_of(connection))[SITE], at("14:46"))
    assert found.alarm is None
    assert {head.person: head.where.value for head in found.heads}["p1"] == "outside"
    await Judge(place).at("14:50")
    assert ("p1", "5a/3", "absent") in await place.rows(tables.marks, "person", "slot", "status")
