"""`report`: the register of a day on a terminal, in a file, or for a machine."""

import asyncio
import csv
import io
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click

from gateway.domain.model import Status
from journal.console import configured, reading
from journal.reports.register import COLUMNS, ClassDay, PupilDay, Register, plain, register
from journal.reports.wording import in_words, missed_in_words
from journal.roster import rules_of, the_site
from journal.words import LANGUAGES, minutes_in_words
from sync.clock import clock_from_environment

_TITLES: Final = {"ru": "Посещаемость {date}, {site}", "en": "Attendance on {date}, {site}"}
_HEADS: Final = {
    "ru": ("Класс", "Всего", "Были", "Опоздали", "Нет", "Неизвестно", "Ещё не решено"),
    "en": ("Class", "Pupils", "Present", "Late", "Absent", "Unknown", "Pending"),
}
_NAMED: Final = {
    "ru": {Status.LATE: "опоздали", Status.ABSENT: "нет", Status.UNKNOWN: "неизвестно"},
    "en": {Status.LATE: "late", Status.ABSENT: "absent", Status.UNKNOWN: "unknown"},
}
_MISSED: Final = {"ru": "пропустили", "en": "missed"}
_NOBODY: Final = {"ru": "В этот день уроков нет.", "en": "No lessons on that day."}
_TOTAL: Final = {"ru": "Все", "en": "All"}


@click.command(
    epilog="Examples: attendance-journal report --date 2026-09-01 · attendance-journal report --csv > today.csv"
)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day; today where it is left out.")
@click.option("--site", help="Needed where the journal serves several.")
@click.option("--language", type=click.Choice(LANGUAGES), default="ru", show_default=True)
@click.option("--json", "style", flag_value="json", help="For a machine.")
@click.option("--csv", "style", flag_value="csv", help="For a spreadsheet: one line for each pupil.")
@configured
def report(day: datetime | None, site: str | None, language: str, style: str | None, config: Path) -> None:
    """Print who is present, late, absent or unknown, by class."""
    found = asyncio.run(_read(config, site, None if day is None else day.date()))
    match style:
        case "json":
            click.echo(json.dumps(plain(found), ensure_ascii=False))
        case "csv":
            click.echo(_csv(found), nl=False)
        case _:
            _print(found, language)


async def _read(config: Path, site: str | None, day: date | None) -> Register:
    async with reading(config) as connection:
        rules = await rules_of(connection)
        name = the_site(rules, site)
        today = day or clock_from_environment().now().at.astimezone(rules[name].zone).date()
        return await register(connection, name, today.isoformat())


def _print(day: Register, language: str) -> None:
    click.echo(_TITLES[language].format(date=day.date, site=day.site))
    if not day.classes:
        click.echo(_NOBODY[language])
        return
    rows = [(group.title, *_counts([group])) for group in day.classes]
    _table(_HEADS[language], [*rows, (_TOTAL[language], *_counts(day.classes))])
    for group in day.classes:
        for word, names in _lists(group, day, language).items():
            if names:
                click.echo(f"{group.title}, {word}: {', '.join(names)}")


def _counts(groups: Sequence[ClassDay]) -> list[str]:
    """The whole, and each column of it."""
    counts = [len(group.pupils) for group in groups], *([group.count(s) for group in groups] for s in COLUMNS)
    return [str(sum(numbers)) for numbers in counts]


def _lists(group: ClassDay, day: Register, language: str) -> dict[str, list[str]]:
    """Who is named, and with which words, under each heading."""

    def why(pupil: PupilDay) -> str:
        return in_words(pupil.doubts, language, day.zone)

    named = _NAMED[language]
    return {
        named[Status.LATE]: [f"{p.name} ({minutes_in_words(p.minutes_late, language)})" for p in group.of(Status.LATE)],
        _MISSED[language]: [f"{p.name} ({missed_in_words(p.missed, p.lessons, language)})" for p in group.truant],
        named[Status.ABSENT]: [p.name for p in group.of(Status.ABSENT)],
        named[Status.UNKNOWN]: [f"{p.name} ({why(p)})" if p.doubts else p.name for p in group.of(Status.UNKNOWN)],
    }


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass  # an extra: the plain table says the same
        else:
            table = Table()
            for number, head in enumerate(heads):
                table.add_column(head, justify="right" if number else "left")
            for row in rows:
                table.add_row(*row)
            Console().print(table)
            return
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        first, *numbers = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join([f"{first.strip():<{widths[0]}}", *numbers]).rstrip())


def _csv(day: Register) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["date", "class", "person", "name", "status", "minutes_late", "missed", "lessons"])
    for group in day.classes:
        for p in group.pupils:
            # A spreadsheet takes a cell that begins like this for a formula.
            name = f"'{p.name}" if p.name.startswith(("=", "+", "-", "@")) else p.name
            writer.writerow([day.date, group.title, p.person, name, p.status, p.minutes_late, p.missed, p.lessons])
    return file.getvalue()
