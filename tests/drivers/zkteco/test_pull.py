"""A terminal's own log: whole at first, then what is new; and what is covered by having looked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import pytest

from drivers.zkteco.packets import Command, Packet
from drivers.zkteco.pull import read_log
from drivers.zkteco.settings import host_and_port
from gateway.ports import Upload
from simulators.zkteco import LogServer, Terminal
from tests.drivers.zkteco.lane import Lane, serving

KEY = 12345


@asynccontextmanager
async def log_of(taps: int, **options: object) -> AsyncIterator[LogServer]:
    sim = Terminal("http://127.0.0.1:9")
    for number in range(taps):
        sim.tap(str(100 + number))
    async with LogServer(terminal=sim, key=KEY, **options) as server:  # type: ignore[arg-type]
        yield server


@pytest.mark.parametrize("piece", [64 * 1024, 1000])
@pytest.mark.parametrize("taps", [0, 5, 3000])
async def test_the_whole_log_is_read(taps: int, piece: int) -> None:
    async with log_of(taps, piece=piece) as server:
        log = await read_log(*host_and_port(server.url), key=KEY, known=0)
        assert (log.count, len(log.frames), log.cleared) == (taps, taps, False)
        assert log.at == server.terminal.clock


async def test_only_what_is_new_is_asked_for() -> None:
    async with log_of(3000) as server:
        log = await read_log(*host_and_port(server.url), key=KEY, known=2998)
        assert len(log.frames) == 2
        assert server.asked.count(Command.READ_BUFFER) == 1


async def test_a_log_without_news_is_not_read() -> None:
    async with log_of(7) as server:
        log = await read_log(*host_and_port(server.url), key=KEY, known=7)
        assert not log.frames
        assert Command.PREPARE_BUFFER not in server.asked


async def test_a_log_that_was_cleared_is_read_from_its_beginning() -> None:
    async with log_of(3) as server:
        log = await read_log(*host_and_port(server.url), key=KEY, known=9)
        assert (len(log.frames), log.cleared) == (3, True)


async def test_a_full_log_is_read_whole_because_its_number_stands_still() -> None:
    async with log_of(7, room=7) as server:
        log = await read_log(*host_and_port(server.url), key=KEY, known=7)
        assert (len(log.frames), log.cleared) == (7, False)


async def test_a_wrong_key_is_refused() -> None:
    async with log_of(3) as server:
        with pytest.raises(ValueError, match="communication key"):
            await read_log(*host_and_port(server.url), key=1, known=0)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (Command.GET_TIME, Packet(command=2000, session=1, reply=0)),
        (Command.GET_FREE_SIZES, Packet(command=2000, session=1, reply=0, data=bytes(10))),
        (Command.PREPARE_BUFFER, Packet(command=2001, session=1, reply=0, data=bytes(10))),
        (Command.PREPARE_BUFFER, Packet(command=1501, session=1, reply=0, data=bytes(28))),
        (Command.READ_BUFFER, Packet(command=2001, session=1, reply=0)),
        (Command.READ_BUFFER, Packet(command=1501, session=1, reply=0, data=b"short")),
    ],
)
async def test_answers_that_are_none_are_refused(command: Command, answer: Packet) -> None:
    async with log_of(100, instead={command: answer}) as server:
        with pytest.raises(ValueError, match=r"terminal|records"):
            await read_log(*host_and_port(server.url), key=KEY, known=0)


def uploads(lane: Lane) -> list[Upload]:
    return [event for event in lane.events if isinstance(event, Upload)]


@asynccontextmanager
async def pulling() -> AsyncIterator[tuple[Terminal, LogServer, Lane]]:
    """A terminal that does not push."""
    sim = Terminal()
    async with LogServer(terminal=sim, key=KEY) as server:
        sim.tap("501")
        sim.clock += timedelta(minutes=10)
        pulled = {"zone": "UTC", "pull": server.url, "comm_key": KEY}
        async with serving(sim, terminal=pulled, pull_seconds=0.05) as lane:
            yield sim, server, lane


async def looked(server: LogServer, times: int) -> None:
    """Returns after so many more looks, and before the next one begins: what happens within a look is another matter."""
    until = server.asked.count(Command.EXIT) + times
    while server.asked.count(Command.EXIT) < until or server.asked[-1] != Command.EXIT:
        await asyncio.sleep(0)


async def test_looking_again_and_again_covers_everything_up_to_the_last_look() -> None:
    async with pulling() as (sim, server, lane):
        first = sim.clock.replace(tzinfo=UTC)
        await looked(server, 2)
        sim.tap("502")
        await looked(server, 2)
        covers = [event.covers for event in uploads(lane) if event.covers]
        tapped = first - timedelta(minutes=10)
        assert covers == [(tapped, first), (first, first + timedelta(seconds=1))]
        assert [read.credential.uid.hex() for read in lane.reads] == ["0501", "0502"]


async def test_what_was_not_recorded_is_asked_for_again_and_covers_nothing() -> None:
    async with pulling() as (sim, server, lane):
        lane.disk_works = False
        sim.tap("502")
        await looked(server, 3)
        assert {event.covers for event in uploads(lane)} <= {None}
        lane.disk_works = True
        before = len(lane.reads)
        await looked(server, 3)
        assert {read.credential.uid.hex() for read in lane.reads[before:]} == {"0501", "0502"}
        assert [event.covers for event in uploads(lane) if event.covers] != []


async def test_a_log_that_was_cleared_leaves_a_gap() -> None:
    async with pulling() as (sim, server, lane):
        await looked(server, 2)
        sim.log.clear()
        sim.clock += timedelta(minutes=5)
        await looked(server, 2)
        sim.clock += timedelta(minutes=5)
        await looked(server, 2)
        covers = [event.covers for event in uploads(lane) if event.covers]
        assert len(covers) == 2
        assert covers[1][0] - covers[0][1] == timedelta(minutes=5)


async def test_a_terminal_that_is_not_there_is_counted_and_asked_again() -> None:
    async with Terminal() as sim:
        pulled = {"zone": "UTC", "pull": "tcp://127.0.0.1:9", "comm_key": KEY}
        async with serving(sim, terminal=pulled, pull_seconds=0.05) as lane:
            faults: dict[str, int] = lane._reader.faults  # type: ignore[attr-defined]
            while faults["pull_failed"] < 2:
                await asyncio.sleep(0.001)
            sim.tap("501")
            await sim.idle()
            assert len(lane.reads) == 1
