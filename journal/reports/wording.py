"""The words of the register, Russian and English, in the time of the school."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.model import Doubt, DoubtKind
from journal.words import plural

#: How a school reads each doubt.
_DOUBTS: Final[Mapping[str, Mapping[DoubtKind, str]]] = {
    "ru": {
        DoubtKind.SILENT: "вход {lane} не слышен с {at}",
        DoubtKind.DOWN: "вход {lane} не работал с {at}",
        DoubtKind.BACKLOG: "вход {lane} не передал отметки с {at}",
        DoubtKind.BLIND: "считыватель входа {lane} не видел карт с {at}",
        DoubtKind.UNSYNCED: "часы входа {lane} не установлены с {at}",
        DoubtKind.FREE: "вход {lane} был открыт для всех с {at}",
        DoubtKind.FIRE_ALARM: "пожарная тревога с {at} (вход {lane})",
        DoubtKind.OPENED: "вход {lane} открывали вручную без имён с {at}",
        DoubtKind.NO_LANE: "с {at} ни один вход не работал",
        DoubtKind.PERMIT: "карта показана в {at}, проход не подтверждён",
        DoubtKind.CHECKPOINT: "отметка внутри школы в {at} без входа",
        DoubtKind.UNCERTAIN: "время отметки неточно",
    },
    "en": {
        DoubtKind.SILENT: "entrance {lane} not heard from since {at}",
        DoubtKind.DOWN: "entrance {lane} out of order since {at}",
        DoubtKind.BACKLOG: "entrance {lane} has not handed over its taps since {at}",
        DoubtKind.BLIND: "the reader of entrance {lane} saw no cards since {at}",
        DoubtKind.UNSYNCED: "the clock of entrance {lane} was not set since {at}",
        DoubtKind.FREE: "entrance {lane} was open to everybody since {at}",
        DoubtKind.FIRE_ALARM: "fire alarm since {at} (entrance {lane})",
        DoubtKind.OPENED: "entrance {lane} was opened by hand without names since {at}",
        DoubtKind.NO_LANE: "no entrance was in service since {at}",
        DoubtKind.PERMIT: "the card was shown at {at}, no passage was confirmed",
        DoubtKind.CHECKPOINT: "seen at school at {at} without an entrance",
        DoubtKind.UNCERTAIN: "the time of the tap is uncertain",
    },
}

_HEARD_AGAIN: Final = {
    "ru": "вход {lane} не был слышен с {at} до {until}",
    "en": "entrance {lane} not heard from {at} until {until}",
}
_BEGINNING: Final = {"ru": "начала дня", "en": "the beginning of the day"}

PROVISIONAL: Final = {"ru": "предварительно", "en": "provisional"}

#: They are about one person; every other doubt is about a door, and so about everybody.
_OF_ONE: Final = frozenset({DoubtKind.PERMIT, DoubtKind.CHECKPOINT, DoubtKind.UNCERTAIN})


def of_one(doubts: Iterable[Doubt]) -> list[Doubt]:
    """Those that are about this person alone."""
    return [doubt for doubt in doubts if doubt.kind in _OF_ONE]


def of_doors(doubts: Iterable[Doubt], ended: Mapping[Doubt, datetime]) -> list[Doubt]:
    """Those that are about everybody: each trouble of a door once, since it began; again where it had ended."""
    found: dict[tuple[DoubtKind, str], list[Doubt]] = defaultdict(list)
    for doubt in sorted((one for one in doubts if one.kind not in _OF_ONE), key=str):
        before = found[doubt.kind, doubt.lane]
        end = ended.get(before[-1]) if before else None
        if not before or (end is not None and doubt.since is not None and doubt.since >= end):
            before.append(doubt)
    return sorted((doubt for kind in found.values() for doubt in kind), key=lambda doubt: (doubt.lane, str(doubt)))


def wall(at: datetime, zone: ZoneInfo, day: date, form: str = "%H:%M") -> str:
    """`08:36`, in the school's time; with its date where that is not the day."""
    local = at.astimezone(zone)
    return local.strftime(form if local.date() == day else f"%d.%m {form}")


def in_words(
    doubts: Sequence[Doubt],
    language: str,
    zone: ZoneInfo,
    day: date,
    ended: Mapping[Doubt, datetime] = MappingProxyType({}),
) -> str:
    """Why nobody knows of that day, in the reader's language and the school's time; of a silence that ended, until when."""
    said = [(_HEARD_AGAIN[language] if one in ended else _DOUBTS[language][one.kind], one) for one in doubts]
    return "; ".join(
        words.format(
            lane=one.lane,
            at=wall(one.since, zone, day) if one.since is not None else _BEGINNING[language],
            until=wall(ended[one], zone, day) if one in ended else "",
        )
        for words, one in said
    )


def missed_in_words(missed: int, lessons: int, language: str) -> str:
    """`1 из 2 уроков`; `1 of 2 lessons`."""
    if language == "ru":
        return f"{missed} из {lessons} {plural(lessons, 'урока', 'уроков', 'уроков')}"
    return f"{missed} of {lessons} {'lesson' if lessons == 1 else 'lessons'}"
