"""Bytes of an iCalendar file to components and properties with their places (RFC 5545, 3.1): bounded whatever arrives.

BEGIN:VEVENT                               line 12
DTSTART;TZID=Europe/Moscow:20260901T083000 name DTSTART, parameters {TZID: …}, value at column 28
END:VEVENT
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync.sources.cells import quoted
from sync.sources.rows import Problems

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_LINES: Final = 500_000
MAX_COMPONENTS: Final = 100_000
MAX_DEPTH: Final = 8
MAX_PROPERTY: Final = 64 * 1024

#: What is kept of which component; all else may be anything, of any length.
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    "VCALENDAR": frozenset({"X-WR-TIMEZONE", "X-WR-CALNAME", "METHOD"}),
    "VEVENT": frozenset(
        [
            "UID",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "CATEGORIES",
            "DTSTART",
            "DTEND",
            "DURATION",
            "RRULE",
            "RDATE",
            "EXDATE",
            "RECURRENCE-ID",
            "EXRULE",
            "X-ATTENDANCE-GROUP",
        ]
    ),
    "VTIMEZONE": frozenset({"TZID", "X-LIC-LOCATION"}),
    "STANDARD": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
    "DAYLIGHT": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
}
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,64})=((?:"[^"]*"|[^";:])*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One line, unfolded."""

    name: str
    parameters: Mapping[str, str]
    #: As it stands there: escapes of a text are not resolved.
    value: str = field(repr=False)
    line: int
    #: Where the value begins.
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What stands between BEGIN and END."""

    name: str
    line: int
    properties: dict[str, list[Property]] = field(default_factory=dict, repr=False)
    components: list["Component"] = field(default_factory=list, repr=False)

    def first(self, name: str) -> Property | None:
        """The property, the first of several."""
        return next(iter(self.properties.get(name, ())), None)


def read_components(file: str, data: bytes, problems: Problems) -> list[Component]:
    """The calendars of a file. What is no calendar is among the problems."""
    text = _text(file, data, problems)
    root = Component(name="", line=0)
    open_ = [root]
    count = 0
    for line, pieces in _unfolded(file, text, problems) if text is not None else ():
        found = _property(file, line, pieces, open_[-1].name, problems)
        if found is None:
            continue
        name = found.value.strip().upper()
        if found.name == "BEGIN":
            count += 1
            if len(open_) > MAX_DEPTH or count > MAX_COMPONENTS:
                what = (
                    f"more than {MAX_COMPONENTS} components" if count > MAX_COMPONENTS else "components in components"
                )
                problems.add(file, what, "a school's calendar", "this is not the file you mean", row=line, column="1")
                return []
            component = Component(name=name, line=line)
            open_[-1].components.append(component)
            open_.append(component)
        elif found.name == "END":
            if len(open_) == 1 or open_[-1].name != name:
                expected = f"END:{quoted(open_[-1].name)[1:-1]}" if len(open_) > 1 else "BEGIN:VCALENDAR"
                hint = "export the calendar again: a part of it is missing"
                problems.add(file, "another END", expected, hint, row=line, column="1")
                return []
            open_.pop()
        elif found.name in _KEPT.get(open_[-1].name, ()):
            open_[-1].properties.setdefault(found.name, []).append(found)
    calendars = [component for component in root.components if component.name == "VCALENDAR"]
    if problems.none_in(file) and (len(open_) > 1 or not calendars):
        expected = f"END:{quoted(open_[-1].name)[1:-1]}" if len(open_) > 1 else "BEGIN:VCALENDAR … END:VCALENDAR"
        problems.add(file, "the end of the file", expected, "export the calendar again: a part of it is missing")
    return calendars


def _text(file: str, data: bytes, problems: Problems) -> str | None:
    if len(data) > MAX_BYTES:
        problems.add(file, "more than 16 MiB", "at most 16 MiB", "this is not the file you mean")
        return None
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" not in data:
                return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    problems.add(file, "bytes of something else", "text in UTF-8", "export the calendar as .ics")
    return None


def _unfolded(file: str, text: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Each property as the lines that it was folded into, with the number of the first."""
    pieces: list[str] = []
    begun = size = 0
    for number, raw in enumerate(io.StringIO(text, newline=None), 1):
        if number > MAX_LINES:
            problems.add(file, "more lines", f"at most {MAX_LINES} lines", "this is not the file you mean", row=number)
            return
        line = raw.removesuffix("\n")
        if line.startswith((" ", "\t")) and pieces:
            # What nobody keeps may be longer; one piece more tells that it is.
            if size <= MAX_PROPERTY:
                pieces.append(line[1:])
            size += len(line) - 1
        elif line.strip():
            if pieces:
                yield begun, pieces
            pieces, begun, size = [line], number, len(line)
    if pieces:
        yield begun, pieces


def _property(file: str, line: int, pieces: Sequence[str], component: str, problems: Problems) -> Property | None:
    text = "".join(pieces)
    name = _NAME.match(text)
    kept = name is not None and name[0].upper() in {"BEGIN", "END", *_KEPT.get(component, ())}
    if name is not None and not kept and component:
        return None
    position = name.end() if name is not None else 0
    parameters: dict[str, str] = {}
    while name is not None and len(text) <= MAX_PROPERTY and (found := _PARAMETER.match(text, position)):
        parameters[found[1].upper()] = found[2].strip('"')
        position = found.end()
    if name is None or text[position : position + 1] != ":" or not kept:
        got = f"a property of {len(text)} characters" if len(text) > MAX_PROPERTY else "a line of another kind"
        expected = "BEGIN:VCALENDAR" if not component else "NAME;PARAMETER=…:value"
        hint = "this is no iCalendar file" if not component else "mend this line, or export the calendar again"
        problems.add(file, got, expected, hint, row=line, column=str(position + 1))
        return None
    if len(text) > MAX_PROPERTY:
        got, expected = f"more than {MAX_PROPERTY} characters", f"at most {MAX_PROPERTY} characters"
        problems.add(file, got, expected, "shorten this property", row=line, column=name[0].upper())
        return None
    line, column = _place(line, pieces, position + 1)
    return Property(name=name[0].upper(), parameters=parameters, value=text[position + 1 :], line=line, column=column)


def _place(line: int, pieces: Sequence[str], offset: int) -> tuple[int, int]:
    """Where a character of an unfolded property stands in the file."""
    for number, piece in enumerate(pieces):
        if offset < len(piece) or number == len(pieces) - 1:
            # A continued line begins with the space that says so.
            return line + number, offset + (1 if number == 0 else 2)
        offset -= len(piece)
    raise AssertionError("a property has at least one line")
