"""A morning in words: what the doors told, what was heard of them, what parents were told, and what they are due."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.coverage import Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import GroupId, LaneId, MarkReason, Mode, PersonId, Slot, SlotId, SlotKind, Source, Status
from gateway.domain.policy import Policy
from gateway.domain.presence import EntryRef, Fact, FactKind
from gateway.domain.register import Day, judge
from gateway.domain.statement import Excuse, Statement, StatementKind
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


def coverage(words: str, outages: str = "") -> Coverage:
    """`north 07:00-08:40, south 07:00-08:37`; outages `north fire_alarm 08:40-08:50, south free 07:40-` go on where no end is told."""
    lanes: dict[str, list[Interval]] = {}
    for word in words.split(", "):
        lane, hours = word.split()
        since, until = hours.split("-")
        lanes.setdefault(lane, []).append(Interval(since=at(since), until=at(until)))
    out: dict[str, list[Outage]] = {}
    for word in filter(None, outages.split(", ")):
        lane, kind, hours = word.split()
        since, until = hours.split("-")
        ends = at(until) if until else None
        out.setdefault(lane, []).append(Outage(kind=OutageKind(kind), since=at(since), until=ends))
    return Coverage(
        lanes=tuple(
            LaneCoverage(
                gateway=lane,
                lane=LaneId("main"),
                opens=min(at("07:00"), *(one.since for one in heard)),
                closes=at("20:00"),
                intervals=tuple(heard),
                outages=tuple(out.get(lane, ())),
            )
            for lane, heard in lanes.items()
        )
    )


def staff(words: str) -> list[Statement]:
    """`teacher absent 08:30 said 08:40`: of the lesson then; `office came 08:36 said 08:50 transport`: with a reason."""
    found = []
    for word in filter(None, words.split(", ")):
        source, what, local, _, said, *reason = word.split()
        mark = what not in ("came", "left")
        found.append(
            Statement(
                person=PERSON,
                kind=StatementKind.MARK if mark else StatementKind(what),
                at=at(local),
                until=at(local) + timedelta(minutes=1) if mark else None,
                status=Status(what.split(":")[0]) if mark else None,
                minutes_late=int(what.partition(":")[2] or 0),
                reason=MarkReason(reason[0]) if reason else None,
                source=Source(source),
                said=at(said),
            )
        )
    return found


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
    outages: str = ""
    staff: str = ""
    said: str = ""
    excuse: tuple[str, str] | None = None
    reason: MarkReason = MarkReason.APPLICATION
    slots: tuple[Slot, ...] = (FIRST, SECOND)
    primary: bool = False
    asked: str = ""
    expected: str = ""

    def day(self) -> PupilDay:
        seen, now, words = facts(self.doors), at(self.now), staff(self.staff)
        known = coverage(self.heard or BOTH_DOORS.format(self.now), self.outages)
        excuses = [
            Excuse(person=PERSON, since=at(e[0]), until=at(e[1]), reason=self.reason) for e in [self.excuse] if e
        ]
        asked = frozenset(Template(word) for word in self.asked.split())
        return PupilDay(
            pupil=Pupil(
                person=PERSON,
                name="Иван",
                primary=self.primary,
                recipients=(Recipient(address=PARENT, language="ru", asked=asked),),
            ),
            slots=self.slots,
            marks=judge(Day(person=PERSON, date=TODAY), self.slots, [*seen, *words], excuses, known, now, Policy()),
            facts=seen,
            excuses=excuses,
            statements=words,
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
