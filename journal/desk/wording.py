"""What the commands of the staff answer, Russian and English."""

from collections.abc import Mapping
from typing import Final

from gateway.domain.model import MarkReason, Status
from journal.effect import Effect
from journal.statements import Kind
from journal.words import counted, messages_in_words, plural
from sync.sources.report import REHEARSED

KINDS: Final[Mapping[str, Mapping[Kind, str]]] = {
    "ru": {
        Kind.CAME: "вход",
        Kind.LEFT: "выход",
        Kind.MARK: "отметка",
        Kind.EXCUSE: "уважительная причина",
        Kind.RELEASE: "отпущен(а)",
    },
    "en": {
        Kind.CAME: "came in",
        Kind.LEFT: "went out",
        Kind.MARK: "marked",
        Kind.EXCUSE: "excused",
        Kind.RELEASE: "released",
    },
}
STATUSES: Final[Mapping[str, Mapping[Status, str]]] = {
    "ru": {
        Status.PRESENT: "был(а)",
        Status.LATE: "опоздание",
        Status.ABSENT: "не был(а)",
        Status.LEFT_EARLY: "ушёл (ушла) раньше",
        Status.UNKNOWN: "неизвестно",
        Status.PENDING: "ещё не решено",
    },
    "en": {
        Status.PRESENT: "present",
        Status.LATE: "late",
        Status.ABSENT: "absent",
        Status.LEFT_EARLY: "left early",
        Status.UNKNOWN: "unknown",
        Status.PENDING: "not decided yet",
    },
}
REASONS: Final[Mapping[str, Mapping[MarkReason, str]]] = {
    "ru": {
        MarkReason.UNEXPLAINED: "без объяснения",
        MarkReason.ILL_REPORTED: "болезнь со слов родителей",
        MarkReason.ILL_CERTIFIED: "болезнь, есть справка",
        MarkReason.APPLICATION: "заявление родителей",
        MarkReason.ORDER: "приказ школы",
        MarkReason.OLYMPIAD: "олимпиада",
        MarkReason.FROST: "мороз",
        MarkReason.TRANSPORT: "транспорт",
        MarkReason.QUEUE: "очередь на входе",
        MarkReason.RELEASED: "с разрешения школы",
        MarkReason.INVALID: "неуважительная причина",
    },
    "en": {
        MarkReason.UNEXPLAINED: "unexplained",
        MarkReason.ILL_REPORTED: "illness reported by the parents",
        MarkReason.ILL_CERTIFIED: "illness, certified",
        MarkReason.APPLICATION: "application of the parents",
        MarkReason.ORDER: "order of the school",
        MarkReason.OLYMPIAD: "olympiad",
        MarkReason.FROST: "frost",
        MarkReason.TRANSPORT: "transport",
        MarkReason.QUEUE: "queue at the entrance",
        MarkReason.RELEASED: "let go by the school",
        MarkReason.INVALID: "no good reason",
    },
}


def effect_in_words(effect: Effect, language: str, *, dry_run: bool) -> str:
    """How many marks changed, or would change, and how many messages were already sent."""
    marks, sent = len(effect.marks), effect.sent
    tried = f" {REHEARSED[language]}" if dry_run else ""
    if language == "ru":
        forms = ("Меняется", "Меняются", "Меняется") if dry_run else ("Изменилась", "Изменились", "Изменилось")
        verb = plural(marks, *forms)
        changed = f"{verb} {marks} {plural(marks, 'отметка', 'отметки', 'отметок')}"
        told = f"уже отправлено {messages_in_words(sent, language)}"
        return f"{changed}, {told}.{tried}"
    verb = "changed" if not dry_run else "changes" if marks == 1 else "change"
    changed = f"{marks} {'mark' if marks == 1 else 'marks'} {verb}"
    told = f"{messages_in_words(sent, language)} {'was' if sent == 1 else 'were'} already sent"
    return f"{changed}, {told}.{tried}"


def statements_in_words(count: int, language: str) -> str:
    """As in `3 записи` or `3 statements`."""
    return counted(count, language, ru=("запись", "записи", "записей"), en=("statement", "statements"))


def persons_in_words(count: int, language: str) -> str:
    """As in `3 человека` or `3 persons`."""
    return counted(count, language, ru=("человек", "человека", "человек"), en=("person", "persons"))
