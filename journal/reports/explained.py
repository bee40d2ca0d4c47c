"""A person's day in words: what happened, which rule made each mark, who was told."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from gateway.domain.model import Mark, Mode, Source, Status
from gateway.domain.presence import FactKind
from journal.desk.said import in_words as said_in_words
from journal.desk.wording import REASONS, STATUSES
from journal.notify.outbox import State
from journal.notify.wording import STATES, TEMPLATES
from journal.reports.personday import Lesson, Message, PersonDay
from journal.reports.register import plain_mark, provisional
from journal.reports.wording import PROVISIONAL, in_words, wall
from journal.words import minutes_in_words

_FACTS: Final = {
    "ru": {
        FactKind.ARRIVAL: "вход",
        FactKind.IN: "вход",
        FactKind.OUT: "выход",
        FactKind.CHECKPOINT: "отметка внутри школы",
        FactKind.PERMIT: "карта показана, проход не подтверждён",
        FactKind.ALTERNATING: "отметка без направления",
    },
    "en": {
        FactKind.ARRIVAL: "came in",
        FactKind.IN: "came in",
        FactKind.OUT: "went out",
        FactKind.CHECKPOINT: "seen inside",
        FactKind.PERMIT: "card shown, no passage confirmed",
        FactKind.ALTERNATING: "tapped, the way is not told",
    },
}
_WORDS: Final = {
    "ru": {
        "facts": "Двери видели:",
        "nothing": "Двери ничего не видели.",
        "unsure": "время неточно",
        "said": "Сказано:",
        "imported": "из списка школы",
        "lessons": "Уроки:",
        "none": "Уроков в этот день нет.",
        "lesson": "{number}-й урок {start}–{end}",
        "told": "Сообщения:",
        "silence": "Сообщений не было.",
        "doubt": "не всё известно: {doubts}",
    },
    "en": {
        "facts": "The doors saw:",
        "nothing": "The doors saw nothing.",
        "unsure": "the time is uncertain",
        "said": "Said:",
        "imported": "from the school's list",
        "lessons": "Lessons:",
        "none": "No lessons on that day.",
        "lesson": "lesson {number}, {start}–{end}",
        "told": "Messages:",
        "silence": "There were no messages.",
        "doubt": "not everything is known: {doubts}",
    },
}
_RULES: Final = {
    "ru": {
        Status.PRESENT: "в школе к началу урока",
        Status.LATE: "вход через {late} после начала",
        Status.ABSENT: "пропущено больше {percent} % урока, и все входы были на связи",
        Status.LEFT_EARLY: "до конца урока вне школы: {missed}",
        Status.UNKNOWN: "двери не могут сказать ни «был», ни «не был»",
        Status.PENDING: "решение будет после конца урока",
        Source.TEACHER: "так сказал учитель",
        Source.OFFICE: "так сказала канцелярия",
    },
    "en": {
        Status.PRESENT: "at school when the lesson began",
        Status.LATE: "came in {late} after the start",
        Status.ABSENT: "missed more than {percent} % of the lesson, and every entrance was heard of",
        Status.LEFT_EARLY: "outside before the lesson ended: {missed}",
        Status.UNKNOWN: "the doors can tell neither presence nor absence",
        Status.PENDING: "decided after the lesson has ended",
        Source.TEACHER: "a teacher said so",
        Source.OFFICE: "the office said so",
    },
}
#: Of a lesson without a mark.
_MODES: Final = {
    "ru": {
        Mode.GATE: "ещё не начался",
        Mode.TEACHER: "двери не решают: отмечает учитель",
        Mode.NONE: "присутствие не отмечается",
    },
    "en": {
        Mode.GATE: "has not begun yet",
        Mode.TEACHER: "the doors do not decide: the teacher marks",
        Mode.NONE: "attendance is not taken",
    },
}
_SENT: Final = {"ru": " в {at}", "en": " at {at}"}


def lines(day: PersonDay, language: str) -> list[str]:
    """As a person reads it."""
    words = _WORDS[language]
    title = f"{day.name}, {day.group}, {day.date:%d.%m.%Y}"
    seen = [f"  {text}" for _, text in _seen(day, language)]
    said = [f"  {text}" for _, text in _said(day, language)]
    taught = [f"  {text}" for _, text in _taught(day, language)]
    told = [f"  {text}" for _, text in _told(day, language)]
    return [
        title,
        *([words["facts"], *seen] if seen else [words["nothing"]]),
        *([words["said"], *said] if said else []),
        *([words["lessons"], *taught] if taught else [words["none"]]),
        *([words["told"], *told] if told else [words["silence"]]),
    ]


def rows(day: PersonDay, language: str) -> Sequence[Sequence[object]]:
    """For a spreadsheet: what happened when, and what became of it; the first is the header."""
    parts = {"fact": _seen, "said": _said, "lesson": _taught, "message": _told}
    found = [(at, kind, text) for kind, tell in parts.items() for at, text in tell(day, language)]
    return [["time", "kind", "text"], *([_wall(at, day), kind, text] for at, kind, text in found)]


def rule(lesson: Lesson, day: PersonDay, language: str) -> str:
    """The rule that made the mark."""
    rules, mark = _RULES[language], lesson.mark
    if mark is None:
        return _MODES[language][lesson.slot.mode]
    if mark.source is not Source.GATE:
        return rules[mark.source]
    late, missed = (minutes_in_words(count, language) for count in (mark.minutes_late, mark.minutes_missed))
    return rules[mark.status].format(late=late, missed=missed, percent=day.policy.absent_percent)


def plain(day: PersonDay) -> dict[str, Any]:
    """For machines."""
    return {
        "person": day.person,
        "name": day.name,
        "class": day.group,
        "date": day.date.isoformat(),
        "facts": [
            {"at": _iso(fact.at), "kind": fact.kind.value, "lane": fact.lane, "uncertain": fact.uncertain}
            | {"entry": [fact.ref.gateway, fact.ref.epoch, fact.ref.seq]}
            for fact in day.facts
        ],
        "said": [text for _, text in _said(day, "en")],
        "lessons": [
            {
                "slot": lesson.slot.id,
                "lesson": lesson.slot.number,
                "start": _iso(lesson.slot.start),
                "end": _iso(lesson.slot.end),
                "mode": lesson.slot.mode.value,
                "rule": rule(lesson, day, "en"),
                "mark": plain_mark(lesson.slot, lesson.mark, lesson.code) if lesson.mark else None,
            }
            for lesson in day.lessons
        ],
        "messages": [
            {"template": one.template.value, "recipient": one.recipient, "state": one.state.value}
            | {"created": _iso(one.created), "sent": _iso(one.sent), "names": _iso(one.names)}
            for one in day.messages
        ],
    }


Told = list[tuple[dt.datetime, str]]


def _seen(day: PersonDay, language: str) -> Told:
    unsure = f" ({_WORDS[language]['unsure']})"
    return [
        (f.at, f"{_wall(f.at, day, seconds=True)}  {f.lane}  {_FACTS[language][f.kind]}{unsure if f.uncertain else ''}")
        for f in day.facts
    ]


def _said(day: PersonDay, language: str) -> Told:
    by_hand = [(one.saying.at, said_in_words(one, language, day.zone)) for one in day.said]
    origin = _WORDS[language]["imported"]
    imported = []
    for one in day.excuses:
        since, until = (f"{at.astimezone(day.zone):%d.%m %H:%M}" for at in (one.since, one.until))
        imported.append((one.since, f"{since}–{until}  {REASONS[language][one.reason]}  ({origin})"))
    return by_hand + imported


def _taught(day: PersonDay, language: str) -> Told:
    found = []
    for lesson in day.lessons:
        slot = lesson.slot
        name = _WORDS[language]["lesson"].format(
            number=slot.number, start=_wall(slot.start, day), end=_wall(slot.end, day)
        )
        said = [_marked(lesson.mark, language)] if lesson.mark else []
        code = f" [{lesson.code}]" if lesson.code else ""
        doubts = lesson.mark.doubts if lesson.mark else ()
        doubt = (
            _WORDS[language]["doubt"].format(doubts=in_words(doubts, language, day.zone, day.date)) if doubts else ""
        )
        why = "; ".join(part for part in (rule(lesson, day, language), doubt) if part)
        found.append((slot.start, f"{name}: {''.join(said)}{code}{' – ' if said else ''}{why}"))
    return found


def _marked(mark: Mark, language: str) -> str:
    late = f" {minutes_in_words(mark.minutes_late, language)}" if mark.status is Status.LATE else ""
    reason = f", {REASONS[language][mark.reason]}" if mark.reason else ""
    unsure = f", {PROVISIONAL[language]}" if provisional(mark) else ""
    return f"{STATUSES[language][mark.status]}{late}{reason}{unsure}"


def _told(day: PersonDay, language: str) -> Told:
    return [(one.created, _message(one, day, language)) for one in day.messages]


def _message(one: Message, day: PersonDay, language: str) -> str:
    sent = _SENT[language].format(at=_wall(one.sent, day)) if one.state is State.SENT and one.sent else ""
    names = f" ({_wall(one.names, day)})" if one.names else ""
    return f"{TEMPLATES[language][one.template]}{names}, {one.recipient}: {STATES[language][one.state]}{sent}"


def _wall(at: dt.datetime, day: PersonDay, *, seconds: bool = False) -> str:
    return wall(at, day.zone, day.date, "%H:%M:%S" if seconds else "%H:%M")


def _iso(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")
