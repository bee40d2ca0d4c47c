"""From the text of one cell to a value, or to what may stand there."""

import datetime as dt
import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

_SHOWN = 60
#: Letters that look alike, Latin and Cyrillic: 5A is not 5А.
_ALIKE = str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху")
_WEEKDAYS = (
    ("понедельник", "пн", "monday", "mon"),
    ("вторник", "вт", "tuesday", "tue"),
    ("среда", "ср", "wednesday", "wed"),
    ("четверг", "чт", "thursday", "thu"),
    ("пятница", "пт", "friday", "fri"),
    ("суббота", "сб", "saturday", "sat"),
    ("воскресенье", "вс", "sunday", "sun"),
)


class CellRefused(ValueError):
    """What may stand in the cell, and what to do."""

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint


class Figure(str):
    """The text of a cell that a spreadsheet keeps as a number: its leading zeros are lost."""

    __slots__ = ()


def quoted(text: str) -> str:
    """A text as it may stand in a message: short, and nothing in it that cannot be seen or that moves the cursor."""
    shown = json.dumps(text if len(text) <= _SHOWN else text[:_SHOWN] + "…", ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown)


def fold(text: str) -> str:
    """The same for every way to write a word: upper or lower case, ё or е."""
    return text.casefold().replace("ё", "е")


def similar(word: str, words: Iterable[str], otherwise: str) -> str:
    """`did you mean "5А"?`, if there is a word that it may have been."""
    words = sorted(words)
    seen = word.translate(_ALIKE).casefold()
    for known in words:
        if known.translate(_ALIKE).casefold() == seen:
            alphabets = known.casefold() != word.casefold()
            return f"did you mean {quoted(known)}?" + (" Latin and Cyrillic letters look alike" if alphabets else "")
    near = difflib.get_close_matches(word[:_SHOWN], words, 1, 0.7)
    return f"did you mean {quoted(near[0])}?" if near else otherwise


def matching(pattern: str, expected: str, hint: str = "mend this cell") -> Callable[[str], str]:
    """A text of one form."""

    def parse(cell: str) -> str:
        if not re.fullmatch(pattern, cell):
            raise CellRefused(expected, hint)
        return cell

    return parse


def number(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number; spreadsheets write 5 as 5.0, too."""

    def parse(cell: str) -> int:
        digits = re.sub(r"\.0+$", "", cell)
        if not re.fullmatch(r"[0-9]{1,9}", digits) or not lowest <= int(digits) <= highest:
            raise CellRefused(f"a whole number from {lowest} to {highest}", "mend this cell")
        return int(digits)

    return parse


def weekday(cell: str) -> int:
    """1 is Monday; its name, in full or short, in English or Russian."""
    for day, names in enumerate(_WEEKDAYS, 1):
        if fold(cell).removesuffix(".") in names:
            return day
    return number(1, 7)(cell)


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Values parted by `,` or `|`, in their order, each once."""

    def parse_all(cell: str) -> tuple[T, ...]:
        return tuple(dict.fromkeys(parse(part.strip()) for part in re.split(r"[,|]", cell) if part.strip()))

    return parse_all


def numbers(one: Callable[[str], int]) -> Callable[[str], frozenset[int]]:
    """Whole numbers like `1,3-5`."""

    def parse(cell: str) -> frozenset[int]:
        found: set[int] = set()
        for part in re.split(r"[,|]", cell):
            first, _, last = part.strip().partition("-")
            begin, end = one(first.strip()), one((last or first).strip())
            if end < begin:
                raise CellRefused("a range like 1-4", "mend this cell")
            found.update(range(begin, end + 1))
        return frozenset(found)

    return parse


def choice(words: Iterable[T], also: Mapping[str, T] | None = None) -> Callable[[str], T]:
    """One of some words, in any case; `also` holds further spellings in lower case."""
    known = {str(word): word for word in words}
    spellings = known | dict(also or {})

    def parse(cell: str) -> T:
        if fold(cell) not in spellings:
            raise CellRefused(f"one of {', '.join(known)}", similar(cell, spellings, "take one of these words"))
        return spellings[fold(cell)]

    return parse


def yes(cell: str) -> bool:
    """Yes or no, as spreadsheets and people write them."""
    words = dict.fromkeys(("да", "true", "истина", "1", "+"), "yes") | dict.fromkeys(
        ("нет", "false", "ложь", "0", "-"), "no"
    )
    return choice(("yes", "no"), words)(cell) == "yes"


def date(cell: str) -> dt.date:
    """`2025-09-01` or `01.09.2025`."""
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", cell)
    turned = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", cell)
    year, month, day = map(int, found.groups() if found else reversed(turned.groups()) if turned else ("0", "0", "0"))
    try:
        if not 2000 <= year < 2100:
            raise ValueError(year)
        return dt.date(year, month, day)
    except ValueError:
        raise CellRefused("a date of this century like 2025-09-01 or 01.09.2025", "mend this cell") from None


def wall_time(cell: str) -> dt.time:
    """`8:30` or `08:30`, by the clock on the wall."""
    found = re.fullmatch(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?::00)?", cell)
    if found is None:
        raise CellRefused("a time like 08:30", "mend this cell")
    return dt.time(int(found[1]), int(found[2]))


def moment(cell: str) -> dt.datetime | dt.date:
    """A date, or a date and a time by the clock on the wall: `2025-09-01 10:30`."""
    day, _, time = cell.replace("T", " ").partition(" ")
    return dt.datetime.combine(date(day), wall_time(time)) if time else date(day)
