"""The numbers of the register: what a school may write about them, and for whom which of them holds."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.domain.model import GroupId
from gateway.domain.policy import KEYS, Override, Policy, changed, resolve

MINUTE = timedelta(minutes=1)


def override(groups: str = "", shifts: str = "", grades: str = "", **numbers: int) -> Override:
    return Override(
        groups=frozenset(map(GroupId, groups.split())),
        shifts=frozenset(map(int, shifts.split())),
        grades=frozenset(map(int, grades.split())),
        numbers=numbers,
    )


SECOND_SHIFT = override(shifts="2", grace_minutes=3)
PRIMARY = override(grades="1 2 3 4", grace_minutes=5, left_early_minutes=20)
BOARDERS = override(groups="dorm", overnight=True)
FIVE_A = override(groups="5a", grace_minutes=7)
WHOLE_SITE = override(grace_minutes=1)


@pytest.mark.parametrize(
    ("overrides", "whom", "grace"),
    [
        ([], {}, 0),
        ([WHOLE_SITE], {}, 1),
        ([SECOND_SHIFT], {"shift": 1}, 0),
        ([SECOND_SHIFT], {"shift": 2}, 3),
        ([SECOND_SHIFT], {}, 0),
        ([PRIMARY, WHOLE_SITE], {"grade": 4}, 5),
        ([PRIMARY, WHOLE_SITE], {"grade": 5}, 1),
        ([SECOND_SHIFT, PRIMARY], {"grade": 1, "shift": 2}, 3),
        ([FIVE_A, SECOND_SHIFT, PRIMARY], {"grade": 4, "shift": 2, "groups": ["english", "5a"]}, 7),
        ([FIVE_A], {"groups": ["5b"]}, 0),
        ([FIVE_A, override(groups="english", grace_minutes=2)], {"groups": ["english", "5a"]}, 2),
        ([override(groups="5a", grades="5", grace_minutes=9), FIVE_A], {"groups": ["5a"], "grade": 5}, 9),
        ([override(groups="5a", grades="5", grace_minutes=9)], {"groups": ["5a"], "grade": 6}, 0),
    ],
)
def test_the_narrower_override_outweighs(overrides: list[Override], whom: dict[str, Any], grace: int) -> None:
    assert resolve(Policy(), overrides, **whom).grace == grace * MINUTE


def test_what_an_override_does_not_name_stays() -> None:
    site = Policy(absent_percent=40)
    assert resolve(site, [PRIMARY], grade=1) == Policy(
        absent_percent=40, grace=5 * MINUTE, left_early=20 * MINUTE
    )  # fmt: skip
    assert resolve(site, [BOARDERS], groups=[GroupId("dorm")]).overnight is True


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"grace": 5}, "grace: no number of the policy is called so; there are: repeat_at_lane_seconds,"),
        ({"grace_minutes": -1}, "grace: got -1 day"),
        ({"grace_minutes": 24 * 60 + 1}, "grace: got 1 day, 0:01:00, expected 0:00:00 to 1 day, 0:00:00"),
        ({"repeat_at_lane_seconds": 86_401}, "repeat_at_lane: got"),
        ({"absent_percent": 101}, "absent_percent: got 101, expected 0 to 100"),
        ({"late_notice_minutes": 1441}, "late_notice_minutes: got 1441, expected 0 to 1440"),
        ({"grace_minutes": "5"}, "grace_minutes: got '5', expected a whole number"),
        ({"grace_minutes": 5.0}, "grace_minutes: got 5.0, expected a whole number"),
        ({"grace_minutes": True}, "grace_minutes: got True, expected a whole number"),
        ({"absent_percent": True}, "absent_percent: got True, expected a whole number"),
        ({"overnight": 1}, "overnight: got 1, expected true or false"),
    ],
)
def test_a_wrong_number_is_named_with_what_may_stand_there(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(")):
        Override(numbers=numbers)


def test_every_number_can_be_written_with_its_unit() -> None:
    assert KEYS["repeat_at_site_seconds"] == "repeat_at_site"
    assert KEYS["not_seen_after_primary_minutes"] == "not_seen_after_primary"
    assert {"absent_percent", "late_notice_minutes", "overnight"} <= KEYS.keys()
    assert changed(Policy(), {"repeat_at_site_seconds": 90}).repeat_at_site == timedelta(seconds=90)
    assert changed(Policy(), {"absent_percent": 100, "late_notice_minutes": 1440}).absent_percent == 100


def test_an_override_survives_json() -> None:
    stored: TypeAdapter[tuple[Override, ...]] = TypeAdapter(tuple[Override, ...])
    kept = (PRIMARY, BOARDERS, FIVE_A)
    assert stored.validate_json(stored.dump_json(kept)) == kept


def test_the_defaults() -> None:
    """What the documents promise a school that sets nothing."""
    policy = Policy()
    seconds = {name: getattr(policy, name).total_seconds() for name in ("repeat_at_lane", "repeat_at_site", "settle")}
    assert seconds == {"repeat_at_lane": 5, "repeat_at_site": 60, "settle": 2}
    minutes = {
        name: getattr(policy, name) / MINUTE
        for key, name in KEYS.items()
        if key.endswith("_minutes") and key != name
    }  # fmt: skip
    assert minutes == {
        "grace": 0,
        "early": 60,
        "coverage_before": 60,
        "watch": 30,
        "patience": 2,
        "left_early": 15,
        "presence_after": 60,
        "not_seen_after": 15,
        "not_seen_after_primary": 10,
        "told_after_lesson": 60,
    }
    assert (policy.absent_percent, policy.late_notice_minutes, policy.overnight) == (50, 5, False)
    assert (policy.brake_percent, policy.brake_pupils) == (10, 15)
    assert (policy.brake_class_percent, policy.brake_class_pupils) == (40, 6)
