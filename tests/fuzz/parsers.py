"""Every parser of sources with real-looking files of its kind, and what is special to them."""

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from sync.sources import asc, icalendar, table
from sync.sources.icalendar import Reading
from tests.school import FILES
from tests.sync.feed import GROUPS, MOSCOW

_VECTORS = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True, kw_only=True)
class Parser:
    """What is spoilt, and who must stand it."""

    samples: Sequence[Mapping[str, bytes]]
    #: Files by name to whatever they mean. Raises SourceError, and nothing else.
    read: Callable[[Mapping[str, bytes]], object]
    words: Sequence[bytes]


def _workbook(*names: str) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name in names:
        sheet = book.create_sheet(name)
        for line in FILES[f"{name}.csv"].decode("utf-8-sig").splitlines():
            sheet.append([int(cell) if cell in ("1", "2") else cell or None for cell in line.split(";")])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _books() -> Mapping[str, bytes]:
    plain = {name: data for name, data in FILES.items() if name in ("cards.csv", "site.toml")}
    names = [name.removesuffix(".csv") for name in FILES if name.endswith(".csv") and name != "cards.csv"]
    return {**plain, "school.xlsx": _workbook(*names)}


_PROFILE = """
[people]
file = "Контингент.csv"
header = 3
ignore = ["СНИЛС", "Дата рождения"]
[people.columns]
id = "Личный номер"
last_name = { header = "ФИО", word = 1 }
first_name = { header = "ФИО", word = 2 }
class = "Параллель и буква"
[people.fixed]
language = "ru"
[people.values.class]
"Второй А" = "2А"
"Седьмой Б" = "7Б"
"""
_EXPORT = """Школа для примера;;;;
;;;;
Личный номер;ФИО;Параллель и буква;СНИЛС;Дата рождения
p0001;Примерова Анна Петровна;Второй А;000-000-000 00;01.02.2017
p0002;Образцов Борис;Второй А;;
p0009;Пробная Вера;Седьмой Б;;
"""


def _profiled() -> Mapping[str, bytes]:
    files = {name: data for name, data in FILES.items() if name not in ("people.csv", "cards.csv", "contacts.csv")}
    return {**files, "profile.toml": _PROFILE.encode(), "Контингент.csv": _EXPORT.encode("cp1251")}


def _calendar(files: Mapping[str, bytes]) -> object:
    reading = Reading(zone=MOSCOW, groups=GROUPS)
    [(name, data)] = files.items()
    return icalendar.parse(data, name, dt.date(2026, 9, 1), dt.date(2027, 5, 31), reading)


def _asc(files: Mapping[str, bytes]) -> object:
    [(name, data)] = files.items()
    return asc.parse(data, name)


def _vectors(*names: str) -> list[Mapping[str, bytes]]:
    return [{name: (_VECTORS / name).read_bytes()} for name in names]


_IN_XML = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    *(b"&a;", b"&b;", b"&#0;", b"&#x110000;", b"&lt;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0' encoding='utf-16'?>"),
    *(b"<a>", b"</a>", b'encoding="cp037"', b'encoding="utf-7"', b"xmlns:x='y'"),
)  # fmt: skip
_IN_TABLES = tuple(
    text.encode()
    for text in "2025-02-30 31.12.1999 24:00 8:60 1-4 4-1 1,2,99 пн вс да нет 7Б 7б 7B normal lesson gate holiday id class".split()
)
_IN_CALENDARS = tuple(
    text.encode()
    for text in (
        *("FREQ=SECONDLY", "FREQ=YEARLY", "FREQ=DAILY", "COUNT=999999", "INTERVAL=0", "UNTIL=20991231", "BYSETPOS=-1", "BYDAY=5SU"),
        *("BYMONTH=2;BYMONTHDAY=30", "BYWEEKNO=53", "BYYEARDAY=-366", "WKST=SU", "RANGE=THISANDFUTURE", "VALUE=DATE", "TZID=", "P999W"),
        *("RRULE:FREQ=WEEKLY\r\n", "RDATE:20260901,20260902\r\n", "EXDATE:20260901T083000Z\r\n", "RECURRENCE-ID:20260908\r\n"),
        *("DTSTART:00010101T000000", "DTEND:99991231T235959Z", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "STATUS:CANCELLED\r\n", "+2359"),
        *("Europe/Lisbon", "posixrules", "Russian Standard Time", "Own", "20260329T023000", "19000101", "21991231T235959Z", "\r\n "),
    )
)  # fmt: skip

PARSERS: Mapping[str, Parser] = {
    "table": Parser(samples=[FILES], read=table.parse, words=_IN_TABLES),
    "xlsx": Parser(samples=[_books()], read=table.parse, words=(*_IN_TABLES, *_IN_XML)),
    "profile": Parser(
        samples=[_profiled()], read=table.parse_part, words=(*_IN_TABLES, b"[people]", b"[[people]]", b"header = 0")
    ),
    "asc": Parser(
        samples=_vectors("asc_2012.xml"), read=_asc, words=(*_IN_XML, b"11111", b"10101", b"", b"*", b"period", b"classids")
    ),
    "icalendar": Parser(samples=_vectors("school.ics", "google.ics"), read=_calendar, words=_IN_CALENDARS),
}
