"""The command that looks at everything a gateway needs of its machine, and says what to mend."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.desk.options import CONFIG
from gateway.errors import AttendanceError

if TYPE_CHECKING:
    from config.model import GatewayConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    #: What is wrong with it; empty where nothing is.
    wrong: str = ""
    #: What to do about that.
    hint: str = ""
    #: What is said where nothing is wrong.
    right: str = "good"


@click.command(epilog="Example: attendance-gateway doctor /etc/attendance-gateway/gateway.toml")
@click.argument("config", type=CONFIG)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(config: Path, *, as_json: bool) -> None:
    """Look at configuration, devices, clock, disk and certificates; exit 1 where something is to be mended. Opens no device."""
    found = [*examined(config)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
    else:
        for one in found:
            click.echo(f"{one.what}: {one.wrong}\n hint: {one.hint}" if one.wrong else f"{one.what}: {one.right}")
    raise SystemExit(any(one.wrong for one in found))


def examined(config: Path) -> Iterator[Finding]:
    """One finding after the other; without a configuration there is nothing else to look at."""
    from config.load import load, load_enrolment
    from gateway.check import judge_devices, own_packages

    loaded: list[GatewayConfig] = []
    yield _tried("configuration", lambda: loaded.append(load(config)))
    yield _tried("environment", own_packages)
    for one in loaded:
        yield _tried("settings of devices", lambda one=one: judge_devices(one))  # type: ignore[misc]
        yield _tried("enrolment", lambda one=one: load_enrolment(one.enrolment.file, owner=one))  # type: ignore[misc]
        yield from _devices(config, one)
        yield from _machine(one)


def _tried(what: str, act: Callable[[], object]) -> Finding:
    try:
        act()
    except AttendanceError as error:
        return Finding(what=what, wrong=str(error), hint=error.hint)
    return Finding(what=what)


def _devices(config: Path, loaded: "GatewayConfig") -> Iterator[Finding]:
    from drivers.registry import lacking

    for device in loaded.devices:
        url, what = str(device.settings.get("url", "")), f"device {device.id}"
        path = url.removeprefix("unix:")
        if lack := lacking(device.kind):
            yield Finding(what=what, wrong=f"the library {lack.library} is not installed here", hint=lack.hint)
        elif path.startswith("/"):
            yield _file(what, path, config, socket=path != url)
        else:
            # Who is behind it is found out by opening it, and that is the gateway's business.
            right = f"not looked at, {url or 'it'} is only opened by the running gateway; its log says whether it is up"
            yield Finding(what=what, right=right)


def _file(what: str, path: str, config: Path, *, socket: bool) -> Finding:
    from drivers.holders import holders
    from drivers.trouble import lost

    try:
        Path(path).stat()
    except OSError as error:
        told = lost(path, error)
        return Finding(what=what, wrong=str(told), hint="start the program that serves it" if socket else told.hint)
    node = os.path.realpath(path)
    # At the other end of a pseudo-terminal is the program that plays the device.
    played = node.startswith("/dev/pts/")
    strangers = [] if played else [one for one in holders(node) if not _serves(one.process, config)]
    if strangers:
        return Finding(what=what, wrong=f"in use by {strangers[0]}", hint=strangers[0].fix(node))
    return Finding(what=what)


def _serves(process: int, config: Path) -> bool:
    """Whether this is the gateway of that configuration."""
    try:
        return os.fsencode(config.name) in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _machine(loaded: "GatewayConfig") -> Iterator[Finding]:
    from gateway.domain.model import ClockState
    from sync.certificates import validity, warning
    from sync.clock import clock_from_environment
    from sync.reserve import Reserve

    now = clock_from_environment().now()
    synced = now.clock is ClockState.SYNCED
    yield Finding(
        what="clock",
        wrong="" if synced else "it is not synchronised: taps are recorded, but nobody is marked late by them",
        hint="" if synced else "timedatectl timesync-status",
    )
    low = Reserve(loaded.state.ledger.with_name(f"{loaded.state.ledger.name}.reserve")).low
    yield Finding(
        what="disk",
        wrong="it is nearly full" if low else "",
        hint="remove what is not needed; 'du -xh / | sort -h | tail'" if low else "",
    )
    soon = warning(validity(loaded.uplink.certificates, now.at))
    yield Finding(what="certificates", wrong=soon or "", hint="systemd/install.md, step 3" if soon else "")
