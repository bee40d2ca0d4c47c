"""`explain`: one person's day, so that a parent, a teacher or an inspector can follow every mark of it."""

import asyncio
import datetime as dt
import json
from pathlib import Path

import click

from journal.console import configured, reading
from journal.desk.options import DAY, LANGUAGE
from journal.desk.persons import known
from journal.reports.explained import lines, plain, rows
from journal.reports.personday import person_day
from journal.reports.sheets import csv_text
from journal.rules import rules_of, the_site
from journal.settings import load
from sync.clock import clock_from_environment


@click.command(epilog="Example: attendance-journal explain p-17 2026-09-01 --language en")
@click.argument("person")
@click.argument("date", type=DAY)
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "style", flag_value="json", help="For a machine.")
@click.option("--csv", "style", flag_value="csv", help="For a spreadsheet: one line for each thing that happened.")
@configured
def explain(person: str, date: dt.datetime, site: str | None, language: str, style: str | None, config: Path) -> None:
    """Print what the doors saw, what was said, which rule made each mark, and who was told what and when."""

    async def read() -> None:
        async with reading(config) as connection:
            rules = await rules_of(connection)
            name = the_site(rules, site)
            await known(connection, name, [person])
            now, codes = clock_from_environment().now().at, load(config).codes(name)
            found = await person_day(connection, name, rules[name], person, date.date(), now, codes)
        match style:
            case "json":
                click.echo(json.dumps(plain(found), ensure_ascii=False))
            case "csv":
                click.echo(csv_text(rows(found, language)), nl=False)
            case _:
                click.echo("\n".join(lines(found, language)))

    asyncio.run(read())
