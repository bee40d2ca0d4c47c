"""Every kind of device, by name: one literal table, imported on first use, and what others install beside it."""

import difflib
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from drivers.frames import Codec, described
from gateway.errors import ConfigError, Problem
from gateway.ports import Device

KINDS: Mapping[str, str] = {
    "gpio": "drivers.gpio.driver:Gpio",
    "ironlogic": "drivers.ironlogic.driver:Ironlogic",
    "keyboard": "drivers.keyboard.driver:Keyboard",
    "line": "drivers.line.driver:LineReader",
    "modbus": "drivers.modbus.driver:Modbus",
    "nfc": "drivers.nfc.driver:Nfc",
    "osdp": "drivers.osdp.driver:Osdp",
    "pcsc": "drivers.pcsc.driver:Pcsc",
    "rdm6300": "drivers.rdm6300.driver:Rdm6300",
    "virtual": "drivers.virtual.driver:Virtual",
    "zkteco": "drivers.zkteco.driver:Zkteco",
}
#: Other distributions offer kinds as entry points of this group; the table above wins.
GROUP = "attendance.drivers"

#: Kinds whose library is imported by a process of each device: module, and what is installed.
_IN_CHILDREN: Mapping[str, tuple[str, str]] = {"pcsc": ("smartcard", "pyscard")}
_SETTINGS = "Settings"
_SHOWN = 60
_NONE: Mapping[str, object] = {}


class _Plain(BaseModel):
    """The format of a codec that takes no settings."""

    model_config = ConfigDict(extra="forbid")


def kinds() -> list[str]:
    """All names that `load` knows, sorted."""
    return sorted({*KINDS, *(point.name for point in importlib.metadata.entry_points(group=GROUP))})


def load(kind: str) -> type[Device]:
    """The class of a kind: a Device whose `Settings` are the keys of its table, and perhaps a `codec` of its bytes, with the `format` that it takes.

    Raises ConfigError for an unknown kind, and where its vendor library is missing.
    """
    points = importlib.metadata.entry_points(group=GROUP, name=kind)
    path = KINDS.get(kind) or next((point.value for point in points), None)
    if path is None:
        known = kinds()
        hint = _similar(kind, known) or "see drivers/README.md"
        raise _problem(_shown(kind), f"one of {', '.join(known)}", hint)
    module, _, name = path.partition(":")
    try:
        driver: type[Device] = getattr(importlib.import_module(module), name)
        _settings_of(driver)
    except ModuleNotFoundError as error:
        hint = f"pip install 'attendance-gateway[{kind}]'" if kind in KINDS else "ask who made that driver"
        raise _problem(_shown(kind), f"the library {error.name} to be installed", hint) from error
    except AttributeError as error:
        raise _problem(_shown(kind), f"a driver at {path}: {error}", "ask who made that driver") from error
    return driver


def build(kind: str, settings: Mapping[str, object]) -> Device:
    """A device that was not opened yet. Raises ConfigError that names every wrong key; touches no device."""
    driver = load(kind)
    judged = _judged(_settings_of(driver), settings)
    return cast("Callable[[BaseModel], Device]", driver)(judged)


class Lacking(NamedTuple):
    """A library that a kind needs when it is opened, and not before."""

    library: str
    hint: str


def lacking(kind: str) -> Lacking | None:
    """What is not installed here, of a kind whose library another process loads; None also for an unknown kind."""
    if kind not in _IN_CHILDREN:
        return None
    module, library = _IN_CHILDREN[kind]
    hint = f"pip install --require-hashes -r requirements-{kind}.lock, see drivers/{kind}/README.md"
    return None if importlib.util.find_spec(module) else Lacking(library, hint)


def codec_of(kind: str) -> tuple[Callable[..., Codec[Any]], type[BaseModel] | None]:
    """The codec of a kind, and the model of the settings that it takes, if any.

    Raises ConfigError for a kind whose bytes are its library's business.
    """
    driver = load(kind)
    codec: Callable[..., Codec[Any]] | None = getattr(driver, "codec", None)
    if codec is None:
        raise _problem(_shown(kind), "a kind of a serial line", "this kind's library decodes its bytes by itself")
    return codec, getattr(driver, "format", None)


def decoder(kind: str, settings: Mapping[str, object] = _NONE) -> Callable[[Iterable[bytes]], Iterator[dict[str, str]]]:
    """Captured bytes, piece by piece, to what stands in them. Raises ConfigError as `codec_of` does, and for every wrong key."""
    codec, model = codec_of(kind)
    form = [_judged(model, settings)] if model else []
    if not model:
        _judged(_Plain, settings)

    def decode(pieces: Iterable[bytes]) -> Iterator[dict[str, str]]:
        decoding = codec(*form)
        for piece in pieces:
            yield from described(decoding.feed(piece))
        yield from described(decoding.end())

    return decode


def _judged(model: type[BaseModel], settings: Mapping[str, object]) -> BaseModel:
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        # One per key: the items of a list fail one by one.
        found = {detail["loc"][:1]: detail for detail in reversed(error.errors(include_url=False))}
        raise ConfigError.of([_explained(model, settings, found[key]) for key in reversed(found)]) from None


def _settings_of(driver: type[Device]) -> type[BaseModel]:
    return cast("type[BaseModel]", getattr(driver, _SETTINGS))


def _explained(model: type[BaseModel], settings: Mapping[str, object], detail: ErrorDetails) -> Problem:
    key = str(detail["loc"][0]) if detail["loc"] else "settings"
    field = model.model_fields.get(key)
    if field is None:
        hint = _similar(key, model.model_fields) or "remove it"
        expected = f"one of {', '.join(model.model_fields)}" if model.model_fields else "no key at all"
        return Problem(place=f"key {key}", got="a key that nobody knows", expected=expected, hint=hint)
    got = _shown(settings[key]) if key in settings else "nothing"
    example = f"for example: {key} = {_shown(field.examples[0])}" if field.examples else f"write {field.description}"
    reason = detail.get("ctx", {}).get("error")
    hint = str(reason) if isinstance(reason, ValueError) else example
    if detail["type"] == "missing":
        unknown = [name for name in settings if name not in model.model_fields]
        typo = difflib.get_close_matches(key, unknown, 1)
        hint = f'it is written "{typo[0]}" here' if typo else example
    return Problem(place=f"key {key}", got=got, expected=field.description or "another value", hint=hint)


def _problem(got: str, expected: str, hint: str) -> ConfigError:
    """Its hint is that of its one problem, so the sentence does not say it, too."""
    error = ConfigError(f"key kind: got {got}, expected {expected}", hint=hint)
    error.problems = (Problem(place="key kind", got=got, expected=expected, hint=hint),)
    return error


def _similar(word: str, words: Mapping[str, object] | list[str]) -> str | None:
    near = difflib.get_close_matches(word.lower()[:_SHOWN], [*words], 1)
    return f'did you mean "{near[0]}"?' if near else None


def _shown(value: object) -> str:
    return f'"{value[:_SHOWN]}"' if isinstance(value, str) else str(value)[:_SHOWN]
