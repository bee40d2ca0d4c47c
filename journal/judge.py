"""The judge loop: dirty days and passed cut-offs in; marks as new revisions, and the notices they call for, out.

    read {dirty rows, slots}  ->  for each (site, date): case -> judge (in a thread) -> one transaction
                                  {changed marks, notices, the dirty rows that were read and did not change since}

Killed anywhere, it starts again from the dirty rows and from when each day was judged last. Facts of the same day are
judged together, so a burst of taps costs one round.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Delete, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.instants import instants
from gateway.ports import Clock
from journal.case import Case, case_of
from journal.facts import bounds
from journal.notify.settle import settle
from journal.prepared import Value, prepared
from journal.revisions import revise
from journal.roster import belongs, slots_of
from journal.rules import Rules, policies_of, rules_of
from journal.shard import Shard
from journal.store import EVERYBODY, Day, Store, mark_dirty, moment
from journal.tables import dirty, marks, memberships, slots

#: Another process may have made a day dirty; nobody wakes us for that.
LONGEST_SLEEP = timedelta(seconds=5)

_log = logging.getLogger("journal")


class Work(NamedTuple):
    """A day of a site."""

    site: str
    date: str


@dataclass(slots=True)
class Task:
    """Whom to judge on a day, and which requests that answers."""

    #: None is everybody.
    persons: set[str] | None = field(default_factory=set)
    #: (person, stamp) of the dirty rows.
    taken: list[tuple[str, int]] = field(default_factory=list)

    def add(self, persons: Iterable[str]) -> None:
        """Judge these, too."""
        if self.persons is not None:
            self.persons.update(persons)


class JudgeLoop:
    """Judges what is dirty and what has become due. One per database, or per share of one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        #: When each day was judged last for everything that was due.
        self._reached: dict[Work, datetime] = {}

    async def run(self) -> None:
        """Endless."""
        while True:
            self._store.dirtied.clear()
            nap = await self.round()
            await self._sleep(nap)

    async def round(self) -> timedelta:
        """Judge everything that waits, and tell how long nothing more becomes due."""
        as_of = self._clock.now().at
        async with self._store.read() as connection:
            every = await rules_of(connection)
            rules = {site: mine for site, mine in every.items() if self._store.shard.owns(site)}
            tasks = await self._dirty(connection)
            following = await self._due(connection, rules, as_of, tasks)
        for work, task in sorted(tasks.items()):
            await self._judge(work, task, rules[work.site], as_of)
        return min(following - as_of, LONGEST_SLEEP)

    async def _judge(self, work: Work, task: Task, rules: Rules, as_of: datetime) -> None:
        async with self._store.read() as connection:
            case = await case_of(connection, work.site, work.date, rules, task.persons)
        days = await asyncio.to_thread(case.judge, as_of)
        async with self._store.begin() as connection:
            await revise(connection, work.site, work.date, days, as_of)
            held = await settle(connection, work.site, work.date, days, as_of, judged=task.persons, rules=rules)
            await _forget(connection, work, task.taken)
            await mark_dirty(connection, _mornings(work, case, as_of))
        if held:
            hint = f"attendance-journal notify held {work.site}"
            _log.warning(
                "messages to parents wait for a person", extra={"site": work.site, "count": held, "hint": hint}
            )
        self._reached[work] = as_of

    async def _dirty(self, connection: AsyncConnection) -> dict[Work, Task]:
        tasks: dict[Work, Task] = defaultdict(Task)
        for site, day, person, stamp in await connection.execute(*_all_dirty(shard=self._store.shard)):
            task = tasks[Work(site, day)]
            task.taken.append((person, stamp))
            if person == EVERYBODY:
                task.persons = None
            else:
                task.add([person])
        return tasks

    async def _due(
        self, connection: AsyncConnection, rules: Mapping[str, Rules], as_of: datetime, tasks: dict[Work, Task]
    ) -> datetime:
        """Add everybody whose slots reached a moment that changes marks without any new fact; tell the next such moment."""
        following = as_of + LONGEST_SLEEP
        for site, mine in rules.items():
            for work, since in (await self._days(connection, site, mine, as_of)).items():
                policies, ripe = await policies_of(connection, site, mine.on(work.date)), set()
                for group, of_group in (await slots_of(connection, site, work.date)).items():
                    moments = {at for policy in policies for at in instants(of_group, policy)}
                    if any(since < at <= as_of for at in moments):
                        ripe.add(group)
                    following = min([following, *(at for at in moments if at > as_of)])
                if ripe:
                    tasks[work].add(await _of_groups(connection, work, ripe))
        return following

    async def _days(
        self, connection: AsyncConnection, site: str, rules: Rules, as_of: datetime
    ) -> dict[Work, datetime]:
        """The days from the last one that has marks through today, each with the moment up to which it was judged."""
        today = as_of.astimezone(rules.zone).date().isoformat()
        last = (await connection.execute(*_judged_last(site, today))).one_or_none()
        first = last[0] if last else today
        found = {}
        for day in (await connection.execute(*_dates(site, first, today))).scalars():
            work = Work(site, day)
            midnight, _ = bounds(date.fromisoformat(day), rules.zone)
            stored = moment(last[1]) if last and last[0] == day else midnight
            found[work] = self._reached.setdefault(work, stored)
        return found

    async def _sleep(self, nap: timedelta) -> None:
        """Until somebody makes a day dirty, or for that long."""
        waits = [
            asyncio.create_task(self._store.dirtied.wait()),
            asyncio.create_task(self._clock.sleep(max(nap.total_seconds(), 0))),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _mornings(work: Work, case: Case, as_of: datetime) -> list[Day]:
    """Where a boarder was on a day that is over tells where the next one begins."""
    following = date.fromisoformat(work.date) + timedelta(days=1)
    over = following <= as_of.astimezone(case.rules.zone).date()
    return [Day(work.site, following.isoformat(), person) for person in case.boarders] if over else []


async def _of_groups(connection: AsyncConnection, work: Work, groups: set[str]) -> set[str]:
    return set((await connection.execute(*_members(work.site, work.date, sorted(groups)))).scalars())


@prepared
def _members(site: Value, day: Value, groups: Value) -> Select[Any]:
    m = memberships.c
    return select(m.person).where(m.site == site, m.group.in_(groups), belongs(day))


async def _forget(connection: AsyncConnection, work: Work, taken: Collection[tuple[str, int]]) -> None:
    if taken:
        rows = [_as_read(work.site, work.date, person, stamp) for person, stamp in taken]
        await connection.execute(rows[0][0], [values for _, values in rows])


@prepared
def _as_read(site: Value, day: Value, person: Value, stamp: Value) -> Delete:
    c = dirty.c
    return delete(dirty).where(c.site == site, c.date == day, c.person == person, c.stamp == stamp)


@prepared
def _all_dirty(*, shard: Shard) -> Select[Any]:
    c = dirty.c
    return select(c.site, c.date, c.person, c.stamp).where(shard.mine(c.site))


@prepared
def _judged_last(site: Value, today: Value) -> Select[Any]:
    c = marks.c
    newest = select(c.date, func.max(c.judged_at)).where(c.site == site, c.date <= today).group_by(c.date)
    return newest.order_by(c.date.desc()).limit(1)


@prepared
def _dates(site: Value, first: Value, today: Value) -> Select[Any]:
    c = slots.c
    return select(c.date).where(c.site == site, c.date >= first, c.date <= today).distinct()
