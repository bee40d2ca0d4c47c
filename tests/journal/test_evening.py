"""What happened on the evening before lasts over midnight: drills, open gates, and a fire that still burns."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from gateway.domain.entry import CoverageData, DeviceData, DeviceState, FireAlarm
from gateway.domain.model import Direction, Reason, Verdict
from journal import tables
from journal.reports.muster import Muster, mustered
from journal.rules import rules_of
from tests.journal.judging import Judge, pending
from tests.journal.school import LANE, SITE, School, at

IN, OUT, UNTOLD = Direction.IN, Direction.OUT, Direction.UNKNOWN
YESTERDAY = timedelta(days=-1)


@pytest.fixture
async def place(place: School) -> School:
    """Everybody sleeps at school; the doors tell who comes and who goes."""
    async with place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(policy='{"overnight": true}'))
        await connection.execute(update(tables.lanes).values(direction="both"))
    return place


def tells(place: School, local: str, kind: DeviceState, detail: str, wrong: timedelta = YESTERDAY) -> None:
    place.north.append(at(local) + wrong, DeviceData(lane=LANE, kind=kind, detail=detail))


def drill(place: School) -> None:
    """From 20:00 to 20:15 of yesterday."""
    tells(place, "20:00", DeviceState.FIRE_ALARM, FireAlarm.ALARM)
    place.north.tap(1, "20:03", way=OUT, wrong=YESTERDAY)
    tells(place, "20:15", DeviceState.FIRE_ALARM, FireAlarm.ALL_CLEAR)


async def heard_since(place: School, since: datetime) -> None:
    """Until 09:16, and told only then."""
    for ledger in (place.north, place.south):
        ledger.append(at("09:16"), CoverageData(lane=LANE, since=since, until=at("09:16")))
    await place.deliver()


async def counted(place: School, local: str) -> Muster:
    await place.deliver()
    async with place.store.read() as connection:
        return await mustered(connection, SITE, (await rules_of(connection))[SITE], at(local))


def whereabouts(found: Muster) -> Mapping[str, str]:
    return {head.person: head.where.value for head in found.heads}


async def morning(place: School) -> Mapping[str, str]:
    """The marks after the first lesson of a morning that was heard of, as the night was."""
    place.north.covers("00:00", "07:00")
    place.south.covers("00:00", "07:00")
    await place.heard("07:00", "09:16")
    await Judge(place).at("09:20")
    return await place.marks()


async def test_an_alarm_outlasts_midnight(place: School) -> None:
    for person in (1, 2):
        place.north.tap(person, "18:00", way=IN, wrong=YESTERDAY)
    tells(place, "23:50", DeviceState.FIRE_ALARM, FireAlarm.ALARM)
    place.north.tap(1, "23:55", way=OUT, wrong=YESTERDAY)
    place.north.tap(2, "00:01", way=OUT)
    tells(place, "00:05", DeviceState.FIRE_ALARM, FireAlarm.ALL_CLEAR, timedelta(0))
    for moment in ("00:00:10", "00:04"):
        found = await counted(place, moment)
        assert found.alarm == at("23:50") + YESTERDAY
        assert whereabouts(found) == {"p1": "inside", "p2": "inside", "p3": "outside"}
    place.north.tap(2, "00:10", way=OUT)
    found = await counted(place, "00:11")
    assert (found.alarm, whereabouts(found)["p1"], whereabouts(found)["p2"]) == (None, "inside", "outside")


async def test_who_went_out_in_a_drill_of_the_evening_slept_at_school(place: School) -> None:
    for person in (1, 2):
        place.north.tap(person, "18:00", way=IN, wrong=YESTERDAY)
    drill(place)
    assert whereabouts(await counted(place, "03:00")) == {"p1": "inside", "p2": "inside", "p3": "unknown"}
    place.north.tap(1, "08:36", way=IN)
    place.north.tap(2, "08:37", way=OUT)
    place.north.tap(2, "08:38", way=IN)
    assert await morning(place) == {"p1": "present", "p2": "present", "p3": "unknown"}
    assert not [line for line in await place.notices() if line.startswith("p1")]


async def test_turns_begin_anew_after_a_drill_of_the_evening(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.lanes).values(direction="alternating"))
    place.north.tap(1, "18:00", way=UNTOLD, wrong=YESTERDAY)
    place.north.tap(2, "18:00", way=UNTOLD, wrong=YESTERDAY)
    tells(place, "20:00", DeviceState.FIRE_ALARM, FireAlarm.ALARM)
    tells(place, "20:15", DeviceState.FIRE_ALARM, FireAlarm.ALL_CLEAR)
    place.north.tap(1, "20:30", way=UNTOLD, wrong=YESTERDAY)
    assert await morning(place) == {"p1": "present", "p2": "present", "p3": "unknown"}


TROUBLES = [
    (DeviceState.MODE, "free", "single"),
    (DeviceState.DOWN, "reader lost", "reader"),
]


@pytest.mark.parametrize(("trouble", "begins", "ends"), TROUBLES)
async def test_who_went_out_before_a_trouble_of_the_evening_may_be_back(
    place: School, trouble: DeviceState, begins: str, ends: str
) -> None:
    place.north.tap(1, "17:00", way=OUT, wrong=YESTERDAY)
    tells(place, "18:00", trouble, begins)
    tells(place, "19:00", DeviceState.UP if trouble is DeviceState.DOWN else trouble, ends)
    place.north.tap(2, "19:30", way=OUT, wrong=YESTERDAY)
    assert whereabouts(await counted(place, "03:00")) == {"p1": "unknown", "p2": "outside", "p3": "unknown"}
    await heard_since(place, at("12:00") + YESTERDAY)
    await Judge(place).at("08:50")
    assert await pending(place) == ["p2 not_seen pending"]
    await Judge(place).at("09:20")
    assert await place.marks() == {"p1": "unknown", "p2": "absent", "p3": "unknown"}
    assert whereabouts(await counted(place, "09:16")) == {"p1": "unknown", "p2": "outside", "p3": "unknown"}


async def test_who_went_home_days_ago_and_is_not_back_is_told_of(place: School) -> None:
    place.north.tap(1, "08:00", way=IN, wrong=3 * YESTERDAY)
    place.north.tap(1, "14:00", way=OUT, wrong=3 * YESTERDAY)
    place.north.tap(2, "14:00", way=OUT, wrong=3 * YESTERDAY)
    place.north.tap(2, "19:00", way=IN, wrong=YESTERDAY)
    place.north.tap(3, "14:00", way=OUT, wrong=3 * YESTERDAY)
    refused = Verdict(admit=False, reason=Reason.BLOCKED)
    place.north.tap(3, "19:00", verdict=refused, wrong=YESTERDAY)
    await heard_since(place, at("12:00") + 3 * YESTERDAY)
    await Judge(place).at("08:50")
    assert await pending(place) == ["p1 not_seen pending"], "p2 slept here, and the card of p3 was at the door"
