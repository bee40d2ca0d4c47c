"""Reads each mail like a parent, by words of its own: about the right child, in the right language, and true."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from simulators.crowd import Pupil
from simulators.mail import Mail
from simulators.oracle import Story

#: The first that is found counts: a correction repeats what it corrects.
_KINDS: Final = {
    "correction": re.compile(r"correct|wrong|исправл|неверн", re.IGNORECASE),
    "not_seen": re.compile(r"not seen|not been seen|не отмечен|не замечен", re.IGNORECASE),
    "late": re.compile(r"\blate\b|опозда", re.IGNORECASE),
    "update": re.compile(r"\bcame in\b|\barriv|\bвход|\bприш", re.IGNORECASE),
}
_CLOCK: Final = re.compile(r"\b\d{1,2}:\d{2}\b")
_MINUTES: Final = re.compile(r"(\d+)\s*(?:min|мин)", re.IGNORECASE)
_SCRIPTS: Final = {"ru": re.compile("[а-яё]", re.IGNORECASE), "en": re.compile("[a-z]", re.IGNORECASE)}


def letters(
    pupils: Iterable[Pupil],
    stories: Mapping[str, Story],
    told: Mapping[str, Sequence[str]],
    mails: Iterable[Mail],
    zone: ZoneInfo,
) -> Iterator[str]:
    """What is wrong with what mails say; `told` are the templates that the journal says each parent heard."""
    received: dict[str, list[Mail]] = defaultdict(list)
    for mail in mails:
        received[mail.recipient].append(mail)
    for pupil in pupils:
        mine = received[pupil.mail]
        for mail in mine:
            yield from (f"the mail to {pupil.mail} {lie}" for lie in _lies(pupil, stories[pupil.id], mail, zone))
        kinds = Counter(_kind(mail.body) or "nothing" for mail in mine)
        for kind in sorted((kinds - Counter(told.get(pupil.id, ()))).keys()):
            yield f"the mail to {pupil.mail} tells of {kind}, the journal says {' + '.join(told.get(pupil.id, ()))}"


def _lies(pupil: Pupil, story: Story, mail: Mail, zone: ZoneInfo) -> Iterator[str]:
    kind = _kind(mail.body)
    if _kind(mail.subject) != kind:
        yield f"is about {kind}, and its subject about {_kind(mail.subject)}"
    if pupil.given not in re.findall(r"\w+", mail.body):
        yield f"does not name {pupil.given}"
    if re.search(rf"\b{pupil.family}\b", f"{mail.subject} {mail.body}"):
        yield "tells the last name"
    # The name stays as it is in every language.
    for words in (mail.subject, mail.body.replace(pupil.given, "")):
        scripts = {language for language, letter in _SCRIPTS.items() if letter.search(words)}
        if scripts != {pupil.language}:
            yield f"is in {' and '.join(sorted(scripts)) or 'no language'}, expected {pupil.language}"
            break
    yield from _wrong_numbers(kind, story, mail.body, zone)


def _wrong_numbers(kind: str | None, story: Story, text: str, zone: ZoneInfo) -> Iterator[str]:
    clocks, minutes = _CLOCK.findall(text), [int(number) for number in _MINUTES.findall(text)]
    true = _wall((story.not_seen, story.not_seen) if kind == "not_seen" else story.came, zone)
    if len(clocks) != 1 or clocks[0] not in true:
        yield f"tells the time {' '.join(clocks) or 'nowhere'}, expected {' or '.join(true) or 'none'}"
    late = sorted({minutes for _, minutes in story.marks}) if kind == "late" else []
    if minutes not in ([[count] for count in late] or [[]]):
        yield f"tells {minutes} minutes, expected {' or '.join(map(str, late)) or 'none'}"


def _wall(span: tuple[datetime, datetime] | None, zone: ZoneInfo) -> list[str]:
    """What a clock on the wall shows between two moments."""
    if span is None:
        return []
    first, last = (moment.astimezone(zone).replace(second=0, microsecond=0) for moment in span)
    return [f"{first + timedelta(minutes=after):%H:%M}" for after in range((last - first) // timedelta(minutes=1) + 1)]


def _kind(text: str) -> str | None:
    return next((kind for kind, words in _KINDS.items() if words.search(text)), None)
