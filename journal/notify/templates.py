"""The words of a notice, Russian and English: first name only, at most 70 characters, so that one SMS carries it.

Russian avoids the verb that would have to guess whether a boy or a girl came in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from journal.notify.notice import Template
from journal.words import LANGUAGES, minutes_in_words

#: One SMS of UCS-2 characters, 3GPP TS 23.040.
SMS_CHARACTERS: Final = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent."""

    #: Names nobody: it is shown on locked screens.
    subject: str
    text: str


_SUBJECTS: Final[Mapping[str, Mapping[Template, str]]] = {
    "ru": {
        Template.LATE: "Опоздание",
        Template.NOT_SEEN: "Карта не отмечена на входе",
        Template.ABSENT: "Пропуск урока",
        Template.UPDATE: "Вход в школу",
        Template.SEEN: "Отметка в школе",
        Template.CORRECTION: "Исправление",
        Template.LEFT_EARLY: "Выход до конца урока",
        Template.ARRIVED: "Вход в школу",
    },
    "en": {
        Template.LATE: "Late arrival",
        Template.NOT_SEEN: "Card not seen at the entrance",
        Template.ABSENT: "Missed lesson",
        Template.UPDATE: "Arrival at school",
        Template.SEEN: "Seen at school",
        Template.CORRECTION: "Correction",
        Template.LEFT_EARLY: "Left before the end of a lesson",
        Template.ARRIVED: "Arrival at school",
    },
}
_TEXTS: Final[Mapping[str, Mapping[Template, str]]] = {
    "ru": {
        Template.LATE: "{name}: вход в {at}, опоздание {minutes}.",
        Template.NOT_SEEN: "{name}: к {at} карта на входе не отмечена.",
        Template.ABSENT: "{name}: на уроке в {at} нет, подтверждено школой.",
        Template.UPDATE: "{name}: вход в школу в {at}.",
        Template.SEEN: "{name}: отметка внутри школы в {at}.",
        Template.CORRECTION: "Исправление. {name}: вход в {at}, прошлое сообщение неверно.",
        Template.LEFT_EARLY: "{name}: выход из школы в {at}, до конца урока.",
        Template.ARRIVED: "{name}: вход в школу в {at}.",
    },
    "en": {
        Template.LATE: "{name} came in at {at}, {minutes} late.",
        Template.NOT_SEEN: "{name}: the card was not seen at the entrance by {at}.",
        Template.ABSENT: "{name} was not in the lesson at {at}, the school says.",
        Template.UPDATE: "{name} came in at {at}.",
        Template.SEEN: "{name} was seen at school at {at}.",
        Template.CORRECTION: "Correction: {name} came in at {at}. Our last message was wrong.",
        Template.LEFT_EARLY: "{name} left at {at}, before the end of the lesson.",
        Template.ARRIVED: "{name} came in at {at}.",
    },
}
_NOTHING_KNOWN: Final = {
    "ru": "{name}: прошлое сообщение неверно, извините.",
    "en": "{name}: our last message was wrong, sorry.",
}


def render(template: Template, language: str, *, name: str, at: str | None, minutes: int = 0) -> Message:
    """The message with `at` as local wall time HH:MM; a language without texts is answered in Russian."""
    language = language if language in LANGUAGES else "ru"
    pattern = _TEXTS[language][template] if at is not None else _NOTHING_KNOWN[language]
    words = {"at": at, "minutes": minutes_in_words(minutes, language)}
    room = SMS_CHARACTERS - len(pattern.format(name="", **words))
    name = " ".join(name.split())
    short = name if len(name) <= room else name[: room - 1] + "…"
    return Message(subject=_SUBJECTS[language][template], text=pattern.format(name=short, **words))
