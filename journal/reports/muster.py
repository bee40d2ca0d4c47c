"""`muster`: who is inside, from all gates; for those who count heads."""

import asyncio
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.instants import cutoffs
from gateway.domain.model import PersonId
from gateway.domain.muster import Whereabouts, by_night, stayed
from gateway.domain.muster import muster as whereabouts
from gateway.domain.presence import Fact
from gateway.domain.register import taken
from gateway.domain.statement import Statement
from journal.case import case_of
from journal.console import configured, reading
from journal.desk.options import DATE, LANGUAGE, SITE, WALL_TIME
from journal.facts import bounds, gather, interpret
from journal.reports.register import natural
from journal.reports.sheets import csv_text
from journal.roster import belongs
from journal.rules import Rules, rules_of, the_site
from journal.statements import spoken_between
from journal.tables import groups, memberships, people
from sync.clock import clock_from_environment

#: In this order; who is outside is not listed.
LISTED: Final = (Whereabouts.INSIDE, Whereabouts.INSIDE_NO_EXIT, Whereabouts.UNKNOWN)
_HEADS: Final[Mapping[str, Mapping[Whereabouts, str]]] = {
    "ru": {
        Whereabouts.INSIDE: "Внутри",
        Whereabouts.INSIDE_NO_EXIT: "Внутри (выход не записывается)",
        Whereabouts.UNKNOWN: "Неизвестно",
        Whereabouts.OUTSIDE: "Снаружи",
    },
    "en": {
        Whereabouts.INSIDE: "Inside",
        Whereabouts.INSIDE_NO_EXIT: "Inside (no exit record)",
        Whereabouts.UNKNOWN: "Unknown",
        Whereabouts.OUTSIDE: "Outside",
    },
}
_TITLES: Final = {"ru": "Кто в школе: {site}, {at}", "en": "Who is at school: {site}, {at}"}
_STOOD: Final = {
    "ru": "Пожарная тревога с {at}: список таков, каким был тогда.",
    "en": "Fire alarm since {at}: the list is as it was then.",
}
_STAFF: Final = {"ru": "сотрудники", "en": "staff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One person."""

    person: str
    name: str = field(repr=False)
    #: The class; empty is staff.
    group: str
    where: Whereabouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """Everybody at one moment."""

    site: str
    at: dt.datetime
    zone: dt.tzinfo
    #: When the fire alarm began at which the list stands still.
    alarm: dt.datetime | None
    #: By class and name.
    heads: tuple[Head, ...]

    def of(self, where: Whereabouts) -> list[Head]:
        """Who is there."""
        return [head for head in self.heads if head.where is where]


@click.command(
    epilog="Examples: attendance-journal muster school-12 · attendance-journal muster school-12 --at 10:15 --csv"
)
@SITE
@click.option("--at", "wall", type=WALL_TIME, help="By the school's clock; now where it is left out.")
@DATE
@LANGUAGE
@click.option("--json", "style", flag_value="json", help="For a machine.")
@click.option("--csv", "style", flag_value="csv", help="For a spreadsheet: one line for each person.")
@configured
def muster(
    site: str, wall: dt.time | None, day: dt.datetime | None, language: str, style: str | None, config: Path
) -> None:
    """Print who is inside, inside without an exit record, or where nobody knows; staff too."""
    found = asyncio.run(_read(config, site, wall, None if day is None else day.date()))
    match style:
        case "json":
            click.echo(json.dumps(_plain(found), ensure_ascii=False))
        case "csv":
            lines = [[head.where, head.group, head.person, head.name] for head in found.heads]
            click.echo(csv_text([["where", "class", "person", "name"], *lines]), nl=False)
        case _:
            _print(found, language)


async def _read(config: Path, site: str, wall: dt.time | None, day: dt.date | None) -> Muster:
    async with reading(config) as connection:
        rules = await rules_of(connection)
        mine = rules[the_site(rules, site)]
        now = clock_from_environment().now().at
        date = day or now.astimezone(mine.zone).date()
        at = now if wall is None else dt.datetime.combine(date, wall, mine.zone).astimezone(dt.UTC)
        return await mustered(connection, site, mine, at)


async def mustered(connection: AsyncConnection, site: str, rules: Rules, at: dt.datetime) -> Muster:
    """Where everybody of the site was or is at that moment."""
    date = at.astimezone(rules.zone).date()
    yesterday, policy = date - dt.timedelta(days=1), rules.on(date.isoformat()).policy
    case = await case_of(connection, site, date.isoformat(), rules, None)
    seen, coverage, of_nights = case.seen()
    described = await _described(connection, site)
    facts: dict[PersonId, list[Fact | Statement]] = {PersonId(person): [] for person in described}
    for person in facts:
        facts[person] += seen.get(person, ())
        facts[person] += case.spoken[person].statements if person in case.spoken else ()
    staff = {person for person, (_, group) in described.items() if not group}
    for person, before in (await _evening(connection, site, rules, yesterday, staff)).items():
        if stayed(before, at, coverage.alarms, policy, seen=bool(facts[person])):
            facts[person] = [*before, *facts[person]]
    slots, ends = [], {}
    for member in case.members:
        slots += taken(member.slots)
        if member.slots and not member.policy.overnight:
            ends[member.pupil.person] = max(slot.end for slot in member.slots) + member.policy.presence_after
    told = [moment for moment in cutoffs(set(slots), policy, rules.zone) if moment + policy.patience <= at]
    heard = told[-1] if told else bounds(date, rules.zone)[0]
    boarders = {person: facts.pop(person) for person in case.boarders if person in facts}
    where = whereabouts(facts, ends, coverage, at, heard, policy)
    where |= whereabouts(boarders, ends, of_nights, at, heard, policy)
    heads = [
        Head(person=person, name=name, group=group, where=where[PersonId(person)])
        for person, (name, group) in described.items()
    ]
    alarm = next((alarm.since for alarm in coverage.alarms if alarm.meets(at, at)), None)
    heads.sort(key=lambda head: (natural(head.group), head.name, head.person))
    return Muster(site=site, at=at, zone=rules.zone, alarm=alarm, heads=tuple(heads))


async def _evening(
    connection: AsyncConnection, site: str, rules: Rules, day: dt.date, staff: set[str]
) -> dict[PersonId, list[Fact | Statement]]:
    """What was seen and said of the staff on the day before, as it counts by night; of who is `overnight`, all of it."""
    m = memberships.c
    query = select(m.person, m.group).where(m.site == site, m.person.in_(sorted(staff)), belongs(day.isoformat()))
    groups_of: dict[str, list[str]] = {person: [] for person in staff}
    for person, group in await connection.execute(query):
        groups_of[person].append(group)
    numbers = rules.on(day.isoformat())
    stays = {person for person, mine in groups_of.items() if numbers.of(mine, None, None).overnight}
    evening = await gather(connection, site, day, rules.zone, staff)
    exits = any(lane.direction.tells_exits for lane in evening.lanes)
    seen, _ = interpret(evening)
    spoken = await spoken_between(connection, site, *bounds(day, rules.zone), staff)
    found: dict[PersonId, list[Fact | Statement]] = {}
    for person in map(PersonId, staff):
        mine = seen.get(person, [])
        if person not in stays:
            mine = by_night(mine, exits=exits)
        found[person] = [*mine, *(spoken[person].statements if person in spoken else ())]
    return found


async def _described(connection: AsyncConnection, site: str) -> dict[str, tuple[str, str]]:
    """Name and class of everybody who belongs to the school now."""
    p, g = people.c, groups.c
    query = select(p.person, p.last_name, p.first_name, p.role, g.title).outerjoin_from(
        people, groups, (g.site == p.site) & (g.group == p.class_group)
    )
    rows = await connection.execute(query.where(p.site == site, p.active == 1))
    return {
        row.person: (f"{row.last_name} {row.first_name}", "" if row.role == "staff" else row.title or "–")
        for row in rows
    }


def _print(found: Muster, language: str) -> None:
    click.echo(_TITLES[language].format(site=found.site, at=f"{found.at.astimezone(found.zone):%d.%m.%Y %H:%M}"))
    if found.alarm is not None:
        click.echo(_STOOD[language].format(at=f"{found.alarm.astimezone(found.zone):%H:%M}"))
    heads = _HEADS[language]
    counts = ", ".join(f"{heads[where].lower()}: {len(found.of(where))}" for where in (*LISTED, Whereabouts.OUTSIDE))
    click.echo(counts[:1].upper() + counts[1:])
    for where in LISTED:
        by_group: dict[str, list[str]] = {}
        for head in found.of(where):
            by_group.setdefault(head.group or _STAFF[language], []).append(head.name)
        for group, names in by_group.items():
            click.echo(f"{heads[where]}, {group}: {', '.join(names)}")


def _plain(found: Muster) -> dict[str, object]:
    def listed(heads: Sequence[Head]) -> list[dict[str, str]]:
        return [{"person": head.person, "name": head.name, "class": head.group} for head in heads]

    return {
        "site": found.site,
        "at": found.at.isoformat(timespec="seconds"),
        "alarm": found.alarm and found.alarm.isoformat(timespec="seconds"),
        **{where.value: listed(found.of(where)) for where in LISTED},
        "outside": len(found.of(Whereabouts.OUTSIDE)),
    }
