"""What an envelope says: an event, or why nobody may judge by it; and the columns of `entries` that it makes.

Nearly everything that comes is a tap, written by our own `encode`. Such a line is matched as it stands, which takes a sixth
of the time of reading it; whatever differs from it by a byte is read. Both end in the same columns.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from gateway.domain.credential import Technology
from gateway.domain.entry import ClockData, CoverageData, TapData
from gateway.domain.model import Assurance, ClockState, Direction, Reason, Status
from gateway.domain.wire import Envelope, Event, Stream, decode
from gateway.errors import MalformedMessage
from journal.store import milliseconds

MALFORMED, IDENTITY = "malformed", "identity"
#: type, at, recorded, boot, lane, token, flag, origin.
Columns: TypeAlias = tuple[str | int | None, ...]
_MAX_TEXT = 128
#: Nothing of ours happens outside, not even before anybody set a clock; inside, no sum of a time and a correction leaves
#: the calendar.
_CALENDAR = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_TEXT, _NUMBER = r"[ !#-\[\]-~]", r"(?:0|[1-9][0-9]{0,17})"
_TIME = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)"
_SHORT = rf"({_TEXT}{{0,{_MAX_TEXT}}})"


def _one_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


#: From the id on; every clock but an unset one.
_TAP = re.compile(
    r'([0-9]{12})","sequence":"\1","type":"att\.tap\.v1",'
    rf'"time":"{_TIME}","recordedtime":"{_TIME}","boot":"{_SHORT}","boottime":"{_NUMBER}",'
    rf'"clock":"{_one_of(set(ClockState) - {ClockState.UNSYNCED})}",'
    rf'"data":\{{"lane":"{_SHORT}","direction":"{_one_of(Direction)}","token":(?:null|"{_SHORT}"),'
    rf'"technology":"{_one_of(Technology)}","assurance":"{_one_of(Assurance)}","person":(?:null|"{_TEXT}*"),'
    rf'"verdict":\{{"admit":(?:true|false),"reason":"{_one_of(Reason)}"\}},'
    rf'"match":(?:null|\{{"slot":"{_TEXT}*","status":"{_one_of(Status)}","minutes":{_NUMBER}\}}),'
    rf'"directory":(?:null|{_NUMBER})\}}\}}'
)


@dataclass(frozen=True, slots=True)
class PlainTap:
    """A tap on a set clock that was appended once, in its columns."""

    at: datetime
    token: str | None
    columns: Columns


def read_lines(stream: Stream, envelopes: Iterable[Envelope]) -> list[PlainTap | Event | str]:
    """Of each envelope a plain tap, or what `read_event` says."""
    head = f'{{"specversion":"1.0","source":"{stream.source}","id":"'
    return [_plain_tap(head, envelope) or read_event(stream, envelope) for envelope in envelopes]


def read_event(stream: Stream, envelope: Envelope) -> Event | str:
    """The event, or why nobody may judge by it: it does not decode, is of no time of ours, or is another's by its name."""
    try:
        event = decode(envelope.body)
        possible = all(_CALENDAR[0] <= at < _CALENDAR[1] for at in _moments(event))
    except (MalformedMessage, OverflowError, ValueError):
        return MALFORMED
    if event.seq != envelope.seq or event.stream != stream:
        return IDENTITY
    data = event.data
    storable = _storable(data.type) and _storable(event.at.boot) and _storable(getattr(data, "lane", ""))
    return event if possible and storable and _storable(getattr(data, "token", None) or "") else MALFORMED


def columns_of(read: PlainTap | Event | str) -> Columns:
    """What `entries` holds besides the bytes; of a flagged line the flag alone."""
    if isinstance(read, PlainTap):
        return read.columns
    if isinstance(read, str):
        return (None, None, None, None, None, None, read, None)
    data = read.data
    return (
        data.type,
        milliseconds(read.at.at),
        milliseconds(read.recorded),
        read.at.boot,
        getattr(data, "lane", None),
        getattr(data, "token", None),
        None,
        str(read.origin) if read.origin is not None else None,
    )


def _plain_tap(head: str, envelope: Envelope) -> PlainTap | None:
    line = envelope.body.decode("latin-1")
    if not line.startswith(head) or (found := _TAP.fullmatch(line, len(head))) is None:
        return None
    digits, time, recordedtime, boot, lane, token = found.groups()
    try:
        at, recorded = datetime.fromisoformat(time), datetime.fromisoformat(recordedtime)
    except ValueError:
        return None
    possible = _CALENDAR[0] <= at < _CALENDAR[1] and _CALENDAR[0] <= recorded < _CALENDAR[1]
    if int(digits) != envelope.seq or not possible:
        return None
    columns = (TapData.type, milliseconds(at), milliseconds(recorded), boot, lane, token, None, None)
    return PlainTap(at, token, columns)


def _moments(event: Event) -> Iterable[datetime]:
    """Everything that a day could be made of. Raises OverflowError."""
    yield from (event.at.at, event.recorded)
    match event.data:
        case CoverageData(since=since, until=until):
            yield from (since, until)
        case ClockData(wall=wall, correction=correction):
            yield from (wall, event.at.at + timedelta(milliseconds=correction))


def _storable(text: object) -> bool:
    """Ids of the contract are short ASCII words; anything else could not be a column of every database."""
    return isinstance(text, str) and len(text) <= _MAX_TEXT and text.isascii() and text.isprintable()
