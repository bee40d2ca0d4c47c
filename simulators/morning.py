"""One whole morning: pupils at the doors, processes killed on purpose, a screen to watch it, and the reckoning."""

import asyncio
import contextlib
import random
import shlex
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Never
from zoneinfo import ZoneInfo

from simulators import crowd, ledgers, privacy
from simulators.broker import BrokerKind
from simulators.entrance import Entrance
from simulators.live import LaneView, Row, Screen, Snapshot, Verdict
from simulators.oracle import NOT_SEEN_AFTER, Lamp
from simulators.reconciliation import gather, reconcile
from simulators.scenario import Scenario
from simulators.school import KINDS, gateway_names
from simulators.stage import Stage, set_up

#: Real seconds.
_WATCH, _DOWN, _SETTLES, _PATIENCE = 0.2, 0.2, 2.0, 20.0
#: Around the moment at which parents are told a tap may or may not be known by then, even where entries travel fast.
_MARGIN = 2.0
_KILLS = 3
#: So long after a lesson the journal waits for missing coverage before a mark is unknown.
_COVERAGE_PATIENCE = timedelta(minutes=2)


class Victim(StrEnum):
    """What is killed in the middle of the morning."""

    GATEWAY = "gateway"
    JOURNAL = "journal"
    BROKER = "broker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    scenario: Scenario
    pupils: int
    gateways: int
    seed: int
    speed: float
    kill: Victim | None
    broker: BrokerKind
    #: Keeps all files here; None forgets them.
    keep: Path | None


async def morning(options: Options, screen: Screen) -> dict[str, Any]:
    """Run it to its end; what is found, ready for JSON. Raises ChildFailed when a process ended by itself."""
    screen.begin()
    people = crowd.gather(options.scenario, pupils=options.pupils, seed=options.seed)
    names = gateway_names(options.gateways)
    with _folder(options.keep) as folder:
        staging = set_up(options.scenario, people, names, speed=options.speed, broker=options.broker, folder=folder)
        async with staging as stage:
            try:
                result = await _play(stage, options, screen)
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
    told = {"pupils": options.pupils, "gateways": options.gateways, "seed": options.seed, "speed": options.speed}
    return {"scenario": options.scenario.name, **told, **result}


async def _play(stage: Stage, options: Options, screen: Screen) -> dict[str, Any]:
    entrance = Entrance(stage.doors, stage.pace)
    look = _Look(stage, entrance)
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(screen.follow(look.snapshot)), tasks.create_task(_guard(stage))]
        await stage.ready()
        killing = tasks.create_task(_kill(stage, options))
        await entrance.admit(stage.crowd.arrivals)
        kills = await killing
        result = look.reckoned = await _reckon(stage, entrance, options, kills)
        logs = {name: child.log for name, child in stage.children.items()}
        said = await privacy.public(logs, stage.gateways, stage.port)
        result["mismatches"] += privacy.leaks(stage.crowd, said)
        for task in beside:
            task.cancel()
    return {
        "broker": Path(stage.children["broker"].command[0]).name,
        "killed": {name: len(times) for name, times in kills.items()},
        **result,
    }


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="attendance-morning-") as name:
        yield Path(name)


async def _guard(stage: Stage) -> Never:
    while True:
        stage.check()
        await asyncio.sleep(_WATCH)


async def _kill(stage: Stage, options: Options) -> dict[str, list[datetime]]:
    """Kill -9 and start again, like a power cut and systemd; when each was killed."""
    killed: dict[str, list[datetime]] = {}
    for number, moment in enumerate(_bad_moments(options)):
        await stage.pace.until(moment)
        name = stage.gateways[number % len(stage.gateways)] if options.kill is Victim.GATEWAY else str(options.kill)
        killed.setdefault(name, []).append(stage.pace.now())
        await stage.children[name].kill()
        await asyncio.sleep(_DOWN)
        await stage.children[name].start()
    return killed


def _bad_moments(options: Options) -> list[datetime]:
    """While most pupils come; and, where parents may still be told something afterwards, just when they are told."""
    if options.kill is None:
        return []
    scenario, dice = options.scenario, random.Random(options.seed)  # noqa: S311 - the same morning again is the point
    first, last = scenario.at(scenario.arrivals.first), scenario.at(scenario.arrivals.peak)
    part = (last - first) / _KILLS
    busy = [first + (number + dice.uniform(0.2, 0.8)) * part for number in range(_KILLS)]
    if options.kill is Victim.GATEWAY:
        return busy
    told = [scenario.at(scenario.lesson.start) + minutes for minutes in NOT_SEEN_AFTER]
    return busy + [moment + timedelta(seconds=dice.uniform(0.0, 1.0) * options.speed) for moment in told]


async def _reckon(
    stage: Stage, entrance: Entrance, options: Options, kills: dict[str, list[datetime]]
) -> dict[str, Any]:
    """Waits for what is still on its way: a lie stays one however long one waits."""
    complete = options.kill is not Victim.GATEWAY
    over = stage.scenario.at(stage.scenario.lesson.end) + (timedelta(0) if complete else _COVERAGE_PATIENCE)
    await stage.pace.until(over + timedelta(seconds=_SETTLES * stage.pace.speed))
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = await gather(stage)
        result = reconcile(stage, entrance.attempts, found, complete=complete, margin=_MARGIN, kills=kills)
        if not result["mismatches"] or time.monotonic() > deadline:
            return result
        await asyncio.sleep(1)


class _Look:
    """What the screen sees, read beside the running processes."""

    def __init__(self, stage: Stage, entrance: Entrance) -> None:
        self._stage = stage
        self._entrance = entrance
        #: What was found: gateways go on recording, and the screen ends with what was counted.
        self.reckoned: dict[str, Any] | None = None

    def snapshot(self) -> Snapshot:
        """The morning now."""
        stage, attempts, zone = self._stage, self._entrance.attempts, ZoneInfo(self._stage.scenario.zone)
        scenario = stage.scenario
        begin, end = stage.pace.start, scenario.at(scenario.lesson.end)
        clock = stage.pace.now().astimezone(zone)
        taps = Counter(attempt.lane for attempt in attempts)
        lamps = {attempt.lane: attempt.lamp for attempt in attempts}
        recorded, journal = self._entries()
        return Snapshot(
            clock=clock,
            speed=stage.pace.speed,
            passed=max(0.0, min(1.0, (clock - begin) / (end - begin))),
            opens=f"{scenario.opens:%H:%M}",
            lesson=f"{scenario.lesson.start:%H:%M}–{scenario.lesson.end:%H:%M}",
            lanes=[
                LaneView(
                    gateway=door.gateway,
                    lane=door.lane,
                    reader=KINDS[door.technology],
                    alive=stage.children[door.gateway].alive,
                    waiting=door.waiting,
                    taps=taps[door.lane],
                    lamp=lamps.get(door.lane),
                )
                for door in stage.doors
            ],
            others=[(name, stage.children[name].alive) for name in ("broker", "journal")],
            cards=len(attempts),
            green=sum(attempt.lamp is Lamp.GREEN for attempt in attempts),
            recorded=recorded,
            journal=journal,
            mails=[_line(mail.received, mail.body, stage, zone) for mail in stage.mailbox.mails],
        )

    def _entries(self) -> tuple[int, int]:
        """At the gateways and in the journal."""
        if self.reckoned is not None:
            return self.reckoned["entries"], self.reckoned["journal_entries"]
        at_the_doors = sum(_count(self._stage.ledger(name), "entry") for name in self._stage.gateways)
        return at_the_doors, _count(self._stage.journal_database, "entries")


def _count(database: Path, table: str) -> int:
    with contextlib.suppress(sqlite3.Error):
        return ledgers.count(database, table)
    return 0


def _line(received: float, body: str, stage: Stage, zone: ZoneInfo) -> str:
    at: datetime = stage.pace.wall(received).astimezone(zone)
    return f"{at:%H:%M} {' '.join(body.split())}"


def verdict(options: Options, result: dict[str, Any]) -> Verdict:
    """The result for people."""
    rows = [_row(word, result[word], *between) for word, between in result["expected_between"].items()]
    rows += [Row(word="cards", found=str(result["taps"])), Row(word="green", found=str(result["green"]))]
    rows += [_row("journal", result["journal_entries"], result["entries"], result["entries"])]
    rows += [_row(word, result[word], 0, 0) for word in ("duplicates", "gaps")]
    rows += [Row(word="show", found=_span(result["tap_to_show_ms"]))]
    rows += [Row(word="arrive", found=_span(result["tap_to_journal_ms"]))]
    note = "blind" if options.kill is Victim.GATEWAY else ""
    return Verdict(rows=rows, mismatches=result["mismatches"], hints=_hints(options), note=note)


def _row(word: str, found: int, least: int, most: int) -> Row:
    expected = str(least) if least == most else f"{least}–{most}"
    return Row(word=word, found=str(found), expected=expected, wrong=not least <= found <= most)


def _span(percentiles: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {value:.0f} ms" for name, value in percentiles.items() if value is not None)


def _hints(options: Options) -> list[tuple[str, str]]:
    programs = Path(sys.executable).parent
    if programs.is_relative_to(Path.cwd()):
        programs = programs.relative_to(Path.cwd())
    again = [(f"{programs}/attendance-sim morning --demo --kill gateway", "kill"), ("README.md", "read")]
    if options.keep is None:
        return again
    settings = shlex.quote(str(options.keep / "journal.toml"))
    report = f"{programs}/attendance-journal report --date {options.scenario.date} --config {settings}"
    return [(report, "report"), (str(options.keep), "kept"), *again]
