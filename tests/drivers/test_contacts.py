"""Levels of contacts in, passages and notices out; played as a story of changes."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contacts import CLOSES, HELD, OPENS, Contacts, Level, Role, Side, usual
from drivers.steady import OFTEN, STILL, WITHIN
from gateway.domain.entry import DeviceState
from gateway.ports import DeviceNotice, GateEvent, Rotation

TURNSTILE = {role: usual(role) for role in Role}
#: As the inputs are while nobody is there: all is open, but for what is closed as long as all is well.
AT_HOME = {role: role not in (Role.READY, Role.FIRE_ALARM, Role.TAMPER) for role in Role}
HOME = ["mode single", "fire_alarm all-clear", "blocked clear"]


def words(events: list[GateEvent]) -> list[str]:
    return [
        f"rotation {event.direction}" if isinstance(event, Rotation) else f"{event.kind} {event.detail}"
        for event in events
    ]


class Story:
    """`pass_a-` closes to ground, `pass_a+` opens again, `40` milliseconds go by."""

    def __init__(
        self, active: dict[Role, Level] | None = None, a_is: Side = "entry", at_open: Mapping[str, bool] = {}
    ) -> None:
        self.now = 1000.0
        self.active = active or TURNSTILE
        self.contacts = Contacts(self.active, a_is=a_is)
        self.high = {**AT_HOME, **{Role(role): high for role, high in at_open.items()}}
        self.told = words(self.contacts.open(self.high, self.now))

    def play(self, story: str) -> list[str]:
        told: list[GateEvent] = []
        for word in story.split():
            if word.isdecimal():
                self.now += int(word) / 1000
            else:
                told += self.contacts.hear(Role(word[:-1]), high=word[-1] == "+", now=self.now)
        return words(told + self.contacts.settle(self.now))


@pytest.mark.parametrize(
    ("story", "told"),
    [
        ("pass_a- 50", ["rotation in"]),
        ("pass_b- 50", ["rotation out"]),
        ("pass_a- 30", []),
        ("pass_a- 30 pass_a+ 1000", []),
        ("pass_a- 10 pass_a+ 10 pass_a- 10 pass_a+ 5 pass_a- 100", ["rotation in"]),
        ("pass_a- 100 pass_a+ 200 pass_a- 100 pass_a+ 400", ["rotation in"]),
        ("pass_a- 100 pass_a+ 310 pass_a- 100 pass_a+ 400", ["rotation in"] * 2),
        ("pass_a- 100 pass_a- 100 pass_a- 400", ["rotation in"]),
        ("pass_a- 20 pass_b- 100 pass_a+ pass_b+ 500", ["rotation in", "rotation out"]),
        # One sample of a board that is asked every 100 ms is enough.
        ("pass_a- 100 pass_a+ 100 pass_a+ 100", ["rotation in"]),
    ],
)
def test_a_pass_contact_is_told_once_for_each_passage(story: str, told: list[str]) -> None:
    assert Story().play(story) == told


def test_which_side_is_the_entry_is_a_choice_of_the_installation() -> None:
    assert Story(a_is="exit").play("pass_a- 50 pass_b- 50") == ["rotation out", "rotation in"]


def test_a_contact_may_be_active_at_either_level() -> None:
    story = Story({Role.PASS_A: Level.HIGH}, at_open={"pass_a": False})
    assert story.play("pass_a+ 50 pass_a- 50") == ["rotation in"]


@pytest.mark.parametrize(
    ("at_open", "told"),
    [
        ({}, HOME),
        ({"pass_a": False}, HOME),  # who was in the gate before is nobody's passage
        ({"free": False}, ["mode free", *HOME[1:]]),
        ({"locked": False}, ["mode locked", *HOME[1:]]),
        ({"free": False, "locked": False}, ["mode free", *HOME[1:]]),
        ({"ready": True}, [*HOME[:2], "blocked blocked"]),
        ({"fire_alarm": True}, [HOME[0], "fire_alarm alarm", HOME[2]]),
        ({"tamper": True}, ["tamper the housing was opened", *HOME]),
        ({"alarm": False}, ["tamper the gate reports an intrusion", *HOME]),
    ],
)
def test_how_the_gate_stands_is_told_at_open(at_open: dict[str, bool], told: list[str]) -> None:
    assert Story(at_open=at_open).told == told


def test_a_gate_tells_only_what_its_contacts_know() -> None:
    assert Story({Role.ALARM: Level.LOW}).told == []
    assert Story({Role.FIRE_ALARM: Level.HIGH}).told == ["fire_alarm all-clear"]


@pytest.mark.parametrize(
    ("story", "told"),
    [
        ("free- 50 free+ 50", ["mode free", "mode single"]),
        ("locked- 50 locked- 50 locked+ 50", ["mode locked", "mode single"]),
        ("ready+ 50 ready- 50", ["blocked blocked", "blocked clear"]),
        ("fire_alarm+ 50 fire_alarm- 50", ["fire_alarm alarm", "fire_alarm all-clear"]),
        ("fire_alarm+ 10 fire_alarm- 50", []),
        ("tamper+ 50 tamper- 50 tamper+ 50", ["tamper the housing was opened"] * 2),
        ("alarm- 50 alarm+ 50", ["tamper the gate reports an intrusion"]),
    ],
)
def test_changes_are_told_once_settled(story: str, told: list[str]) -> None:
    assert Story().play(story) == told


def test_a_broken_wire_is_an_alarm_and_no_passage() -> None:
    everything = " ".join(f"{role}+" for role in Role)
    assert Story().play(f"{everything} 1000") == [
        "tamper the housing was opened",
        "fire_alarm alarm",
        "blocked blocked",
    ]


@pytest.mark.parametrize("now", [1000.0, 0.1, 86_400.3])
def test_who_stands_in_the_gate_for_long_blocks_it(now: float) -> None:
    story = Story()
    story.now = now = max(now, story.now)
    assert story.play("pass_a- 29000") == ["rotation in"]
    assert story.play("1039") == []
    assert story.play("1") == ["blocked blocked"]
    assert story.play("60000 pass_a+ 299") == []
    assert story.play("1") == ["blocked clear"]


def test_a_gate_that_is_not_ready_stays_blocked_while_somebody_stands_in_it() -> None:
    story = Story()
    assert story.play("pass_a- 50 ready+ 31000 ready- 1000") == ["rotation in", "blocked blocked"]
    assert story.play("pass_a+ 1000") == ["blocked clear"]


def test_changes_that_were_lost_are_found_in_the_levels_and_told() -> None:
    story = Story()
    story.high |= {Role.PASS_A: False, Role.FREE: False}
    events = story.contacts.read(story.high, story.now, lost=5)
    assert events == [DeviceNotice(kind=DeviceState.GARBAGE, detail="5 changes of contacts were lost")]
    assert story.play("50") == ["rotation in", "mode free"]
    assert story.contacts.read(story.high, story.now) == []


def test_due_is_when_time_alone_tells_something() -> None:
    story = Story()
    assert story.contacts.due is None
    assert story.play("pass_a-") == []
    assert story.contacts.due == story.now + CLOSES
    assert story.play("50") == ["rotation in"]
    assert story.contacts.due == pytest.approx(story.now - 0.05 + CLOSES + HELD)
    assert story.play("pass_a+") == []
    assert story.contacts.due == story.now + OPENS
    assert story.play("300") == []
    assert story.contacts.due is None


#: For each passage, how long the contact is closed and open, and with how many bounces of some milliseconds each.
passages = st.lists(st.tuples(st.integers(60, 2000), st.integers(360, 2000), st.integers(0, 5), st.integers(1, 9)))


@given(passages, st.booleans())
def test_every_passage_is_one_however_the_contact_bounces(
    passages: list[tuple[int, int, int, int]], asked: bool
) -> None:
    told: list[str] = []
    story = Story()
    for closed, opened, bounces, wait in passages:
        for level, rest in (("-", closed), ("+", opened)):
            other = "+" if level == "-" else "-"
            told += story.play(f"pass_a{level} {wait} pass_a{other} {wait} " * bounces + f"pass_a{level} {rest}")
            told += story.play("0") if asked else []
    assert told == ["rotation in"] * len(passages)


@pytest.mark.parametrize(
    ("contact", "unusual", "usual_again"),
    [
        ("fire_alarm", "fire_alarm alarm", "fire_alarm all-clear"),
        ("free", "mode free", "mode single"),
        ("locked", "mode locked", "mode single"),
        ("ready", "blocked blocked", "blocked clear"),
        ("alarm", "tamper the gate reports an intrusion", ""),
        ("tamper", "tamper the housing was opened", ""),
    ],
)
def test_a_loose_wire_is_told_and_does_not_fill_the_disk(contact: str, unusual: str, usual_again: str) -> None:
    """Five times a second for ten minutes, beginning with what is not usual; then it is still, or it is not."""
    story = Story()
    away, back = ("+", "-") if AT_HOME[Role(contact)] is False else ("-", "+")
    once = f"{contact}{away} 100 {contact}{back} 100 "
    told = story.play(once * 3000)
    chatter = f"garbage the contact {contact} chatters: {OFTEN} times within {WITHIN:.0f} s"
    assert len(told) <= 2 * OFTEN + 1
    assert told[0] == unusual
    assert (told.count(unusual), told.count(chatter)) == (OFTEN, 1)
    assert story.play(f"{int(STILL * 1000) - 200}") == []
    assert story.play("300") == [usual_again] * bool(usual_again)
    # A minute later it is a contact like any other.
    assert story.play("60000 " + once) == [unusual, usual_again][: 1 + bool(usual_again)]


def test_a_chattering_fire_alarm_is_an_alarm_at_once_and_passages_go_on() -> None:
    story = Story()
    story.play("fire_alarm+ 100 fire_alarm- 100 " * 50)
    assert story.play("pass_a- 100 pass_a+ 400") == ["rotation in"]
    assert story.play("fire_alarm+ 60000") == []
    assert story.play("fire_alarm- 31000") == ["fire_alarm all-clear"]
    assert story.play("fire_alarm+ 100") == ["fire_alarm alarm"]
