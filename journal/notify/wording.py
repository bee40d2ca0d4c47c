"""What the office reads of messages to parents, Russian and English."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from journal.notify.notice import Template, Window
from journal.notify.outbox import State
from journal.words import messages_in_words, plural

TEMPLATES: Final = {
    "ru": {
        Template.LATE: "опоздание",
        Template.NOT_SEEN: "карта не отмечена",
        Template.ABSENT: "отсутствие",
        Template.UPDATE: "вход после сообщения",
        Template.SEEN: "отметка внутри школы",
        Template.CORRECTION: "исправление",
        Template.LEFT_EARLY: "уход раньше",
        Template.ARRIVED: "вход",
    },
    "en": {template: template.value.replace("_", " ") for template in Template},
}
STATES: Final = {
    "ru": {
        State.PENDING: "ждёт отправки",
        State.HELD: "ждёт решения человека",
        State.SENDING: "отправляется",
        State.SENT: "отправлено",
        State.UNCERTAIN: "дошло ли, неизвестно",
        State.WITHDRAWN: "отозвано до отправки",
        State.EXPIRED: "не отправлено: урок окончен",
        State.DROPPED: "отменено человеком",
    },
    "en": {
        State.PENDING: "waits to be sent",
        State.HELD: "waits for a person to decide",
        State.SENDING: "is being sent",
        State.SENT: "sent",
        State.UNCERTAIN: "nobody knows whether it arrived",
        State.WITHDRAWN: "taken back before it was sent",
        State.EXPIRED: "not sent: the lesson was over",
        State.DROPPED: "dropped by a person",
    },
}
_HELD: Final = {
    "ru": ("класс", "о чём", "код", "фамилия и имя", "не позже"),
    "en": ("class", "of what", "id", "name", "not after"),
}
_WAIT: Final = frozenset({State.PENDING, State.HELD})
_RESUME: Final = "attendance-journal notify resume"
_WORDS: Final = {
    "ru": {
        "by": "решение: {author}",
        "none": "сообщений нет",
        "nothing held": "решения ничего не ждёт",
        "paused": f"сообщения приостановлены: {_RESUME}",
        "pause": f"сообщения приостановлены; «{_RESUME}» отпустит их снова",
        "resume": "сообщения снова отправляются",
        "no wish": "ничего сверх обычного",
        "from": "с {at}",
        "over": "не {sent} {messages}: урок закончится раньше, чем можно отправлять",
        "stopped": f"{{wait}} {{messages}}: отправка приостановлена, «{_RESUME}» отпустит, пока идёт урок",
    },
    "en": {
        "by": "by {author}",
        "none": "no messages",
        "nothing held": "nothing is held",
        "paused": f"messages are paused: {_RESUME}",
        "pause": f"messages are paused; '{_RESUME}' lets them go again",
        "resume": "messages go out again",
        "no wish": "nothing besides",
        "from": "from {at}",
        "over": "{messages} will not be sent: the lesson is over before that is allowed",
        "stopped": f"{{messages}} {{wait}}: sending is paused, '{_RESUME}' lets go while the lesson lasts",
    },
}


def word(name: str, language: str) -> str:
    """One of the short answers."""
    return _WORDS[language][name]


def list_lines(rows: Sequence[dict[str, Any]], language: str, zones: Mapping[str, tzinfo]) -> list[str]:
    """Messages, a line for each, with the time from which what waits may be sent; then how many of each state."""
    states, templates = STATES[language], TEMPLATES[language]
    columns = [
        (
            row["date"],
            _from(row, zones, language) if row["state"] in _WAIT else "",
            states[row["state"]],
            templates[row["template"]],
            row["person"],
        )
        for row in rows
    ]
    found = []
    for row, aligned in zip(rows, _aligned(columns), strict=True):
        author = word("by", language).format(author=row["author"]) if row["author"] else ""
        found.append("  ".join(part for part in (*aligned, row["recipient"], row["error"], author) if part))
    return [*found, _counts((states[row["state"]] for row in rows), word("none", language))]


def _from(row: dict[str, Any], zones: Mapping[str, tzinfo], language: str) -> str:
    return word("from", language).format(at=_wall(datetime.fromisoformat(row["due"]), zones[row["site"]]))


def held_lines(rows: Sequence[dict[str, str]], language: str) -> list[str]:
    """Pupils whose parents wait for a decision, a line for each below its heading; then how many of each class."""
    columns = [
        (row["class"], TEMPLATES[language][Template(row["template"])], row["person"], row["name"], row["expires"])
        for row in rows
    ]
    found = _aligned([_HELD[language], *columns]) if columns else []
    lines = ["  ".join(aligned).rstrip() for aligned in found]
    return [*lines, _counts((row["class"] for row in rows), word("nothing held", language))]


def released_in_words(windows: Iterable[Window], now: datetime, zone: tzinfo, language: str, *, paused: bool) -> str:
    """`уходят 2 сообщения`; `2 messages go out at 07:00`; and those that cannot go."""
    found = list(windows)
    going = Counter(max(one.opens, now) for one in found if one.opens < one.expires)
    over = len(found) - going.total()
    if paused and going:
        said = [_counted("stopped", going.total(), language)]
    else:
        times = sorted(going.items()) or ([] if over else [(now, 0)])
        said = [_going(count, "" if at == now else _wall(at, zone), language) for at, count in times]
    return "; ".join([*said, *([_counted("over", over, language)] if over else [])])


def _going(count: int, at: str, language: str) -> str:
    if language == "ru":
        verb = plural(count, "уйдёт", "уйдут", "уйдёт") if at else plural(count, "уходит", "уходят", "уходит")
        return f"{verb} {messages_in_words(count, language)}" + (f" в {at}" if at else "")
    return f"{messages_in_words(count, language)} {'goes' if count == 1 else 'go'} out" + (f" at {at}" if at else "")


def _counted(name: str, count: int, language: str) -> str:
    sent, wait = plural(count, "уйдёт", "уйдут", "уйдёт"), plural(count, "ждёт", "ждут", "ждёт")
    if language != "ru":
        wait = "waits" if count == 1 else "wait"
    return word(name, language).format(messages=messages_in_words(count, language), sent=sent, wait=wait)


def _wall(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def dropped_in_words(count: int, language: str) -> str:
    """`отменены 2 сообщения`; `2 messages are dropped`."""
    if language == "ru":
        return f"{plural(count, 'отменено', 'отменены', 'отменено')} {messages_in_words(count, language)}"
    return f"{messages_in_words(count, language)} {'is' if count == 1 else 'are'} dropped"


def _counts(names: Iterable[str], nothing: str) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(Counter(names).items())) or nothing


def _aligned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)] for row in rows]
