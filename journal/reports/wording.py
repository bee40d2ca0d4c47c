"""The words of the register, Russian and English, in the time of the school."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from journal.notify.templates import plural

#: What gateway.domain.register says of a mark that it doubts -> how a school reads it.
_DOUBTS: Final = {
    re.compile(r"(?P<lane>\S+) since (?P<at>\S+Z)"): {
        "ru": "вход {lane} не слышен с {at}",
        "en": "entrance {lane} not heard from since {at}",
    },
    re.compile(r"no lane in service until (?P<at>\S+Z)"): {
        "ru": "до {at} ни один вход не работал",
        "en": "no entrance was in service until {at}",
    },
    re.compile(r"let in but not seen going through at (?P<at>\S+Z)"): {
        "ru": "карта показана в {at}, проход не подтверждён",
        "en": "the card was shown at {at}, no passage was confirmed",
    },
    re.compile(r"seen at a checkpoint without having entered at (?P<at>\S+Z)"): {
        "ru": "отметка внутри школы в {at} без входа",
        "en": "seen at school at {at} without an entrance",
    },
    re.compile(r"the time of the tap is uncertain"): {
        "ru": "время отметки неточно",
        "en": "the time of the tap is uncertain",
    },
}


def doubts(gaps: Sequence[str], language: str, day: date, zone: ZoneInfo) -> str:
    """Why nobody knows, in the reader's words and the school's time; what has no words yet is left as it is."""
    return "; ".join(_doubt(gap, language, day, zone) for gap in gaps)


def missed_in_words(missed: int, lessons: int, language: str) -> str:
    """`1 из 2 уроков`; `1 of 2 lessons`."""
    if language == "ru":
        return f"{missed} из {lessons} {plural(lessons, 'урока', 'уроков', 'уроков')}"
    return f"{missed} of {lessons} {'lesson' if lessons == 1 else 'lessons'}"


def _doubt(gap: str, language: str, day: date, zone: ZoneInfo) -> str:
    for pattern, words in _DOUBTS.items():
        if found := pattern.fullmatch(gap):
            said = found.groupdict()
            at = _local(said["at"], day, zone) if "at" in said else ""
            return words[language].format(lane=said.get("lane"), at=at)
    return gap


def _local(at: str, day: date, zone: ZoneInfo) -> str:
    """A moment in UTC by the clock on the school's wall; one without a date is of the school's day."""
    if "T" in at:
        return f"{datetime.fromisoformat(at).astimezone(zone):%H:%M}"
    days = (day + timedelta(days=shift) for shift in (-1, 0, 1))
    moments = (datetime.combine(one, time.fromisoformat(at[:-1]), UTC).astimezone(zone) for one in days)
    return next(f"{moment:%H:%M}" for moment in moments if moment.date() == day)
