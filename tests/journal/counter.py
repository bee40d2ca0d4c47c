"""The office's counter: a school of a real database, its judge loop, and somebody who types commands at a time of day."""

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from click.testing import CliRunner

from gateway.domain.compiler import compile_days
from gateway.domain.model import GroupId
from gateway.domain.timetable import Bell, Lesson, SchoolClass, Timetable
from journal import tables
from journal.cli import main
from journal.migrate import alembic_config
from journal.timetables import keep, slot_rows, write_slots
from tests.journal.judging import Judge
from tests.journal.school import KEY, SITE, TODAY, ZONE, School, at, school


class Counter:
    """What the staff types, and what stands afterwards."""

    def __init__(self, place: School, folder: Path) -> None:
        self.place, self.folder, self.judge = place, folder, Judge(place)

    async def types(self, *words: str, when: str = "12:00", code: int = 0) -> str:
        """What a command prints that is typed at that time of the school's day."""
        arguments = [*words, "--config", str(self.folder / "journal.toml")]
        clock = {"ATTENDANCE_CLOCK": f"{at(when).isoformat()}|{time.monotonic()}|0.000001"}
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments, env=clock)
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    async def json(self, *words: str, when: str = "12:00") -> Any:
        return json.loads(await self.types(*words, "--json", when=when))

    async def file(self, name: str, text: str) -> str:
        path = self.folder / name
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
        return str(path)

    async def marks(self, lesson: int = 1) -> dict[str, str]:
        """The newest revision of every mark of that lesson: `late 6 teacher transport`."""
        found = {}
        columns = ("person", "slot", "revision", "status", "minutes_late", "source", "reason")
        for person, slot, _, status, late, source, reason in await self.place.rows(tables.marks, *columns):
            if slot.endswith(f"-{lesson}"):
                said = [status, str(late or ""), "" if source == "gate" else source, reason or ""]
                found[person] = " ".join(word for word in said if word)
        return found


@asynccontextmanager
async def counter(folder: Path, *, pupils: int = 3, policy: str = "{}") -> AsyncIterator[Counter]:
    """Pupils p1, p2, … of 5А, two doors, lessons at 08:30 and 09:25 of a Tuesday that follow from a stored timetable."""
    (folder / "journal.toml").write_text(f'[state]\ndirectory = "{folder}"\n', encoding="utf-8")
    secrets = {f"site-{SITE}.1.key": KEY.secret, "cards.key": b"\3" * 32, "journal.key": b"\2" * 32}
    for name, secret in secrets.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(secret.hex(), encoding="ascii")
    async with school(folder, pupils=pupils, policy=policy) as place:
        async with place.store.begin() as connection:
            await connection.run_sync(lambda it: command.stamp(alembic_config(it), "head"))
            await keep(connection, SITE, week())
            slots = slot_rows(SITE, ZONE, compile_days(week(), TODAY, TODAY).slots)
            await write_slots(connection, SITE, slots, today=TODAY, span=(TODAY, TODAY))
        yield Counter(place, folder)


_GROUP = GroupId("5a")


def week() -> Timetable:
    """The lessons of the class, as the slots of the school have them."""
    hours = {1: ("08:30", "09:15"), 2: ("09:25", "10:10"), 3: ("10:20", "11:05")}
    bells = [Bell(bells="normal", lesson=n, start=_wall(a), end=_wall(b)) for n, (a, b) in hours.items()]
    group = SchoolClass(id=_GROUP, grade=5, shift=1, bells="normal")
    lessons = [Lesson(group=_GROUP, weekday=TODAY.isoweekday(), lesson=n) for n in (1, 2)]
    return Timetable(zone=ZONE, classes=[group], bells=bells, lessons=lessons)


def _wall(text: str) -> dt.time:
    return dt.time.fromisoformat(text)
