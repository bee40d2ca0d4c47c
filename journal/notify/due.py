"""Which notices should stand in the outbox now: one pure decision over one pupil's day.

The answer is what each recipient still has to be told, whatever stands there already; the outbox makes its unspoken rows
equal to it. So a notice that became false before anybody heard it disappears, and one that was heard is followed up:

    came in late                      -> late          came in afterwards            -> update
    nobody seen by the cut-off        -> not_seen      seen inside, nobody knows how -> seen
    the staff say: was not there      -> absent        what was said is false        -> correction, and then silence
    after the lesson, for who asked   -> arrived, left_early

Nothing is due while a fire alarm is on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.model import Mark, Slot, Source, Status
from journal.notify.episode import Episode, after, during, explained, minute, obligatory
from journal.notify.notice import Notice, PupilDay, Recipient, Template, Told, Window

_MINUTE = timedelta(minutes=1)
#: They alarm a parent, and what came of it is told.
_FOLLOWED_UP = frozenset({Template.NOT_SEEN, Template.ABSENT})
_LATE = frozenset({Status.LATE, Status.ABSENT})
#: Who left so early that most of the lesson is missed is absent by the doors.
_LEFT = frozenset({Status.LEFT_EARLY, Status.ABSENT})
_FOLLOWING_UP = frozenset({Template.UPDATE, Template.SEEN})


def due(day: PupilDay, told: Iterable[Told], as_of: datetime) -> list[Notice]:
    """What each recipient has to be told now, in the order of the recipients."""
    episode = Episode.of(day, as_of)
    if episode.fire_alarm:
        return []
    heard = list(told)
    return [
        notice
        for recipient in day.pupil.recipients
        for notice in _Story(
            episode=episode,
            recipient=recipient,
            told={t.template: t for t in heard if t.address == recipient.address},
        ).notices()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """The day as one recipient hears of it."""

    episode: Episode
    recipient: Recipient
    told: Mapping[Template, Told]

    def notices(self) -> Iterator[Notice]:
        if Template.CORRECTION in self.told:
            return
        if false := [t for t in self.told.values() if self._open(t.window) and self._false(t)]:
            about_leaving = all(t.template is Template.LEFT_EARLY for t in false)
            window = max((t.window for t in false), key=lambda w: w.expires)
            yield self._notice(Template.CORRECTION, None if about_leaving else self.episode.came, window)
            return
        yield from self._followed_up()
        yield from self._began()
        yield from self._absent()
        yield from self._arrived()
        yield from self._left_early()

    def _followed_up(self) -> Iterator[Notice]:
        """As long as what is followed up could be sent."""
        if self.told.keys() & _FOLLOWING_UP or not (said := self._alarming()) or not self._open(said.window):
            return
        if (came := self._came_after(said)) is not None:
            yield self._notice(Template.UPDATE, came, said.window)
        elif seen := self._seen_after(said):
            yield self._notice(Template.SEEN, seen[0], said.window)

    def _alarming(self) -> Told | None:
        """The newest message that a parent waits for the end of."""
        said = [told for template, told in self.told.items() if template in _FOLLOWED_UP]
        return max(said, key=lambda t: t.window.expires, default=None)

    def _came_after(self, said: Told) -> datetime | None:
        """Whom the guard let in without a card no door saw: that is told whenever it was."""
        by_hand = said.template is Template.NOT_SEEN
        moments = [*(at for at in self.episode.entered if _after(at, said))]
        moments += [at for at in self.episode.let_in if by_hand or _after(at, said)]
        return min(moments, default=None)

    def _seen_after(self, said: Told) -> list[datetime]:
        slot = self.episode.first if said.template is Template.NOT_SEEN else self.episode.beginning(said.at)
        vouched = self.episode.vouched(slot)
        checked = [at for at in self.episode.checked if _after(at, said)]
        return sorted([*checked, *([] if vouched is None else [vouched])])

    def _began(self) -> Iterator[Notice]:
        """Late or not seen: how the first obligatory slot began, while it lasts."""
        slot, mark = self.episode.first, self.episode.mark(self.episode.first)
        if slot is None or mark is None or self.told.keys() & {Template.LATE, *_FOLLOWED_UP}:
            return
        window = during(slot, self.episode.day.zone)
        if slot.start <= self.episode.as_of < window.expires and not explained(mark):
            came = self.episode.came
            if came is not None and self._late(slot, came, mark):
                yield self._notice(Template.LATE, came, window, minutes=mark.minutes_late)
            cutoff = self.episode.cutoff
            if cutoff is not None and mark.source is Source.GATE and self._not_seen(slot, cutoff):
                yield self._notice(Template.NOT_SEEN, cutoff, window)

    def _late(self, slot: Slot, came: datetime, mark: Mark) -> bool:
        """Late, perhaps for so long that the lesson is missed; the doors and the mark must tell the same story."""
        enough = mark.minutes_late >= self.episode.day.policy.late_notice_minutes and mark.status in _LATE
        enough = enough and mark.minutes_late == -((slot.start - came) // _MINUTE)
        return enough and not self.episode.doubts(came) and not self.episode.excused(slot.start, came)

    def _not_seen(self, slot: Slot, cutoff: datetime) -> bool:
        unseen = self.episode.as_of >= cutoff and self.episode.unseen
        return unseen and not self.episode.doubts(cutoff) and not self.episode.excused(slot.start, cutoff)

    def _absent(self) -> Iterator[Notice]:
        """The first lesson that the staff says was missed, while it lasts; once a day."""
        if Template.ABSENT in self.told:
            return
        for slot in obligatory(self.episode.day.slots):
            mark, word = self.episode.mark(slot), self.episode.ruling(slot)
            window = during(slot, self.episode.day.zone)
            if mark is None or word is None or not slot.start <= self.episode.as_of < window.expires:
                continue
            if mark.status is Status.ABSENT and not explained(mark):
                if not self.episode.excused(slot.start, slot.end):
                    yield self._notice(Template.ABSENT, slot.start, window)
                return

    def _arrived(self) -> Iterator[Notice]:
        """After the first lesson, unless the parent was told already when the pupil came in."""
        slot, came = self.episode.first, self.episode.came
        if not self._asked(Template.ARRIVED) or self.told.keys() & {Template.LATE, Template.UPDATE}:
            return
        if slot is not None and came is not None:
            window = after(slot, self.episode.day.zone, self.episode.day.policy.told_after_lesson)
            if slot.end <= self.episode.as_of < window.expires and not self.episode.doubts(came):
                yield self._notice(Template.ARRIVED, came, window)

    def _left_early(self) -> Iterator[Notice]:
        """After the first lesson that the pupil left and did not come back to; once a day."""
        if not self._asked(Template.LEFT_EARLY):
            return
        for slot in obligatory(self.episode.day.slots):
            mark, left = self.episode.mark(slot), self._left(slot)
            window = after(slot, self.episode.day.zone, self.episode.day.policy.told_after_lesson)
            if mark is None or left is None or mark.status not in _LEFT or explained(mark):
                continue
            sure = mark.complete and not self.episode.doubts(slot.end)
            if sure and slot.end <= self.episode.as_of < window.expires and not self.episode.excused(left, slot.end):
                yield self._notice(Template.LEFT_EARLY, left, window)
                return

    def _left(self, slot: Slot) -> datetime | None:
        left = max((at for at in self.episode.exits if slot.start < at < slot.end), default=None)
        came_back = left is not None and any(left < at < slot.end for at in self.episode.entered)
        return None if came_back else left

    def _asked(self, template: Template) -> bool:
        return template in self.recipient.asked and template not in self.told

    def _false(self, told: Told) -> bool:
        """Whether what was said names a moment that is not true, or a lesson that nobody missed."""
        match told.template:
            case Template.NOT_SEEN:
                return any(not f.uncertain and not _after(f.at, told) for f in self.episode.facts)
            case Template.ABSENT:
                return self._was_there(told)
            case Template.LATE if self._was_on_time(told):
                return True
            case _:
                return minute(told.at) not in map(minute, self._moments(told.template))

    def _was_there(self, told: Told) -> bool:
        slot = self.episode.beginning(told.at)
        mark = self.episode.mark(slot)
        return slot is None or (mark is not None and mark.status in (Status.PRESENT, Status.LEFT_EARLY))

    def _was_on_time(self, told: Told) -> bool:
        """Also where the lesson was cancelled or moved since then."""
        slot = self.episode.first
        mark = self.episode.mark(slot)
        return slot is None or _after(slot.start, told) or (mark is not None and mark.status is Status.PRESENT)

    def _moments(self, template: Template) -> list[datetime | None]:
        """Those that such a message may name."""
        episode = self.episode
        match template:
            case Template.UPDATE:
                return [*episode.entered, *episode.let_in]
            case Template.SEEN:
                return [*episode.checked, *(s.said for s in episode.statements)]
            case Template.LEFT_EARLY:
                return [*episode.exits]
            case _:
                return [episode.came]

    def _open(self, window: Window) -> bool:
        return self.episode.as_of < window.expires

    def _notice(self, template: Template, at: datetime | None, window: Window, *, minutes: int = 0) -> Notice:
        pupil = self.episode.day.pupil
        return Notice(
            person=pupil.person,
            recipient=self.recipient,
            template=template,
            name=pupil.name,
            at=at,
            minutes=minutes,
            window=window,
        )


def _after(moment: datetime, told: Told) -> bool:
    return told.at is not None and moment > told.at
