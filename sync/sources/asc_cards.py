"""Lessons of the week from an export of aSc Timetables: what is taught (`lessons`) and when (`cards`)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from gateway.domain.timetable import Lesson, SchoolClass
from sync.sources.asc_days import Terms, Weekdays, Weeks
from sync.sources.asc_document import Document
from sync.sources.asc_groups import Groups
from sync.sources.cells import CellRefused, number
from sync.sources.markup import Element

MAX_LESSONS = 100_000
HIGHEST_PERIOD = 20
period = number(0, HIGHEST_PERIOD)

_NOT_PLACED = "a lesson that has no place in the week is left out"
_TWO_AT_ONCE = "a group has two lessons at once, the first of them is taken"
_COMPARE = "compare with the timetable in aSc Timetables"

#: Whom, on which weekday, at which number, in which week, from and to which date.
_Key = tuple[str, int, int, str, dt.date | None, dt.date | None]


def _length(text: str) -> int:
    try:
        return number(1, HIGHEST_PERIOD)(text.removesuffix(".0"))
    except CellRefused:
        raise CellRefused(f"a number of periods from 1 to {HIGHEST_PERIOD}", "export the file again") from None


class Cards:
    """Puts every lesson where its cards are."""

    def __init__(self, document: Document, groups: Groups, periods: Collection[int]) -> None:
        self._document = document
        self._groups = groups
        #: The numbers that have a row of their own; none are checked where there are none.
        self._periods = periods
        self._found: dict[_Key, tuple[Lesson, Element]] = {}

    def read(self, weekdays: Weekdays, weeks: Weeks, terms: Terms) -> list[Lesson]:
        """Every lesson once, in the order of the file."""
        lessons = self._document.by_id("lesson")
        cards = self._cards(lessons)
        for key, lesson in lessons.items():
            groups = self._groups.of_lesson(lesson)
            # Nobody's attendance is taken at a duty or a meeting of teachers.
            if not groups:
                continue
            if not cards[key]:
                self._document.remark(lesson, _NOT_PLACED, _COMPARE)
            length = self._length(lesson, cards[key])
            for card in cards[key]:
                numbers = self._numbers(card, length)
                days = weekdays.of_card(card) if numbers else ()
                if not days:
                    self._document.remark(card, _NOT_PLACED, _COMPARE)
                whens = product(weeks.of_card(card, lesson), terms.of_card(card, lesson))
                if not self._place(lesson, card, groups, days, numbers, [(week, *term) for week, term in whens]):
                    return []
        return [lesson for key, (lesson, row) in self._found.items() if not self._outweighed(key, row)]

    def _cards(self, lessons: Mapping[str, Element]) -> Mapping[str, list[Element]]:
        found = defaultdict(list)
        for card in self._document.rows("card"):
            key = card.attributes.get("lessonid", "")
            if key in lessons:
                found[key].append(card)
            else:
                expected = "a lesson that the file has"
                self._document.refuse(card, "a card of an unknown lesson", expected, "export the file again")
        return found

    def _length(self, lesson: Element, cards: Sequence[Element]) -> int:
        """Periods of one card; 1 where a double lesson has a card for each of its periods.

        Cards of one lesson never overlap, so where they would the file tells every period by itself.
        """
        name = "periodspercard" if lesson.attributes.get("periodspercard") else "durationperiods"
        length = self._document.read(lesson, name, _length, 1) or 1
        if length > 1:
            begun = {(card.attributes.get("period"), *_when(card)) for card in cards}
            for at, *when in begun:
                later = (
                    range(int(at) + 1, int(at) + length) if at and at.isascii() and at.isdigit() and len(at) < 3 else ()
                )
                if any((str(other), *when) in begun for other in later):
                    return 1
        return length

    def _numbers(self, card: Element, length: int) -> Sequence[int]:
        if not card.attributes.get("period"):
            return ()
        first = self._document.read(card, "period", period)
        if first is None:
            return ()
        numbers = range(first, first + length)
        if self._periods and (missing := [one for one in numbers if one not in self._periods]):
            got, expected = f"period {missing[0]} of a card", "one of the periods that the file has"
            self._document.refuse(card, got, expected, "export the file again with its periods")
        return numbers

    def _place(
        self,
        row: Element,
        card: Element,
        groups: Sequence[SchoolClass],
        days: Sequence[int],
        numbers: Sequence[int],
        whens: Sequence[tuple[str, dt.date | None, dt.date | None]],
    ) -> bool:
        """False where it were too many."""
        if len(self._found) + len(groups) * len(days) * len(numbers) * len(whens) > MAX_LESSONS:
            expected = f"at most {MAX_LESSONS} lessons of a week"
            self._document.refuse(card, "more lessons", expected, "this is not the file you mean")
            return False
        subject, origin = self._groups.subject(row), self._document.origin(card)
        for group, day, one, (week, first, last) in product(groups, days, numbers, whens):
            lesson = Lesson(
                group=group.id,
                weekday=day,
                lesson=one,
                subject=subject,
                week=week,
                first=first,
                last=last,
                origin=origin,
            )
            if self._found.setdefault((group.id, day, one, week, first, last), (lesson, row))[1] is not row:
                self._document.remark(card, _TWO_AT_ONCE, _COMPARE)
        return True

    def _outweighed(self, key: _Key, row: Element) -> bool:
        """Whether the group has another lesson then that is held in more weeks, or over more of the year."""
        group, day, one, week, first, last = key
        wider = {(week, None, None), ("", first, last), ("", None, None)} - {(week, first, last)}
        found = any((group, day, one, *when) in self._found for when in wider)
        if found:
            self._document.remark(row, _TWO_AT_ONCE, _COMPARE)
        return found


def _when(card: Element) -> tuple[str, ...]:
    return tuple(card.attributes.get(name, "") for name in ("days", "day", "dayid", "weeks", "terms"))
