"""The daemon from the outside: real processes, real sockets, a real ledger."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from drivers.virtual.codec import encode_card
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceData, DeviceState, PassageData, PassageKind
from gateway.domain.model import Direction, LaneId, Reason, Verdict
from simulators.virtual import Virtual
from tests.domain.build import CARD, KEY
from tests.gateway.daemon import events, line_with, running, status, taps, write_config

GUARD = Verdict(admit=False, reason=Reason.UNKNOWN_CARD)


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[list[Virtual]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Virtual(f"unix:{tmp_path}/door-{n}")) for n in (1, 2)]


async def tapped(door: Virtual, card: Credential = CARD) -> Verdict:
    """Hold a card to the reader until the lamp answers; as a pupil would, again when it does not."""
    shown = door.shown()
    answer = asyncio.ensure_future(anext(shown))
    while not answer.done():
        await door.card(card)
        await asyncio.wait([answer], timeout=0.7)
    return await answer


async def test_a_lamp_stands_for_a_row_even_when_the_process_is_killed_at_that_moment(
    tmp_path: Path, doors: list[Virtual]
) -> None:
    config = write_config(tmp_path, [door.url for door in doors])
    for number in (1, 2, 3):
        card = Credential(technology=Technology.EM4100, uid=bytes([1, 2, 3, 4, number]))
        async with running(config, signal.SIGKILL) as process:
            assert await tapped(doors[0], card) == GUARD
            process.kill()
        assert KEY.token(card) in {tap.token for tap in taps(config)}
        assert [event.seq for event in events(config)] == list(range(1, len(events(config)) + 1))


async def test_a_pulled_plug_is_told_comes_back_and_disturbs_no_other_lane(
    tmp_path: Path, doors: list[Virtual]
) -> None:
    config = write_config(tmp_path, [door.url for door in doors])
    first, second = doors
    async with running(config) as process:
        await first.opened()
        await second.opened()
        await first.unplug()
        await line_with(process, "device lost")
        assert await tapped(second) == GUARD
        await first.replug()
        await line_with(process, "device up")
        assert await tapped(first) == GUARD
    told = [(e.data.lane, e.data.kind) for e in events(config) if isinstance(e.data, DeviceData)]
    of_first = [kind for lane, kind in told if lane == LaneId("lane-1")]
    assert of_first[:3] == [DeviceState.UP, DeviceState.DOWN, DeviceState.UP]
    assert {tap.lane for tap in taps(config)} == {"lane-1", "lane-2"}


async def test_what_was_read_before_the_plug_was_pulled_is_recorded(tmp_path: Path) -> None:
    cards = [Credential(technology=Technology.EM4100, uid=bytes([1, 2, 3, 4, number])) for number in range(5)]
    once = iter([b"".join(map(encode_card, cards))])

    async def say_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(next(once, b""))
        writer.close()

    url = f"unix:{tmp_path}/door"
    async with await asyncio.start_unix_server(say_and_hang_up, f"{tmp_path}/door"):
        config = write_config(tmp_path, [url])
        async with running(config) as process:
            await line_with(process, "device lost")
    assert [tap.token for tap in taps(config)] == [KEY.token(card) for card in cards]


async def test_a_gate_of_its_own_is_told_up_and_down(tmp_path: Path, doors: list[Virtual]) -> None:
    config = write_config(tmp_path, [door.url for door in doors])
    text = config.read_text().replace('gate = "door-1"', "").replace('gate = "door-2"', "")
    lamp = Virtual(f"unix:{tmp_path}/lamp")
    config.write_text(
        text.replace('reader = "door-1"', 'reader = "door-1"\ngate = "lamp"')
        + f'[[devices]]\nid = "lamp"\nkind = "virtual"\nurl = "{lamp.url}"\n'
    )
    async with lamp, running(config) as process:
        await lamp.opened()
        await lamp.unplug()
        await line_with(process, "device lost")
        await lamp.replug()
        await line_with(process, "device up")
    told = [e.data for e in events(config) if isinstance(e.data, DeviceData) and e.data.detail.startswith("gate")]
    assert [data.kind for data in told] == [DeviceState.UP, DeviceState.DOWN, DeviceState.UP]
    assert {(data.lane, data.detail.split(":")[0]) for data in told} == {("lane-1", "gate lamp")}


@pytest.mark.parametrize("seconds", ["", "passage_seconds = 6"])
async def test_a_gate_that_reports_rotations_has_its_passages_recorded(
    tmp_path: Path, doors: list[Virtual], seconds: str
) -> None:
    config = write_config(tmp_path, [doors[0].url])
    config.write_text(config.read_text().replace('gate = "door-1"', f'gate = "door-1"\n{seconds}'))
    async with asyncio.timeout(60), running(config):
        await doors[0].opened()
        await doors[0].rotate(Direction.IN)
        await doors[0].fire_alarm()
        while not any(isinstance(e.data, DeviceData) and e.data.kind is DeviceState.FIRE_ALARM for e in events(config)):
            await asyncio.sleep(0.02)
    passed = [e.data.kind for e in events(config) if isinstance(e.data, PassageData)]
    assert passed == ([PassageKind.FORCED] if seconds else [])


async def test_it_starts_without_any_device_and_stops_when_asked(tmp_path: Path) -> None:
    config = write_config(tmp_path, [f"unix:{tmp_path}/nobody"])
    async with running(config) as process:
        assert "is not there" in await line_with(process, "device lost")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_same_tap_before_and_after_a_crash_is_one_tap(
    tmp_path: Path, doors: list[Virtual], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time runs slowly, so that however long a start takes both taps are within the repeat window.
    monkeypatch.setenv("ATTENDANCE_CLOCK", f"2026-09-01T05:00:00+00:00|{time.monotonic()}|0.01")
    config = write_config(tmp_path, [doors[0].url])
    for _ in (1, 2):
        async with running(config, signal.SIGKILL):
            assert await tapped(doors[0]) == GUARD
    assert len(taps(config)) == 1


def gateway(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], input=stdin, capture_output=True, check=False, timeout=60
    )


async def test_status_beside_a_running_daemon(tmp_path: Path, doors: list[Virtual]) -> None:
    config = write_config(tmp_path, [doors[0].url])
    async with running(config):
        await tapped(doors[0])
        done = await asyncio.to_thread(gateway, "status", str(config), "--json")
    summary = status(done.stdout.decode())
    assert (summary["site"], summary["gateway"], summary["confirmed"]) == ("school-1", "north", 0)
    assert summary["waiting"] == summary["recorded"] == 3


def test_check_judges_and_touches_nothing(tmp_path: Path) -> None:
    config = write_config(tmp_path, [f"unix:{tmp_path}/nobody"])
    done = gateway("check", str(config))
    assert done.returncode == 0, done.stderr
    assert b"good" in done.stdout
    assert not (tmp_path / "state").exists()


def test_check_names_the_device_the_key_and_the_next_step(tmp_path: Path) -> None:
    config = write_config(tmp_path, ["tcp://nowhere"])
    config.write_text(config.read_text().replace('kind = "virtual"\nurl', 'kind = "virtual"\nulr'))
    done = gateway("check", str(config))
    assert done.returncode == 1
    said = done.stderr.decode()
    assert all(word in said for word in ("gateway.toml", "[[devices]]", "door-1", "url", "ulr", "hint"))
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("hexadecimal", "line"),
    [
        ("02 35 35 30 30 37 45 45 34 32 34 45 42 03", b'"uid": "55007EE424"'),
        ("02 35 35 30 30 37 45 45 34 32 34 45 43 03", b'"rejected"'),
    ],
)
def test_decode_prints_a_line_for_each_frame(hexadecimal: str, line: bytes) -> None:
    done = gateway("decode", "rdm6300", "--hex", stdin=hexadecimal.encode())
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 1)
    assert line in done.stdout
    raw = gateway("decode", "rdm6300", stdin=bytes.fromhex(hexadecimal))
    assert raw.stdout == done.stdout


@pytest.mark.parametrize("setting", ["uid_layout=air", 'uid_layout = "air"'])
def test_decode_takes_settings(setting: str) -> None:
    line = b"Mifare[0456463AAC2280] UL (0044,00) 004,22086\r\n"
    assert b'"uid": "0456463AAC2280"' in gateway("decode", "ironlogic", "--set", setting, stdin=line).stdout


@pytest.mark.parametrize("options", [(), ("--hex",)])
async def test_decode_of_a_live_pipe_answers_at_once(options: tuple[str, ...]) -> None:
    frame = bytes.fromhex("02353530303745453432344542 03")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "decode", "rdm6300", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    data = frame.hex(" ").encode() if options else frame
    async with asyncio.timeout(60):
        for piece in (data[:1], data[1:], data):
            process.stdin.write(piece)
        for _ in (1, 2):
            assert b'"uid": "55007EE424"' in await process.stdout.readline()
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.parametrize(("command", "code"), [("run", 78), ("check", 1), ("status", 1)])
def test_a_configuration_to_mend_is_no_reason_to_start_again(tmp_path: Path, command: str, code: int) -> None:
    (tmp_path / "gateway.toml").write_text("site = 1")
    done = gateway(command, str(tmp_path / "gateway.toml"))
    assert (done.returncode, b"hint" in done.stderr) == (code, True)


def test_decode_of_no_hex_is_a_usage_error() -> None:
    assert gateway("decode", "rdm6300", "--hex", stdin=b"xyz").returncode == 2


def test_enrolling_twice_gives_the_same_key_and_hides_the_private_one(tmp_path: Path) -> None:
    config = write_config(tmp_path, ["tcp://127.0.0.1:1"], "mqtt://127.0.0.1:1")
    first, second = gateway("enroll", str(config)), gateway("enroll", str(config))
    assert first.stdout == second.stdout
    assert first.stdout.startswith(b"attendance-journal gateway add school-1 north --key ")
    key = tmp_path / "state" / "gateway.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes().strip() not in first.stdout
