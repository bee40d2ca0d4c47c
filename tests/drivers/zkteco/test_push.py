"""Terminals that push, whatever their firmware makes of HTTP: OK only after the lane has said so."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from drivers.registry import build
from drivers.zkteco.codec import attlog
from drivers.zkteco.terminal import Contact
from gateway.domain.model import Direction
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Terminal, Upload
from simulators.zkteco import Manner
from simulators.zkteco import Terminal as Simulated
from tests.drivers.zkteco.lane import SERIAL, serving

WHEN = datetime.fromisoformat("2026-09-01T08:30")
MANNERS = {
    "plain": Manner(),
    "old": Manner(version="1.0"),
    "aspx": Manner(suffix=".aspx"),
    "loud": Manner(path="/ICLOCK/"),
    "crlf": Manner(line_end="\r\n"),
    "form": Manner(form=True),
}


@pytest.mark.parametrize("manner", MANNERS)
async def test_taps_arrive_with_their_times_whatever_the_firmware(manner: str) -> None:
    async with Simulated(manner=MANNERS[manner]) as sim, serving(sim) as lane:
        for minute in range(3):
            sim.tap("501", at=WHEN + timedelta(minutes=minute))
        await sim.idle()
        # 08:30 in Moscow
        assert [f"{read.at:%H:%M}" for read in lane.reads] == ["05:30", "05:31", "05:32"]
        assert {read.credential.uid.hex() for read in lane.reads} == {"0501"}
        assert {status for status, _ in sim.answers} == {200}


async def test_a_terminal_repeats_what_was_not_recorded() -> None:
    async with Simulated() as sim, serving(sim) as lane:
        lane.disk_works = False
        sim.tap("501")
        while (503, "not recorded\n") not in sim.answers:
            await asyncio.sleep(0)
        assert sim.taken == 0
        lane.disk_works = True
        await sim.idle()
        assert len(lane.reads) >= 2
        assert len({read.at for read in lane.reads}) == 1


async def test_a_long_upload_is_recorded_in_portions_and_answered_once() -> None:
    async with Simulated() as sim, serving(sim) as lane:
        await sim.opened()
        await sim.unplug()
        body = b"".join(attlog("501", WHEN + timedelta(seconds=n)) for n in range(250)) + b"no tap\n"
        assert await sim.push(body)
        assert sim.answers[-1] == (200, "OK: 251\n")
        sizes = [len(event.reads) for event in lane.events if isinstance(event, Upload)]
        assert sizes == [100, 100, 50]


async def test_whoever_is_not_known_is_told_nothing() -> None:
    async with Simulated(serial="OTHER") as sim, serving(sim) as lane:
        assert await sim.ask("cdata", "&options=all") == (403, "unknown terminal\n")
        assert not await sim.push(attlog("501", WHEN))
        assert lane.events == []


async def test_a_known_number_from_another_address_is_a_stranger() -> None:
    async with Simulated() as sim, serving(sim, terminal={"address": "192.168.5.21"}) as lane:
        assert (await sim.ask("ping"))[0] == 403
        assert lane.events == []
        faults: dict[str, int] = lane._reader.faults  # type: ignore[attr-defined]
        assert faults["strangers"] > 0


@pytest.mark.parametrize(
    ("page", "query", "body", "answer"),
    [
        ("ping", "", None, (200, "OK\n")),
        ("getrequest", "&INFO=Ver%208.0,1,0,4", None, (200, "OK\n")),
        ("devicecmd", "", b"ID=1&Return=0&CMD=DATA\n", (200, "OK\n")),
        ("cdata", "&table=OPERLOG&Stamp=9999", b"USER PIN=501\tName=\xd7\xd6\n", (200, "OK\n")),
        ("cdata", "&table=ATTPHOTO", b"\xff" * 3_000_000, (200, "OK\n")),
        ("cdata", "&table=ATTLOG", b"5" * 2_000_000, (413, "too much\n")),
        ("cdata", "&table=ATTLOG", b"", (200, "OK: 0\n")),
    ],
)
async def test_everything_else_is_answered_and_nothing_of_it_kept(
    page: str, query: str, body: bytes | None, answer: tuple[int, str]
) -> None:
    async with Simulated() as sim, serving(sim) as lane:
        await sim.opened()
        await sim.unplug()
        assert await sim.ask(page, query, body) == answer
        assert lane.reads == []


@pytest.mark.parametrize(("tells", "way"), [(True, Direction.OUT), (False, Direction.UNKNOWN)])
async def test_the_way_is_told_where_its_keys_are_in_use(tells: bool, way: Direction) -> None:
    async with Simulated() as sim, serving(sim, terminal={"status_tells": tells}) as lane:
        sim.tap("501", status=1)
        await sim.idle()
        assert [read.direction for read in lane.reads] == [way]


async def test_an_hour_that_came_twice_is_told_so() -> None:
    async with Simulated() as sim, serving(sim, terminal={"zone": "Europe/London"}) as lane:
        sim.tap("501", at=datetime.fromisoformat("2026-10-25T01:30"))
        await sim.idle()
        assert [read.ambiguous for read in lane.reads] == [True]


async def test_a_terminal_goes_on_from_the_last_stamp_that_was_recorded(tmp_path: Path) -> None:
    stamps = tmp_path / "stamps.json"
    async with Simulated() as sim:
        async with serving(sim, stamps=str(stamps)) as lane:
            sim.tap("501")
            await sim.idle()
            assert len(lane.reads) == 1
        assert json.loads(stamps.read_bytes()) == {SERIAL: "1"}
        await sim.unplug()
        await sim.replug()
        async with serving(sim, stamps=str(stamps)) as lane:
            sim.tap("502")
            await sim.idle()
            assert [read.credential.uid.hex() for read in lane.reads] == ["0502"]


@pytest.mark.parametrize("spoilt", [None, b"", b"[1]", b"\xff\xfe", b'{"CJDE193560001": '])
async def test_stamps_that_cannot_be_read_let_it_tell_everything(tmp_path: Path, spoilt: bytes | None) -> None:
    stamps = tmp_path / "stamps.json"
    if spoilt is not None:
        stamps.write_bytes(spoilt)
    async with Simulated() as sim, serving(sim, stamps=str(stamps)) as lane:
        sim.tap("501")
        await sim.idle()
        assert len(lane.reads) == 1


async def test_users_go_down_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    users = tmp_path / "users.csv"
    users.write_text("pin,card\n501,1234567\n502; 7654321\nnonsense\n")
    async with Simulated() as sim, serving(sim, users=str(users)):
        while sim.users != {"501": "1234567", "502": "7654321"}:
            await asyncio.sleep(0)
        asked = sum("C:" in said for _, said in sim.answers)
        await sim.opened()
        await sim.opened()
        assert sum("C:" in said for _, said in sim.answers) == asked
        users.write_text("502,\n503,1\n")
        while sim.users != {"501": "1234567", "503": "1"}:
            await asyncio.sleep(0)


async def test_the_lanes_of_several_terminals_are_named_by_their_numbers() -> None:
    settings = [{"serial": name, "zone": "UTC"} for name in ("A1", "B2")]
    device = build("zkteco", {"url": "http://127.0.0.1:18081", "terminals": settings})
    assert isinstance(device.reader("A1"), Terminal)
    assert device.reader("A1") is not device.reader("B2")
    for address in ("", "C3"):
        with pytest.raises(ConfigError) as refused:
            device.reader(address)
        assert "A1, B2" in refused.value.hint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "https://127.0.0.1:8081"}, "http://"),
        ({"url": "http://gateway:8081"}, "address of this machine"),
        ({"terminals": [{"serial": "A1", "zone": "Mars/Olympus"}]}, "IANA zone"),
        ({"terminals": []}, "terminals"),
        ({"terminals": [{"serial": "A1", "zone": "UTC", "pull": "192.168.5.21"}]}, "tcp://"),
        ({"users": "users.csv"}, "begin it with /"),
    ],
)
def test_a_mistake_is_told_in_words(settings: dict[str, object], words: str) -> None:
    good = {"url": "http://127.0.0.1:8081", "terminals": [{"serial": "A1", "zone": "UTC"}]}
    with pytest.raises(ConfigError, match=words):
        build("zkteco", {**good, **settings})


async def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    async with Simulated() as sim, serving(sim):
        with pytest.raises(DeviceLost, match="in use") as lost:
            async with serving(sim):
                pass
        assert "ss -ltnp" in lost.value.hint


def test_push_covers_from_one_tap_to_a_later_one_and_nothing_else() -> None:
    first, second, third = (datetime.fromisoformat(f"2026-09-01T08:3{n}+00:00") for n in range(3))
    contact = Contact()
    contact.heard(0)
    assert contact.told([first]) is None
    assert contact.told([]) is None
    assert contact.told([second]) == (first, second)
    assert contact.told([first]) is None  # a backlog: nothing new is proved
    contact.heard(50)
    assert contact.told([third]) == (second, third)


def test_push_proves_nothing_over_a_silence_or_over_what_was_not_recorded() -> None:
    first, second, third = (datetime.fromisoformat(f"2026-09-01T08:3{n}+00:00") for n in range(3))
    contact = Contact()
    contact.heard(0)
    contact.told([first])
    contact.heard(61)
    assert contact.told([second]) is None
    contact.broke()
    assert contact.told([third]) is None
