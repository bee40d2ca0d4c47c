"""Whom a class teacher is asked to look for: what the doors cannot tell is no message to parents, but a question to who knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.model import Doubt, PersonId, Source
from journal.notify.episode import Episode, explained
from journal.notify.notice import PupilDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Somebody has to look whether this pupil was there when the first lesson began."""

    person: PersonId
    #: Of the lesson.
    start: datetime
    #: What keeps the doors from telling.
    doubts: tuple[Doubt, ...]


def tasks(days: Iterable[PupilDay], as_of: datetime) -> list[Task]:
    """One for each pupil whose parents would have been told that the card was not seen, or of lateness, but for a doubt.

    From the cut-off on, and as long as the doubt lasts: a door that is heard of again, an excuse, a reason or a word of the
    staff about that lesson ends it.
    """
    return [task for day in days if (task := _task(Episode.of(day, as_of))) is not None]


def _task(episode: Episode) -> Task | None:
    slot, mark, cutoff = episode.first, episode.mark(episode.first), episode.cutoff
    if slot is None or mark is None or cutoff is None or episode.as_of < cutoff:
        return None
    came = episode.came
    in_time = came is not None and mark.minutes_late < episode.day.policy.late_notice_minutes
    until = min(came or cutoff, cutoff)
    doubts = episode.doubts(until)
    answered = mark.source is not Source.GATE or bool(episode.let_in) or explained(mark)
    if in_time or answered or not doubts or episode.excused(slot.start, until):
        return None
    return Task(person=episode.day.pupil.person, start=slot.start, doubts=doubts)
