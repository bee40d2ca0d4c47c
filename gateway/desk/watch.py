"""Commands that look at a gateway while it works: what is plugged in, and what happens at its doors."""

import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from gateway.desk.options import CONFIG, speaking_errors
from gateway.domain.entry import DeviceData, ManualData, PassageData, TapData
from gateway.domain.model import timestamp
from gateway.domain.wire import Event

#: Seconds between two looks.
_AGAIN: Final = 0.3
#: Enough of a token to tell two cards apart.
_TOKEN: Final = 8


@click.command(epilog="Example: attendance-gateway devices")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def devices(*, as_json: bool) -> None:
    """List readers and chips of this machine: what to write as url, which kinds fit, who holds one and the fix.

    Needs no configuration and opens nothing; as root it sees the holders that belong to others.
    """
    from drivers.plugged import known_to_pcscd, plugged

    found = [*plugged(), *known_to_pcscd()]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
        return
    if not found:
        click.echo("nothing is plugged in that a driver knows; drivers/README.md lists what fits", err=True)
    for one in found:
        click.echo(f"{one.what}\n   url = {json.dumps(one.url)}\n  kind = {' or '.join(one.kinds)}")
        if one.held:
            click.echo(f"  held   {one.held}\n  fix    {one.fix}")


@click.command(epilog="Example: attendance-gateway tail /etc/attendance-gateway/gateway.toml --json")
@click.argument("config", type=CONFIG)
@click.option("--lines", type=click.IntRange(0, 1000), default=10, show_default=True, help="Of what was before.")
@click.option("--once", is_flag=True, help="Only what is there now.")
@click.option("--json", "as_json", is_flag=True, help="For machines, one object a line.")
def tail(config: Path, lines: int, *, once: bool, as_json: bool) -> None:
    """Show taps, passages and devices as they are recorded, until Ctrl-C; no names, and of a card only the beginning of its token."""
    from config.load import load
    from sync.follow import newest, since

    with speaking_errors():
        ledger = load(config).state.ledger
        place = newest(ledger, lines)
        while True:
            place, events = since(ledger, place)
            for told in filter(None, map(_told, events)):
                click.echo(json.dumps(told) if as_json else _line(told))
            if not events:
                if once:
                    return
                time.sleep(_AGAIN)


def _told(event: Event) -> dict[str, object] | None:
    """What may be shown of an entry; None for what nobody at the door does."""
    said: dict[str, object]
    match event.data:
        case TapData() as tap:
            said = {
                "tap": tap.verdict.reason.value,
                "admit": tap.verdict.admit,
                "direction": tap.direction.value,
                "person": tap.person,
                "card": f"{tap.technology}:{tap.token[:_TOKEN]}…" if tap.token is not None else None,
                "assurance": tap.assurance.value,
            }
        case PassageData() as passage:
            said = {"passage": passage.kind.value, "direction": passage.direction.value}
        case DeviceData() as device:
            said = {"device": device.kind.value, "detail": device.detail}
        case ManualData() as manual:
            said = {"by_hand": manual.action.value, "persons": len(manual.persons)}
        case _:
            return None
    return {"seq": event.seq, "time": timestamp(event.at.at), "lane": str(event.data.lane), **said}


def _line(told: dict[str, object]) -> str:
    """The time of this machine's zone, then the words."""
    at = datetime.fromisoformat(str(told.pop("time"))).astimezone()
    del told["seq"]
    lane, (what, word), *rest = told.pop("lane"), *told.items()
    more = " ".join(f"{key}={value}" for key, value in rest if value is not None)
    return f"{at:%H:%M:%S} {lane:16} {what:8} {word:16} {more}".rstrip()
