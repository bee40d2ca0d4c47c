"""`statement`: what the staff says of persons by hand. Said once, never edited; what does not hold is withdrawn."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.domain.model import MarkReason, Status
from gateway.errors import InputError
from gateway.listing import Commands
from journal.desk.options import DATE, DAY, WALL_TIME
from journal.desk.persons import Chosen, known, persons_of
from journal.desk.said import list_
from journal.desk.sayings import read_sayings
from journal.desk.session import Desk, Session, at_the_desk, carry_out, tell
from journal.desk.wording import persons_in_words
from journal.facts import bounds
from journal.roster import members
from journal.statements import Kind, Saying, say, withdraw
from journal.store import Day

REASON = click.option("--reason", type=click.Choice([reason.value for reason in MarkReason]), help="Why.")
AT = click.option("--at", "wall", type=WALL_TIME, help="By the school's clock; now where it is left out.")
_MARKED = [status.value for status in (Status.PRESENT, Status.LATE, Status.ABSENT, Status.LEFT_EARLY)]

Make = Callable[[Session, Sequence[str]], "list[Saying]"]


@click.group(cls=Commands)
def statement() -> None:
    """What the staff says of persons by hand: came, left, excused, marked. Added, never edited."""


statement.add_command(list_)


def _of_persons(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the ways to name persons, as one argument `chosen`."""

    @wraps(command)
    def with_chosen(person: tuple[str, ...], group: tuple[str, ...], listed: Path | None, **words: Any) -> None:
        command(chosen=Chosen(persons=person, groups=group, listed=listed), **words)

    path = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
    decorated: Callable[..., None] = click.argument("person", nargs=-1)(with_chosen)
    decorated = click.option("--class", "group", multiple=True, help="Everybody of this class or group.")(decorated)
    return click.option("--list", "listed", type=path, help="A file with one id on each line; - is input.")(decorated)


@statement.command(
    epilog="Examples: attendance-journal statement came p-17 --at 08:20 --by Petrova · "
    "attendance-journal statement came --list bus.txt --at 08:50 --reason transport --by Petrova"
)
@_of_persons
@AT
@DATE
@REASON
@at_the_desk
def came(desk: Desk, chosen: Chosen, wall: dt.time | None, day: dt.datetime | None, reason: str | None) -> None:
    """Say that persons came in: a forgotten card, a class let in by hand, a late bus."""
    _say(desk, chosen, day, _moment(Kind.CAME, wall, day, reason))


@statement.command(epilog="Example: attendance-journal statement left p-17 --at 11:40 --by Petrova")
@_of_persons
@AT
@DATE
@REASON
@at_the_desk
def left(desk: Desk, chosen: Chosen, wall: dt.time | None, day: dt.datetime | None, reason: str | None) -> None:
    """Say that persons went out unseen by the doors."""
    _say(desk, chosen, day, _moment(Kind.LEFT, wall, day, reason))


@statement.command(
    epilog="Example: attendance-journal statement release p-17 --at 11:40 --by Nurse --note 'temperature'"
)
@_of_persons
@AT
@DATE
@REASON
@at_the_desk
def release(desk: Desk, chosen: Chosen, wall: dt.time | None, day: dt.datetime | None, reason: str | None) -> None:
    """Let persons go for the rest of the day: leaving from then on is no leaving early."""

    def make(session: Session, persons: Sequence[str]) -> list[Saying]:
        date = session.day(day)
        until = bounds(date, session.rules.zone)[1]
        why = MarkReason(reason or MarkReason.RELEASED)
        at = session.moment(date, wall)
        return [Saying(person=one, kind=Kind.RELEASE, at=at, until=until, reason=why) for one in persons]

    _say(desk, chosen, day, make)


@statement.command(
    epilog="Example: attendance-journal statement excuse p-17 --reason ill_reported --last 2026-09-04 --by Petrova"
)
@_of_persons
@DATE
@click.option("--last", type=DAY, help="The last day; the same day where it is left out.")
@click.option("--at", "wall", type=WALL_TIME, help="From this time of the day on; all day where it is left out.")
@click.option("--until", "until", type=WALL_TIME, help="Up to this time of the last day.")
@click.option("--reason", type=click.Choice([reason.value for reason in MarkReason]), required=True, help="Why.")
@at_the_desk
def excuse(
    desk: Desk,
    chosen: Chosen,
    day: dt.datetime | None,
    last: dt.datetime | None,
    wall: dt.time | None,
    until: dt.time | None,
    reason: str,
) -> None:
    """Say that persons need not come: illness, an application, an olympiad."""

    def make(session: Session, persons: Sequence[str]) -> list[Saying]:
        first = session.day(day)
        end = first if last is None else last.date()
        since = session.moment(first, wall or dt.time())
        over = bounds(end, session.rules.zone)[1] if until is None else session.moment(end, until)
        if over <= since:
            raise InputError("the excuse ends before it begins", hint="give --last and --until after --date and --at")
        why = MarkReason(reason)
        return [Saying(person=one, kind=Kind.EXCUSE, at=since, until=over, reason=why) for one in persons]

    _say(desk, chosen, day, make)


@statement.command(
    epilog="Example: attendance-journal statement mark p-17 --lesson 2 --status present --source teacher --by Orlova"
)
@_of_persons
@DATE
@click.option("--lesson", type=int, multiple=True, help="Its number; all lessons of the day where it is left out.")
@click.option("--status", type=click.Choice(_MARKED), required=True)
@click.option("--minutes", type=click.IntRange(0, 600), default=0, help="Late by so many.")
@REASON
@at_the_desk
def mark(
    desk: Desk,
    chosen: Chosen,
    day: dt.datetime | None,
    lesson: tuple[int, ...],
    status: str,
    minutes: int,
    reason: str | None,
) -> None:
    """Set the mark of lessons, whatever the doors saw; the office outweighs a teacher, a teacher the gate."""
    said = Status(status)
    if bool(minutes) != (said is Status.LATE):
        raise InputError("late has minutes, and nothing else has", hint="--status late --minutes 7")
    why = None if reason is None else MarkReason(reason)

    async def work(session: Session) -> set[Day]:
        date = session.day(day)
        persons = await persons_of(session.connection, session.site, date.isoformat(), chosen)
        spans = await _lessons(session, date, persons, lesson)
        sayings = [
            Saying(person=one, kind=Kind.MARK, at=at, until=until, status=said, minutes_late=minutes, reason=why)
            for one, at, until in spans
        ]
        return await _write(session, sayings, written)

    written: list[int] = []
    effect = carry_out(desk, work)
    tell(desk, effect, _counted(desk, len(written)), said=written)


@statement.command(
    "import", epilog="Example: attendance-journal statement import forgotten-cards.csv --by Petrova --dry-run"
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@DATE
@at_the_desk
def import_(desk: Desk, file: Path, day: dt.datetime | None) -> None:
    """Say many things at once from a table: person, kind, date, at, last, until, status, minutes, reason, note."""

    async def work(session: Session) -> set[Day]:
        sayings = read_sayings(file, session.day(day), session.rules.zone)
        await known(session.connection, session.site, [one.person for one in sayings])
        return await _write(session, sayings, written)

    written: list[int] = []
    effect = carry_out(desk, work)
    tell(desk, effect, _counted(desk, len(written)), said=written)


@statement.command(
    "withdraw", epilog="Example: attendance-journal statement withdraw 112 --by Petrova --note 'misread'"
)
@click.argument("number", type=int, nargs=-1, required=True)
@at_the_desk
def withdraw_(desk: Desk, number: tuple[int, ...]) -> None:
    """Take back what was said, by its number; the number that began a bulk takes back the bulk."""

    async def work(session: Session) -> set[Day]:
        done = await withdraw(session.connection, session.site, session.rules.zone, number, session.author)
        written.extend(done.numbers)
        return done.days

    written: list[int] = []
    effect = carry_out(desk, work)
    tell(desk, effect, _counted(desk, len(written), back=True), withdrawn=written)


def _moment(kind: Kind, wall: dt.time | None, day: dt.datetime | None, reason: str | None) -> Make:
    def make(session: Session, persons: Sequence[str]) -> list[Saying]:
        at = session.moment(session.day(day), wall)
        why = None if reason is None else MarkReason(reason)
        return [Saying(person=one, kind=kind, at=at, reason=why) for one in persons]

    return make


def _say(desk: Desk, chosen: Chosen, day: dt.datetime | None, make: Make) -> None:
    async def work(session: Session) -> set[Day]:
        date = session.day(day).isoformat()
        return await _write(
            session, make(session, await persons_of(session.connection, session.site, date, chosen)), written
        )

    written: list[int] = []
    effect = carry_out(desk, work)
    tell(desk, effect, _counted(desk, len(written)), said=written)


async def _write(session: Session, sayings: Sequence[Saying], written: list[int]) -> set[Day]:
    done = await say(session.connection, session.site, session.rules.zone, sayings, session.author)
    written.extend(done.numbers)
    return done.days


async def _lessons(
    session: Session, date: dt.date, persons: Sequence[str], numbers: Sequence[int]
) -> list[tuple[str, dt.datetime, dt.datetime]]:
    """The spans of these lessons, of each person's own; all day without numbers. Raises InputError."""
    if not numbers:
        return [(one, *bounds(date, session.rules.zone)) for one in persons]
    found = []
    for member in await members(session.connection, session.site, date.isoformat(), session.rules, persons):
        slots = {slot.number: slot for slot in member.slots}
        for number in numbers:
            if number not in slots:
                had = ", ".join(map(str, sorted(slots))) or "none"
                raise InputError(
                    f"{member.pupil.person} has no lesson {number} on {date}", hint=f"the lessons of that day: {had}"
                )
            found.append((str(member.pupil.person), slots[number].start, slots[number].end))
    return found


def _counted(desk: Desk, count: int, *, back: bool = False) -> str:
    written, withdrawn, tried = {"ru": ("Записано", "Отозвано", "Касается"), "en": ("Said", "Withdrawn", "About")}[
        desk.language
    ]
    word = tried if desk.dry_run else withdrawn if back else written
    return f"{word}: {persons_in_words(count, desk.language)}."
