"""What is wrong with the rows of a timetable whatever the date: a name that nobody has, an end before its start."""

import datetime as dt
from collections.abc import Callable, Iterable

from gateway.domain.findings import Findings
from gateway.domain.model import GroupId
from gateway.domain.timetable import Change, Substitution, Timetable

Tell = Callable[[str, str, str, str], None]
_WEEKDAYS = range(1, 8)
OVER_MIDNIGHT = "ends at or before its start; nothing reaches over midnight"
MEND_TIMES = "mend one of the two times; cut what goes over midnight in two"
_MEND_DATES = "mend one of the two dates"
_MEND_WEEKDAY = "1 is Monday, 7 is Sunday"
_UNKNOWN = "no class or group is called so"
_MEND_NAME = "write it as the list of classes does, or add it there"


def find(timetable: Timetable, findings: Findings) -> None:
    """Tell every mistake that does not hang on a date."""

    def tell(origin: str, group: str, problem: str, hint: str) -> None:
        findings.tell(origin, group, None, problem, hint)

    _classes(timetable, tell)
    _bells(timetable, tell)
    _lessons(timetable, tell)
    _calendar(timetable, tell)
    for said in timetable.substitutions:
        if (wrong := flaw(said, timetable)) is not None:
            for name in sorted(said.groups) or [GroupId("")]:
                tell(said.origin, name, *wrong)
        _names(timetable, said.origin, said.groups, tell)
    for event in timetable.events:
        _names(timetable, event.origin, [event.group], tell)


def flaw(said: Substitution, timetable: Timetable) -> tuple[str, str] | None:
    """Why a substitution cannot be followed, and what to do; None where it can."""
    wrong: list[tuple[bool, str, str]] = [
        (said.last is not None and said.last < said.date, "ends before its first date", _MEND_DATES),
        (said.start is not None and said.end is not None and said.end <= said.start, OVER_MIDNIGHT, MEND_TIMES),
    ]
    match said.change:
        case Change.ADDED:
            timed = said.start is not None and said.end is not None
            wrong += [
                (not said.lessons and not timed, "adds a lesson without a number", "give a number, or start and end"),
                (
                    len(said.lessons) > 1 and said.start is not None,
                    "adds several lessons at one time",
                    "give each a row",
                ),
            ]
        case Change.MOVED:
            nowhere = said.to_date is None and said.to_lesson is None and said.start is None and said.end is None
            unnamed = said.to_lesson is not None and not said.lessons
            wrong += [
                (nowhere, "does not say where to", "give a date, a number or times"),
                (unnamed, "says a number to move to, but not which lesson", "name the lesson that is moved"),
            ]
        case Change.MERGED:
            other = said.with_group
            within = other is not None and other in timetable.members(said.groups)
            wrong += [
                (not said.groups, "merges the whole school with one group", "name the groups that are merged"),
                (
                    other is None,
                    "is merged with nothing: name the other group",
                    "name the group whose lessons are held",
                ),
                (
                    other is not None and timetable.group(other) is None,
                    f"is merged with {other}: {_UNKNOWN}",
                    _MEND_NAME,
                ),
                (within, f"is merged with {other}, which is merged itself", "name the group whose lessons are held"),
            ]
        case Change.MODE:
            nothing = said.mode is None and said.site is None
            wrong.append((nothing, "says neither a mode nor a site", "give one of the two"))
    return next(((problem, hint) for is_wrong, problem, hint in wrong if is_wrong), None)


def _names(timetable: Timetable, origin: str, names: Iterable[GroupId], tell: Tell) -> None:
    for name in sorted(names):
        if timetable.group(name) is None:
            tell(origin, name, _UNKNOWN, _MEND_NAME)


def _classes(timetable: Timetable, tell: Tell) -> None:
    bells = {bell.bells for bell in timetable.bells}
    seen: set[GroupId] = set()
    for group in timetable.classes:
        if group.id in seen:
            tell(group.origin, group.id, "is listed twice", "remove one of the rows")
        seen.add(group.id)
        if group.bells not in bells:
            tell(group.origin, group.id, f"no bells are called {group.bells!r}", "add them to the bells")
        if group.part_of is not None:
            if timetable.group(group.part_of) is None:
                tell(group.origin, group.part_of, _UNKNOWN, _MEND_NAME)
            top = timetable.group(timetable.lineage(group.id)[-1])
            if top is not None and top.part_of in timetable.lineage(group.id):
                tell(group.origin, group.id, "is a part of itself", "leave out of which the class itself is a part")


def _bells(timetable: Timetable, tell: Tell) -> None:
    seen: dict[tuple[str, int | None, str, int], set[tuple[dt.time, dt.time]]] = {}
    for bell in timetable.bells:
        if bell.end <= bell.start:
            tell(bell.origin, "", f"lesson {bell.lesson} of the bells {bell.bells!r} {OVER_MIDNIGHT}", MEND_TIMES)
        times = seen.setdefault((bell.bells, bell.shift, bell.stage, bell.lesson), set())
        times.add((bell.start, bell.end))
        if len(times) > 1:
            problem = f"lesson {bell.lesson} of the bells {bell.bells!r} has other times in another row"
            tell(bell.origin, "", problem, "remove one of the rows; the earlier one counts")


def _lessons(timetable: Timetable, tell: Tell) -> None:
    weeks = {day.week for day in timetable.calendar} | (
        {""} if timetable.weeks_from is None else {"", *timetable.weeks}
    )
    for lesson in timetable.lessons:
        _names(timetable, lesson.origin, [lesson.group], tell)
        if lesson.weekday not in _WEEKDAYS:
            tell(lesson.origin, lesson.group, f"weekday {lesson.weekday} is none", _MEND_WEEKDAY)
        if lesson.first is not None and lesson.last is not None and lesson.last < lesson.first:
            tell(lesson.origin, lesson.group, "ends before its first date", _MEND_DATES)
        if lesson.week not in weeks:
            hint = "name the weeks that take turns, and a date from which on"
            tell(lesson.origin, lesson.group, f"no week is called {lesson.week!r}", hint)


def _calendar(timetable: Timetable, tell: Tell) -> None:
    bells = {None, *(bell.bells for bell in timetable.bells)}
    grades = {group.grade for group in timetable.classes}
    for day in timetable.calendar:
        _names(timetable, day.origin, day.groups, tell)
        if day.last is not None and day.last < day.date:
            tell(day.origin, "", "ends before its first date", _MEND_DATES)
        if not {day.weekday, *day.on} <= {None, *_WEEKDAYS}:
            tell(day.origin, "", "names a weekday that is none", _MEND_WEEKDAY)
        if day.bells not in bells:
            tell(day.origin, "", f"no bells are called {day.bells!r}", "add them to the bells")
        if nobody := ", ".join(map(str, sorted(day.grades - grades))):
            tell(day.origin, "", f"no class is of grade {nobody}", "compare it with the list of classes")
