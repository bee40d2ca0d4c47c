"""Broken configurations, each with the words a person gets; whole ones, and the example that must document every key."""

import contextlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from config.explain import show
from config.load import MAX_BYTES, load
from config.model import DeviceAddress, GatewayConfig
from gateway.domain.model import LaneDirection
from gateway.errors import MAX_PROBLEMS, ConfigError, Problem

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.example.toml"
WHOLE = """
site = "school-12"
gateway = "main"
[state]
directory = "/var/lib/attendance-gateway"
[enrolment]
file = "/etc/attendance-gateway/enrolment.toml"
[uplink]
url = "none"
[[devices]]
id = "door-serial"
kind = "rdm6300"
url = "/dev/ttyUSB0"
hold_off = 2.5
[[lanes]]
id = "north-in"
direction = "in"
reader = "door-serial"
"""
TLS = 'url = "mqtts://journal.example:8883"\nca = "/c/ca"\ncertificate = "/c/crt"\nkey = "/c/key"'
LANE = '[[lanes]]\nid = "north-out"\ndirection = "out"\nreader = "door-serial/2"\n'
BOLTED = '[[devices]]\nid = "bolt"\nkind = "virtual"\n'
LANE_KEYS = "id, direction, reader, gate, on_storage_failure, screen, passage_seconds"
NAME = "1 to 32 of a-z, 0-9 and -"
WAYS = "one of in, out, both, arrival_only, alternating, checkpoint"
ABSOLUTE = "begin it with /: a service has no current directory to rely on"
URLS = '"mqtts://host:port", "mqtt://127.0.0.1:port" or "none"'
SYNTAX = "texts stand in quotes, every bracket is closed; compare with gateway.example.toml"
KEYS = "one of site, gateway, language, state, enrolment, uplink, devices, lanes, retention"

# What is replaced in the whole file, by what; then place, got, expected and hint.
BROKEN: list[tuple[str, str, str, str, str, str]] = [
    ("school-12", "School 12", "key site", '"School 12"', NAME, 'for example: site = "school-12"'),
    ('site = "school-12"', "", "key site", "nothing", NAME, 'for example: site = "school-12"'),
    ('"main"', "12", "key gateway", "12", NAME, 'for example: gateway = "main-entrance"'),
    ('"main"', f'"{"m" * 99}"', "key gateway", f'"{"m" * 60}"…', NAME, 'for example: gateway = "main-entrance"'),
    ('"main"', '"main"\nretension = 1', "key retension", "a key that nobody knows", KEYS, 'did you mean "retention"?'),
    ('"main"', '"main"\n"a\\nb" = 1', 'key "a\\nb"', "a key that nobody knows", KEYS, "remove it"),
    ('"/var/lib', '"var/lib', "[state], key directory", '"var/lib/attendance-gateway"', "an absolute path", ABSOLUTE),
    ("/var/lib", "/var\\u0000", "[state], key directory", '"/var\\u0000/attendance-gateway"', "an absolute path", ABSOLUTE),
    ("directory =", "directry =", "[state], key directory", "nothing", "an absolute path", 'it is written "directry" here'),
    ("[state]\ndirectory", "[stat]\ndirectory", "[state]", "nothing", "a table with directory", 'it is written "stat" here'),
    ("[state]", "[retention]\ndays = 0\n[state]", "[retention], key days", "0", "whole days from 1 to 3650", "for example: days = 30"),
    ("[state]", "[retention]\ndays = true\n[state]", "[retention], key days", "true", "whole days from 1 to 3650", "for example: days = 30"),
    ('"none"', '"journal.example"', "[uplink], key url", '"journal.example"', URLS, "mqtts:// to a broker elsewhere, mqtt:// to one on this machine"),
    ('"none"', '"mqtt://journal.example:1883"', "[uplink], key url", '"mqtt://journal.example:1883"', URLS, "plain MQTT never leaves the machine: use mqtts://, or 127.0.0.1"),
    ('"none"', '"mqtt://me:secret@127.0.0.1"', "[uplink], key url", '"mqtt://…@127.0.0.1"', URLS, "only scheme, host and port: the gateway logs in with its certificate"),
    ('"none"', '"mqtt://127.0.0.1:99999"', "[uplink], key url", '"mqtt://127.0.0.1:99999"', URLS, "Port out of range 0-65535"),
    ('url = "none"', TLS.replace("/c/ca", "ca.crt"), "[uplink], key ca", '"ca.crt"', "an absolute path", ABSOLUTE),
    ('url = "none"', TLS.replace('key = "/c/key"', ""), "[uplink], key key", "nothing", "an absolute path", 'mqtts needs it; for example: key = "/etc/attendance-gateway/gateway-tls.key"'),
    ('"none"', '"none"\nkeepalive = "30"', "[uplink], key keepalive", '"30"', "whole seconds from 5 to 300", "for example: keepalive = 30"),
    ('"none"', '"none"\nkeepalive = 4', "[uplink], key keepalive", "4", "whole seconds from 5 to 300", "for example: keepalive = 30"),
    ('kind = "rdm6300"', "", '[[devices]] 1 "door-serial", key kind', "nothing", "the name of a driver", 'for example: kind = "rdm6300"'),
    ('"rdm6300"', '"RDM 6300"', '[[devices]] 1 "door-serial", key kind', '"RDM 6300"', "the name of a driver", 'for example: kind = "rdm6300"'),
    ('id = "door-serial"', "", "[[devices]] 1, key id", "nothing", NAME, 'for example: id = "door-serial"'),
    ("[[lanes]]", '[[devices]]\nid = "door-serial"\nkind = "nfc"\n[[lanes]]', '[[devices]] 2 "door-serial", key id', '"door-serial" again', "an id that no other device has", 'it stands in [[devices]] 1 "door-serial" already'),
    ('"in"', '"inn"', '[[lanes]] 1 "north-in", key direction', '"inn"', WAYS, 'did you mean "in"?'),
    ('direction = "in"', "", '[[lanes]] 1 "north-in", key direction', "nothing", WAYS, 'for example: direction = "in"'),
    ('"in"', '"in"\non_storage_failure = true', '[[lanes]] 1 "north-in", key on_storage_failure', "true", "one of admit, refuse", 'for example: on_storage_failure = "admit"'),
    ('"in"', '"in"\nreder = "x"', '[[lanes]] 1 "north-in", key reder', "a key that nobody knows", f"one of {LANE_KEYS}", 'did you mean "reader"?'),
    ('"in"', '"in"\nplace = "hall"', '[[lanes]] 1 "north-in", key place', "a key that nobody knows", f"one of {LANE_KEYS}", "remove it"),
    ('"in"', '"in"\npassage_seconds = 0.5', '[[lanes]] 1 "north-in", key passage_seconds', "0.5", "seconds from 1 to 60", "for example: passage_seconds = 6.0"),
    ('"in"', '"in"\npassage_seconds = "6"', '[[lanes]] 1 "north-in", key passage_seconds', '"6"', "seconds from 1 to 60", "for example: passage_seconds = 6.0"),
    ("[[lanes]]", BOLTED + LANE + 'gate = "bolt"\n[[lanes]]\ngate = "bolt"', '[[lanes]] 2 "north-in", key gate', '"bolt" again', "a gate of its own: a passage belongs to one lane", 'it stands in [[lanes]] 1 "north-out" already'),
    ('reader = "door-serial"', 'reader = "door"', '[[lanes]] 1 "north-in", key reader', '"door"', "the id of a [[devices]] table: door-serial", 'did you mean "door-serial"?'),
    ('reader = "door-serial"', 'reader = "door-seral"', '[[lanes]] 1 "north-in", key reader', '"door-seral"', "the id of a [[devices]] table: door-serial", 'did you mean "door-serial"?'),
    ('"in"', '"in"\ngate = "bolt/1"', '[[lanes]] 1 "north-in", key gate', '"bolt"', "the id of a [[devices]] table: door-serial", 'add [[devices]] with id = "bolt"'),
    ('reader = "door-serial"', 'reader = "door serial"', '[[lanes]] 1 "north-in", key reader', '"door serial"', '"device-id" or "device-id/address"', "write the id of a [[devices]] table, and after a slash the address on it if it has several"),
    ("[[lanes]]", LANE.replace("/2", "") + "[[lanes]]", '[[lanes]] 2 "north-in", key reader', '"door-serial" again', "a reader of its own: a tap belongs to one lane", 'it stands in [[lanes]] 1 "north-out" already'),
    ("[[lanes]]", LANE.replace("north-out", "north-in") + "[[lanes]]", '[[lanes]] 2 "north-in", key id', '"north-in" again', "an id that no other lane has", 'it stands in [[lanes]] 1 "north-in" already'),
    ("[[lanes]]", "[[lans]]", "[[lanes]]", "nothing", "1 to 64 [[lanes]] tables", 'it is written "lans" here'),
    ("[[lanes]]", "[lanes]", "[[lanes]]", "a table", "1 to 64 [[lanes]] tables", "write [[lanes]]"),
    ('"main"', '"main"\nlanes = []\n[other]\nx = """', "the end", "Unterminated string", "TOML", SYNTAX),
    ('"main"', "main", "line 3, column 11", "Invalid value", "TOML", SYNTAX),
    ("[state]", "[state", "line 4, column 7", "Expected ']' at the end of a table declaration", "TOML", SYNTAX),
    ("[[devices]]", "[state]\n[[devices]]", "line 10, column 7", "Cannot declare ('state',) twice", "TOML", SYNTAX),
    ('"main"', "[" * 20_000, "the file", "nothing that can be read", "TOML", SYNTAX),
    ('"main"', "9" * 5_000, "the file", "nothing that can be read", "TOML", SYNTAX),
]  # fmt: skip


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "gateway.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return caught.value.problems


@pytest.mark.parametrize(("old", "new", "where", "got", "expected", "hint"), BROKEN)
def test_a_broken_file_is_explained(
    tmp_path: Path, old: str, new: str, where: str, got: str, expected: str, hint: str
) -> None:
    assert old in WHOLE
    problems = problems_of(write(tmp_path, WHOLE.replace(old, new, 1)))
    assert Problem(place=f"gateway.toml: {where}", got=got, expected=expected, hint=hint) in problems
    written_wrong = [p for p in problems if p.got == "a key that nobody knows"]
    assert len(problems) - len(written_wrong) <= 1, "one mistake is told once; a misspelt key also as missing"


def test_the_configuration_of_a_journal_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match=r"journal\.example\.toml: this is a journal's configuration; ") as caught:
        load(Path(__file__).parents[2] / "config" / "journal.example.toml")
    assert "attendance-journal" in caught.value.hint


def test_each_case_is_broken_only_by_what_it_replaces(tmp_path: Path) -> None:
    config = load(write(tmp_path, WHOLE))
    (device,), (lane,) = config.devices, config.lanes
    assert device.settings == {"url": "/dev/ttyUSB0", "hold_off": 2.5}
    assert device.place == 'gateway.toml: [[devices]] 1 "door-serial"'
    assert "ttyUSB0" not in repr(device), "a setting may be a key"
    assert lane.direction is LaneDirection.IN
    assert lane.reader == DeviceAddress(device="door-serial")
    assert (lane.gate, lane.on_storage_failure) == (None, "admit")
    assert lane.place == 'gateway.toml: [[lanes]] 1 "north-in"'
    assert (lane.passage_seconds, config.retention.days, config.uplink.broker) == (None, 30, None)
    assert config.state.ledger == Path("/var/lib/attendance-gateway/ledger.db")


def test_a_driver_may_have_settings_that_are_called_like_our_own(tmp_path: Path) -> None:
    text = WHOLE.replace("hold_off = 2.5", 'place = "hall"\nsettings = 1')
    assert load(write(tmp_path, text)).devices[0].settings == {"url": "/dev/ttyUSB0", "place": "hall", "settings": 1}


@pytest.mark.parametrize(
    ("url", "broker", "tls"),
    [
        ("mqtt://127.0.0.1:18830", ("127.0.0.1", 18830), False),
        ("mqtt://localhost", ("localhost", 1883), False),
        ("mqtt://[::1]:1", ("::1", 1), False),
        ("mqtts://journal.example", ("journal.example", 8883), True),
    ],
)
def test_uplink(tmp_path: Path, url: str, broker: tuple[str, int], tls: bool) -> None:
    uplink = load(
        write(tmp_path, WHOLE.replace('url = "none"', TLS.replace("mqtts://journal.example:8883", url)))
    ).uplink
    assert (uplink.broker, uplink.tls, uplink.ca) == (broker, tls, Path("/c/ca"))


def test_two_lanes_may_share_a_device(tmp_path: Path) -> None:
    text = WHOLE + 'gate = "door-serial/1"\npassage_seconds = 6\n' + LANE + 'gate = "door-serial/2"\n'
    lanes = load(write(tmp_path, text)).lanes
    assert (lanes[0].gate, lanes[0].passage_seconds) == (DeviceAddress(device="door-serial", address="1"), 6.0)
    assert lanes[1].reader == DeviceAddress(device="door-serial", address="2")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        WHOLE.replace("school-12", "?")
        .replace('"none"', '"?"')
        .replace('"in"', '"inn"')
        .replace('reader = "d', 'reader = "f')
    )
    places = [problem.place.removeprefix("gateway.toml: ") for problem in problems_of(write(tmp_path, text))]
    lane = '[[lanes]] 1 "north-in", key'
    assert places == ["key site", "[uplink], key url", f"{lane} direction", f"{lane} reader"]


def test_a_file_that_is_wrong_all_over_gives_no_more_than_a_person_reads(tmp_path: Path) -> None:
    text = "".join(f"wrong{n} = 1\n" for n in range(500)) + WHOLE
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert len(caught.value.problems) == MAX_PROBLEMS
    assert str(caught.value).endswith(f"\nand {500 - MAX_PROBLEMS} more")


def test_a_file_saved_by_a_windows_editor(tmp_path: Path) -> None:
    assert load(write(tmp_path, b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())) == load(write(tmp_path, WHOLE))
    (problem,) = problems_of(write(tmp_path, "# Школа\n".encode("cp1251")))
    assert str(problem) == "gateway.toml: line 1: got the byte D8, expected text in UTF-8 (save the file as UTF-8)"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (missing,) = problems_of(tmp_path / "none.toml")
    assert (missing.place, missing.got) == (str(tmp_path / "none.toml"), "no such file or directory")
    assert problems_of(tmp_path)[0].got == "is a directory"
    os.mkfifo(tmp_path / "pipe")
    assert problems_of(tmp_path / "pipe")[0].got == "something that is no file"
    assert problems_of(write(tmp_path, b"#" * (MAX_BYTES + 1)))[0].got == "more than 1 MiB"
    assert problems_of(write(tmp_path, b"#" * MAX_BYTES))[0].place == "gateway.toml: key site"


def keys_of(model: type[BaseModel]) -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        if not field.exclude:
            keys.append(name)
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for kind in inner:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys += keys_of(kind)
    return keys


def test_the_example_documents_every_key() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len(keys_of(GatewayConfig)) > 20
    for key in keys_of(GatewayConfig):
        where = next((n for n, line in enumerate(lines) if re.match(rf"\[*{key}(\]| =)", line)), None)
        assert where is not None, f"{key} is not in the example"
        if not lines[where].startswith("["):
            assert re.match(r"# .*[a-z]", lines[where - 1]), f"no sentence above {key}"


def test_the_example_loads_and_shows_the_defaults() -> None:
    config = load(EXAMPLE)
    for name, table in (("lanes", config.lanes[0]), ("retention", config.retention), ("uplink", config.uplink)):
        for key, field in type(table).model_fields.items():
            if field.default is not None and not field.is_required() and not field.exclude:
                assert getattr(table, key) == field.default, (name, key)


def test_every_example_in_a_hint_is_valid(tmp_path: Path) -> None:
    lines = [f"{key} = {show(GatewayConfig.model_fields[key].examples[0])}" for key in ("site", "gateway")]  # type: ignore[index]
    for name in ("state", "enrolment", "uplink", "devices", "lanes", "retention"):
        kind = type(getattr(load(EXAMPLE), name))
        model = kind if kind is not tuple else type(getattr(load(EXAMPLE), name)[0])
        lines.append(f"[[{name}]]" if kind is tuple else f"[{name}]")
        lines += [f"{key} = {show(field.examples[0])}" for key, field in model.model_fields.items() if field.examples]
    text = "\n".join(lines) + '\n[[devices]]\nid = "door-relay"\nkind = "virtual"\n'
    assert load(write(tmp_path, text)).lanes[0].gate == DeviceAddress(device="door-relay", address="1")


TOML = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-9, 9999), st.sampled_from(["none", "in", "door-serial", "school-12", "x y", ""])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["id", "url", "kind", "lanes", "devices", "uplink", "reader", "site"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return show(value)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from([*GatewayConfig.model_fields, "sit"]), TOML))
def test_any_shape_of_toml_is_explained(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, object]) -> None:
    path = write(tmp_path_factory.getbasetemp(), "".join(f"{key} = {toml(value)}\n" for key, value in tables.items()))
    for problem in problems_of(path):
        assert problem.place.startswith("gateway.toml: ")
        assert problem.got
        assert "pydantic" not in str(problem)
        assert "\n" not in str(problem)


@settings(max_examples=100)
@given(st.data())
def test_any_damage_to_the_file_is_explained(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    raw = bytearray(EXAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = write(tmp_path_factory.getbasetemp(), bytes(raw))
    with contextlib.suppress(ConfigError):
        load(path)
