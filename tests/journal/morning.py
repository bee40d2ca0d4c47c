"""A morning in words: what the doors told, what was heard of them, what parents were told, and what they are due."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from gateway.domain.model import GroupId, LaneId, MarkReason, Mode, PersonId, Slot, SlotId, SlotKind
from gateway.domain.policy import Policy
from gateway.domain.register import (
    Coverage,
    Day,
    EntryRef,
    Fact,
    FactKind,
    Interval,
    LaneCoverage,
    judge,
)
from gateway.domain.statement import Excuse
from journal.notify.due import due
from journal.notify.notice import Pupil, PupilDay, Recipient, Template, Told, Window

ZONE = ZoneInfo("Europe/Moscow")
TODAY = date(2026, 9, 1)
PERSON = PersonId("p1")
PARENT = "parent@example.org"


def at(local: str) -> datetime:
    clock = datetime.strptime(local, "%H:%M:%S" if local.count(":") == 2 else "%H:%M").replace(tzinfo=ZONE)
    return clock.replace(year=TODAY.year, month=TODAY.month, day=TODAY.day).astimezone(UTC)


def slot(start: str, end: str, *, number: int = 1, mode: Mode = Mode.GATE, kind: SlotKind = SlotKind.LESSON) -> Slot:
    return Slot(
        id=SlotId(f"g/{number}"), group=GroupId("g"), number=number, start=at(start), end=at(end), mode=mode, kind=kind
    )


def facts(words: str) -> list[Fact]:
    """`arrival 08:36, out 08:40, uncertain in 08:50`."""
    found = []
    for seq, word in enumerate(filter(None, words.split(", ")), 1):
        *uncertain, kind, local = word.split()
        ref = EntryRef(gateway="north", epoch="e", seq=seq)
        found.append(Fact(at=at(local), kind=FactKind(kind), ref=ref, uncertain=bool(uncertain)))
    return found


def coverage(words: str) -> Coverage:
    """`north 07:00-08:40, south 07:00-08:37`."""
    lanes: dict[str, list[Interval]] = {}
    for word in words.split(", "):
        lane, hours = word.split()
        since, until = hours.split("-")
        lanes.setdefault(lane, []).append(Interval(since=at(since), until=at(until)))
    return Coverage(
        lanes=tuple(
            LaneCoverage(
                gateway=lane,
                lane=LaneId("main"),
                opens=min(at("07:00"), *(one.since for one in heard)),
                closes=at("20:00"),
                intervals=tuple(heard),
            )
            for lane, heard in lanes.items()
        )
    )


def told(words: str) -> list[Told]:
    """`not_seen 08:45, update 08:52`; `left_early 09:50/11:10` might be sent, and is followed up, until 11:10."""
    found = []
    for word in filter(None, words.split(", ")):
        template, local = word.split()
        local, _, expires = local.partition("/")
        window = Window(opens=at("08:30"), expires=at(expires or "09:15"))
        moment = None if local == "-" else at(local)
        found.append(Told(address=PARENT, template=Template(template), at=moment, window=window))
    return found


FIRST = slot("08:30", "09:15")
SECOND = slot("09:25", "10:10", number=2)
BOTH_DOORS = "north 07:00-{0}, south 07:00-{0}"


@dataclass(frozen=True, kw_only=True)
class Morning:
    name: str
    now: str
    doors: str = ""
    heard: str = ""
    said: str = ""
    excuse: tuple[str, str] | None = None
    slots: tuple[Slot, ...] = (FIRST, SECOND)
    primary: bool = False
    expected: str = ""

    def day(self) -> PupilDay:
        seen, known, now = facts(self.doors), coverage(self.heard or BOTH_DOORS.format(self.now)), at(self.now)
        excuses = [
            Excuse(person=PERSON, since=at(e[0]), until=at(e[1]), reason=MarkReason.APPLICATION)
            for e in [self.excuse]
            if e
        ]
        day = Day(person=PERSON, date=TODAY)
        return PupilDay(
            pupil=Pupil(
                person=PERSON,
                name="Иван",
                primary=self.primary,
                recipients=(Recipient(address=PARENT, language="ru"),),
            ),
            slots=self.slots,
            marks=judge(day, self.slots, seen, excuses, known, now, Policy()),
            facts=seen,
            excuses=excuses,
            coverage=known,
            policy=Policy(),
            zone=ZONE,
        )

    def answer(self) -> str:
        words = [
            f"{n.template} {n.at.astimezone(ZONE):%H:%M}" + (f" {n.minutes}" if n.minutes else "")
            if n.at
            else f"{n.template} -"
            for n in due(self.day(), told(self.said), at(self.now))
        ]
        return ", ".join(words)
