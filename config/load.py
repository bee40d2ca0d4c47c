"""Reads gateway.toml and the enrolment file; every mistake of a file is reported at once, in words, with its place."""

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from config.explain import Tables, explain, place, show, similar
from config.model import PLACE, DeviceAddress, DeviceConfig, Enrolment, EnrolmentFile, GatewayConfig, LaneConfig, Table
from gateway.domain.credential import SiteKey
from gateway.errors import ConfigError, Problem

MAX_BYTES = 1024 * 1024
#: Tables that only a journal.toml has.
_JOURNALS: Final = frozenset({"broker", "database", "directory", "notices", "sites"})
_ENROLMENT: Final = (
    "'attendance-gateway enroll FILE' prints the command that makes this file at the journal; "
    "'attendance-gateway doctor FILE' looks at it"
)
_ALONE: Final = (
    "'attendance-gateway enroll FILE' makes this file where no journal is; 'attendance-gateway doctor FILE' looks at it"
)
_TAKE: Final = "take the enrolment file that 'attendance-journal gateway add' wrote for this gateway"

T = TypeVar("T", bound=Table)
#: What only a driver knows of devices, and of lanes that use them.
Judge = Callable[[Sequence[DeviceConfig], Sequence[LaneConfig]], Iterable[Problem]]


def load(path: Path, *, judge: Judge = lambda _devices, _lanes: ()) -> GatewayConfig:
    """Judge a gateway.toml without touching what it names. Raises ConfigError with every problem found.

    What `judge` says of the tables that are in order stands beside what is wrong with the others.
    """
    raw = _parse(path.name, _read(path, private=False))
    if _JOURNALS & raw.keys() and not {"gateway", "devices", "lanes"} & raw.keys():
        raise ConfigError(
            f"{path}: this is a journal's configuration; a gateway has one of its own",
            hint=f"give the gateway's; this one is for 'attendance-journal run --config {path}'",
        )
    tables = _with_settings(path.name, raw)
    known = judge(_sound(DeviceConfig, tables, "devices"), _sound(LaneConfig, tables, "lanes"))
    return _validate(GatewayConfig, path.name, raw, [*_across(path.name, raw), *known])


def load_enrolment(path: Path, *, owner: GatewayConfig | None = None) -> Enrolment:
    """Read the enrolment file, which others may not; with `owner` it must be for that gateway. Raises ConfigError."""
    name = path.name
    try:
        raw = _parse(name, _read(path, private=True))
        file = _validate(EnrolmentFile, name, raw, [])
    except ConfigError as error:
        # 'attendance-gateway check' does not look at this file.
        error.hint = _ENROLMENT if owner is None or owner.uplink.broker else _ALONE
        raise
    pairs = () if owner is None else (("site", file.site, owner.site), ("gateway", file.gateway, owner.gateway))
    if problems := [
        Problem(
            place=place(name, raw, (key,)),
            got=show(got),
            expected=f"{show(expected)} as in the configuration",
            hint=_TAKE if owner and owner.uplink.broker else "write the same into both files",
        )
        for key, got, expected in pairs
        if got != expected
    ]:
        raise ConfigError.of(problems)
    if owner is not None and owner.uplink.broker and not file.journal_keys:
        expected = str(EnrolmentFile.model_fields["journal_keys"].description)
        lacks = Problem(place=place(name, raw, ("journal_keys",)), got="nothing", expected=expected, hint=_TAKE)
        raise ConfigError.of([lacks])
    return Enrolment(
        site=file.site,
        gateway=file.gateway,
        journal_keys=tuple(bytes.fromhex(key) for key in file.journal_keys),
        site_keys=tuple(SiteKey(version=v, secret=s) for v, s in sorted(file.site_keys.items(), reverse=True)),
    )


def _read(path: Path, *, private: bool) -> bytes:
    def fault(got: str, expected: str, hint: str) -> ConfigError:
        return ConfigError.of([Problem(place=str(path), got=got, expected=expected, hint=hint)])

    try:
        # Non-blocking, so that a named pipe is refused below instead of waited for.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise fault("something that is no file", "a TOML file", "give the path of the file itself")
            if private and status.st_mode & 0o027:
                raise fault(
                    f"mode {stat.S_IMODE(status.st_mode):o}", "a file that others cannot read", f"chmod 640 {path}"
                )
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise fault(reason, "a readable TOML file", "check the path and the rights of the file") from error
    if len(data) > MAX_BYTES:
        raise fault("more than 1 MiB", "at most 1 MiB", "this is not the file you mean")
    return data


def _parse(name: str, data: bytes) -> Tables:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        where, got, hint = f"line {line}", f"the byte {error.object[error.start]:02X}", "save the file as UTF-8"
        expected = "text in UTF-8"
    except (ValueError, RecursionError) as error:
        # The parser's own words say what was wrong; a value of the file never appears in them.
        found = re.fullmatch(r"(?P<why>.*) \(at (?P<where>.*)\)", str(error), re.DOTALL)
        where = found["where"].replace("end of document", "the end") if found else "the file"
        got = found["why"][:200] if found else "nothing that can be read"
        expected, hint = "TOML", "texts stand in quotes, every bracket is closed; compare with gateway.example.toml"
    raise ConfigError.of([Problem(place=f"{name}: {where}", got=got, expected=expected, hint=hint)])


def _validate(model: type[T], name: str, raw: Tables, problems: list[Problem]) -> T:
    try:
        config = model.model_validate(_with_settings(name, raw) if model is GatewayConfig else raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
        # A list whose every item is wrong is also "too short"; that is no second mistake.
        broken = {detail["loc"][:1] for detail in details if len(detail["loc"]) > 1}
        found = (d for d in details if d["type"] != "too_short" or d["loc"] not in broken)
        raise ConfigError.of([*(explain(model, name, raw, detail) for detail in found), *problems]) from None
    if problems:
        raise ConfigError.of(problems)
    return config


def _sound(model: type[T], tables: Tables, name: str) -> list[T]:
    found = []
    for table in _items(tables, name):
        with suppress(ValidationError):
            found.append(model.model_validate(table))
    return found


def _with_settings(name: str, raw: Tables) -> Tables:
    """Every key of a device but id and kind is a setting of its driver; devices and lanes know where they stand."""
    own = ("id", "kind")
    devices = [
        {key: device[key] for key in own if key in device}
        | {"settings": {key: value for key, value in device.items() if key not in own}}
        | {"place": place(name, raw, ("devices", index))}
        if isinstance(device, dict)
        else device
        for index, device in enumerate(_items(raw, "devices"))
    ]
    lanes = [
        lane | {PLACE: place(name, raw, ("lanes", index))} if isinstance(lane, dict) else lane
        for index, lane in enumerate(_items(raw, "lanes"))
    ]
    return raw | {
        key: items for key, items in (("devices", devices), ("lanes", lanes)) if isinstance(raw.get(key), list)
    }


def _across(name: str, raw: Tables) -> Iterator[Problem]:
    """What no single table can tell; reads the raw tables, so that it is reported together with everything else."""
    yield from _twice(name, raw, "devices", "id", "an id that no other device has")
    yield from _twice(name, raw, "lanes", "id", "an id that no other lane has")
    yield from _twice(name, raw, "lanes", "reader", "a reader of its own: a tap belongs to one lane")
    yield from _twice(name, raw, "lanes", "gate", "a gate of its own: a passage belongs to one lane")
    devices = _tables(raw, "devices")
    known = [its_id for _, table in devices if isinstance(its_id := table.get("id"), str)]
    for index, lane in _tables(raw, "lanes"):
        for key in ("reader", "gate"):
            try:
                device = DeviceAddress.parse(lane.get(key)).device
            except ValueError:
                continue
            if device not in known and known and len(known) == len(devices):
                yield Problem(
                    place=place(name, raw, ("lanes", index, key)),
                    got=show(device),
                    expected=f"the id of a [[devices]] table: {', '.join(known)}",
                    hint=similar(device, known) or f'add [[devices]] with id = "{device}"',
                )
    uplink = raw.get("uplink")
    if isinstance(uplink, dict) and str(uplink.get("url")).startswith("mqtts:"):
        for key, file in (("ca", "ca.crt"), ("certificate", "gateway.crt"), ("key", "gateway-tls.key")):
            if key not in uplink:
                yield Problem(
                    place=place(name, raw, ("uplink", key)),
                    got="nothing",
                    expected="an absolute path",
                    hint=f"mqtts needs it; for example: {key} = {show(f'/etc/attendance-gateway/{file}')}",
                )


def _items(raw: Tables, name: str) -> list[object]:
    items = raw.get(name)
    return items if isinstance(items, list) else []


def _tables(raw: Tables, name: str) -> list[tuple[int, Tables]]:
    return [(index, item) for index, item in enumerate(_items(raw, name)) if isinstance(item, dict)]


def _twice(name: str, raw: Tables, table: str, key: str, expected: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, item in _tables(raw, table):
        value = item.get(key)
        if isinstance(value, str) and first.setdefault(value, index) != index:
            yield Problem(
                place=place(name, raw, (table, index, key)),
                got=f"{show(value)} again",
                expected=expected,
                hint=f"it stands in {place('', raw, (table, first[value]))} already",
            )
