"""What the commands of the staff share: who says it, at which site; written whole or not at all, and with which effect."""

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Mark, Source
from journal.console import configured, furnished
from journal.desk.options import LANGUAGE
from journal.desk.wording import effect_in_words
from journal.effect import Effect, effect_of
from journal.keys import Keys, keys_of
from journal.rules import Rules, rules_of, the_site
from journal.statements import Author
from journal.store import Day
from sync.clock import clock_from_environment

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a command is given, and by whom."""

    config: Path
    site: str | None
    by: str = field(repr=False)
    source: Source
    note: str = field(repr=False)
    dry_run: bool
    as_json: bool
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command in its transaction."""

    connection: AsyncConnection
    site: str
    rules: Rules
    keys: Keys
    author: Author

    def day(self, day: dt.datetime | None) -> dt.date:
        """The date that was typed, or today's."""
        return self.author.at.astimezone(self.rules.zone).date() if day is None else day.date()

    def moment(self, date: dt.date, wall: dt.time | None) -> dt.datetime:
        """A time of that day by the school's clock; without one it is now."""
        return self.author.at if wall is None else dt.datetime.combine(date, wall, self.rules.zone).astimezone(dt.UTC)


def at_the_desk(command: Callable[..., None]) -> Callable[..., None]:
    """Adds what every command of the staff has, as one argument `desk`."""

    @wraps(command)
    def with_desk(**words: Any) -> None:
        taken: dict[str, Any] = {one.name: words.pop(one.name) for one in fields(Desk)}
        command(desk=Desk(**taken | {"source": Source(taken["source"])}), **words)

    options = (
        configured,
        LANGUAGE,
        click.option("--json", "as_json", is_flag=True, help="For machines."),
        click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing."),
        click.option("--note", default="", help="Why, in a sentence of your own."),
        click.option("--source", type=click.Choice(["office", "teacher"]), default="office", show_default=True),
        click.option("--by", metavar="NAME", required=True, help="Who says it; kept with it."),
        click.option("--site", help="Needed where the journal serves several."),
    )
    decorated: Callable[..., None] = with_desk
    for option in options:
        decorated = option(decorated)
    return decorated


def carry_out(desk: Desk, work: Callable[[Session], Awaitable[set[Day]]]) -> Effect:
    """Do it in one transaction, which a dry run takes back; tell the effect. Raises AttendanceError."""

    async def run() -> Effect:
        async with furnished(desk.config) as (settings, store):
            keys = await keys_of(settings.state.directory, store)
            now = clock_from_environment().now().at
            async with store.begin() as connection:
                rules = await rules_of(connection)
                site = the_site(rules, desk.site)
                session = Session(
                    connection=connection,
                    site=site,
                    rules=rules[site],
                    keys=keys,
                    author=Author(name=desk.by, source=desk.source, at=now, note=desk.note),
                )
                effect = await effect_of(connection, await work(session), now)
                if desk.dry_run:
                    await connection.rollback()
                return effect

    return asyncio.run(run())


def tell(desk: Desk, effect: Effect, sentence: str, **said: object) -> None:
    """What was done, or was only tried, and its effect; `said` for machines."""
    if desk.as_json:
        counts = {"dry_run": desk.dry_run, "marks": len(effect.marks), "sent": effect.sent}
        click.echo(json.dumps({**said, **counts, "changes": _changes(effect)}, ensure_ascii=False))
    else:
        click.echo(f"{sentence} {effect_in_words(effect, desk.language, dry_run=desk.dry_run)}".lstrip())


def _changes(effect: Effect) -> Sequence[dict[str, object]]:
    def said(mark: Mark | None) -> dict[str, object] | None:
        if mark is None:
            return None
        reason = mark.reason and mark.reason.value
        return {"status": mark.status.value, "minutes_late": mark.minutes_late, "reason": reason, "source": mark.source}

    return [
        {"date": date, "person": r.after.person, "slot": r.after.slot, "before": said(r.before), "after": said(r.after)}
        for date, r in effect.marks
    ]
