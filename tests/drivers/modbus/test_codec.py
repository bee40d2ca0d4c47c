"""Addresses as they are written, and answers of a board as levels of contacts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contacts import Level, Role
from drivers.lamp import Output
from drivers.modbus.codec import Point, Table, coils, levels, span


@pytest.mark.parametrize(
    ("text", "address", "bit", "active_on"),
    [("0", 0, None, None), ("65535", 65535, None, None), ("3 off", 3, None, False), ("10.15 on", 10, 15, True)],
)
def test_an_address(text: str, address: int, bit: int | None, active_on: bool | None) -> None:
    assert Point.parse(text) == Point(address, bit, active_on)


@pytest.mark.parametrize("text", ["", "x", "-1", "65536", "1.16", "3 low", "3  off", "1.2.3", "3 off "])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        Point.parse(text)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_a_mistake(text: str) -> None:
    try:
        point = Point.parse(text)
    except ValueError:
        return
    assert 0 <= point.address <= 0xFFFF
    assert point.bit is None or 0 <= point.bit <= 15


def test_a_closed_contact_is_on_and_a_cut_wire_of_the_fire_alarm_is_an_alarm() -> None:
    plain, turned = Point.parse("0"), Point.parse("0 off")
    assert [plain.level(role) for role in (Role.PASS_A, Role.FIRE_ALARM)] == [Level.LOW, Level.HIGH]
    assert turned.level(Role.PASS_A) is Level.HIGH
    assert Point.parse("0 on").level(Role.FIRE_ALARM) is Level.LOW
    assert levels({Role.PASS_A: plain}, range(1), [1]) == {Role.PASS_A: False}


def test_one_question_asks_for_all_and_each_contact_takes_its_own() -> None:
    points = {Role.PASS_A: Point.parse("12"), Role.READY: Point.parse("9"), Role.ALARM: Point.parse("10.3")}
    assert span(points) == range(9, 13)
    assert levels(points, span(points), [0, 0b1000, 1, 0]) == {Role.PASS_A: True, Role.READY: True, Role.ALARM: False}


def test_an_answer_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values instead of 2"):
        levels({Role.PASS_A: Point.parse("0"), Role.READY: Point.parse("1")}, range(2), [1])


def test_an_output_that_is_turned_round_is_on_while_it_is_off() -> None:
    points = {Output.GREEN: Point.parse("0"), Output.UNLOCK: Point.parse("1 off")}
    assert coils(points, frozenset({Output.GREEN})) == {0: True, 1: True}
    assert coils(points, frozenset({Output.UNLOCK})) == {0: False, 1: False}


def test_only_registers_have_bits() -> None:
    assert [table for table in Table if table.has_bits] == [Table.DISCRETE_INPUTS, Table.COILS]
