"""`directory`: who holds which card, and when lessons are; imported whole or not at all, and published to the doors."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.domain.compiler import Compiled, compile_days
from journal.console import configured, furnished, ran_before
from journal.desk.options import SITE
from journal.desk.wording import effect_in_words
from journal.effect import Effect, effect_of
from journal.keys import keys_of
from journal.office import HORIZON, Counts, Site, prepare, take_over
from journal.settings import Settings, load
from journal.store import Store
from journal.timetables import changes_of
from journal.words import LANGUAGES
from sync.clock import clock_from_environment
from sync.sources.school import Remark, School
from sync.sources.table import read_folder


@click.group()
def directory() -> None:
    """Directories: who holds which card, and when lessons are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What an import holds, what it changes, and what a person should look at."""

    counts: Counts
    effect: Effect
    remarks: Sequence[Remark]


@directory.command("import", epilog="Example: attendance-journal directory import school-12 export/ --dry-run --json")
@SITE
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Replace lessons from this date on [today].")
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@click.option("--language", type=click.Choice(LANGUAGES), default="ru", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def import_(
    config: Path, site: str, folder: Path, since: dt.datetime | None, language: str, *, dry_run: bool, as_json: bool
) -> None:
    """Take over a school from a folder of tables; a running journal publishes it by itself."""
    school = read_folder(folder)
    first = None if since is None else since.date()

    async def work() -> _Done:
        if dry_run and not ran_before(load(config).url):
            return _judge(school, first)
        async with furnished(config) as (settings, store):
            return await _import(settings, store, site, school, first, dry_run=dry_run)

    done = asyncio.run(work())
    if as_json:
        told = {"marks": len(done.effect.marks), "sent": done.effect.sent}
        warnings = [asdict(remark) for remark in done.remarks]
        click.echo(json.dumps({**asdict(done.counts), **told, "warnings": warnings}, ensure_ascii=False))
        return
    words = ", ".join(f"{count} {name}" for name, count in asdict(done.counts).items())
    click.echo(f"{'judged' if dry_run else 'imported'}: {words}")
    click.echo(effect_in_words(done.effect, language, dry_run=dry_run))
    for remark in done.remarks:
        click.echo(f"{remark.place}: {remark.problem} ({remark.hint})", err=True)


def _judge(school: School, since: dt.date | None) -> _Done:
    """Where no journal ever ran there are no marks to change; and a dry run makes none."""
    first = since or clock_from_environment().now().at.astimezone(ZoneInfo(school.zone)).date()
    compiled = compile_days(school.timetable, first, first + HORIZON)
    return _Done(counts=Counts.of(school, compiled), effect=Effect(), remarks=_unplaced(compiled))


async def _import(
    settings: Settings, store: Store, site: str, school: School, since: dt.date | None, *, dry_run: bool
) -> _Done:
    now = clock_from_environment().now().at
    keys = await keys_of(settings.state.directory, store)
    place = Site(
        name=site,
        policy=settings.policy(site),
        overrides=settings.overrides(site),
        keys=keys.site_keys(site),
        cipher=keys.cards(),
    )
    async with store.read() as connection:
        changes = await changes_of(connection, site)
    first = since or now.astimezone(ZoneInfo(school.zone)).date()
    prepared = prepare(place, school, now=now, since=first, changes=changes)
    async with store.begin() as connection:
        taken = await take_over(connection, prepared)
        effect = await effect_of(connection, taken.days, now)
        if dry_run:
            await connection.rollback()
    remarks = [*_unplaced(prepared.compiled), *taken.remarks]
    return _Done(counts=Counts.of(school, prepared.compiled), effect=effect, remarks=remarks)


def _unplaced(compiled: Compiled) -> list[Remark]:
    remarks = [Remark(place=one.origin, problem=str(one), hint=one.hint) for one in compiled.unplaced]
    more = Remark(place="lessons", problem=f"and {compiled.untold} more", hint="mend these first")
    return [*remarks, more] if compiled.untold else remarks


@directory.command("publish", epilog="Example: attendance-journal directory publish school-12")
@SITE
@configured
def publish(config: Path, site: str) -> None:
    """Publish a directory now; a running journal does so within seconds of every change."""
    from journal.directory import Publisher  # noqa: PLC0415 - an import of tables needs no broker
    from sync.mqtt import connect  # noqa: PLC0415

    async def work() -> int:
        async with furnished(config) as (settings, store):
            signer, clock = (await keys_of(settings.state.directory, store)).signer(), clock_from_environment()
            publisher = Publisher(store, signer, clock, lambda *_, **__: None, days=settings.directory.days)
            # Beside the running journal: another client id, the same user.
            async with connect(settings.broker.broker("-publish")) as connection:
                return (await publisher.publish(connection, site)).manifest.version

    click.echo(f"{site}: version {asyncio.run(work())} is published")
