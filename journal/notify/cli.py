"""`notify`: what parents were told, are about to be told, and what nobody knows; what a person decides; and a pause of it all."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select

from gateway.listing import Commands
from journal.console import configured, furnished, reading
from journal.desk.options import DAY, LANGUAGE
from journal.desk.persons import known_class
from journal.notify.held import Held, decide, held
from journal.notify.notice import ON_REQUEST, Template, Window
from journal.notify.outbox import State, pause, paused_sites
from journal.notify.tables import notices
from journal.notify.tasklist import Asked, asked, in_words
from journal.notify.wishes import wish
from journal.notify.wording import TEMPLATES, dropped_in_words, held_lines, list_lines, released_in_words, word
from journal.rules import Rules, rules_of, the_site
from journal.store import moment
from journal.tables import sites
from sync.clock import clock_from_environment

F = TypeVar("F", bound=Callable[..., Any])


def decided(command: F) -> F:
    """Adds what a decision about held messages needs: where, of which class, and by whom."""
    by = click.option("--by", metavar="NAME", required=True, help="Who decides it; kept with each message.")
    return configured(click.argument("site")(of_class(LANGUAGE(by(command)))))


def of_class(command: F) -> F:
    """Adds --class as the argument `group`."""
    return click.option("--class", "group", metavar="CLASS", help="Only of this class.")(command)


@click.group(cls=Commands)
def notify() -> None:
    """Messages to parents, and tasks for class teachers."""


@notify.command(
    "list",
    epilog="Example: attendance-journal notify list --state uncertain     what the office should ask parents about",
)
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only these.")
@click.option("--date", "day", type=DAY, help="Only of that day.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@configured
def list_(state: str | None, day: Any, language: str, as_json: bool, config: Path) -> None:
    """Show messages in the order in which they were made; an uncertain one is never sent again by itself."""
    rows, zones, paused = asyncio.run(_read(config, state, None if day is None else day.date().isoformat()))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if paused:
        click.echo(word("paused", language))
    click.echo("\n".join(list_lines(rows, language, zones)))


@notify.command("held", epilog="Example: attendance-journal notify held school-12 --class 5А")
@click.argument("site")
@of_class
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@configured
def held_(site: str, group: str | None, language: str, as_json: bool, config: Path) -> None:
    """Show whose parents wait for a person to decide: so many at once that perhaps it is not the pupils."""

    async def work() -> tuple[list[Held], Rules]:
        async with reading(config) as connection:
            rules = await rules_of(connection)
            name = the_site(rules, site)
            await known_class(connection, name, group)
            return await held(connection, name, group, clock_from_environment().now().at), rules[name]

    found, rules = asyncio.run(work())
    plain = [
        {
            "class": one.group,
            "person": one.person,
            "name": one.name,
            "template": one.template,
            "expires": f"{one.expires.astimezone(rules.zone):%H:%M}",
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(plain, ensure_ascii=False))
        return
    click.echo("\n".join(held_lines(plain, language)))


@notify.command("release", epilog="Example: attendance-journal notify release school-12 --class 5А --by Петрова")
@decided
def release(site: str, group: str | None, by: str, language: str, config: Path) -> None:
    """Let held messages go that are still true and whose lesson is not over; told is when they go."""
    done = asyncio.run(_decide(config, site, group, State.PENDING, by))
    click.echo(released_in_words(done.windows, done.now, done.zone, language, paused=done.paused))


@notify.command("drop", epilog="Example: attendance-journal notify drop school-12 --class 5А --by Петрова")
@decided
def drop(site: str, group: str | None, by: str, language: str, config: Path) -> None:
    """Never send them: the class went to the stadium, the bus was late."""
    done = asyncio.run(_decide(config, site, group, State.DROPPED, by))
    click.echo(dropped_in_words(len(done.windows), language))


@notify.command("tasks", epilog="Example: attendance-journal notify tasks --date 2026-09-01 --language en")
@click.option("--date", "day", type=DAY, help="The day; today where it is left out.")
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For a machine; closed ones, too.")
@configured
def tasks(day: dt.datetime | None, site: str | None, language: str, as_json: bool, config: Path) -> None:
    """Show for whom class teachers should look, because the doors cannot tell whether they are there."""

    async def work() -> tuple[list[Asked], Rules]:
        async with reading(config) as connection:
            rules = await rules_of(connection)
            name = the_site(rules, site)
            now = clock_from_environment().now().at
            date = now.astimezone(rules[name].zone).date() if day is None else day.date()
            return await asked(connection, name, date.isoformat()), rules[name]

    found, rules = asyncio.run(work())
    if as_json:
        click.echo(json.dumps([_task(one) for one in found], ensure_ascii=False))
        return
    nothing = {"ru": "никого искать не надо", "en": "nobody to look for"}[language]
    click.echo("\n".join(in_words(found, language, rules.zone)) or nothing)


@notify.command("wish", epilog="Example: attendance-journal notify wish school-12 p-17 mother@example.org --of arrived")
@click.argument("site")
@click.argument("person")
@click.argument("address")
@click.option(
    "--of",
    "templates",
    type=click.Choice(sorted(template.value for template in ON_REQUEST)),
    multiple=True,
    help="Repeatable.",
)
@LANGUAGE
@configured
def wish_(site: str, person: str, address: str, templates: tuple[str, ...], language: str, config: Path) -> None:
    """Note what a parent asks to hear besides; without --of nothing more. An import leaves it alone."""

    async def work() -> None:
        async with furnished(config) as (_, store), store.begin() as connection:
            rules = await rules_of(connection)
            now = clock_from_environment().now().at
            await wish(connection, the_site(rules, site), person, address, templates, rules[site].zone, now)

    asyncio.run(work())
    named = ", ".join(TEMPLATES[language][Template(one)] for one in templates)
    click.echo(f"{person}: {named or word('no wish', language)}")


@notify.command(
    "pause", epilog="Example: attendance-journal notify pause     before the first start on a restored backup"
)
@LANGUAGE
@configured
def pause_(language: str, config: Path) -> None:
    """Tell nobody anything until it is resumed; what waits expires with its lesson."""
    asyncio.run(_pause(config, paused=True))
    click.echo(word("pause", language))


@notify.command("resume", epilog="Example: attendance-journal notify resume")
@LANGUAGE
@configured
def resume(language: str, config: Path) -> None:
    """Let messages go again that are still true and whose lesson is not over."""
    asyncio.run(_pause(config, paused=False))
    click.echo(word("resume", language))


async def _pause(config: Path, *, paused: bool) -> None:
    async with furnished(config) as (_, store), store.begin() as connection:
        await pause(connection, paused=paused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """When each message may be sent that somebody decided about, and what is then."""

    windows: list[Window]
    now: dt.datetime
    zone: dt.tzinfo
    paused: bool


async def _decide(config: Path, site: str, group: str | None, state: State, author: str) -> _Decided:
    async with furnished(config) as (_, store), store.begin() as connection:
        rules = await rules_of(connection)
        name = the_site(rules, site)
        await known_class(connection, name, group)
        now = clock_from_environment().now().at
        windows = await decide(connection, name, group, state=state, author=author, now=now)
        return _Decided(windows=windows, now=now, zone=rules[name].zone, paused=name in await paused_sites(connection))


async def _read(
    config: Path, state: str | None, day: str | None
) -> tuple[list[dict[str, Any]], dict[str, ZoneInfo], bool]:
    c = notices.c
    query = select(notices, sites.c.paused).join(sites, sites.c.site == c.site).order_by(c.id)
    if state is not None:
        query = query.where(c.state == state)
    if day is not None:
        query = query.where(c.date == day)
    async with reading(config) as connection:
        zones = {site: rules.zone for site, rules in (await rules_of(connection)).items()}
        rows = [_plain(dict(row)) for row in (await connection.execute(query)).mappings()]
        return rows, zones, bool(await paused_sites(connection))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    words = (
        "id",
        "site",
        "person",
        "date",
        "template",
        "recipient",
        "language",
        "state",
        "attempts",
        "error",
        "author",
    )
    moments = ("created", "due", "expires", "sent_at", "decided")
    return (
        {key: row[key] for key in words}
        | {"paused": bool(row["paused"])}
        | {key: None if row[key] is None else _iso(moment(row[key])) for key in moments}
    )


def _task(one: Asked) -> dict[str, Any]:
    return {
        "class": one.group,
        "person": one.person,
        "name": one.name,
        "start": _iso(one.start),
        "doubts": [str(doubt) for doubt in one.doubts],
        "closed": one.closed and _iso(one.closed),
        "closed_by": one.closed_by,
    }


def _iso(at: dt.datetime) -> str:
    return at.isoformat(timespec="milliseconds")
