"""Reads one known card at the reader of a lane and finds the settings under which it is that card."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from config.model import DeviceConfig, GatewayConfig
from drivers.calibration import Fit, fit, told_by
from drivers.oneway import OneWay
from drivers.registry import build, codec_of
from gateway.domain.credential import Credential, Technology
from gateway.errors import ConfigError, DeviceLost
from sync.files import ledger_claimed


def known_card(text: str) -> Credential:
    """`technology:UID`, the UID in hex and air order. Raises ConfigError, CredentialRefused."""
    technology, _, uid = text.partition(":")
    try:
        named, digits = Technology(technology), bytes.fromhex(uid)
    except ValueError:
        hint = f"for example em4100:55007EE424; technologies are {', '.join(Technology)}"
        raise ConfigError("a card is named as technology:UID", hint=hint) from None
    return Credential(technology=named, uid=digits)


def device_of(config: GatewayConfig, lane: str) -> DeviceConfig:
    """The device of a lane's reader. Raises ConfigError."""
    lanes = {known.id: known.reader.device for known in config.lanes}
    if lane not in lanes:
        raise ConfigError(f'there is no lane "{lane[:32]}"', hint=f"lanes of this configuration: {', '.join(lanes)}")
    return next(device for device in config.devices if device.id == lanes[lane])


def _reader_of(device: DeviceConfig) -> OneWay:
    """What one card can be read with. Raises ConfigError."""
    reader = build(device.kind, device.settings)
    if isinstance(reader, OneWay):
        return reader
    if by_hand := getattr(reader, "by_hand", None):
        raise ConfigError(f"the settings of kind {device.kind} are found by hand", hint=by_hand)
    raise ConfigError(f"a reader of kind {device.kind} needs no such settings", hint="it tells whole UIDs by itself")


async def calibrated(
    config: GatewayConfig, device: DeviceConfig, known: Credential, *, wait: float, ask: Callable[[], None]
) -> Fit:
    """Waits `wait` seconds for the card, once it could `ask` for it. Raises ConfigError, also while the daemon runs and where nothing fits; DeviceLost."""
    reader = _reader_of(device)
    with _undisturbed(config.state.ledger):
        ask()
        try:
            async with asyncio.timeout(wait):
                heard = await reader.one_card()
        except TimeoutError:
            hint = "hold the card to it again; if it stays silent, check its wires, its power and its baud rate"
            raise DeviceLost(f"the reader said nothing within {wait:g} s", hint=hint) from None
    codec, model = codec_of(device.kind)
    found = fit(codec, model, device.settings, heard, known)
    if found is None:
        hint = f"it {told_by(codec, model, device.settings, heard)}; is it really that card?"
        raise ConfigError(f"no settings of kind {device.kind} make {known.masked} of what was heard", hint=hint)
    return found


def _undisturbed(ledger: Path) -> AbstractContextManager[None]:
    """Not beside the daemon: two who read one reader get half a card each."""
    return ledger_claimed(ledger) if ledger.parent.exists() else nullcontext()
