"""Counted things in Russian and English: the plural rules of every text that the journal writes."""

from typing import Final

LANGUAGES: Final = ("ru", "en")


def minutes_in_words(count: int, language: str) -> str:
    """`1 минута`, `2 минуты`, `5 минут`; `1 minute`, `2 minutes`."""
    return counted(count, language, ru=("минута", "минуты", "минут"), en=("minute", "minutes"))


def pupils_in_words(count: int, language: str) -> str:
    """`1 ученик`, `2 ученика`, `5 учеников`; `1 pupil`, `2 pupils`."""
    return counted(count, language, ru=("ученик", "ученика", "учеников"), en=("pupil", "pupils"))


def messages_in_words(count: int, language: str) -> str:
    """`1 сообщение`, `2 сообщения`, `5 сообщений`; `1 message`, `2 messages`."""
    return counted(count, language, ru=("сообщение", "сообщения", "сообщений"), en=("message", "messages"))


def counted(count: int, language: str, *, ru: tuple[str, str, str], en: tuple[str, str]) -> str:
    """The number and the form of the word that belongs to it."""
    return f"{count} {plural(count, *ru) if language == 'ru' else en[count != 1]}"


def plural(count: int, one: str, few: str, many: str) -> str:
    """The Russian form after a number, CLDR plural rules."""
    if count % 10 == 1 and count % 100 != 11:
        return one
    return few if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else many
