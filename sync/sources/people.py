"""From rows to people, how to reach them, their cards, and why and when they need not come; and to the lanes they pass."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from gateway.domain.credential import Credential
from gateway.domain.model import GroupId, LaneId, PersonId
from gateway.domain.statement import Excuse
from gateway.domain.timetable import Plan
from gateway.errors import CredentialRefused
from sync.sources import columns as col
from sync.sources.rows import Problems, Row
from sync.sources.school import Card, Contact, Person, Role, ServedLane

_MEND = "mend one of the two"


def read_people(rows: Sequence[Row], problems: Problems) -> list[Person]:
    """Somebody in each row; every pupil is in a class."""
    for row in rows:
        if row[col.PUPILS_CLASS] is None and row[col.ROLE] is Role.PUPIL:
            problems.at(
                row, col.PUPILS_CLASS, "an empty cell", "the class of a pupil", "fill it in, or give the role staff"
            )
    return [
        Person(
            id=PersonId(row[col.ID]),
            last_name=row[col.LAST_NAME],
            first_name=row[col.FIRST_NAME],
            language=row[col.LANGUAGE],
            groups=tuple(dict.fromkeys(GroupId(name) for name in (row[col.PUPILS_CLASS], *row[col.GROUPS]) if name)),
            role=row[col.ROLE],
            origin=row.origin,
        )
        for row in rows
    ]


def read_contacts(rows: Sequence[Row]) -> list[Contact]:
    """An address in each row."""
    return [
        Contact(
            person=PersonId(row[col.PERSON]),
            address=row[col.ADDRESS],
            language=row[col.LANGUAGE],
            origin=row.origin,
        )
        for row in rows
    ]


def read_cards(rows: Sequence[Row], zone: ZoneInfo, problems: Problems) -> list[Card]:
    """A card in each row; its dates are days of the zone."""
    cards: list[Card] = []
    for row in rows:
        try:
            credential = Credential(technology=row[col.TECHNOLOGY], uid=row[col.UID])
        except CredentialRefused as refused:
            problems.at(row, col.UID, f"{len(row[col.UID])} bytes", f"a fixed, complete UID: {refused}", refused.hint)
            continue
        first, last = row[col.VALID_FROM], row[col.VALID_TO]
        if first is not None and last is not None and last < first:
            problems.at(row, col.VALID_TO, str(last), f"a date from {first} on", _MEND)
        card = Card(
            credential=credential,
            person=PersonId(row[col.PERSON]),
            valid_from=None if first is None else _begin(first, zone),
            valid_to=None if last is None else _end(last, zone),
            state=row[col.STATE],
            origin=row.origin,
        )
        cards.append(card)
    return cards


def read_excuses(rows: Sequence[Row], zone: ZoneInfo, problems: Problems) -> list[Excuse]:
    """A span in each row: whole days, or from and to a time of a day; without an end it is the day of its beginning."""
    excuses: list[Excuse] = []
    for row in rows:
        first, last = row[col.SINCE], row[col.UNTIL]
        since, until = _begin(first, zone), _end(_day(first) if last is None else last, zone)
        if until <= since:
            problems.at(row, col.UNTIL, str(last), f"a moment after {first}", _MEND)
            continue
        excuse = Excuse(
            person=PersonId(row[col.PERSON]), since=since, until=until, reason=row[col.REASON], origin=row.origin
        )
        excuses.append(excuse)
    return excuses


def read_plans(rows: Sequence[Row], problems: Problems) -> list[Plan]:
    """A person's own way in each row."""
    for row in rows:
        first, last = row[col.PLAN_FIRST], row[col.LAST]
        if last is not None and last < first:
            problems.at(row, col.LAST, str(last), f"a date from {first} on", _MEND)
    return [
        Plan(
            person=PersonId(row[col.PERSON]),
            mode=row[col.PLAN_MODE],
            first=row[col.PLAN_FIRST],
            last=row[col.LAST],
            weekdays=row[col.WEEKDAYS],
            lessons=row[col.LESSONS],
            origin=row.origin,
        )
        for row in rows
    ]


def read_lanes(rows: Sequence[Row], problems: Problems) -> list[ServedLane]:
    """A lane in each row."""
    for row in rows:
        if row[col.OPENS] >= row[col.CLOSES]:
            expected = f"a time after {row[col.OPENS]:%H:%M}, its opens"
            problems.at(row, col.CLOSES, f"{row[col.CLOSES]:%H:%M}", expected, _MEND)
    return [
        ServedLane(
            gateway=row[col.GATEWAY],
            id=LaneId(row[col.LANE]),
            direction=row[col.DIRECTION],
            opens=row[col.OPENS],
            closes=row[col.CLOSES],
            rotations=row[col.ROTATIONS],
            origin=row.origin,
        )
        for row in rows
    ]


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _begin(moment: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first instant of a date, or the moment itself."""
    if isinstance(moment, dt.datetime):
        return moment.replace(tzinfo=zone).astimezone(dt.UTC)
    return dt.datetime.combine(moment, dt.time.min, zone).astimezone(dt.UTC)


def _end(moment: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first instant after a date, or the moment itself."""
    return _begin(moment if isinstance(moment, dt.datetime) else moment + dt.timedelta(days=1), zone)
