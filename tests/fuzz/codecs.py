"""Any bytes for every codec: none raises but as it declares, none keeps more than a frame, however the bytes are cut.

`make test` lets hypothesis choose the bytes, and `make fuzz-codecs` atheris, by what it sees of the code: guided.py.
"""

import contextlib
import importlib
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from osdp import Event

from drivers.frames import Codec
from drivers.nfc.codec import type_a, type_f
from drivers.nfc.sun import Form, message, url
from drivers.osdp.codec import Uid, read
from drivers.registry import KINDS, load
from drivers.wiegand import wiegand
from drivers.zkteco.packets import HEADER, length, packet, records

ROOT = Path(__file__).parents[2]
#: Bytes that a codec may hold; the longest line of all is half of that.
_MOST_HELD = 8192


def codec_makers() -> dict[str, Callable[[], Codec[Any]]]:
    """Every kind whose codec.py has a Codec, as its sample sets it up."""
    makers: dict[str, Callable[[], Codec[Any]]] = {}
    for kind in KINDS:
        if (ROOT / "drivers" / kind / "codec.py").exists():
            module = importlib.import_module(f"drivers.{kind}.codec")
            if hasattr(module, "Codec"):
                makers[kind] = partial(module.Codec, *_format(kind))
    return makers


def _format(kind: str) -> list[object]:
    model = getattr(load(kind), "format", None)
    if model is None:
        return []
    (sample,) = tomllib.loads((ROOT / "drivers" / kind / "sample.toml").read_text("utf-8"))["devices"]
    return [model.model_validate({key: value for key, value in sample.items() if key in model.model_fields})]


def stand(make: Callable[[], Codec[Any]], data: bytes) -> None:
    """The first byte says how the others are cut. Raises AssertionError."""
    piece, rest = (data[0] if data else 0) + 1, data[1:]
    whole, cut = make(), make()
    told = whole.feed(rest) + whole.end()
    found = [frame for at in range(0, len(rest), piece) for frame in cut.feed(rest[at : at + piece])]
    assert held(cut) <= _MOST_HELD
    assert found + cut.end() == told


def held(codec: object) -> int:
    """Bytes that it keeps for later, one level deep."""
    kept = vars(codec).values() if hasattr(codec, "__dict__") else ()
    return sum(len(value) for value in kept if isinstance(value, bytes | bytearray | str | list | tuple | dict))


def _refusing(decode: Callable[[bytes], object], *declared: type[Exception]) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        with contextlib.suppress(*declared):
            decode(data)

    return one


def _osdp(data: bytes) -> object:
    form, size, *_ = *data[:2], 0, 0
    event = {
        "event": Event.CardRead,
        "reader_no": 0,
        "direction": 0,
        "format": form % 4,
        "length": size,
        "data": data[2:],
    }
    return [read(event, uid) for uid in Uid]


def _sun(data: bytes) -> object:
    found = url(data)
    return message(found if found is not None else data, Form())


def _packet(data: bytes) -> object:
    body = data[HEADER:]
    return packet(body[:size]) if len(body) >= (size := length(data[:HEADER])) else None


#: What is not a stream of frames, with the errors that it declares.
DECODERS: Mapping[str, Callable[[bytes], None]] = {
    "wiegand": _refusing(lambda data: wiegand(data[0] if data else 0, data[1:])),
    "osdp": _refusing(_osdp),
    "nfc-type-a": _refusing(type_a),
    "nfc-type-f": _refusing(type_f),
    "nfc-sun": _refusing(_sun),
    "zkteco-packet": _refusing(_packet, ValueError),
    "zkteco-records": _refusing(lambda data: [*records(data, 40)]),
}


def targets() -> dict[str, Callable[[bytes], None]]:
    """All of them by name."""
    return {**{kind: partial(stand, make) for kind, make in codec_makers().items()}, **DECODERS}
