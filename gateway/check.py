"""Judges a configuration with everything that is installed here, and touches no device."""

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from config.explain import show
from config.model import DeviceAddress, DeviceConfig, GatewayConfig, LaneConfig
from drivers.registry import build, lacking
from gateway.errors import ConfigError, Problem
from gateway.ports import Device

_PACKAGES: Final = ("config", "drivers", "gateway", "journal", "simulators", "sync")


def own_packages() -> None:
    """Raises ConfigError where another distribution has put a package of the same name into this environment."""
    owners = importlib.metadata.packages_distributions()
    strangers = {name: others for name in _PACKAGES if (others := set(owners.get(name, ())) - {"attendance-gateway"})}
    if strangers:
        named = "; ".join(f"{name} is also in {', '.join(sorted(others))}" for name, others in strangers.items())
        raise ConfigError(
            f"this environment is shared: {named}", hint="install attendance-gateway into an environment of its own"
        )


def judge_devices(config: GatewayConfig) -> None:
    """Raises ConfigError with everything that a driver finds in its settings, or in the addresses that lanes use on it."""
    if problems := of_drivers(config.devices, config.lanes):
        raise ConfigError.of(problems)


def of_drivers(devices: Sequence[DeviceConfig], lanes: Sequence[LaneConfig]) -> list[Problem]:
    """Each driver judges its settings, and the addresses that lanes use on it."""
    built: dict[str, Device] = {}
    problems: list[Problem] = []
    for device in devices:
        try:
            built[device.id] = build(device.kind, device.settings)
        except ConfigError as error:
            found = error.problems or [Problem(place="settings", got="these", expected=str(error), hint=error.hint)]
            problems += [replace(problem, place=f"{device.place}, {problem.place}") for problem in found]
    for lane in lanes:
        problems += _of_lane(lane, built)
    return problems


def of_machine(devices: Sequence[DeviceConfig], lanes: Sequence[LaneConfig]) -> list[Problem]:
    """What the drivers say, and every library that is only missed when the device is opened."""
    missing = ((device, lacking(device.kind)) for device in devices)
    return of_drivers(devices, lanes) + [
        Problem(
            place=f"{device.place}, key kind",
            got=show(device.kind),
            expected=f"the library {lack.library} to be installed",
            hint=lack.hint,
        )
        for device, lack in missing
        if lack is not None
    ]


def _of_lane(lane: LaneConfig, built: dict[str, Device]) -> Iterator[Problem]:
    # A device that is not built was told already.
    if (device := built.get(lane.reader.device)) is not None:
        yield from _of_address(lane, "reader", lane.reader, device.reader)
    if lane.gate is not None and (device := built.get(lane.gate.device)) is not None:
        yield from _of_address(lane, "gate", lane.gate, device.gate)


def _of_address(lane: LaneConfig, key: str, asked: DeviceAddress, find: Callable[[str], object]) -> Iterator[Problem]:
    try:
        find(asked.address)
    except ConfigError as error:
        expected = f"the address of a {key}: {error}"
        yield Problem(place=f"{lane.place}, key {key}", got=show(str(asked)), expected=expected, hint=error.hint)
