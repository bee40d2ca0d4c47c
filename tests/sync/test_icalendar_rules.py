"""Recurrence rules: every day that another library finds, no other, and never more effort than is paid for."""

import datetime as dt
from itertools import pairwise

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sync.sources.cells import CellRefused
from sync.sources.icalendar_rules import MAX_DAYS, Effort, Rule, days, parse_rule

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
DATES = st.dates(dt.date(2018, 1, 1), dt.date(2027, 12, 31))


def signed(highest: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-highest, highest).filter(bool), min_size=1, max_size=4, unique=True)


def part(name: str, values: st.SearchStrategy[list[int]]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda numbers: f";{name}={','.join(map(str, numbers))}"))


@st.composite
def rules(draw: st.DrawFn) -> str:
    every = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    text = f"FREQ={every};INTERVAL={draw(st.integers(1, 5))};WKST={draw(st.sampled_from(WEEKDAYS))}"
    text += draw(part("BYMONTH", st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True)))
    if every in ("DAILY", "MONTHLY", "YEARLY"):
        text += draw(part("BYMONTHDAY", signed(31)))
    if every == "YEARLY":
        text += draw(part("BYYEARDAY", signed(366)))
        text += draw(part("BYWEEKNO", signed(53)))
    numbers = st.just("")
    if every in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        # Both kinds in one list are a union here and, by RFC 5545, everywhere; the other library takes what is in both.
        numbers = st.integers(-5, 5).filter(bool).map(str)
    if draw(st.booleans()):
        named = st.tuples(numbers, st.sampled_from(WEEKDAYS)).map("".join)
        text += f";BYDAY={','.join(draw(st.lists(named, min_size=1, max_size=4, unique=True)))}"
    if every != "DAILY" and text.count(";BY"):
        text += draw(part("BYSETPOS", signed(4)))
    if draw(st.booleans()):
        text += f";COUNT={draw(st.integers(1, 30))}"
    return text


def met(text: str, start: dt.date, first: dt.date, last: dt.date, effort: Effort | None = None) -> list[dt.date]:
    return [*days(parse_rule(text), start, first, last, effort or Effort())]


@settings(max_examples=80)
@given(text=rules(), start=DATES, first=DATES, span=st.integers(0, 800))
def test_the_days_are_those_that_another_library_finds(text: str, start: dt.date, first: dt.date, span: int) -> None:
    # Of a week that begins before the series, RFC 5545 counts places from its begin, the other library from the series'.
    assume(not ("WEEKLY" in text and "BYSETPOS" in text) or f"WKST={WEEKDAYS[start.weekday()]}" in text)
    last = first + dt.timedelta(days=span)
    # The until keeps the other library from looking for a day until the year 9999; it may not stand beside a count.
    until = "" if "COUNT" in text else f";UNTIL={last:%Y%m%d}T000000"
    begin, end = (dt.datetime.combine(day, dt.time.min) for day in (first, last))
    bounded = rrulestr(text + until, dtstart=dt.datetime.combine(start, dt.time.min))
    expected = []
    for number, found in enumerate(bounded):
        if found > end or number > 3_000:
            break
        expected += [found.date()] if found >= begin else []
    assert met(text, start, first, last) == expected


@pytest.mark.parametrize(
    ("text", "start", "found"),
    [
        ("FREQ=WEEKLY", "2026-09-01", "01 08 15 22 29"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "2026-09-01", "01 03 15 17 29"),
        ("freq=daily;count=3;", "2026-08-31", "01 02"),
        ("FREQ=DAILY;BYDAY=MO,WE", "2026-09-01", "02 07 09 14 16 21 23 28 30"),
        ("FREQ=MONTHLY;BYDAY=1TU,-1WE", "2026-01-01", "01 30"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01", "30"),
        ("FREQ=MONTHLY;BYDAY=2MO,FR", "2026-01-01", "04 11 14 18 25"),
        ("FREQ=YEARLY", "2020-09-05", "05"),
        ("FREQ=YEARLY;BYDAY=36TU", "2020-09-05", "08"),
        ("FREQ=YEARLY;BYDAY=-17TU", "2020-09-05", "08"),
        ("FREQ=YEARLY;BYWEEKNO=37;BYDAY=MO", "2020-01-01", "07"),
        ("FREQ=YEARLY;BYMONTH=9;BYDAY=1MO", "2020-01-01", "07"),
        ("FREQ=YEARLY;INTERVAL=4", "2021-09-05", ""),
        ("FREQ=MONTHLY", "2026-08-31", ""),
    ],
)
def test_rules_as_schools_write_them(text: str, start: str, found: str) -> None:
    september = met(text, dt.date.fromisoformat(start), dt.date(2026, 9, 1), dt.date(2026, 9, 30))
    assert " ".join(f"{day:%d}" for day in september) == found


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;COUNT=2",
        "FREQ=HOURLY;INTERVAL=24",
        "FREQ=DAILY;BYHOUR=8,9",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=9999999",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;BYDAY=1MO",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYWEEKNO=1",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYMONTHDAY=0",
        "FREQ=DAILY;BYMONTHDAY=²",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=WEEKLY;BYEASTER=1",
        "FREQ=WEEKLY;RSCALE=CHINESE",
        "INTERVAL=1",
        "",
    ],
)
def test_what_is_no_rule_of_a_timetable(text: str) -> None:
    with pytest.raises(CellRefused):
        parse_rule(text)


@pytest.mark.parametrize(
    "text", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYSETPOS=99"]
)
def test_a_rule_that_never_matches_costs_the_days_that_are_asked_for(text: str) -> None:
    first, last = dt.date(2026, 9, 1), dt.date(2027, 8, 31)
    assert met(text, dt.date(1950, 1, 1), first, last, Effort(800)) == []


def test_effort_is_paid_for_all_rules_together() -> None:
    effort, first, last = Effort(700), dt.date(2026, 9, 1), dt.date(2027, 8, 31)
    met("FREQ=DAILY", first, first, last, effort)
    with pytest.raises(CellRefused, match="fewer repetitions"):
        met("FREQ=DAILY", first, first, last, effort)


def test_a_count_is_counted_from_its_start() -> None:
    with pytest.raises(CellRefused):
        met("FREQ=DAILY;COUNT=999999", dt.date(1900, 1, 1), dt.date(2026, 9, 1), dt.date(2026, 9, 2), Effort(40_000))
    assert MAX_DAYS > 40 * 366


def test_days_come_in_order_and_once() -> None:
    found = met("FREQ=YEARLY;BYWEEKNO=1,53,-1", dt.date(2018, 1, 1), dt.date(2018, 1, 1), dt.date(2027, 12, 31))
    assert found
    assert all(one < other for one, other in pairwise(found))


def test_a_rule_without_its_days_takes_them_from_its_start() -> None:
    assert parse_rule("FREQ=WEEKLY") == Rule(every="WEEKLY")
