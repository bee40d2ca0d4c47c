"""`card list`: the cards of a person over time, the end of each number only."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from journal.console import reading
from journal.desk.persons import known
from journal.keys import keys_beside
from journal.rules import rules_of, the_site
from journal.settings import load
from journal.staff_tables import corrections
from journal.store import moment
from journal.tables import cards

_STATES = {
    "ru": {"active": "действует", "lost": "утеряна", "blocked": "заблокирована"},
    "en": {"active": "works", "lost": "lost", "blocked": "blocked"},
}
_WORDS = {
    "ru": {"always": "с начала", "on": "бессрочно", "none": "Карт нет."},
    "en": {"always": "from the beginning", "on": "for good", "none": "No cards."},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A row of the ledger as it may be shown."""

    masked: str
    state: str
    since: dt.datetime | None
    until: dt.datetime | None
    #: What opened it: import, or who corrected it and why.
    by: str = field(repr=False)
    note: str = field(repr=False)


async def shown(config: Path, site: str | None, person: str) -> tuple[list[Held], ZoneInfo]:
    """The rows of one person under the newest key of the site, oldest first. Raises AttendanceError."""
    async with reading(config) as connection:
        keys = await keys_beside(load(config).state.directory, connection)
        rules = await rules_of(connection)
        name = the_site(rules, site)
        await known(connection, name, [person])
        c, k = cards.c, corrections.c
        query = select(cards, k.author, k.note).outerjoin(corrections, k.id == c.opened_by)
        query = query.where(c.site == name, c.person == person).order_by(c.valid_from, c.id)
        rows = (await connection.execute(query)).mappings().all()
    if not rows:
        return [], rules[name].zone
    cipher = keys.cards()
    newest = max(row["token"].partition(":")[0] for row in rows)
    return [
        Held(
            masked=cipher.open(name, row["uid_encrypted"]).masked if row["uid_encrypted"] else f"{row['technology']}:…",
            state=row["state"],
            since=None if row["valid_from"] is None else moment(row["valid_from"]),
            until=None if row["valid_to"] is None else moment(row["valid_to"]),
            by=row["author"] or "import",
            note=row["note"] or "",
        )
        for row in rows
        if row["token"].startswith(f"{newest}:")
        and (row["valid_to"] is None or row["valid_to"] > (row["valid_from"] or 0))
    ], rules[name].zone


def lines(found: Sequence[Held], language: str, zone: ZoneInfo) -> list[str]:
    """One for each; or that there are none."""
    words = _WORDS[language]

    def wall(at: dt.datetime | None, otherwise: str) -> str:
        return words[otherwise] if at is None else f"{at.astimezone(zone):%d.%m.%Y %H:%M}"

    return [
        f"{one.masked}  {_STATES[language][one.state]}  {wall(one.since, 'always')} – {wall(one.until, 'on')}"
        f"  ({one.by}{': ' if one.note else ''}{one.note})"
        for one in found
    ] or [words["none"]]


def plain(one: Held) -> dict[str, object]:
    """For machines."""

    def iso(at: dt.datetime | None) -> str | None:
        return None if at is None else at.isoformat(timespec="milliseconds")

    said = {"card": one.masked, "state": one.state, "since": iso(one.since), "until": iso(one.until)}
    return {**said, "by": one.by, "note": one.note}
