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
