"""`directory`: who holds which card, and when lessons are; imported whole or not at all, and published to the doors."""

import asyncio
import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.listing import Commands
from journal.console import configured, furnished
from journal.desk.lanes import doubtful_lanes
from journal.desk.options import DAY, LANGUAGE, SITE
from journal.desk.wording import effect_in_words
from journal.effect import Effect, effect_of
from journal.keys import keys_of
from journal.office import Site, prepare, take_over
from journal.rules import rules_of
from journal.settings import Settings
from journal.standing import cards_of, comparable, standing
from journal.store import Store
from journal.timetables import changes_of
from sync.clock import clock_from_environment
from sync.sources.report import Difference, Outline, Report, difference, outline
from sync.sources.school import Remark, School
from sync.sources.several import Format, Source, read_school, unplaced

#: So many people that go are remarked, where they are more than a quarter of all.
_MANY = 5


@click.group(cls=Commands)
def directory() -> None:
    """Directories: who holds which card, and when lessons are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What an import holds, what differs, what marks it changes."""

    report: Report
    effect: Effect


@directory.command(
    "import",
    epilog="Examples: attendance-journal directory import school-12 export/ --dry-run --json · "
    "attendance-journal directory import school-12 people/ plan.xml --from table --from asc",
)
@SITE
@click.argument("path", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--from",
    "formats",
    type=click.Choice([one.value for one in Format]),
    multiple=True,
    help="How each path is written, in their order; table where it is left out.",
)
@click.option(
    "--since",
    type=DAY,
    help="Replace lessons from this date on [today]; numbers that differ hold from it on. Lanes change now; where this date "
    "is today (to mend a mistake of today) or later, at its midnight.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def import_(
    config: Path,
    site: str,
    path: tuple[Path, ...],
    formats: tuple[str, ...],
    since: dt.datetime | None,
    language: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over a school from its exports, joined in their order; a running journal publishes it by itself."""
    if len(formats) not in (0, len(path)):
        raise click.UsageError("give --from once for each path, or not at all")
    now = clock_from_environment().now().at
    written = formats or (Format.TABLE.value,) * len(path)
    school = read_school([Source(Format(one), place) for one, place in zip(written, path, strict=True)], now.date())
    first = since.date() if since else None

    async def work() -> _Done:
        async with furnished(config, rehearsed=dry_run) as (settings, store):
            return await _import(settings, store, site, school, first, now, dry_run=dry_run)

    done = asyncio.run(work())
    if as_json:
        told = {"dry_run": dry_run, "marks": len(done.effect.marks), "sent": done.effect.sent}
        click.echo(json.dumps({**done.report.plain(), **told}, ensure_ascii=False))
        return
    click.echo(done.report.text(language, done=not dry_run))
    click.echo(effect_in_words(done.effect, language, dry_run=dry_run))


async def _import(
    settings: Settings,
    store: Store,
    site: str,
    school: School,
    since: dt.date | None,
    now: dt.datetime,
    *,
    dry_run: bool,
) -> _Done:
    zone = ZoneInfo(school.zone)
    keys = await keys_of(settings.state.directory, store)
    place = Site(
        name=site,
        policy=settings.policy(site),
        overrides=settings.overrides(site),
        keys=keys.site_keys(site),
        cipher=keys.cards(),
    )
    cards = outline(school, key=place.keys[0].token).credentials or {}
    async with store.read() as connection:
        changes = await changes_of(connection, site)
        unheard_of = await _unheard_of(connection, site)
        doubtful = await doubtful_lanes(connection, site, school.lanes, now)
        before = await standing(connection, site, zone, since or now.astimezone(zone).date(), now, cards)
    prepared = prepare(place, school, now=now, since=since, changes=changes)
    async with store.begin() as connection:
        taken = await take_over(connection, prepared)
        effect = await effect_of(connection, taken.days, now)
        # What a person gave by hand stays: the ledger tells, not the list.
        held = await cards_of(connection, site, zone, now, cards)
        if dry_run:
            await connection.rollback()
    slots = prepared.compiled.slots
    change = difference(before, replace(outline(comparable(school), slots), credentials=held))
    remarks = [*unheard_of, *_gone(before, change), *doubtful, *unplaced(prepared.compiled), *taken.remarks]
    return _Done(report=Report.of(school, slots, remarks, change), effect=effect)


async def _unheard_of(connection: AsyncConnection, site: str) -> list[Remark]:
    """A name that is written wrong looks like a school that comes for the first time."""
    known = sorted(await rules_of(connection))
    if site in known or not known:
        return []
    problem = f"{site} has nobody yet; known sites: {', '.join(known)}"
    return [Remark(place="site", problem=problem, hint="a school that is new here needs nothing; else mend the name")]


def _gone(before: Outline | None, change: Difference) -> list[Remark]:
    """An export of one grade only, or one that was cut short, looks as if the others had left."""
    had = len(before.persons or ()) if before else 0
    go = len(change.persons.removed) if change.persons else 0
    if go < _MANY or go * 4 <= had:
        return []
    hint = "is the export complete? An import takes the school as it stands there"
    return [Remark(place="people", problem=f"{go} of {had} people go", hint=hint)]


@directory.command("publish", epilog="Example: attendance-journal directory publish school-12")
@SITE
@configured
def publish(config: Path, site: str) -> None:
    """Publish a directory now; a running journal does so within seconds of every change."""
    from journal.directory import Publisher  # noqa: PLC0415 - an import of tables needs no broker
    from sync.mqtt import connect  # noqa: PLC0415

    async def work() -> int:
        async with furnished(config) as (settings, store):
            keys, clock, days = (
                await keys_of(settings.state.directory, store),
                clock_from_environment(),
                settings.directory.days,
            )
            following = keys.next_signer()
            publisher = Publisher(store, keys.signer(), clock, lambda *_, **__: None, days=days, following=following)
            # Beside the running journal: another client id, the same user.
            async with connect(settings.broker.broker("-publish")) as connection:
                return (await publisher.publish(connection, site)).manifest.version

    click.echo(f"{site}: version {asyncio.run(work())} is published")
