"""The morning on one screen of 80 by 24, or as plain lines where nobody sits at a terminal; Russian or English."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Never

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulators.oracle import Lamp

_FRAME, _LINE = 0.25, 5.0
_LATEST = 3
_COLOURS: Final = {Lamp.GREEN: "green", Lamp.AMBER: "yellow", Lamp.NOT_RECORDED: "red"}

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Attendance: a simulated school morning",
        "begin": "Starting an MQTT broker, a mail server, the journal and the gateways…",
        "opens": "lanes open",
        "lesson": "lesson",
        "gateway": "gateway",
        "lane": "lane",
        "reader": "reader",
        "waiting": "in line",
        "taps": "cards",
        "lamp": "lamp",
        "down": "✗ killed",
        "cards": "cards shown",
        "green": "green lamps",
        "recorded": "entries at the gateways",
        "queue": "not confirmed yet",
        "journal": "entries in the journal",
        "mails": "mails to parents",
        "parents": "what parents read",
        "nothing": "nothing yet",
        "result": "Reconciliation: doors, gateways, journal, parents",
        "found": "found",
        "expected": "expected",
        "present": "present",
        "late": "late",
        "absent": "absent",
        "unknown": "unknown",
        "notices": "notices sent",
        "duplicates": "duplicates",
        "gaps": "gaps",
        "show": "tap to lamp",
        "arrive": "tap to journal",
        "good": "Everything reconciles.",
        "bad": "It does not reconcile:",
        "blind": "Gateways were killed, and nobody can know who came in meanwhile. So whoever was not seen is unknown, not absent, "
        "and no parent is told: that is intended.",
        "next": "Where to look next",
        "kept": "ledgers, database, logs and configurations of this morning; remove them when you like. Status shows an entry for each lane that "
        "waits: how far it listened until the gateway stopped, sent at its next start",
        "report": "the report of the journal",
        "kill": "the same while gateways are killed; or journal, broker",
        "read": "how to connect a real reader",
    },
    "ru": {
        "title": "Посещаемость: одно утро школы, имитация",
        "begin": "Запускаются брокер MQTT, почтовый сервер, журнал и шлюзы…",
        "opens": "вход открыт",
        "lesson": "урок",
        "gateway": "шлюз",
        "lane": "проход",
        "reader": "считыватель",
        "waiting": "ждут",
        "taps": "карт",
        "lamp": "лампа",
        "down": "✗ убит",
        "cards": "карт приложено",
        "green": "зелёных ламп",
        "recorded": "записей на шлюзах",
        "queue": "ещё не подтверждено",
        "journal": "записей в журнале",
        "mails": "писем родителям",
        "parents": "что читают родители",
        "nothing": "пока ничего",
        "result": "Сверка: двери, шлюзы, журнал, родители",
        "found": "есть",
        "expected": "должно быть",
        "present": "вовремя",
        "late": "опоздали",
        "absent": "нет в школе",
        "unknown": "неизвестно",
        "notices": "сообщений отправлено",
        "duplicates": "повторов",
        "gaps": "пропусков",
        "show": "от карты до лампы",
        "arrive": "от карты до журнала",
        "good": "Всё сходится.",
        "bad": "Не сходится:",
        "blind": "Шлюзы убивали, и никто не знает, кто в это время вошёл. Поэтому тот, кого не видели, не отсутствует, а неизвестен, "
        "и родителям ничего не сообщают: так и задумано.",
        "next": "Что смотреть дальше",
        "kept": "базы, протоколы и настройки этого утра; удалите, когда не нужны. У шлюза ждёт по записи на проход: до какой минуты он слушал, "
        "пока его не остановили; она уйдёт при следующем запуске",
        "report": "отчёт журнала",
        "kill": "то же, но шлюзы убивают; или journal, broker",
        "read": "как подключить настоящий считыватель",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """One lane now."""

    gateway: str
    lane: str
    reader: str
    alive: bool
    waiting: int
    taps: int
    lamp: Lamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The morning now."""

    #: Local time.
    clock: datetime
    speed: float
    #: Of the whole morning, 0 to 1.
    passed: float
    opens: str
    lesson: str
    lanes: Sequence[LaneView]
    #: Broker and journal, and whether each runs.
    others: Sequence[tuple[str, bool]]
    cards: int
    green: int
    recorded: int
    journal: int
    #: Subjects of all mails, in order.
    mails: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the reconciliation."""

    word: str
    found: str
    expected: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How it ended, for people."""

    rows: Sequence[Row]
    mismatches: Sequence[str]
    #: Command or path, and the word for what it is.
    hints: Sequence[tuple[str, str]]
    #: The word for what a reader might take for a mistake; empty is nothing.
    note: str = ""


def language_of(environment: Mapping[str, str]) -> str:
    """Russian for a Russian terminal, else English; the first of LC_ALL, LC_MESSAGES and LANG that is set counts."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "ru" if locale.lower().startswith("ru") else "en"


class Screen:
    """Where a morning is shown."""

    def __init__(self, language: str, *, demo: bool) -> None:
        self._words = _WORDS[language]
        self._demo = demo
        self._console = Console(highlight=False, stderr=not demo)

    def begin(self) -> None:
        """What happens before there is anything to see."""
        self._console.print(self._words["begin"], soft_wrap=True)

    async def follow(self, look: Callable[[], Snapshot]) -> Never:
        """Shows the morning until it is cancelled."""
        if not (self._demo and self._console.is_terminal):
            while True:
                self._console.print(_plain(look(), self._words), soft_wrap=True)
                await asyncio.sleep(_LINE)
        with Live(console=self._console, auto_refresh=False) as live:
            while True:
                live.update(_board(look(), self._words), refresh=True)
                await asyncio.sleep(_FRAME)

    def end(self, verdict: Verdict) -> None:
        """The reconciliation, and where to look next."""
        words = self._words
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        table.add_column(words["found"], justify="right")
        table.add_column(words["expected"], justify="right")
        for row in verdict.rows:
            table.add_row(words[row.word], Text(row.found, style="bold red" if row.wrong else "bold"), row.expected)
        self._console.print(Text(f"\n{words['result']}", style="bold"))
        self._console.print(table)
        self._console.print()
        if verdict.note:
            self._console.print(Text(f"{words[verdict.note]}\n"), soft_wrap=True)
        if verdict.mismatches:
            self._console.print(Text(words["bad"], style="bold red"))
            for sentence in verdict.mismatches:
                self._console.print(Text(f"  {sentence}"), soft_wrap=True)
        else:
            self._console.print(Text(words["good"], style="bold green"))
        if self._demo:
            self._console.print(Text(f"\n{words['next']}", style="bold"))
            for what, word in verdict.hints:
                self._console.print(Text(f"  {what}\n      {words[word]}"), soft_wrap=True)


def _plain(now: Snapshot, words: Mapping[str, str]) -> str:
    waiting = sum(lane.waiting for lane in now.lanes)
    return (
        f"{now.clock:%H:%M:%S}  {words['cards']} {now.cards}, {words['waiting']} {waiting}, {words['green']} {now.green}, "
        f"{words['recorded']} {now.recorded}, {words['journal']} {now.journal}, {words['mails']} {len(now.mails)}"
    )


def _board(now: Snapshot, words: Mapping[str, str]) -> RenderableType:
    clock = Table.grid(expand=True)
    clock.add_column()
    clock.add_column(justify="right")
    times = f"{words['opens']} {now.opens} · {words['lesson']} {now.lesson}"
    clock.add_row(Text(f"{now.clock:%H:%M:%S}", style="bold cyan") + Text(f"  ×{now.speed:g}", style="dim"), times)
    others = Text("  ").join(Text(f"{name} ●", style="green" if alive else "bold red") for name, alive in now.others)
    clock.add_row(ProgressBar(total=1, completed=now.passed, width=30, complete_style="cyan"), others)
    return Panel(
        Group(clock, "", _lanes(now.lanes, words), "", _numbers(now, words), "", *_parents(now.mails, words)),
        title=words["title"],
        width=min(80, os.get_terminal_size(sys.stdout.fileno()).columns) if sys.stdout.isatty() else 80,
    )


def _lanes(lanes: Sequence[LaneView], words: Mapping[str, str]) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    for column in ("gateway", "lane", "reader"):
        table.add_column(words[column])
    for column in ("waiting", "taps"):
        table.add_column(words[column], justify="right")
    table.add_column(words["lamp"])
    for lane in lanes:
        lamp = Text("●", style=_COLOURS[lane.lamp]) if lane.lamp else Text("○", style="dim")
        state = lamp if lane.alive else Text(words["down"], style="bold red")
        crowd = "•" * min(lane.waiting, 12)
        table.add_row(lane.gateway, lane.lane, lane.reader, f"{crowd} {lane.waiting}", str(lane.taps), state)
    return table


def _numbers(now: Snapshot, words: Mapping[str, str]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(2):
        table.add_column()
        table.add_column(justify="right", style="bold")
    queue = max(0, now.recorded - now.journal)
    table.add_row(words["cards"], str(now.cards), words["journal"], str(now.journal))
    table.add_row(words["green"], Text(str(now.green), style="bold green"), words["queue"], str(queue))
    table.add_row(words["recorded"], str(now.recorded), words["mails"], str(len(now.mails)))
    return table


def _parents(mails: Sequence[str], words: Mapping[str, str]) -> list[RenderableType]:
    latest = [*mails[-_LATEST:]] or [words["nothing"]]
    lines = [Text(f"  ✉ {subject}", no_wrap=True, overflow="ellipsis") for subject in latest]
    padding = [Text("") for _ in range(_LATEST - len(latest))]
    return [Text(words["parents"], style="dim"), *lines, *padding]
