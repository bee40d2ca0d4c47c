"""The contract as documents, made from the values themselves: an AsyncAPI 3.1 description with a JSON Schema of every message.

What a `#:` comment says of a field in the code is what the document says of it.
"""

import inspect
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from gateway.domain.directory import Content
from gateway.domain.entry import (
    ClockData,
    CoverageData,
    DeviceData,
    EpochData,
    KeyData,
    ManualData,
    PassageData,
    TapData,
)
from gateway.domain.handshake import MAX_MESSAGE_BYTES, Birth, Manifest, Parting, Receipt
from gateway.domain.model import ClockState
from gateway.domain.parts import MAX_PART_BYTES, MAX_PARTS
from gateway.domain.told import Health
from gateway.domain.wire import CONTENT_TYPE, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES

Json = dict[str, Any]

DATA: Final = (EpochData, TapData, PassageData, CoverageData, DeviceData, ManualData, ClockData, KeyData)
MESSAGES: Final = (Birth, Parting, Receipt, Manifest, Content, Health)
_REF: Final = "#/components/schemas/{model}"
_NAME: Final = "^[a-z0-9-]{1,32}$"
_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_HASH: Final = "^[0-9a-f]{64}$"
_PROMISES: Final = """MQTT 5 only. Both sides connect with a clean start. The gateway publishes its signed birth and sends nothing until a
receipt echoes its session. The journal answers every birth and every batch, duplicates too, with a receipt after its own commit, and
acknowledges (PUBACK) afterwards. Only a verified receipt settles an entry. h(n) = SHA-256(h(n-1) || bytes(n)) over the exact bytes of each
event, h(0) = SHA-256("att.v1|site|gateway|epoch"). A signature is Ed25519 over a type tag and the `key=value` lines of every field but sig,
sorted, joined by LF, ASCII. (site, gateway, epoch, seq) names an entry for ever; other bytes under the same name are quarantined. An event of
an unknown type is kept; a bad event is kept, flagged and not judged by."""


def document() -> Json:
    """The AsyncAPI document."""
    channels = _channels()
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "Attendance gateway and journal", "version": "1.0.0", "description": _PROMISES},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}, "summary": channel["summary"]}
            for name, channel in channels.items()
        },
        "components": {"messages": _messages(), "schemas": schemas()},
    }


def schemas() -> dict[str, Json]:
    """The JSON Schema of every message and of everything in it, by name."""
    found: dict[str, Json] = {}
    for kind in (*DATA, *MESSAGES):
        schema = TypeAdapter(kind).json_schema(mode="serialization", ref_template=_REF)
        found |= schema.pop("$defs", {})
        found[kind.__name__] = _described(schema, kind)
    found["Event"] = _event()
    found["Batch"] = {
        "type": "array",
        "items": {"$ref": _REF.format(model="Event")},
        "minItems": 1,
        "maxItems": MAX_BATCH_EVENTS,
        "description": f"Consecutive seqs, one event a line between '[' and ']', at most {MAX_BATCH_BYTES} bytes.",
    }
    return dict(sorted(found.items()))


def text(document: Mapping[str, Any]) -> str:
    """As it lies in the repository: the same document gives the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _event() -> Json:
    def said(description: str, **schema: object) -> Json:
        return {"type": "string", **schema, "description": description}

    branches = [
        {
            "if": {"properties": {"type": {"const": kind.type}}},
            "then": {"properties": {"data": {"$ref": _REF.format(model=kind.__name__)}}},
        }
        for kind in DATA
    ]
    origin = rf"^[a-z0-9-]{{1,32}}/\d{{1,12}}/{_HASH[1:]}"
    properties = {
        "specversion": {"const": "1.0"},
        "source": said("urn:att:{site}:{gateway}:{epoch}", pattern=r"^urn:att(:[a-z0-9-]{1,32}){3}$"),
        "id": said("The seq in twelve digits.", pattern=r"^\d{12}$"),
        "sequence": said("The same.", pattern=r"^\d{12}$"),
        "type": said("An unknown one is kept and not judged by.", pattern=r"^att\.[a-z]+\.v\d+$"),
        "time": said("When it happened, by the gateway's wall clock, or a terminal's own.", pattern=_TIME),
        "recordedtime": said("When it was appended first.", pattern=_TIME),
        "boot": said(
            "The kernel's boot id: boottime counts from this boot. `terminal` for a time by the clock of a terminal that decides "
            "alone: it may come hours late, out of order, and no clock entry corrects it."
        ),
        "boottime": said("CLOCK_BOOTTIME in milliseconds; of a terminal its wall time.", pattern=r"^\d+$"),
        "clock": said("How far `time` can be believed.", enum=[state.value for state in ClockState]),
        "expirytime": said("After this moment acting on it would harm.", pattern=_TIME),
        "origin": said(
            "epoch/seq/hash where it stood before it was appended again; who holds that drops this.", pattern=origin
        ),
        "data": {"type": "object"},
    }
    return {
        "type": "object",
        "description": f"A CloudEvents 1.0 event in one line of ASCII JSON, no floats, at most {MAX_EVENT_BYTES} bytes.",
        "properties": properties,
        "required": [name for name in properties if name not in ("expirytime", "origin")],
        "additionalProperties": False,
        "allOf": branches,
    }


def _channels() -> dict[str, Json]:
    gateway, site = "att/v1/{site}/{gateway}/", "att/v1/{site}/directory/"
    return {
        "events": _channel(gateway + "events", "Gateway to journal: batches of entries, QoS 1.", "batch"),
        "receipt": _channel(gateway + "receipt", "Journal to gateway: how far it has committed.", "receipt"),
        "state": _channel(
            gateway + "state",
            "Gateway to journal, retained: born, stopped, or lost (the last will).",
            "birth",
            "parting",
        ),
        "health": _channel(
            gateway + "health", "Gateway to journal, retained: how it fares, every minute and on change.", "health"
        ),
        "manifest": _channel(site + "manifest", "Journal to gateways, retained: the newest directory.", "manifest"),
        "part": _channel(site + "part/{sha256}", "Journal to gateways, retained: a part of a directory.", "part"),
    }


def _channel(address: str, summary: str, *messages: str) -> Json:
    patterns = {"sha256": "SHA-256 of the part, in hex."}
    names = re.findall(r"{(\w+)}", address)
    return {
        "address": address,
        "summary": summary,
        "parameters": {
            name: {"description": patterns.get(name, f"Matches {_NAME}; nothing personal.")} for name in names
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _messages() -> dict[str, Json]:
    schema = {"type": "string"}
    place = {"type": "string", "pattern": r"^\d{1,12}$"}
    digest = {"type": "string", "pattern": _HASH}
    headers = {
        "epoch": schema,
        "first": place,
        "last": place,
        "prev": digest,
        "head": digest,
        "kid": schema,
        "sig": schema,
    }
    described = f"The canonical JSON of Content, cut into at most {MAX_PARTS} parts of at most {MAX_PART_BYTES} bytes; named by its hash."
    return {
        "batch": {
            "contentType": CONTENT_TYPE,
            "summary": "The headers are MQTT 5 user properties; sig covers them with site and gateway under the tag att.batch.v1.",
            "headers": {"type": "object", "properties": headers, "required": list(headers)},
            "payload": {"$ref": _REF.format(model="Batch")},
        },
        "birth": _signed(Birth),
        "parting": {
            "summary": "A clean stop, or the broker's last will.",
            "payload": {"$ref": _REF.format(model="Parting")},
        },
        "receipt": _signed(Receipt),
        "health": {
            "summary": "Not signed: nothing is settled or judged by it. Keys may be added.",
            "payload": {"$ref": _REF.format(model="Health")},
        },
        "manifest": _signed(Manifest),
        "part": {"summary": described, "contentType": "application/octet-stream", "payload": {"type": "string"}},
    }


def _signed(kind: type[Birth] | type[Receipt] | type[Manifest]) -> Json:
    summary = f"Signed under the tag {kind.tag}; at most {MAX_MESSAGE_BYTES} bytes."
    return {"summary": summary, "payload": {"$ref": _REF.format(model=kind.__name__)}}


def _described(schema: Json, kind: type) -> Json:
    """With what the code says of each field."""
    comments: dict[str, str] = {}
    said: list[str] = []
    for line in inspect.getsource(kind).splitlines():
        stripped = line.strip()
        if stripped.startswith("#:"):
            said.append(stripped[2:].strip())
        elif (field := re.match(r"(\w+)\s*:", stripped)) and said:
            comments[field[1]] = " ".join(said)
            said = []
        else:
            said = []
    for name, comment in comments.items():
        if name in schema.get("properties", {}):
            schema["properties"][name] = {**schema["properties"][name], "description": comment}
    return schema
