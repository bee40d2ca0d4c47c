"""Entries as bytes: pinned vectors, exact cutting, a chain that notices every change."""

import contextlib
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.decide import Recent, decide
from gateway.domain.entry import (
    ClockData,
    CoverageData,
    Entry,
    EpochData,
    ManualAction,
    ManualData,
    PassageData,
    PassageKind,
    UnknownData,
)
from gateway.domain.model import Direction, PersonId, Seq
from gateway.domain.wire import (
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    ORIGIN_BYTES,
    Batch,
    Origin,
    Stream,
    again,
    chain,
    decode,
    encode,
    fit,
    join,
    link,
    split,
)
from gateway.errors import MalformedMessage
from tests.domain.build import KEY, LANE, at, directory, instant, tap

STREAM = Stream(site="school-1", gateway="north", epoch="e1")


def _epoch(name: str) -> Stream:
    return replace(STREAM, epoch=name)


def tap_entry() -> Entry:
    entry = decide(tap("08:31:30"), directory(), Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    return entry


def let_in(*persons: str) -> Entry:
    data = ManualData(
        lane=LANE,
        operator="guard-1",
        action=ManualAction.ENTER,
        persons=tuple(map(PersonId, persons)),
        reason="the cards are in the cloakroom",
    )
    return Entry(at=instant("08:30"), data=data)


def test_a_tap_on_the_wire_is_exactly_this() -> None:
    body = encode(tap_entry(), stream=STREAM, seq=Seq(42), recorded=at("08:31:31"))
    assert body.decode() == (
        '{"specversion":"1.0","source":"urn:att:school-1:north:e1","id":"000000000042","sequence":"000000000042",'
        '"type":"att.tap.v1","time":"2026-09-01T08:31:30.000Z","recordedtime":"2026-09-01T08:31:31.000Z",'
        '"boot":"boot-a","boottime":"31690000","clock":"synced","expirytime":"2026-09-01T09:15:00.000Z",'
        '"data":{"lane":"north-1","direction":"in","token":"1:03eb1ee5e28d4c18f05cbafafaee4756",'
        '"technology":"em4100","assurance":"uid","person":"p-1","verdict":{"admit":true,"reason":"known"},'
        '"match":{"slot":"5a-20260901-1","status":"late","minutes":2},"directory":7}}'
    )


@pytest.mark.parametrize(
    "entry",
    [
        tap_entry(),
        Entry(at=instant("07:00"), data=EpochData(previous=None, reason="first start")),
        Entry(at=instant("08:30"), data=CoverageData(lane=LANE, since=at("08:00"), until=at("08:30"))),
        let_in("p-1", "p-2"),
        Entry(
            at=instant("08:30"),
            data=ManualData(lane=LANE, operator="guard-1", action=ManualAction.OPEN, reason="курьер"),
        ),
        Entry(at=instant("08:30"), data=ClockData(boot="b", boottime=7, wall=at("08:30"), correction=-1)),
    ],
)
def test_what_was_encoded_is_what_is_decoded(entry: Entry) -> None:
    body = encode(entry, stream=STREAM, seq=Seq(7), recorded=at("09:00"))
    event = decode(body)
    assert body.isascii()
    assert (event.stream, event.seq, event.at, event.data) == (STREAM, 7, entry.at, entry.data)
    assert (event.recorded, event.expires, event.origin) == (at("09:00"), entry.expires, None)


def test_an_entry_that_stands_again_says_the_same_and_where_it_stood_first() -> None:
    passage = PassageData(lane=LANE, direction=Direction.IN, kind=PassageKind.CONFIRMED, tap=Seq(6))
    entry = Entry(at=instant("08:30"), data=passage)
    body, second, third = encode(entry, stream=STREAM, seq=Seq(7), recorded=at("08:31")), _epoch("e2"), _epoch("e3")
    (first,) = chain(STREAM.genesis, Seq(7), [body])
    (moved,) = chain(second.genesis, Seq(2), [again(first, STREAM, new=second, seq=Seq(2), places={Seq(6): Seq(1)})])
    head = b'{"specversion":"1.0","source":"urn:att:school-1:north:e2","id":"000000000002","sequence":"000000000002",'
    assert moved.body.startswith(head)
    event = decode(moved.body)
    assert (event.stream, event.seq, event.at, event.recorded) == (second, 2, entry.at, at("08:31"))
    assert event.data == replace(passage, tap=Seq(1))
    assert event.origin == Origin(epoch="e1", seq=Seq(7), hash=first.hash.hex())
    last = decode(again(moved, second, new=third, seq=Seq(5), places={}))
    assert (last.data, last.origin) == (replace(passage, tap=None), event.origin)
    for unread in (b"{}", b"[]", b"x"):
        (envelope,) = chain(STREAM.genesis, Seq(7), [unread])
        with pytest.raises(MalformedMessage, match=r"^entry 7 of e1 cannot be read"):
            again(envelope, STREAM, new=second, seq=Seq(2), places={})


def test_what_a_guard_did_on_the_wire_is_exactly_this() -> None:
    body = encode(let_in("p-1", "p-2"), stream=STREAM, seq=Seq(7), recorded=at("08:30"))
    assert body.decode().endswith(
        '"type":"att.manual.v1","time":"2026-09-01T08:30:00.000Z","recordedtime":"2026-09-01T08:30:00.000Z",'
        '"boot":"boot-a","boottime":"31600000","clock":"synced","data":{"lane":"north-1","operator":"guard-1",'
        '"action":"enter","persons":["p-1","p-2"],"reason":"the cards are in the cloakroom"}}'
    )


@pytest.mark.parametrize("said", ['"enter","persons":[]', '"open","persons":["p-1"]', '"shut","persons":[]'])
def test_a_list_of_nobody_and_an_opening_with_names_are_malformed(said: str) -> None:
    body = encode(let_in("p-1"), stream=STREAM, seq=Seq(7), recorded=at("08:30"))
    with pytest.raises(MalformedMessage, match=r"only enter has them, and needs one|shut"):
        decode(body.replace(b'"enter","persons":["p-1"]', said.encode()))


def test_an_unknown_type_is_kept_whole() -> None:
    body = encode(tap_entry(), stream=STREAM, seq=Seq(1), recorded=at("09:00")).replace(b"att.tap.v1", b"att.new.v9")
    event = decode(body)
    assert isinstance(event.data, UnknownData)
    assert event.data.type == "att.new.v9"
    assert event.data.raw["lane"] == LANE


def test_genesis_and_link_are_sha_256_of_what_the_contract_says() -> None:
    genesis = hashlib.sha256(b"att.v1|school-1|north|e1").digest()
    assert STREAM.genesis == genesis
    assert link(genesis, b"x") == hashlib.sha256(genesis + b"x").digest()


#: Empty, or without one of its ends.
NO_BATCH = [b"", b"[]", b"[\n]", b"[\n\n]", b"[\n{}", b"{}\n]", b"x" * 9]
line = st.binary(max_size=40).map(lambda b: json.dumps(b.hex()).encode())


@given(st.lists(line, min_size=1, max_size=MAX_BATCH_EVENTS))
def test_the_exact_bytes_come_out_of_a_payload(bodies: list[bytes]) -> None:
    assert split(join(bodies)) == bodies


@given(st.lists(line, min_size=2, max_size=8), st.data())
def test_any_changed_byte_changes_the_head(bodies: list[bytes], data: st.DataObject) -> None:
    head = chain(STREAM.genesis, Seq(1), bodies)[-1].hash
    index = data.draw(st.integers(0, len(bodies) - 1))
    changed = [*bodies]
    changed[index] = bodies[index] + b" "
    assert chain(STREAM.genesis, Seq(1), changed)[-1].hash != head
    swapped = [bodies[1], bodies[0], *bodies[2:]]
    assert (chain(STREAM.genesis, Seq(1), swapped)[-1].hash != head) == (bodies[0] != bodies[1])


@given(st.integers(1, 4096).flatmap(lambda most: st.lists(st.integers(1, most), min_size=1, max_size=150)))
@example([1] * (MAX_BATCH_EVENTS + 1))
@example([4096] * 11 + [MAX_BATCH_BYTES - 11 * (4096 + 2) - 4])
@example([4096] * 11 + [MAX_BATCH_BYTES - 11 * (4096 + 2) - 3])
def test_a_batch_fits_and_is_as_large_as_it_can_be(sizes: list[int]) -> None:
    envelopes = chain(STREAM.genesis, Seq(1), [b"x" * size for size in sizes])
    count = fit(envelopes)
    assert 1 <= count <= MAX_BATCH_EVENTS
    assert len(join(e.body for e in envelopes[:count])) <= MAX_BATCH_BYTES
    if count < min(len(envelopes), MAX_BATCH_EVENTS):
        assert len(join(e.body for e in envelopes[: count + 1])) > MAX_BATCH_BYTES


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        *((payload, "a batch is '[', one event a line, ']'") for payload in NO_BATCH),
        (b"[\n{}\n{}\n]", "an event is one line"),
        (join([b"{}"] * 101), "a batch has at most 100 events, got 101"),
        (join([b"x" * 4097]), "an event has at most 4096 bytes, got 4097"),
        (b"[" * 49153, "a batch has at most 49152 bytes, got 49153"),
    ],
)
def test_a_payload_that_is_not_one_event_a_line_is_malformed(payload: bytes, why: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        split(payload)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    "bodies", [[b"{}"] * MAX_BATCH_EVENTS, [b"x" * MAX_EVENT_BYTES], [b"x" * 4096] * 11 + [b"x" * 4070]]
)
def test_the_largest_batch_is_read(bodies: list[bytes]) -> None:
    assert len(join(bodies)) <= MAX_BATCH_BYTES
    assert split(join(bodies)) == bodies


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(body)


@given(st.data())
def test_a_damaged_event_decodes_or_is_malformed(data: st.DataObject) -> None:
    body = bytearray(encode(tap_entry(), stream=STREAM, seq=Seq(1), recorded=at("09:00")))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedMessage):
        decode(bytes(body))


@pytest.mark.parametrize("key", ["time", "recordedtime", "expirytime"])
def test_a_time_without_a_zone_is_malformed(key: str) -> None:
    event = json.loads(encode(tap_entry(), stream=STREAM, seq=Seq(1), recorded=at("09:00")))
    with pytest.raises(MalformedMessage, match=r": a naive datetime has no meaning here; attach a zone$"):
        decode(json.dumps(event | {key: event[key].removesuffix("Z")}).encode())


def test_text_that_no_json_can_carry_is_malformed() -> None:
    entry = Entry(at=instant("07:00"), data=EpochData(previous=None, reason="\ud800"))
    with pytest.raises(MalformedMessage, match=r"att\.epoch\.v1"):
        encode(entry, stream=STREAM, seq=Seq(1), recorded=at("07:00"))


def test_an_event_is_appended_while_its_origin_would_have_room() -> None:
    def sized(length: int) -> bytes:
        entry = Entry(at=instant("07:00"), data=EpochData(previous=None, reason="x" * length))
        return encode(entry, stream=STREAM, seq=Seq(1), recorded=at("07:00"))

    most = MAX_EVENT_BYTES - ORIGIN_BYTES
    longest = most - len(sized(0))
    assert len(sized(longest)) == most
    with pytest.raises(MalformedMessage, match=r"at most 3936 bytes .* this att\.epoch\.v1 has 3937"):
        sized(longest + 1)


def test_why_an_event_is_malformed_is_told_in_one_short_line() -> None:
    with pytest.raises(MalformedMessage, match=r"^not an event of the contract: KeyError: 'source'$"):
        decode(b"{}")
    body = encode(tap_entry(), stream=STREAM, seq=Seq(1), recorded=at("09:00"))
    with pytest.raises(MalformedMessage) as refused:
        decode(body.replace(b"synced", b"s" * 400))
    assert len(str(refused.value)) == 300


def test_the_statement_of_a_batch_names_everything_a_signature_must_cover() -> None:
    bodies = [encode(tap_entry(), stream=STREAM, seq=Seq(n), recorded=at("09:00")) for n in (1, 2)]
    batch = Batch(stream=STREAM, prev=STREAM.genesis, envelopes=tuple(chain(STREAM.genesis, Seq(1), bodies)))
    assert batch.statement() == {
        "site": "school-1",
        "gateway": "north",
        "epoch": "e1",
        "first": 1,
        "last": 2,
        "prev": STREAM.genesis.hex(),
        "head": batch.head.hex(),
    }
    assert split(batch.payload) == bodies
