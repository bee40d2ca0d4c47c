"""Series with holes and changes, held against another library over the same file."""

import datetime as dt

import recurring_ical_events  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from tests.sync.feed import FIRST, LAST, MOSCOW, calendar, changed, lesson, read

#: Where the series is on a Tuesday, and where a change may put it.
WEEKS = [f"2026{date}T083000" for date in ("0901", "0908", "0915", "0922", "0929")]
PLACES = [f"2026{date}T{clock}" for date in ("0902", "0911", "0923", "0930", "1002") for clock in ("083000", "120000")]
RULES = [
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;COUNT=4",
    "FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20260924T053000Z",
    "FREQ=DAILY;INTERVAL=7",
]


@st.composite
def series(draw: st.DrawFn) -> str:
    lines = [f"RRULE:{draw(st.sampled_from(RULES))}"]
    if without := draw(st.lists(st.sampled_from(WEEKS), max_size=2, unique=True)):
        lines.append(f"EXDATE;TZID=Europe/Moscow:{','.join(without)}")
    if also := draw(st.lists(st.sampled_from(PLACES), max_size=2, unique=True)):
        lines.append(f"RDATE;TZID=Europe/Moscow:{','.join(also)}")
    # The other library tells of cancelled changes, too.
    weeks = draw(st.lists(st.sampled_from(WEEKS), max_size=3, unique=True))
    said = st.tuples(st.sampled_from(PLACES), st.sampled_from(["SEQUENCE:1", "STATUS:CONFIRMED"]))
    parts = [lesson(*lines), *(changed(week, *draw(said)) for week in weeks)]
    return "".join(draw(st.permutations(parts)))


@settings(max_examples=150)
@given(text=series())
def test_a_series_is_what_another_library_makes_of_it(text: str) -> None:
    query = recurring_ical_events.of(Calendar.from_ical(calendar(text)))
    others = query.between(FIRST, LAST + dt.timedelta(days=1))
    expected = {(found["DTSTART"].dt.astimezone(MOSCOW), found["DTEND"].dt.astimezone(MOSCOW)) for found in others}
    assert {(found.start, found.end) for found in read(text).events or ()} == expected


@settings(max_examples=100)
@given(text=series(), week=st.sampled_from(WEEKS), place=st.sampled_from(PLACES))
def test_a_change_leaves_every_other_occurrence_alone(text: str, week: str, place: str) -> None:
    before, after = (
        {found.id: (found.start, found.end) for found in read(part).events or ()}
        for part in (text, text + changed(week, place, "SEQUENCE:9"))
    )
    different = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert len(different) <= 1
