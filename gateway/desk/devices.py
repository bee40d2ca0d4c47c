"""Commands about the devices of a gateway: captured bytes, settings, keys."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from gateway.desk.options import CONFIG, speaking_errors
from gateway.errors import ConfigError

#: Bytes of a capture that are decoded at once.
_PIECE = 4096


@click.command(epilog="Example: attendance-gateway decode rdm6300 --hex capture.txt")
@click.argument("kind")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "as_hex", is_flag=True, help="The input is hex digits in text, white space ignored.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the kind, as in gateway.toml."
)
def decode(kind: str, file: BinaryIO, settings: tuple[str, ...], *, as_hex: bool) -> None:
    """Turn captured raw bytes of a reader into one JSON line per card or refused frame.

    FILE is standard input when it is not given.
    """
    from drivers.registry import decoder

    with speaking_errors():
        pieces = _pieces(file)
        try:
            decoding = decoder(kind, _settings(settings))
        except ConfigError as error:
            if error.hint == ConfigError.hint:
                error.hint = f"give it as a setting: attendance-gateway decode {kind} --set KEY=VALUE"
            raise
        for line in decoding(_unhexed(pieces) if as_hex else pieces):
            click.echo(json.dumps(line))


def _settings(texts: Iterable[str]) -> dict[str, object]:
    """Values as TOML has them; words need no quotation marks here."""
    settings: dict[str, object] = {}
    for text in texts:
        key, _, word = text.partition("=")
        try:
            settings |= tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = word.strip()
    return settings


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """As they come: a pipe may be the reader itself."""
    read = getattr(file, "read1", file.read)
    while piece := read(_PIECE):
        yield piece


def _unhexed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    digits = ""
    try:
        for piece in pieces:
            digits += "".join(piece.decode("ascii").split())
            yield bytes.fromhex(digits[: len(digits) // 2 * 2])
            digits = digits[len(digits) // 2 * 2 :]
        yield bytes.fromhex(digits)
    except ValueError:
        raise click.UsageError("--hex wants hex digits and white space only") from None


@click.command(
    epilog="Example: attendance-gateway calibrate /etc/attendance-gateway/gateway.toml north-in --uid em4100:55007EE424"
)
@click.argument("config", type=CONFIG)
@click.argument("lane")
@click.option("--uid", required=True, metavar="TECHNOLOGY:UID", help="The card that you will hold to the reader.")
@click.option("--wait", type=click.FloatRange(1, 600), default=60, show_default=True, help="Seconds for the card.")
def calibrate(config: Path, lane: str, uid: str, wait: float) -> None:
    """Read one known card at a lane's reader and print the settings under which it is that card; stop the gateway first."""
    import asyncio

    from config.load import load
    from gateway.calibrate import calibrated, device_of, known_card

    with speaking_errors():
        loaded, known = load(config), known_card(uid)
        device = device_of(loaded, lane)
        asked = f"Hold {known.masked} to the reader of lane {lane}, and take it away."
        work = calibrated(loaded, device, known, wait=wait, ask=lambda: click.echo(asked, err=True))
        found = asyncio.run(work)
    if found.told != known:
        click.echo(f"This reader tells only a part of the card, {found.told}: enter its cards as such.", err=True)
    if not found.settings:
        click.echo("The settings are right as they are.", err=True)
        return
    click.echo(f'In the [[devices]] table "{device.id}" of {config}:', err=True)
    for key, value in found.settings.items():
        click.echo(f"{key} = {json.dumps(value)}")


@click.command(
    epilog="Example: attendance-gateway provision /etc/attendance-gateway/gateway.toml osdp-bus 1 --seconds 30"
)
@click.argument("config", type=CONFIG)
@click.argument("device")
@click.argument("address")
@click.option("--seconds", type=click.FloatRange(1, 300), default=60, show_default=True, help="How long it may take.")
def provision(config: Path, device: str, address: str, seconds: float) -> None:
    """Give a reader a secret key of its own, while it waits for one; stop the service first.

    DEVICE is the id of its [[devices]] table, ADDRESS that of the reader on it.
    """
    import asyncio

    from config.load import load
    from gateway.provision import give_key

    with speaking_errors():
        kept = asyncio.run(give_key(load(config), device, address, seconds))
    click.echo(f"reader {address} of {device} has its key; keep {kept} as secret as the door")
