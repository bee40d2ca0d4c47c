"""The published contract: it is what the code says, it is valid, its examples hold, and nothing in it ever breaks a peer."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway.contract import DATA, document, text
from gateway.domain import wire
from gateway.domain.directory import Content
from gateway.domain.handshake import Birth, Manifest, Message, Receipt
from gateway.domain.model import Seq
from gateway.domain.parts import digest
from gateway.domain.told import Health
from gateway.domain.wire import Stream, again, chain, decode, split
from sync.signing import BATCH_TAG, Keyring

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "contract"
EXAMPLES = FOLDER / "examples"
Json = dict[str, Any]


@cache
def vendored() -> Json:
    found: Json = json.loads((ROOT / "tests" / "vectors" / "asyncapi-3.1.0.json").read_text(encoding="ascii"))
    return found


def check(name: str, value: object) -> None:
    """Raises jsonschema.ValidationError."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_bytes())


def test_the_published_document_is_what_the_code_says() -> None:
    assert (FOLDER / "asyncapi.json").read_text(encoding="ascii") == text(document()), "run 'make docs'"


def test_the_document_is_asyncapi() -> None:
    jsonschema.Draft7Validator(vendored()).validate(document())
    for schema in document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_check_of_the_document_notices_mistakes() -> None:
    wrong = document()
    wrong["operations"]["events"]["action"] = "shout"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(vendored()).validate(wrong)


def test_every_kind_of_entry_is_published() -> None:
    assert {kind.type for kind in DATA} == set(wire._DATA)


def test_every_field_is_explained_or_named_by_its_schema() -> None:
    receipt = document()["components"]["schemas"]["Receipt"]["properties"]
    assert receipt["through"]["description"] == "Every seq up to this one is committed."


@pytest.mark.parametrize(("name", "kind"), [("birth", Birth), ("receipt", Receipt), ("manifest", Manifest)])
def test_a_signed_example_is_valid_read_and_verified(name: str, kind: type[Message]) -> None:
    check(kind.__name__, example(name))
    message = kind.parse((EXAMPLES / f"{name}.json").read_bytes())
    signer = "gateway" if kind is Birth else "journal"
    Keyring([bytes.fromhex(example("keys")[signer]["public"])]).check(message)


def test_the_example_of_a_batch_is_valid_chained_and_signed() -> None:
    raw = (EXAMPLES / "batch.json").read_bytes()
    check("Batch", json.loads(raw))
    headers = example("batch-properties")
    stream = Stream(site="school-12", gateway="north", epoch=headers["epoch"])
    envelopes = chain(bytes.fromhex(headers["prev"]), Seq(int(headers["first"])), split(raw))
    assert envelopes[-1].hash.hex() == headers["head"]
    assert {type(decode(envelope.body).data) for envelope in envelopes} == set(DATA)
    statement = wire.batch_statement(
        stream,
        first=int(headers["first"]),
        last=int(headers["last"]),
        prev=bytes.fromhex(headers["prev"]),
        head=bytes.fromhex(headers["head"]),
    )
    Keyring([bytes.fromhex(example("keys")["gateway"]["public"])]).verify(
        BATCH_TAG, statement, kid=headers["kid"], sig=headers["sig"]
    )


def test_the_example_of_health_is_valid_and_whole() -> None:
    check("Health", example("health"))
    assert Health.model_validate(example("health"), strict=True).model_extra == {}


def test_an_event_that_is_told_again_is_valid_too() -> None:
    old = Stream(site="school-12", gateway="north", epoch="e1")
    for envelope in chain(old.genesis, Seq(1), split((EXAMPLES / "batch.json").read_bytes())):
        new = Stream(site="school-12", gateway="north", epoch="e2")
        check("Event", json.loads(again(envelope, old, new=new, seq=Seq(9), places={})))


def test_the_example_of_a_directory_is_the_one_that_its_manifest_names() -> None:
    raw = (EXAMPLES / "content.json").read_bytes()
    check("Content", json.loads(raw))
    assert Content.parse(raw).raw() == raw
    assert (example("manifest")["parts"], example("manifest")["sha256"]) == ([digest(raw)], digest(raw))


@pytest.mark.parametrize("spoil", [{"sequence": "7"}, {"time": "2026-09-01 08:30"}, {"data": None}, {"extra": 1}])
def test_a_bad_event_is_not_valid(spoil: Json) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("Event", example("batch")[1] | spoil)


#: What a peer was built to in a schema: any change breaks one that sends, or one that reads.
FIXED = (
    *("type", "pattern", "const", "$ref", "contentType", "additionalProperties"),
    *("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)


def breaks(old: Json, new: Json) -> Iterator[str]:
    """What a peer that was built to `old` could not send or read any more."""
    yield from (f"channel {name} changed" for name in old["channels"] if _channel(old, name) != _channel(new, name))
    for kind in ("schemas", "messages"):
        before, after = old["components"][kind], new["components"][kind]
        yield from (f"{name} is gone" for name in before.keys() - after.keys())
        for name in sorted(before.keys() & after.keys()):
            yield from _breaks(name, before[name], after[name])


def _channel(document: Json, name: str) -> object:
    channel = document["channels"].get(name, {})
    return channel.get("address"), sorted(channel.get("messages", ()))


def _breaks(place: str, old: Json, new: Json) -> Iterator[str]:
    yield from (
        f"{place}: {key} was {old.get(key)}, is {new.get(key)}" for key in FIXED if old.get(key) != new.get(key)
    )
    kept: list[object] = new["enum"] if "enum" in new else old.get("enum", [])
    yield from (f"{place}: {value} is gone" for value in old.get("enum", []) if value not in kept)
    if "enum" in new and "enum" not in old:
        yield f"{place}: only {new['enum']} may stand there now"
    if required := sorted(set(new.get("required", [])) ^ set(old.get("required", []))):
        yield f"{place}: required changed by {required}"
    properties, after = old.get("properties", {}), new.get("properties", {})
    yield from (f"{place}.{name} is gone" for name in properties.keys() - after.keys())
    for name in sorted(properties.keys() & after.keys()):
        yield from _breaks(f"{place}.{name}", properties[name], after[name])
    for key in ("items", "headers", "payload", "if", "then"):
        if key in old or key in new:
            yield from _breaks(f"{place}/{key}", old.get(key, {}), new.get(key, {}))
    for key in ("anyOf", "allOf", "prefixItems"):
        one, other = old.get(key, []), new.get(key, [])
        yield from (f"{place}|{position} is gone" for position in range(len(other), len(one)))
        for position, (before, now) in enumerate(zip(one, other, strict=False)):
            yield from _breaks(f"{place}|{position}", before, now)


def test_nothing_that_was_released_is_broken() -> None:
    released = json.loads((FOLDER / "released.json").read_text(encoding="ascii"))
    assert list(breaks(released, document())) == []


PLANTED: list[Callable[[Json], object]] = [
    lambda d: d["components"]["schemas"].pop("Receipt"),
    lambda d: d["components"]["schemas"]["TapData"]["properties"].pop("token"),
    lambda d: d["components"]["schemas"]["Receipt"]["required"].append("held"),
    lambda d: d["components"]["schemas"]["Receipt"]["required"].remove("through"),
    lambda d: d["components"]["schemas"]["Direction"]["enum"].remove("out"),
    lambda d: d["components"]["schemas"]["Event"]["properties"]["id"].update(pattern=r"^\d{9}$"),
    lambda d: d["components"]["schemas"]["TapData"]["properties"]["token"]["anyOf"][0].update(type="integer"),
    lambda d: d["components"]["schemas"]["Batch"].update(maxItems=50),
    lambda d: d["channels"]["events"].update(address="att/v1/{site}/events"),
    lambda d: d["channels"]["state"]["messages"].pop("parting"),
    lambda d: d["components"]["schemas"]["Receipt"]["properties"]["held"].update(maxItems=8),
    lambda d: d["components"]["schemas"]["Receipt"]["properties"]["through"].update(exclusiveMaximum=1000),
    lambda d: d["components"]["schemas"]["Receipt"]["properties"]["held"]["items"].update(type="string"),
    lambda d: d["components"]["schemas"]["TapData"]["properties"]["lane"].update(enum=["north"]),
    lambda d: d["components"]["schemas"]["Event"]["allOf"].pop(),
    lambda d: d["components"]["messages"]["batch"]["headers"]["required"].append("epoch-name"),
    lambda d: d["components"]["messages"]["batch"]["headers"]["properties"].pop("sig"),
    lambda d: d["components"]["messages"]["batch"].update(contentType="application/json"),
]


@pytest.mark.parametrize("plant", PLANTED)
def test_every_planted_break_is_found(plant: Callable[[Json], object]) -> None:
    old, new = document(), copy.deepcopy(document())
    plant(new)
    assert len(list(breaks(old, new))) >= 1
