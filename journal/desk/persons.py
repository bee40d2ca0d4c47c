"""Whom a command of the staff is about: ids, whole classes, a list in a file; each must be known, or nothing is done."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import InputError
from journal import tables
from journal.roster import belongs
from sync.sources.cells import quoted, similar

_MAX_BYTES = 1024 * 1024
_AS_IMPORTED = "use the name of the class as it was imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """As it was typed."""

    persons: Sequence[str] = ()
    groups: Sequence[str] = ()
    #: One id on each line; `-` is standard input.
    listed: Path | None = None


async def persons_of(connection: AsyncConnection, site: str, date: str, chosen: Chosen) -> list[str]:
    """Each once, in the order in which they were named. Raises InputError for who is unknown, and for nobody."""
    named = [*chosen.persons, *(_lines(chosen.listed) if chosen.listed else ())]
    await known(connection, site, named)
    m = tables.memberships.c
    for group in chosen.groups:
        query = select(m.person).where(m.site == site, m.group == group, belongs(date)).order_by(m.person)
        found = list((await connection.execute(query)).scalars())
        if not found:
            raise InputError(f"nobody is in {quoted(group)}", hint=await _near_group(connection, site, group))
        named += found
    if not named:
        raise InputError("nobody is named", hint="name persons by their id, or a class by --class 5А")
    return list(dict.fromkeys(named))


async def known(connection: AsyncConnection, site: str, persons: Sequence[str]) -> None:
    """Raises InputError for the first person that the site does not have."""
    p = tables.people.c
    everybody = set((await connection.execute(select(p.person).where(p.site == site))).scalars())
    for person in persons:
        if person not in everybody:
            hint = similar(person, everybody, "use the id of the directory: 'attendance-journal report --csv' shows it")
            raise InputError(f"{site} has no person {quoted(person)}", hint=hint)


async def known_class(connection: AsyncConnection, site: str, title: str | None) -> None:
    """Raises InputError for a class that the site does not have; None is every class."""
    g, p = tables.groups.c, tables.people.c
    of_class = (g.site == p.site) & (g.group == p.class_group)
    worn = select(func.coalesce(g.title, p.class_group)).outerjoin_from(tables.people, tables.groups, of_class)
    titles = set((await connection.execute(select(g.title).where(g.site == site))).scalars())
    titles |= set(filter(None, (await connection.execute(worn.where(p.site == site))).scalars()))
    if title is not None and title not in titles:
        raise InputError(f"{site} has no class {quoted(title)}", hint=similar(title, titles, _AS_IMPORTED))


async def _near_group(connection: AsyncConnection, site: str, group: str) -> str:
    g = tables.groups.c
    groups = list((await connection.execute(select(g.group).where(g.site == site))).scalars())
    return similar(group, groups, _AS_IMPORTED)


def _lines(path: Path) -> list[str]:
    try:
        if str(path) == "-":
            text = sys.stdin.read(_MAX_BYTES)
        else:
            with path.open(encoding="utf-8-sig") as file:
                text = file.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
        raise InputError(f"{path}: {reason}", hint="give a file with one id on each line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
