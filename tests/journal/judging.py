"""The judge loop in a test's hands: judged at the times that the test names, and what then stands."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from journal import tables
from journal.judge import JudgeLoop
from journal.notify.tables import notices
from tests.journal.school import FakeClock, School, at


class Judge:
    """The loop, round by round, at times that a test names."""

    def __init__(self, place: School) -> None:
        self.clock = FakeClock(at("00:00"))
        self.loop = JudgeLoop(place.store, self.clock)

    async def at(self, local: str) -> timedelta:
        self.clock.moment = at(local)
        return await self.loop.round()


async def told(place: School, template: str, state: str = "sent") -> None:
    """As if the worker had sent everything of that template."""
    async with place.store.begin() as connection:
        await connection.execute(update(notices).where(notices.c.template == template).values(state=state))


async def pending(place: School) -> list[str]:
    return [line for line in await place.notices() if line.endswith("pending")]


async def picture(place: School) -> tuple[Any, ...]:
    return await place.marks(), sorted(await pending(place)), await place.rows(tables.dirty, "person", "stamp")
