"""A named situation of a school day, written in words, as the values that the register takes.

    doors    "in 08:20, out 08:55 south, tap 09:00? known 10:00"     kinds of facts; `?` is a guessed time
    staff    "office 09:00 came 08:20 queue", "teacher 08:40 absent 08:30-09:15 ill_reported"
    excuses  "08:00-18:00 ill_reported known 12:00"
    lessons  "08:30-09:15 teacher elective site=pool"
    lanes    "south 12:00-18:00"       heard  "south 07:00-08:00 known 09:00", "south never"
    nights   as lanes, on the days before
    outages  "north free 07:40-08:10"  closed "south 07:00-09:00"

Times are those of the site's wall; `*` is the second of two alike, `yesterday:` and `tomorrow:` go before.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.model import GroupId, LaneId, MarkReason, Mode, PersonId, Slot, SlotId, SlotKind, Source, Status
from gateway.domain.policy import Policy, changed
from gateway.domain.register import (
    Coverage,
    Day,
    EntryRef,
    Fact,
    FactKind,
    Interval,
    LaneCoverage,
    Outage,
    OutageKind,
)
from gateway.domain.statement import Excuse, Statement, StatementKind

FOLDER = Path(__file__).with_name("situations")
PERSON = PersonId("p1")
SITE = "school-1"
_DAYS = {"yesterday": -1, "tomorrow": 1}
_KINDS = {"tap": FactKind.ALTERNATING} | {kind.value: kind for kind in FactKind}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One row of the table: given, when, then, message or none."""

    name: str
    when: str
    then: str
    message: str = "none"
    day: str = ""
    doors: str = ""
    staff: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ("08:30-09:15", "09:25-10:10")
    lanes: tuple[str, ...] = ("north 07:00-20:00", "south 07:00-20:00")
    nights: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    outages: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    policy: Mapping[str, int]
    primary: bool = False
    date: str = "2026-09-01"
    zone: str = "Europe/Moscow"

    @property
    def whose(self) -> Day:
        return Day(person=PERSON, date=date.fromisoformat(self.date), site=SITE)

    @property
    def here(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def numbers(self) -> Policy:
        return changed(Policy(), self.policy)

    def at(self, words: str) -> datetime:
        *shift, clock = words.split(":", 1) if words.startswith(tuple(_DAYS)) else [words]
        day = date.fromisoformat(self.date) + timedelta(days=_DAYS[shift[0]] if shift else 0)
        wall = time.fromisoformat(clock.rstrip("*")).replace(fold=int(clock.endswith("*")))
        return datetime.combine(day, wall, self.here).astimezone(UTC)

    def span(self, words: str) -> tuple[datetime, datetime]:
        since, until = words.split("-")
        return self.at(since), self.at(until)

    def facts(self, as_of: datetime) -> list[Fact]:
        found = []
        for seq, (kind, clock, *rest) in enumerate(_clauses(self.doors), 1):
            lane, known = _known(rest, "north")
            if (at := self.at(clock.rstrip("?"))) <= as_of and (known is None or self.at(known) <= as_of):
                ref = EntryRef(gateway=lane, epoch="e", seq=seq)
                found.append(
                    Fact(at=at, kind=_KINDS[kind], ref=ref, lane=f"{lane}/main", uncertain=clock.endswith("?"))
                )
        return found

    def statements(self, as_of: datetime) -> list[Statement]:
        found = []
        for source, said, what, about, *reason in map(str.split, self.staff):
            since, _, until = about.partition("-")
            status, _, minutes = what.partition("+")
            place: dict[str, Any] = {
                "person": PERSON,
                "source": Source(source),
                "said": self.at(said),
                "at": self.at(since),
            }
            place |= {"reason": MarkReason(reason[0]) if reason else None}
            if what in ("came", "left"):
                found.append(Statement(kind=StatementKind(what), **place))
            else:
                place |= {"until": self.at(until) if until else None, "minutes_late": int(minutes or 0)}
                place |= {"status": None if status == "explains" else Status(status)}
                found.append(Statement(kind=StatementKind.MARK, **place))
        return [one for one in found if one.said <= as_of]

    def absences(self, as_of: datetime) -> list[Excuse]:
        found = []
        for words, reason, *rest in map(str.split, self.excuses):
            source, known = _known(rest, "office")
            since, until = self.span(words)
            if known is None or self.at(known) <= as_of:
                found.append(
                    Excuse(
                        person=PERSON, since=since, until=until, reason=MarkReason(reason), source=Source(source)
                    )
                )  # fmt: skip
        return found

    def slots(self) -> list[Slot]:
        found = []
        for number, (words, *rest) in enumerate(map(str.split, self.lessons), 1):
            since, until = self.span(words)
            named = dict(word.split("=") for word in rest if "=" in word)
            kind = next((SlotKind(word) for word in rest if word in set(SlotKind)), SlotKind.LESSON)
            mode = next((Mode(word) for word in rest if word in set(Mode)), Mode.GATE)
            found.append(
                Slot(
                    id=SlotId(f"{number}"),
                    group=GroupId(named.get("group", "5a")),
                    number=number,
                    start=since,
                    end=until,
                    kind=kind,
                    mode=mode,
                    site=named.get("site", ""),
                    obligatory="elective" not in rest,
                )
            )
        return found

    def coverage(self, as_of: datetime) -> Coverage:
        """As it was received at that moment: an outage that is not over yet has no end."""
        return Coverage(lanes=tuple(self._lanes(self.lanes, as_of)), nights=tuple(self._lanes(self.nights, as_of)))

    def _lanes(self, lanes: Sequence[str], as_of: datetime) -> Iterator[LaneCoverage]:
        for name, hours in map(str.split, lanes):
            opens, closes = self.span(hours)
            told = [words.split() for words in self.heard if words.split()[0] == name]
            intervals = [Interval(since=opens, until=as_of)] if not told and opens < as_of else []
            for _, span, *rest in told:
                _, known = _known(rest, "")
                if span != "never" and (known is None or self.at(known) <= as_of):
                    since, until = self.span(span)
                    intervals.append(Interval(since=since, until=min(until, as_of)))
            yield LaneCoverage(
                gateway=name,
                lane=LaneId("main"),
                opens=opens,
                closes=closes,
                intervals=tuple(i for i in intervals if i.since < i.until),
                outages=tuple(self._outages(name, as_of)),
                closed=tuple(
                    Interval(since=self.span(span)[0], until=self.span(span)[1])
                    for lane, span in map(str.split, self.closed)
                    if lane == name
                ),
            )

    def _outages(self, name: str, as_of: datetime) -> Iterator[Outage]:
        for lane, kind, span in map(str.split, self.outages):
            since, _, until = span.partition("-")
            over = bool(until) and self.at(until) <= as_of
            if lane == name and self.at(since) <= as_of:
                yield Outage(kind=OutageKind(kind), since=self.at(since), until=self.at(until) if over else None)


def situations() -> list[Situation]:
    """Every row of every table."""
    known = {field.name for field in fields(Situation)}
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = table.get("given", {})
        for row in table["situation"]:
            assert row.keys() <= known, f"{path.name}: {row['name']}: {row.keys() - known}"
            values: dict[str, Any] = {"policy": {}, **shared, **row}
            values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
            found.append(Situation(**values))
    return found


def _clauses(words: str) -> Iterator[list[str]]:
    return (clause.split() for clause in words.split(", ") if clause)


def _known(words: list[str], default: str) -> tuple[str, str | None]:
    """What stands before `known TIME`, and that time."""
    known = words[words.index("known") + 1] if "known" in words else None
    first = words[0] if words and words[0] != "known" else default
    return first, known
