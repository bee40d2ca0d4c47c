"""A school, or a part of it, from plain tables: one CSV or XLSX for each, or a workbook with a sheet for each.

All or nothing: tables give values that make sense, or SourceError with every place to mend. Names never stand beside
card numbers, and neither is ever part of a message.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sync.sources import people, week
from sync.sources.columns import TABLES
from sync.sources.folder import Folder, fold_name
from sync.sources.joined import join
from sync.sources.located import Files, Places
from sync.sources.profile import PROFILE, read_profile
from sync.sources.rows import Problems, Row, read_rows
from sync.sources.school import Part, School
from sync.sources.site import SITE, Site, read_site


def read_folder(folder: Path) -> School:
    """The school of a folder. Raises SourceError with everything that is to be mended."""
    problems = Problems()
    return _school(Folder(folder, problems), problems)


def parse(files: Mapping[str, bytes]) -> School:
    """The same from the bytes of the files, by name. Raises SourceError."""
    return _school(_folded(files), Problems())


def read_part(folder: Path, *, zone: ZoneInfo | None = None) -> Part:
    """What a folder tells, to be joined with other sources; the zone is for a folder without site.toml.

    Raises SourceError.
    """
    problems = Problems()
    return _part(Folder(folder, problems), zone, problems)


def parse_part(files: Mapping[str, bytes], *, zone: ZoneInfo | None = None) -> Part:
    """The same from the bytes of the files, by name. Raises SourceError."""
    return _part(_folded(files), zone, Problems())


def _folded(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {fold_name(name): data for name, data in files.items()}


def _school(files: Files, problems: Problems) -> School:
    part, unread = _read(files, None, problems)
    return join([part], problems, unread)


def _part(files: Files, zone: ZoneInfo | None, problems: Problems) -> Part:
    part, _ = _read(files, zone, problems)
    dated = any(card.valid_from or card.valid_to for card in part.cards or ())
    if zone is None and part.zone is None and (dated or part.excuses):
        hint = "write site.toml beside the tables, or name the zone"
        problems.add(SITE, "nothing", "the zone whose days the tables mean", hint, column="zone")
    problems.settle()
    return part


def _read(files: Files, zone: ZoneInfo | None, problems: Problems) -> tuple[Part, set[str]]:
    """What the tables tell, and which of them could not be read whole."""
    columns = {name: [column.name for column in table.columns] for name, table in TABLES.items()}
    places = Places(files, read_profile(files.get(PROFILE), columns, problems), problems)
    site = read_site(files.get(SITE), problems)
    tables: dict[str, Sequence[Row]] = {}
    for name, table in TABLES.items():
        lines = places.lines(name)
        if lines is not None:
            headings = places.headings(name)
            tables[name] = read_rows(
                places.named[name], lines, table.columns, problems, headings=headings, private=table.private
            )
    places.check_apart()
    part = _part_of(tables, site, site.zone or zone or ZoneInfo("UTC"), problems)
    named = {**places.named, "site": SITE}
    return part, {name for name, place in named.items() if not problems.none_in(place)}


def _part_of(tables: Mapping[str, Sequence[Row]], site: Site, zone: ZoneInfo, problems: Problems) -> Part:
    read: Mapping[str, Callable[[Sequence[Row]], Sequence[object]]] = {
        "people": lambda rows: people.read_people(rows, problems),
        "contacts": people.read_contacts,
        "cards": lambda rows: people.read_cards(rows, zone, problems),
        "excuses": lambda rows: people.read_excuses(rows, zone, problems),
        "plans": lambda rows: people.read_plans(rows, problems),
        "lanes": lambda rows: people.read_lanes(rows, problems),
        "classes": week.read_classes,
        "bells": lambda rows: week.read_bells(rows, problems),
        "lessons": lambda rows: week.read_lessons(rows, problems),
        "calendar": lambda rows: week.read_calendar(rows, problems),
        "substitutions": lambda rows: week.read_substitutions(rows, problems),
    }
    told: dict[str, Any] = {name: read[name](rows) for name, rows in tables.items()}
    headers = {
        (rows[0].sheet.file, column): header
        for rows in tables.values()
        if rows
        for column, header in rows[0].sheet.own.items()
    }
    return Part(
        name=site.name,
        language=site.language,
        zone=None if site.zone is None else site.zone.key,
        weeks=site.weeks,
        weeks_from=site.weeks_from,
        headers=headers,
        **told,
    )
