"""Parts told by several sources become one school, or every place where they do not fit."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.model import GroupId, MarkReason, Mode, PersonId
from gateway.domain.statement import Excuse
from gateway.domain.timetable import CalendarDay, DayKind, Event, Lesson, Plan
from gateway.errors import SourceError
from sync.sources.joined import complete
from sync.sources.school import Card, Part, Remark
from sync.sources.table import parse, parse_part
from tests.school import FILES

WHOLE = parse_part(FILES)
NINE = dt.datetime(2025, 9, 8, 6, tzinfo=dt.UTC)
EVENT = Event(id="e1", group=GroupId("7Б"), start=NINE, end=NINE + dt.timedelta(hours=1), origin="club.ics:7")


def lines(*parts: Part) -> list[str]:
    with pytest.raises(SourceError) as caught:
        complete(parts)
    return str(caught.value).splitlines()


def only(*tables: str) -> Part:
    return parse_part({name: data for name, data in FILES.items() if name.removesuffix(".csv") in tables})


def test_one_part_is_a_school_as_its_folder_is() -> None:
    assert complete([WHOLE]) == parse(FILES)


def test_parts_in_any_cut_are_the_same_school() -> None:
    everything = [name.removesuffix(".csv") for name in FILES if name.endswith(".csv") and name != "cards.csv"]
    cards = {name: FILES[name] for name in ("cards.csv", "site.toml")}
    assert complete([only(*everything), parse_part(cards)]) == parse(FILES)


def test_a_later_part_replaces_what_an_earlier_one_tells() -> None:
    lesson = Lesson(group=GroupId("2А"), weekday=1, lesson=1)
    school = complete([WHOLE, Part(lessons=[lesson], name="Гимназия"), Part(language="en", contacts=[])])
    assert school.timetable.lessons == [lesson]
    assert (school.name, school.language, school.contacts) == ("Гимназия", "en", [])
    assert school.people[0].language == "en", "whose language is not told speaks the site's"
    assert len(school.people) == 16


def test_feeds_of_several_classes_and_holidays_of_several_sources_add_up() -> None:
    other = replace(EVENT, id="e2", group=GroupId("2А"), origin="2a.ics:3")
    day = CalendarDay(date=dt.date(2025, 11, 10), kind=DayKind.HOLIDAY, origin="club.ics:9")
    again = replace(day, origin="2a.ics:9")
    feeds = [Part(events=[EVENT], calendar=[day]), Part(events=[other], calendar=[again])]
    timetable = complete([WHOLE, *feeds]).timetable
    assert timetable.events == [EVENT, other]
    assert timetable.calendar == [*(WHOLE.calendar or ()), day]


def test_what_the_sources_said_beside_it_is_kept() -> None:
    said = [Remark(place=f"{n}.xml:1", problem="unknown table", hint="nothing") for n in "ab"]
    assert complete([replace(WHOLE, remarks=said[:1]), Part(remarks=said[1:])]).remarks == tuple(said)


def test_who_tells_of_events_may_do_without_lessons() -> None:
    events = replace(WHOLE, lessons=None, events=[EVENT])
    assert complete([events]).timetable.events == [EVENT]
    assert complete(
        [
            replace(
                events, classes=[replace(group, bells="") for group in WHOLE.classes or ()], bells=None, calendar=None
            )
        ]
    )
    assert lines(replace(WHOLE, lessons=None)) == [
        "lessons.csv: got no such table, expected lessons from one of the sources (export the table again, or compare with the sample school)"
    ]


def test_nothing_is_no_school() -> None:
    assert [line.partition(": got ")[0] for line in lines()] == [
        "site.toml:name",
        "site.toml:zone",
        *(f"{name}.csv" for name in ("people", "cards", "classes", "bells", "lessons", "lanes")),
    ]


STRANGER = PersonId("p9999999")


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (Part(events=[replace(EVENT, group=GroupId("7б"))]), 'club.ics:7:class: got "7б", expected one that classes.csv has (did you mean "7Б"?)'),
        (Part(lessons=[Lesson(group=GroupId("7B"), weekday=1, lesson=1, origin="asc.xml:12")]), 'asc.xml:12:class: got "7B", expected one that classes.csv has'),
        (Part(lessons=[Lesson(group=GroupId("7Б"), weekday=1, lesson=12, origin="asc.xml:12")]), "asc.xml:12:lesson: got lesson 12, expected one that has a bell (add it to the bells of 7Б)"),
        (Part(excuses=[Excuse(person=STRANGER, since=NINE, until=NINE + dt.timedelta(1), reason=MarkReason.FROST, origin="x.csv:2")]), "x.csv:2:person: got a text of 8 characters, expected one that people.csv has"),
        (Part(plans=[Plan(person=STRANGER, mode=Mode.NONE, first=NINE.date())]), "a source:person: got a text of 8 characters, expected one that people.csv has"),
        (Part(zone="Europe/Nowhere"), 'site.toml:zone: got "Europe/Nowhere", expected an IANA zone'),
        (Part(people=[]), "people: got no row, expected people from one of the sources"),
        (Part(events=[EVENT, replace(EVENT, origin="club.ics:9")]), "club.ics:9:id: got the same id and class as in club.ics:7, expected each id and class once"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_named_where_they_were_read(part: Part, line: str) -> None:
    (found,) = lines(WHOLE, part)
    assert found.startswith(line)


def test_a_card_belongs_to_one_person_at_a_time() -> None:
    cards: list[Card] = list(WHOLE.cards or ())
    again = replace(cards[0], person=cards[1].person, origin="later.csv:2")
    assert lines(WHOLE, Part(cards=[*cards, again])) == [
        "later.csv:2:uid: got the card of cards.csv:2, expected a card that belongs to one person at a time (remove one of the rows, or end one with valid_to)"
    ]
    ended = replace(cards[0], valid_to=NINE)
    assert complete([WHOLE, Part(cards=[ended, *cards[1:], replace(again, valid_from=NINE)])])


def test_dates_without_a_zone_are_refused() -> None:
    with pytest.raises(
        SourceError, match=r"^site\.toml:zone: got nothing, expected the zone whose days the tables mean"
    ):
        only("cards")
    assert parse_part({"cards.csv": FILES["cards.csv"]}, zone=ZoneInfo("Europe/Moscow")).cards == WHOLE.cards
