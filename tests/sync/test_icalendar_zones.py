"""Zones of a calendar in every spelling, and what a change of the clock does to a series."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tests.sync.feed import event, lesson, read, starts

WEEKLY = "RRULE:FREQ=WEEKLY"
VTIMEZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("DTSTART:20260901T053000Z", "01 08:30"),
        ("DTSTART:20260901T083000", "01 08:30"),
        ("DTSTART;TZID=Russian Standard Time:20260901T083000", "01 08:30"),
        ('DTSTART;TZID="Asia/Yekaterinburg":20260901T103000', "01 08:30"),
        ("DTSTART;TZID=/freeassociation.example/Europe/Moscow:20260901T083000", "01 08:30"),
        ("DTSTART;TZID=Home:20260901T083000", "01 08:30"),
        ("DTSTART;X-PARAM=a;TZID=Europe/Mos\n cow:20260901T083\n 000", "01 08:30"),
    ],
)
def test_a_zone_in_every_spelling(start: str, found: str) -> None:
    assert starts(read(VTIMEZONE.format(name="Home"), event(start, "DURATION:PT45M"))) == found


@pytest.mark.parametrize(
    ("date", "offset"), [("20260324", 2), ("20260331", 3), ("20261020", 3), ("20261027", 2), ("20260901", 3)]
)
def test_a_zone_that_only_the_file_knows(date: str, offset: int) -> None:
    begin = event(f"DTSTART;TZID=Customized Time Zone:{date}T083000", "DURATION:PT45M")
    day = dt.datetime.strptime(date, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    part = read(VTIMEZONE.format(name="Customized Time Zone"), begin, first=day, last=day)
    assert [found.start.hour for found in part.events or ()] == [8 - offset]


def test_a_zone_of_the_file_with_a_place_is_that_place() -> None:
    own = VTIMEZONE.format(name="Ours").replace("TZID:Ours", "TZID:Ours\nX-LIC-LOCATION:Asia/Yekaterinburg")
    assert starts(read(own, event("DTSTART;TZID=Ours:20260901T103000", "DURATION:PT45M"))) == "01 08:30"


def test_a_series_keeps_its_wall_time_over_a_change_of_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    weekly = lesson(WEEKLY, start="20261018T023000").replace("Europe/Moscow", "Europe/Berlin")
    part = read(weekly, first=dt.date(2026, 10, 18), last=dt.date(2026, 11, 1), zone=berlin)
    assert [f"{found.start:%d %H:%M}" for found in part.events or ()] == ["18 00:30", "25 00:30", "01 01:30"]
    spring = lesson(WEEKLY, start="20260322T023000").replace("Europe/Moscow", "Europe/Berlin")
    part = read(spring, first=dt.date(2026, 3, 22), last=dt.date(2026, 4, 5), zone=berlin)
    assert [f"{found.start:%d %H:%M}" for found in part.events or ()] == ["22 01:30", "29 01:30", "05 00:30"]


def test_a_calendar_with_a_zone_of_its_own_means_its_utc_times_in_that_zone() -> None:
    weekly = event("DTSTART:20261020T063000Z", "DURATION:PT45M", WEEKLY)
    own = "X-WR-TIMEZONE:Europe/Berlin\n"
    floating = event("DTSTART:20261027T083000", "DURATION:PT45M")
    for parts, hours in (((own, weekly), [6, 7]), ((weekly,), [6, 6]), ((own, floating), [7])):
        part = read(*parts, first=dt.date(2026, 10, 20), last=dt.date(2026, 10, 27))
        assert [found.start.hour for found in part.events or ()] == hours
