"""The content of a directory: whatever it holds, it is read or refused, and what is read overflows nothing."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.decide import Recent, decide
from gateway.domain.directory import Content, CredentialRow, Directory
from gateway.domain.entry import Entry
from gateway.domain.model import GroupId, PersonId, Slot, SlotId
from gateway.domain.policy import Policy
from gateway.domain.register import Coverage, Day, judge
from gateway.errors import MalformedMessage
from tests.domain.build import CARD, KEY, at, tap

DURATIONS = [field.name for field in fields(Policy) if isinstance(field.default, timedelta)]
PLAIN: Mapping[str, object] = {
    "site": "school-1",
    "zone": "Europe/Moscow",
    "gateways": [],
    "persons": [{"id": "p-1", "groups": ["5a"]}],
    "credentials": [{"token": KEY.token(CARD), "person": "p-1"}],
    "slots": [],
}


def parse(**other: object) -> Content:
    return Content.parse(json.dumps({**PLAIN, **other}).encode())


def slot(start: str, end: str) -> dict[str, object]:
    return {"id": "s", "group": "5a", "number": 1, "start": start, "end": end}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00+23:00", "2026-09-01T09:00:00Z"),
        ("0001-01-01T00:00:00Z", "2026-09-01T09:00:00Z"),
        ("2026-09-01T08:00:00Z", "9999-12-31T23:59:59Z"),
        ("2026-09-01T08:00:00Z", "9999-12-31T23:59:59-23:00"),
        ("2026-09-01T08:00:00", "2026-09-01T09:00:00"),
    ],
)
def test_a_slot_at_no_time_of_a_school_is_refused(start: str, end: str) -> None:
    with pytest.raises(MalformedMessage, match="directory"):
        parse(slots=[slot(start, end)])


def test_equal_content_is_equal_bytes() -> None:
    person = {"id": "p-1", "groups": ["5a"], "display": "\u042f"}
    content = parse(persons=[person], slots=[slot("2026-09-01T08:30:00+03:00", "2026-09-01T09:15:00+03:00")])
    assert content.raw() == (
        b'{"credentials":[{"person":"p-1","token":"1:03eb1ee5e28d4c18f05cbafafaee4756"}],"gateways":[],'
        b'"persons":[{"display":"\\u042f","groups":["5a"],"id":"p-1"}],"site":"school-1",'
        b'"slots":[{"end":"2026-09-01T06:15:00Z","group":"5a","id":"s","number":1,"start":"2026-09-01T05:30:00Z"}],'
        b'"zone":"Europe/Moscow"}'
    )


def test_an_empty_directory_knows_nobody_and_nothing() -> None:
    empty = Directory.empty()
    assert (empty.version, empty.valid_until, empty.site, empty.zone) == (None, None, "", "UTC")
    assert empty.policy == Policy()
    assert empty.credential([KEY.token(CARD)], at("08:00")) is None
    assert empty.slots == empty.slots_of(PersonId("p-1")) == []


def test_what_is_indexed_is_what_was_told() -> None:
    """5b has no lessons; of 6a nobody asks."""
    rows = [
        slot(f"2026-09-01T0{hour}:30:00Z", f"2026-09-01T0{hour}:45:00Z") | {"id": f"{group}-{hour}", "group": group}
        for group, hour in (("5a", 9), ("5a", 8), ("6a", 8))
    ]
    content = parse(persons=[{"id": "p-1", "groups": ["5a", "5b"]}], slots=rows)
    known = Directory.of(content, version=3, valid_until=at("20:00"))
    assert (known.version, known.valid_until, known.site, known.zone) == (3, at("20:00"), "school-1", "Europe/Moscow")
    assert [slot.id for slot in known.slots_of(PersonId("p-1"))] == ["5a-8", "5a-9"]
    assert sorted(slot.id for slot in known.slots) == ["5a-8", "5a-9", "6a-8"]


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [("08:00", "09:30", 1), ("08:30", "08:31", 1), ("09:14", "09:15", 1), ("07:00", "08:30", 0), ("09:15", "10:00", 0)],
)
def test_only_slots_that_touch_the_days_are_kept_in_memory(since: str, until: str, kept: int) -> None:
    content = parse(slots=[slot("2026-09-01T08:30:00Z", "2026-09-01T09:15:00Z")])
    days = at(since), at(until)
    assert len(Directory.of(content, version=1, valid_until=at("20:00"), days=days).slots) == kept


def test_a_slot_that_takes_no_time_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="slot s ends before it starts"):
        parse(slots=[slot("2026-09-01T08:30:00Z", "2026-09-01T08:30:00Z")])


@pytest.mark.parametrize("key", ["valid_from", "valid_to"])
def test_a_card_is_valid_until_a_time_that_has_a_zone(key: str) -> None:
    with pytest.raises(MalformedMessage, match=f"credentials.0.{key}"):
        parse(credentials=[{"token": KEY.token(CARD), "person": "p-1", key: "2026-09-01T08:00:00"}])


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("text", ["-PT1S", "P2D", "P999999999D"])
def test_no_duration_of_the_policy_is_negative_or_absurd(name: str, text: str) -> None:
    with pytest.raises(MalformedMessage, match=name):
        parse(policy={name: text})
    wrong: dict[str, Any] = {name: timedelta(seconds=-1)}
    with pytest.raises(ValueError, match=name):
        Policy(**wrong)


@pytest.mark.parametrize(
    ("name", "value"), [("absent_percent", -1), ("absent_percent", 101), ("late_notice_minutes", -1)]
)
def test_no_number_of_the_policy_is_out_of_its_range(name: str, value: int) -> None:
    with pytest.raises(MalformedMessage, match=name):
        parse(policy={name: value})


@given(
    policy=st.builds(Policy, **{name: st.sampled_from([timedelta(0), timedelta(days=1)]) for name in DURATIONS}),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    valid=st.sampled_from(["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"]),
)
def test_what_was_read_decides_and_judges(policy: Policy, start: datetime, valid: str) -> None:
    lesson = Slot(id=SlotId("s"), group=GroupId("5a"), number=1, start=start, end=start + timedelta(minutes=45))
    row = CredentialRow(token=KEY.token(CARD), person=PersonId("p-1"), valid_from=datetime.fromisoformat(valid))
    content = parse().model_copy(update={"slots": (lesson,), "policy": policy, "credentials": (row,)})
    assert Content.parse(content.raw()) == content
    directory = Directory.of(content, version=1, valid_until=datetime.max.replace(tzinfo=UTC))
    assert isinstance(decide(tap(start), directory, Recent(policy.repeat_at_lane), [KEY]), Entry)
    day = Day(person=PersonId("p-1"), date=start.date())
    assert len(judge(day, [lesson], [], [], Coverage(lanes=()), at("12:00"), policy)) == 1
