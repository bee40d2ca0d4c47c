"""One tap, one decision: who is it, may they pass, what does it mean for the timetable. Pure; nothing here can wait."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.domain.credential import SiteKey, Technology, Token
from gateway.domain.directory import CredentialRow, CredentialState, Directory, covers
from gateway.domain.entry import Entry, TapData
from gateway.domain.model import (
    Assurance,
    ClockState,
    Direction,
    Instant,
    LaneId,
    Match,
    PersonId,
    Reason,
    Slot,
    Status,
    Tap,
    Verdict,
)
from gateway.domain.policy import Policy
from gateway.domain.register import judged

_MINUTE = timedelta(minutes=1)
_REASONS = {CredentialState.BLOCKED: Reason.BLOCKED, CredentialState.LOST: Reason.LOST}


class Recent:
    """The latest recorded tap of each card at each lane, no older than the repeat window."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._latest: OrderedDict[tuple[LaneId, Token], tuple[Instant, Verdict]] = OrderedDict()

    def note(self, at: Instant, data: TapData) -> None:
        """Remember a tap that is on the disk."""
        if data.token is None:
            return
        key = (data.lane, data.token)
        self._latest[key] = (at, data.verdict)
        self._latest.move_to_end(key)
        while self._latest and elapsed(next(iter(self._latest.values()))[0], at) > self._window:
            self._latest.popitem(last=False)

    def verdict(self, lane: LaneId, token: Token, at: Instant) -> Verdict | None:
        """What was shown, when this is still the same tap."""
        found = self._latest.get((lane, token))
        if found is None or not timedelta(0) <= elapsed(found[0], at) <= self._window:
            return None
        return found[1]


def elapsed(earlier: Instant, later: Instant) -> timedelta:
    """By the boot's own clock where it can be, so that a jump of the wall clock repeats or loses no tap."""
    if earlier.boot == later.boot:
        return timedelta(milliseconds=later.boottime - earlier.boottime)
    return later.at - earlier.at


def decide(tap: Tap, directory: Directory, recent: Recent, keys: Sequence[SiteKey]) -> Entry | Verdict:
    """The entry to append before its verdict is shown; or, for the same tap again, just what was shown.

    `keys` has at least one key, the newest first: under it the token is recorded.
    """
    tokens = [key.token(tap.credential) for key in keys]
    row = directory.credential(tokens, tap.at.at)
    token = row.token if row is not None else tokens[0]
    if (shown := recent.verdict(tap.lane, token, tap.at)) is not None:
        return shown
    verdict = _verdict(row, tap)
    person = row.person if row is not None and verdict.admit else None
    slot = _slot(tap, person, directory) if person is not None else None
    data = TapData(
        lane=tap.lane,
        direction=tap.direction,
        token=token,
        technology=tap.credential.technology,
        assurance=tap.assurance,
        person=person,
        verdict=verdict,
        match=_match(slot, tap, directory.policy) if slot is not None else None,
        directory=directory.version,
    )
    return Entry(at=tap.at, data=data, expires=slot.end if slot is not None else None)


def off(data: TapData, at: Instant, directory: Directory) -> bool:
    """Whether somebody who has lessons on other days has none on the day of this tap, as far as the door can know."""
    if data.person is None or at.clock is ClockState.UNSYNCED or directory.expired(at.at):
        return False
    zone = ZoneInfo(directory.zone)
    days = {slot.start.astimezone(zone).date() for slot in judged(directory.slots_of(data.person), directory.site)}
    return bool(days) and at.at.astimezone(zone).date() not in days


def unreadable(lane: LaneId, technology: Technology, direction: Direction, at: Instant) -> Entry:
    """A card that cannot serve as an identity is a fact too: somebody stood there."""
    data = TapData(
        lane=lane,
        direction=direction,
        token=None,
        technology=technology,
        assurance=Assurance.UID,
        person=None,
        verdict=Verdict(admit=False, reason=Reason.UNREADABLE),
        match=None,
        directory=None,
    )
    return Entry(at=at, data=data)


def _verdict(row: CredentialRow | None, tap: Tap) -> Verdict:
    if row is None:
        return Verdict(admit=False, reason=Reason.UNKNOWN_CARD)
    if row.state in _REASONS:
        return Verdict(admit=False, reason=_REASONS[row.state])
    # On a clock that nobody has set nobody is sent away, and nobody is late.
    if tap.at.clock is not ClockState.UNSYNCED and not covers(row, tap.at.at):
        return Verdict(admit=False, reason=Reason.EXPIRED)
    return Verdict(admit=True, reason=Reason.KNOWN)


def _slot(tap: Tap, person: PersonId, directory: Directory) -> Slot | None:
    if tap.direction is Direction.OUT or tap.at.clock is ClockState.UNSYNCED or directory.expired(tap.at.at):
        return None
    at = tap.at.at
    slots = judged(directory.slots_of(person), directory.site)
    return next((slot for slot in slots if slot.start - directory.policy.early <= at < slot.end), None)


def _match(slot: Slot, tap: Tap, policy: Policy) -> Match:
    after = tap.at.at - slot.start
    late = after > policy.grace
    return Match(
        slot=slot.id, status=Status.LATE if late else Status.PRESENT, minutes=-(-after // _MINUTE) if late else 0
    )
