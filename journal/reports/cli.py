"""`report`: the register of a day on a terminal, in a file, or for a machine."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click

from gateway.domain.model import Doubt, Status
from journal.console import configured, reading
from journal.desk.options import DAY, LANGUAGE
from journal.desk.wording import REASONS
from journal.reports.register import COLUMNS, ClassDay, PupilDay, Register, plain, register, rows
from journal.reports.sheets import csv_text, shown_by_rich, table_lines
from journal.reports.silences import heard_again
from journal.reports.wording import PROVISIONAL, in_words, missed_in_words, of_doors, of_one
from journal.rules import rules_of, the_site
from journal.settings import load
from journal.words import minutes_in_words
from sync.clock import clock_from_environment

_TITLES: Final = {"ru": "Посещаемость {date}, {site}", "en": "Attendance on {date}, {site}"}
_HEADS: Final = {
    "ru": ("Класс", "Всего", "Были", "Опоздали", "Нет", "Неизвестно", "Ещё не решено", "Отмечает учитель"),
    "en": ("Class", "Pupils", "Present", "Late", "Absent", "Unknown", "Pending", "Teacher marks"),
}
_NAMED: Final = {
    "ru": {Status.LATE: "опоздали", Status.ABSENT: "нет", Status.UNKNOWN: "неизвестно"},
    "en": {Status.LATE: "late", Status.ABSENT: "absent", Status.UNKNOWN: "unknown"},
}
_MISSED: Final = {"ru": "пропустили", "en": "missed"}
_LEFT: Final = {"ru": "ушли раньше", "en": "left early"}
_TEACHERS: Final = {"ru": "отмечает учитель", "en": "the teacher marks"}
_WHY: Final = {"ru": "Почему неизвестно или предварительно:", "en": "Why unknown or provisional:"}
_NOBODY: Final = {"ru": "В этот день уроков нет.", "en": "No lessons on that day."}
_TOTAL: Final = {"ru": "Все", "en": "All"}


@click.command(
    epilog="Examples: attendance-journal report --date 2026-09-01 · attendance-journal report --csv > today.csv"
)
@click.option("--date", "day", type=DAY, help="The day; today where it is left out.")
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "style", flag_value="json", help="For a machine.")
@click.option("--csv", "style", flag_value="csv", help="For a spreadsheet: one line for each pupil.")
@click.option("--by-lesson", is_flag=True, help="With --csv: one line for each lesson of a pupil.")
@configured
def report(
    day: datetime | None, site: str | None, language: str, style: str | None, config: Path, *, by_lesson: bool
) -> None:
    """Print who is present, late, absent or unknown, by class, and why."""
    found, ended = asyncio.run(_read(config, site, None if day is None else day.date()))
    match style:
        case "json":
            click.echo(json.dumps(plain(found), ensure_ascii=False))
        case "csv":
            click.echo(csv_text(rows(found, by_lesson=by_lesson)), nl=False)
        case _:
            _print(found, language, ended)


async def _read(config: Path, site: str | None, day: date | None) -> tuple[Register, Mapping[Doubt, datetime]]:
    async with reading(config) as connection:
        rules = await rules_of(connection)
        name = the_site(rules, site)
        today = day or clock_from_environment().now().at.astimezone(rules[name].zone).date()
        found = await register(connection, name, today.isoformat(), load(config).codes(name))
        return found, await heard_again(connection, name, today, rules[name].zone, _doubts(found))


def _doubts(day: Register) -> list[Doubt]:
    return [doubt for group in day.classes for pupil in group.pupils for doubt in pupil.doubts]


def _print(day: Register, language: str, ended: Mapping[Doubt, datetime]) -> None:
    click.echo(_TITLES[language].format(date=day.date, site=day.site))
    if not day.classes:
        click.echo(_NOBODY[language])
        return
    counted = [(group.title, *_counts([group])) for group in day.classes]
    counted.append((_TOTAL[language], *_counts(day.classes)))
    if not shown_by_rich(_HEADS[language], counted):
        click.echo("\n".join(table_lines(_HEADS[language], counted)))
    for group in day.classes:
        for word, names in _lists(group, day, language).items():
            if names:
                click.echo(f"{group.title}, {word}: {', '.join(names)}")
    doubts = of_doors(_doubts(day), ended)
    if doubts:
        click.echo(_WHY[language])
    for doubt in doubts:
        click.echo(f"  {in_words([doubt], language, day.zone, date.fromisoformat(day.date), ended)}")


def _counts(groups: Sequence[ClassDay]) -> list[str]:
    """The whole, each column of it, and who is the teacher's to mark."""
    of_status = ([len(group.of(status)) for group in groups] for status in COLUMNS)
    counts = [len(group.pupils) for group in groups], *of_status, [len(group.teachers) for group in groups]
    return [str(sum(numbers)) for numbers in counts]


def _lists(group: ClassDay, day: Register, language: str) -> dict[str, list[str]]:
    """Who is named, and with which words, under each heading."""

    def said(pupil: PupilDay, *words: str) -> str:
        reason = REASONS[language][pupil.reason] if pupil.reason else ""
        inside = ", ".join(word for word in (*words, reason) if word)
        return f"{pupil.name} ({inside})" if inside else pupil.name

    named, unsure = _NAMED[language], PROVISIONAL[language]
    return {
        named[Status.LATE]: [
            said(p, minutes_in_words(p.minutes_late, language), unsure if p.provisional else "")
            for p in group.of(Status.LATE)
        ],
        _MISSED[language]: [said(p, missed_in_words(p.missed, p.lessons, language)) for p in group.truant],
        _LEFT[language]: [said(p, unsure if p.left_provisionally else "") for p in group.left_early],
        named[Status.ABSENT]: [said(p) for p in group.of(Status.ABSENT)],
        named[Status.UNKNOWN]: [
            said(p, in_words(of_one(p.doubts), language, day.zone, date.fromisoformat(day.date)))
            for p in group.of(Status.UNKNOWN)
        ],
        _TEACHERS[language]: [p.name for p in group.teachers],
    }
