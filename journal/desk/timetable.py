"""`timetable`: changes of lessons for today or some days, said by hand; only what they touch is judged again."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.domain.compiler import Compiled
from gateway.domain.model import GroupId, Mode
from gateway.domain.timetable import Change, Substitution
from gateway.errors import InputError
from gateway.listing import Commands
from journal.console import configured, reading
from journal.desk.options import DATE, DAY, LANGUAGE, WALL_TIME, Name
from journal.desk.session import Desk, Session, at_the_desk, carry_out, tell
from journal.rules import rules_of, the_site
from journal.store import Day, mark_dirty, revised
from journal.timetables import Changed, change, changes_of, kept, place, withdraw
from sync.clock import clock_from_environment

#: What a person says -> what becomes of the lessons.
_WORDS = {
    "cancelled": (Change.CANCELLED, None),
    "moved": (Change.MOVED, None),
    "merged": (Change.MERGED, None),
    "added": (Change.ADDED, None),
    "remote": (Change.MODE, Mode.NONE),
    "teacher": (Change.MODE, Mode.TEACHER),
    "gate": (Change.MODE, Mode.GATE),
}
_DONE = {"ru": "Изменение {number} записано.", "en": "Change {number} is written."}
_NO_CHANGES = {"ru": "изменений нет", "en": "no changes"}
_BACK = {"ru": "Изменение {number} отозвано.", "en": "Change {number} is withdrawn."}


@click.group(cls=Commands)
def timetable() -> None:
    """Changes of lessons by hand: cancelled, moved, remote. Added, never edited; withdrawn by another."""


@timetable.command(
    "change",
    epilog="Examples: attendance-journal timetable change cancelled --class 5А --lesson 1 --by Petrova --dry-run · "
    "attendance-journal timetable change remote --class 5А --by Petrova --note frost · "
    "attendance-journal timetable change moved --class 5А --lesson 1 --to-lesson 6 --by Petrova",
)
@click.argument("what", type=click.Choice(list(_WORDS)))
@click.option("--class", "group", multiple=True, help="Of this class or group; the whole school where it is left out.")
@DATE
@click.option("--last", type=DAY, help="The last day; the same day where it is left out.")
@click.option("--lesson", type=click.IntRange(0, 20), multiple=True, help="Its number; all where it is left out.")
@click.option("--to-date", type=DAY, help="Moved: to this day.")
@click.option("--to-lesson", type=click.IntRange(0, 20), help="Moved: to this number.")
@click.option("--start", type=WALL_TIME, help="Moved or added: by the clock on the wall.")
@click.option("--end", type=WALL_TIME, help="Moved or added: by the clock on the wall.")
@click.option("--with", "with_group", help="Merged: the class whose lessons it takes.")
@click.option("--at-site", type=Name(), help="Held at another site, whose doors see it.")
@at_the_desk
def change_(
    desk: Desk,
    what: str,
    group: tuple[str, ...],
    day: dt.datetime | None,
    last: dt.datetime | None,
    lesson: tuple[int, ...],
    to_date: dt.datetime | None,
    to_lesson: int | None,
    start: dt.time | None,
    end: dt.time | None,
    with_group: str | None,
    at_site: str | None,
) -> None:
    """Say that lessons of a class are not as planned; before they begin, while they last, and afterwards."""
    kind, mode = _WORDS[what]
    if (kind is Change.MERGED) != (with_group is not None):
        raise InputError("merged needs another class, and nothing else does", hint="merged --class 5А --with 5Б")

    def said(date: dt.date) -> Substitution:
        return Substitution(
            change=kind,
            date=date,
            last=None if last is None else last.date(),
            groups=frozenset(map(GroupId, group)),
            lessons=frozenset(lesson),
            to_date=None if to_date is None else to_date.date(),
            to_lesson=to_lesson,
            start=start,
            end=end,
            mode=mode,
            site=at_site,
            with_group=None if with_group is None else GroupId(with_group),
            origin="by hand",
        )

    async def work(session: Session) -> set[Day]:
        substitution = said(session.day(day))
        numbers.append(await change(session.connection, session.site, substitution, session.author))
        return await _place(session, substitution, compiled)

    numbers: list[int] = []
    compiled: list[Compiled] = []
    effect = carry_out(desk, work)
    done = "" if desk.dry_run else _DONE[desk.language].format(number=numbers[0])
    tell(desk, effect, done, change=numbers[0], warnings=_warned(compiled))


@timetable.command("withdraw", epilog="Example: attendance-journal timetable withdraw 12 --by Petrova")
@click.argument("number", type=int)
@at_the_desk
def withdraw_(desk: Desk, number: int) -> None:
    """Take a change back: the lessons are as they were."""

    async def work(session: Session) -> set[Day]:
        substitution = await withdraw(session.connection, session.site, number, session.author)
        return await _place(session, substitution, compiled)

    compiled: list[Compiled] = []
    effect = carry_out(desk, work)
    done = "" if desk.dry_run else _BACK[desk.language].format(number=number)
    tell(desk, effect, done, withdrawn=number, warnings=_warned(compiled))


@timetable.command("list", epilog="Example: attendance-journal timetable list --json")
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def list_(config: Path, site: str | None, language: str, *, as_json: bool) -> None:
    """Show the changes by hand that hold and are not over, with their numbers."""

    async def work() -> tuple[list[Changed], ZoneInfo]:
        async with reading(config) as connection:
            rules = await rules_of(connection)
            name = the_site(rules, site)
            return await changes_of(connection, name), rules[name].zone

    found, zone = asyncio.run(work())
    today = clock_from_environment().now().at.astimezone(zone).date()
    holding = [one for one in found if max(_dates(one.substitution)) >= today]
    for one in holding:
        click.echo(json.dumps(_plain(one), ensure_ascii=False) if as_json else _line(one, language))
    if not holding and not as_json:
        click.echo(_NO_CHANGES[language])


async def _place(session: Session, substitution: Substitution, compiled: list[Compiled]) -> set[Day]:
    """Compile what it touches, and let the doors hear of it."""
    lessons = await kept(session.connection, session.site, session.rules.zone)
    days, done = await place(session.connection, session.site, lessons, substitution, session.day(None))
    compiled.append(done)
    await mark_dirty(session.connection, days)
    await revised(session.connection, session.site)
    return days


def _warned(compiled: list[Compiled]) -> list[str]:
    """What could not be placed, told to the person and to machines."""
    found = [f"{one} ({one.hint})" for done in compiled for one in done.unplaced]
    for sentence in found:
        click.echo(sentence, err=True)
    return found


def _dates(one: Substitution) -> list[dt.date]:
    return [date for date in (one.date, one.last, one.to_date) if date is not None]


def _line(one: Changed, language: str) -> str:
    said = one.substitution
    whole, every = ("вся школа", "все уроки") if language == "ru" else ("the whole school", "all lessons")
    groups = ", ".join(sorted(said.groups)) or whole
    lessons = ", ".join(map(str, sorted(said.lessons))) or every
    dates = " – ".join(date.isoformat() for date in _dates(said)[: 2 if said.last else 1])
    return f"{one.number}  {dates}  {groups}  {lessons}  {said.change}{f' {said.mode}' if said.mode else ''}"


def _plain(one: Changed) -> dict[str, object]:
    said = one.substitution
    return {
        "number": one.number,
        "change": said.change.value,
        "date": said.date.isoformat(),
        "last": said.last and said.last.isoformat(),
        "groups": sorted(said.groups),
        "lessons": sorted(said.lessons),
        "mode": said.mode and said.mode.value,
    }
