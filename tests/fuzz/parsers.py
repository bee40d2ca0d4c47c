"""Every parser of sources with real-looking files of its kind, and what is special to them."""

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sync.sources import asc, icalendar, oneroster, table
from sync.sources.archive import unpack
from sync.sources.icalendar import Reading
from sync.sources.rows import Problems
from tests.school import FILES
from tests.sync.feed import GROUPS, MOSCOW
from tests.sync.oneroster_files import EXPORTS, zipped

_VECTORS = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True, kw_only=True)
class Parser:
    """What is spoilt, and who must stand it."""

    samples: Callable[[], Sequence[Mapping[str, bytes]]]
    #: Files by name to whatever they mean. Raises SourceError, and nothing else.
    read: Callable[[Mapping[str, bytes]], object]
    words: Sequence[bytes]


def _workbook(*names: str) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name in names:
        sheet = book.create_sheet(name)
        for line in FILES[f"{name}.csv"].decode("utf-8-sig").splitlines():
            sheet.append([int(cell) if cell in ("1", "2") else cell or None for cell in line.split(";")])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@cache
def _books() -> Sequence[Mapping[str, bytes]]:
    plain = {name: data for name, data in FILES.items() if name in ("cards.csv", "site.toml")}
    names = [name.removesuffix(".csv") for name in FILES if name.endswith(".csv") and name != "cards.csv"]
    return [{**plain, "school.xlsx": _workbook(*names)}]


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


def _profiled() -> Sequence[Mapping[str, bytes]]:
    files = {name: data for name, data in FILES.items() if name not in ("people.csv", "cards.csv", "contacts.csv")}
    return [{**files, "profile.toml": _PROFILE.encode(), "Контингент.csv": _EXPORT.encode("cp1251")}]


def _calendar(files: Mapping[str, bytes]) -> object:
    reading = Reading(zone=MOSCOW, groups=GROUPS)
    [(name, data)] = files.items()
    return icalendar.parse(data, name, dt.date(2026, 9, 1), dt.date(2027, 5, 31), reading)


def _asc(files: Mapping[str, bytes]) -> object:
    [(name, data)] = files.items()
    return asc.parse(data, name)


def _zip(files: Mapping[str, bytes]) -> object:
    [(name, data)] = files.items()
    problems = Problems()
    unpacked = unpack(name, data, oneroster.WANTED, problems)
    problems.settle()
    return oneroster.parse(unpacked)


def _plan() -> Sequence[Mapping[str, bytes]]:
    return [{"asc.xml": (_VECTORS / "asc_2012.xml").read_bytes()}]


def _calendars() -> Sequence[Mapping[str, bytes]]:
    return [{name: (_VECTORS / name).read_bytes()} for name in ("school.ics", "google.ics")]


def _rosters() -> Sequence[Mapping[str, bytes]]:
    return [*EXPORTS.values()]


def _zips() -> Sequence[Mapping[str, bytes]]:
    return [{"roster.zip": zipped(EXPORTS["1.1"])}, {"roster.zip": zipped(EXPORTS["1.2"], method=0)}]


def _words(text: str, *others: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in (*text.split(), *others))


_IN_XML = _words(
    "&a; &b; &#0; &#x110000; &lt; <![CDATA[ ]]> <!-- --> <a> </a>",
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    "<?xml version='1.0' encoding='utf-16'?>",
    ' encoding="cp037"',
    ' encoding="utf-7"',
    " xmlns:x='y'",
)
_IN_TABLES = _words(
    "2025-02-30 31.12.1999 24:00 8:60 1-4 4-1 1,2,99 пн вс да нет 7Б 7б 7B normal lesson gate holiday id class"
)
_IN_PROFILES = _words("[people] [[people]] [people.columns]", "header = 0", "word = 2", 'fixed = "a"')
_IN_PLANS = _words("11111 10101 00000 * period classids groupids weeks terms 5А 13В")
_IN_ROSTERS = _words(
    """active tobedeleted delta bulk absent student teacher homeroom scheduled school semester 2026-09-01 KG 1.2 ,, "" ;
    sourcedId status userSourcedId u-1 c-5a q1 school-12""",
    "\r",
)
_IN_ZIPS = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"\xff\xff\xff\xff")
_IN_CALENDARS = _words(
    """FREQ=SECONDLY FREQ=YEARLY FREQ=DAILY COUNT=999999 INTERVAL=0 UNTIL=20991231 BYSETPOS=-1 BYDAY=5SU WKST=SU
    BYMONTH=2;BYMONTHDAY=30 BYWEEKNO=53 BYYEARDAY=-366 RANGE=THISANDFUTURE VALUE=DATE TZID= P999W +2359 19000101
    DTSTART:00010101T000000 DTEND:99991231T235959Z Europe/Lisbon posixrules Own 20260329T023000 21991231T235959Z""",
    "RRULE:FREQ=WEEKLY\r\n",
    "RDATE:20260901,20260902\r\n",
    "EXDATE:20260901T083000Z\r\n",
    "RECURRENCE-ID:20260908\r\n",
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "STATUS:CANCELLED\r\n",
    "Russian Standard Time",
    "\r\n ",
)

PARSERS: Mapping[str, Parser] = {
    "table": Parser(samples=lambda: [FILES], read=table.parse, words=_IN_TABLES),
    "xlsx": Parser(samples=_books, read=table.parse, words=(*_IN_TABLES, *_IN_XML)),
    "profile": Parser(samples=_profiled, read=table.parse_part, words=(*_IN_TABLES, *_IN_PROFILES)),
    "asc": Parser(
        samples=_plan,
        read=_asc,
        words=(*_IN_XML, *_IN_PLANS),
    ),
    "oneroster": Parser(samples=_rosters, read=oneroster.parse, words=_IN_ROSTERS),
    "zip": Parser(samples=_zips, read=_zip, words=(*_IN_ROSTERS, *_IN_ZIPS)),
    "icalendar": Parser(samples=_calendars, read=_calendar, words=_IN_CALENDARS),
}
