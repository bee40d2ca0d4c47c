"""A school from several sources, each in its own format: what a later one tells replaces what earlier ones tell of the same."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.domain.compiler import Compiled, compile_days
from gateway.domain.model import GroupId, Slot
from sync.sources import asc, icalendar, oneroster, table
from sync.sources.folder import Folder
from sync.sources.joined import complete
from sync.sources.rows import Problems
from sync.sources.school import Part, Remark, School

#: How far ahead lessons are compiled; the office imports again long before.
HORIZON: Final = dt.timedelta(days=120)
#: Dates of a calendar feed that are read around today.
_BEFORE, _AHEAD = dt.timedelta(days=60), dt.timedelta(days=400)


class Format(StrEnum):
    """What a source is written in."""

    #: A folder of tables.
    TABLE = "table"
    #: A zip or a folder of OneRoster 1.1 or 1.2.
    ONEROSTER = "oneroster"
    #: The XML export of aSc Timetables.
    ASC = "asc"
    #: A calendar feed.
    ICALENDAR = "icalendar"


class Source(NamedTuple):
    """A file or a folder, and how to read it."""

    format: Format
    path: Path


def read_school(sources: Sequence[Source], today: dt.date) -> School:
    """The school that they tell together. Raises SourceError with everything that is to be mended."""
    if [source.format for source in sources] == [Format.TABLE]:
        return table.read_folder(sources[0].path)
    parts: list[Part] = []
    for source in sorted(sources, key=lambda one: one.format is Format.ICALENDAR):
        parts.append(_read(source, parts, today))
    return complete(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSchool:
    """A school with its lessons from today on, and what a person should look at."""

    school: School
    slots: Sequence[Slot]
    remarks: Sequence[Remark]
    #: The lessons begin and end there.
    since: dt.datetime
    until: dt.datetime


def compiled_school(sources: Sequence[Source], now: dt.datetime, ahead: dt.timedelta = HORIZON) -> CompiledSchool:
    """Read and compile. Raises SourceError."""
    school = read_school(sources, now.date())
    zone = ZoneInfo(school.zone)
    first = now.astimezone(zone).date()
    compiled = compile_days(school.timetable, first, first + ahead)
    since = dt.datetime.combine(first, dt.time(), zone)
    remarks = unplaced(compiled)
    return CompiledSchool(school=school, slots=compiled.slots, remarks=remarks, since=since, until=now + ahead)


def unplaced(compiled: Compiled) -> list[Remark]:
    """What the compiler could not place."""
    remarks = [Remark(place=one.origin, problem=str(one), hint=one.hint) for one in compiled.unplaced]
    more = Remark(place="lessons", problem=f"and {compiled.untold} more", hint="mend these first")
    return [*remarks, more] if compiled.untold else remarks


def _read(source: Source, known: Sequence[Part], today: dt.date) -> Part:
    zone = next((part.zone for part in reversed(known) if part.zone), None)
    match source.format:
        case Format.TABLE:
            return table.read_part(source.path, zone=ZoneInfo(zone) if zone else None)
        case Format.ONEROSTER:
            return oneroster.read(source.path, on=today)
        case Format.ASC:
            return asc.parse(_bytes(source.path), source.path.name)
        case Format.ICALENDAR:
            groups = {str(group.id): GroupId(group.id) for part in known for group in part.classes or ()}
            reading = icalendar.Reading(zone=ZoneInfo(zone or "UTC"), groups=groups)
            return icalendar.parse(_bytes(source.path), source.path.name, today - _BEFORE, today + _AHEAD, reading)


def _bytes(path: Path) -> bytes:
    """Raises SourceError."""
    problems = Problems()
    data = Folder(path.parent, problems).get(path.name)
    if data is None:
        problems.add(path.name, "no such file", "a file", "check the path")
    problems.settle()
    return data or b""
