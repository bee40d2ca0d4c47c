"""Short ways to say who taps where and when."""

from datetime import UTC, datetime, timedelta

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.directory import Content, CredentialRow, Directory, PersonRow
from gateway.domain.model import ClockState, Direction, GroupId, Instant, LaneId, PersonId, Slot, SlotId, Tap
from gateway.domain.policy import Policy

KEY = SiteKey(version=1, secret=bytes(range(32)))
LANE = LaneId("north-1")
CARD = Credential(technology=Technology.EM4100, uid=bytes.fromhex("55007EE424"))
OTHER = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("04DE5F1EACC040"))
BOOT = "boot-a"
MIDNIGHT = datetime(2026, 9, 1, tzinfo=UTC)


def at(clock: str) -> datetime:
    """`HH:MM` or `HH:MM:SS` of the test's day, in UTC."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def instant(clock: str | datetime, boot: str = BOOT) -> Instant:
    moment = at(clock) if isinstance(clock, str) else clock
    boottime = int((moment - MIDNIGHT).total_seconds() * 1000) + 1_000_000
    return Instant(at=moment, boot=boot, boottime=boottime, clock=ClockState.SYNCED)


def slot(start: str = "08:30", end: str = "09:15", number: int = 1, group: str = "5a") -> Slot:
    return Slot(
        id=SlotId(f"{group}-20260901-{number}"), group=GroupId(group), number=number, start=at(start), end=at(end)
    )


def tap(
    clock: str | datetime, credential: Credential = CARD, lane: LaneId = LANE, direction: Direction = Direction.IN
) -> Tap:
    return Tap(lane=lane, credential=credential, at=instant(clock), direction=direction)


def directory(*rows: CredentialRow, slots: tuple[Slot, ...] = (), policy: Policy | None = None) -> Directory:
    content = Content(
        site="school-1",
        zone="Europe/Moscow",
        gateways=(),
        persons=(PersonRow(id=PersonId("p-1"), groups=(GroupId("5a"),)),),
        credentials=rows or (CredentialRow(token=KEY.token(CARD), person=PersonId("p-1")),),
        slots=slots or (slot(),),
        policy=policy or Policy(),
    )
    return Directory.of(content, version=7, valid_until=MIDNIGHT + timedelta(days=14))
