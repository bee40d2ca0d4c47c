"""What the digits of the masks of an export of aSc Timetables stand for: weekdays, weeks that take turns, terms."""

import datetime as dt
import re
from collections.abc import Sequence

from sync.sources.asc_document import MAX_BITS, Document, mask
from sync.sources.cells import fold
from sync.sources.markup import Element

#: How the names of the days begin: Russian and its neighbours, English.
_BEGINNINGS = (
    ("по", "пн", "mo"),
    ("вт", "ві", "tu"),
    ("ср", "се", "we"),
    ("че", "чт", "th"),
    ("пя", "пт", "п'", "fr"),
    ("су", "сб", "sa"),
    ("во", "вс", "не", "нд", "su"),
)
_WEEKDAYS = {beginning: day for day, group in enumerate(_BEGINNINGS, 1) for beginning in group}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: [first, last], both included.
Term = tuple[dt.date, dt.date]


class Weekdays:
    """From the places of the days in the school's week to ISO weekdays."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._days = self._numbers()
        names = self._names()
        known = [_WEEKDAYS.get(fold(name)[:2]) for name in names]
        told = [day for day in known if day is not None]
        if len(told) == len(known) == len(set(told)):
            self._order = told
        else:
            self._order = []
            document.remark(
                (*document.rows("daysdef"), *document.rows("day"))[0],
                "the names of the days are not known here, the first is taken for Monday",
                "name the days in aSc Timetables: Monday, Tuesday, …",
            )

    def of_card(self, card: Element) -> tuple[int, ...]:
        """ISO weekdays of a card; none where it is not placed yet."""
        days = self._document.read(card, "days", mask, "")
        if days:
            places = {place for one in days.split(",") for place, digit in enumerate(one) if digit == "1"}
        else:
            text = card.attributes.get("day") or card.attributes.get("dayid", "")
            places = {self._days[text]} if text in self._days else set[int]()
            if text and not places:
                self._document.refuse(card, "an unknown day of a card", "a day of the week", "export the file again")
        order = self._order or range(1, len(_BEGINNINGS) + 1)
        if any(place >= len(order) for place in places):
            got, expected = "a day that is none of a week", f"one of the {len(order)} days that the file names"
            self._document.refuse(card, got, expected, "a cycle of other days than a week's is not read here")
            return ()
        return tuple(sorted(order[place] for place in places))

    def _numbers(self) -> dict[str, int]:
        """Places by the numbers of older files, which begin with 0 or with 1."""
        texts = (row.attributes.get("day", "") for row in self._document.rows("day"))
        named = sorted({int(text) for text in texts if re.fullmatch("[0-9]{1,2}", text)})
        if named:
            return {str(day): place for place, day in enumerate(named)}
        cards = [row for row in self._document.rows("card") if row.attributes.get("day") or row.attributes.get("dayid")]
        if not cards:
            return {}
        first = 1 if "daynumbering1" in self._document.options else 0
        if not first and all((row.attributes.get("day") or row.attributes.get("dayid")) != "0" for row in cards):
            first = 1
            self._document.remark(
                cards[0], "days are counted, perhaps from 0: day 1 is taken for Monday", "compare with the timetable"
            )
        return {str(day): day - first for day in range(first, first + len(_BEGINNINGS))}

    def _names(self) -> list[str]:
        """As far as they are told, in the order of the places."""
        named = {
            bits.index("1"): row.attributes.get("name") or row.attributes.get("short", "")
            for row in self._document.rows("daysdef")
            if (bits := self._document.read(row, "days", mask, "") or "").count("1") == 1 and "," not in bits
        }
        for row in self._document.rows("day"):
            if (place := self._days.get(row.attributes.get("day", ""))) is not None:
                named.setdefault(place, row.attributes.get("name") or row.attributes.get("short", ""))
        return [named.get(place, "") for place in range(max(named) + 1)] if named else []


class Weeks:
    """The names of the weeks that take turns."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._masks = _masks(document, "weeksdef", "weeks")
        told = [*self._masks.values(), *(row.attributes.get("weeks", "") for row in _carriers(document))]
        width = min(MAX_BITS, max((len(bits) for one in told for bits in one.split(",")), default=0))
        named = {
            bits.index("1"): row.attributes.get("short") or row.attributes.get("name", "")
            for row in document.rows("weeksdef")
            if (bits := self._masks[row.attributes.get("id", "")]).count("1") == 1 and "," not in bits
        }
        names = [named.get(place, "") for place in range(width)]
        plain = [_LETTERS[place] if place < len(_LETTERS) else str(place + 1) for place in range(width)]
        self.names: Sequence[str] = names if all(names) and len(set(names)) == width else plain

    def of_card(self, card: Element, lesson: Element) -> tuple[str, ...]:
        """The names of the weeks of a card; an empty one is every week."""
        told = self._document.read(card, "weeks", mask, "") or self._document.read(lesson, "weeks", mask, "") or ""
        found = _places(told or self._masks.get(lesson.attributes.get("weeksdefid", ""), ""))
        return ("",) if found is None else tuple(self.names[place] for place in found)


class Terms:
    """The dates of the terms, which such a file does not have."""

    def __init__(self, document: Document, dates: Sequence[Term]) -> None:
        self._document = document
        self._dates = dates
        self._masks = _masks(document, "termsdef", "terms")

    def of_card(self, card: Element, lesson: Element) -> tuple[tuple[dt.date | None, dt.date | None], ...]:
        """First and last dates of a card; None is the whole year."""
        told = self._document.read(card, "terms", mask, "")
        found = _places(told or self._masks.get(lesson.attributes.get("termsdefid", ""), ""))
        if found is None:
            return ((None, None),)
        if max(found) >= len(self._dates):
            expected = "lessons of the whole year, or the dates of the terms"
            hint = "give the dates of the terms, or export the timetable of one term"
            self._document.refuse(card, "a lesson of some terms only", expected, hint)
            return ()
        return tuple(self._dates[place] for place in found)


def _masks(document: Document, name: str, attribute: str) -> dict[str, str]:
    return {row.attributes.get("id", ""): document.read(row, attribute, mask, "") or "" for row in document.rows(name)}


def _carriers(document: Document) -> list[Element]:
    return [*document.rows("card"), *document.rows("lesson")]


def _places(bits: str) -> tuple[int, ...] | None:
    """Where the ones stand; None where nothing is left out, or nothing is said."""
    found = {place for one in bits.split(",") for place, digit in enumerate(one) if digit == "1"}
    return tuple(sorted(found)) if found and len(found) < max(map(len, bits.split(","))) else None
