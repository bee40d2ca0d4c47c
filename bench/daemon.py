"""The daemon as a process: memory with a school's directory, and the time from start to the first tap accepted."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figure import Figure, over_rounds
from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.directory import Content, CredentialRow, GatewayRow, LaneRow, PersonRow
from gateway.domain.handshake import Manifest
from gateway.domain.model import GroupId, LaneDirection, LaneId, PersonId, Slot, SlotId
from gateway.domain.parts import digest
from simulators.virtual import Virtual
from sync.signing import Signer

_ROUNDS = 3
_PUPILS, _CLASSES, _LESSONS = 2000, 80, 7
_START_SECONDS, _RSS_MIB = 1.0, 60.0
_PATIENCE_SECONDS = 30.0

_UNIT = Path(__file__).parent.parent / "systemd" / "attendance-gateway.service"
_JOURNAL = Signer(bytes(32))
_SITE_KEY = SiteKey(version=1, secret=bytes(range(32)))
_CONFIG = """
site = "school-1"
gateway = "north"
[state]
directory = "{folder}/state"
[enrolment]
file = "{folder}/enrolment.toml"
[uplink]
url = "none"
[[devices]]
id = "door"
kind = "virtual"
url = "{url}"
[[lanes]]
id = "north-1"
direction = "arrival_only"
reader = "door"
gate = "door"
"""
_ENROLMENT = """
site = "school-1"
gateway = "north"
journal_keys = ["{journal}"]
[site_keys]
1 = "{site}"
"""


def run() -> Sequence[Figure]:
    """Takes some seconds."""
    rounds = [asyncio.run(_round()) for _ in range(_ROUNDS)]
    return [
        over_rounds("start_to_first_tap", "s", [(start, _START_SECONDS) for start, _ in rounds], "budget", at_most=1),
        over_rounds("daemon_rss", "MiB", [(rss, _RSS_MIB) for _, rss in rounds], "budget", at_most=1),
    ]


def _unit_environment() -> dict[str, str]:
    """What systemd sets for the daemon, but for what only systemd knows."""
    lines = _UNIT.read_text(encoding="utf-8").splitlines()
    pairs = (line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment="))
    return {name: value for name, value in pairs if "%" not in value}


def _card(pupil: int) -> Credential:
    return Credential(technology=Technology.EM4100, uid=b"\x55" + (pupil + 1).to_bytes(4, "big"))


def _content() -> Content:
    """A school of 2,000 pupils, with the lessons of today and tomorrow."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight + timedelta(days=day, hours=8 + lesson) for day in (0, 1) for lesson in range(_LESSONS)]
    classes = [GroupId(f"class-{n}") for n in range(_CLASSES)]
    lane = LaneRow(id=LaneId("north-1"), direction=LaneDirection.ARRIVAL_ONLY)
    pupils = [PersonId(f"p-{n:06}") for n in range(_PUPILS)]
    return Content(
        site="school-1",
        zone="UTC",
        gateways=(GatewayRow(id="north", lanes=(lane,)),),
        persons=tuple(PersonRow(id=pupil, groups=(classes[n % _CLASSES],)) for n, pupil in enumerate(pupils)),
        credentials=tuple(
            CredentialRow(token=_SITE_KEY.token(_card(n)), person=pupil) for n, pupil in enumerate(pupils)
        ),
        slots=tuple(
            Slot(
                id=SlotId(f"{group}-{start:%Y%m%d%H}"),
                group=group,
                number=start.hour - 7,
                start=start,
                end=start + timedelta(minutes=45),
            )
            for group in classes
            for start in starts
        ),
    )


def _prepare(name: str, url: str) -> Path:
    """A state directory as a running school leaves it, and the configuration that names it."""
    folder = Path(name).absolute()
    state = folder / "state"
    state.mkdir()
    raw, now = _content().raw(), int(time.time() * 1000)
    manifest = Manifest(site="school-1", version=now, valid_until=now + 10**9, sha256=digest(raw), parts=(digest(raw),))
    (state / "directory.json").write_bytes(_JOURNAL.seal(manifest).payload() + b"\n" + raw)
    enrolment = folder / "enrolment.toml"
    enrolment.touch(mode=0o600)
    enrolment.write_text(_ENROLMENT.format(journal=_JOURNAL.public.hex(), site=_SITE_KEY.secret.hex()))
    config = folder / "gateway.toml"
    config.write_text(_CONFIG.format(folder=folder, url=url))
    return config


async def _round() -> tuple[float, float]:
    """Seconds to the first tap accepted, MiB resident after every pupil has come."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        async with Virtual("tcp://127.0.0.1:0") as door:
            config = _prepare(name, door.url)
            start = time.perf_counter()
            daemon = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "run", str(config)),
                stdout=asyncio.subprocess.DEVNULL,
                env=os.environ | _unit_environment(),
            )
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await door.opened()
                    await _tap(door, 0)
                    started = time.perf_counter() - start
                    for pupil in range(1, _PUPILS):
                        await _tap(door, pupil)
                return started, _resident_mib(daemon.pid)
            finally:
                if daemon.returncode is None:
                    daemon.terminate()
                await daemon.wait()


async def _tap(door: Virtual, pupil: int) -> None:
    await door.card(_card(pupil))
    verdict = await anext(door.shown())
    if not verdict.admit:
        raise RuntimeError(f"the lamp showed {verdict.reason} to a pupil of the directory")


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
