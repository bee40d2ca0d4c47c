"""What happened on the evening before lasts over midnight: drills, open gates, and a fire that still burns."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.domain.entry import DeviceData, DeviceState, FireAlarm
from gateway.domain.model import Direction
from journal import tables
from journal.reports.muster import Muster, mustered
from journal.roster import rules_of
from tests.journal.judging import Judge
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
    assert (await counted(place, "00:05")).alarm is None
