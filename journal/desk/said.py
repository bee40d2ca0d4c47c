"""`statement list`: what was said about a day, by whom, and whether it holds."""

import asyncio
import datetime as dt
import json
from pathlib import Path

import click

from journal.console import configured, reading
from journal.desk.options import DATE, LANGUAGE
from journal.desk.wording import KINDS, REASONS, STATUSES
from journal.facts import bounds
from journal.rules import rules_of, the_site
from journal.statements import Kind, Said, said_between
from sync.clock import clock_from_environment

_NOTHING = {"ru": "записей нет", "en": "no statements"}


@click.command("list", epilog="Example: attendance-journal statement list --date 2026-09-01 --json")
@DATE
@click.option("--person", help="Only of this one.")
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def list_(
    config: Path, day: dt.datetime | None, person: str | None, site: str | None, language: str, *, as_json: bool
) -> None:
    """Show what was said about a day, in order, withdrawn or not, with its numbers."""

    async def work() -> tuple[list[Said], dt.tzinfo]:
        async with reading(config) as connection:
            rules = await rules_of(connection)
            name = the_site(rules, site)
            zone = rules[name].zone
            date = clock_from_environment().now().at.astimezone(zone).date() if day is None else day.date()
            return await said_between(connection, name, *bounds(date, zone), None if person is None else [person]), zone

    found, zone = asyncio.run(work())
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(in_words(one, language, zone))
    if not found:
        click.echo(_NOTHING[language])


def in_words(one: Said, language: str, zone: dt.tzinfo) -> str:
    """`112  08:20  came in  p-17  transport  (Petrova 08:31: bus)`."""
    saying = one.saying
    until = f"–{_wall(saying.until, zone)}" if saying.until and saying.kind is not Kind.RELEASE else ""
    status = STATUSES[language][saying.status] if saying.status else ""
    late = f"{saying.minutes_late} {'мин' if language == 'ru' else 'min'}" if saying.minutes_late else ""
    reason = REASONS[language][saying.reason] if saying.reason else ""
    what = ", ".join(part for part in (KINDS[language][saying.kind], f"{status} {late}".strip(), reason) if part)
    who = f"{one.author.name}, {_wall(one.author.at, zone)}" + (f": {saying.note}" if saying.note else "")
    back = ""
    if one.withdrawn is not None:
        word = "отозвано" if language == "ru" else "withdrawn"
        back = f"; {word}: {one.withdrawn.name}, {_wall(one.withdrawn.at, zone)}"
    return f"{one.id}  {_wall(saying.at, zone)}{until}  {saying.person}  {what}  ({who}{back})"


def _wall(at: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{at.astimezone(zone):%d.%m %H:%M}"


def _plain(one: Said) -> dict[str, object]:
    saying, author = one.saying, one.author

    def iso(at: dt.datetime | None) -> str | None:
        return None if at is None else at.isoformat(timespec="milliseconds")

    return {
        "id": one.id,
        "bulk": one.bulk,
        "person": saying.person,
        "kind": saying.kind.value,
        "at": iso(saying.at),
        "until": iso(saying.until),
        "status": saying.status and saying.status.value,
        "minutes_late": saying.minutes_late,
        "reason": saying.reason and saying.reason.value,
        "source": author.source.value,
        "author": author.name,
        "said": iso(author.at),
        "note": saying.note,
        "withdrawn": one.withdrawn and {"author": one.withdrawn.name, "said": iso(one.withdrawn.at)},
    }
