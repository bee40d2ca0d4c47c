"""What a morning's end allows for: the time that facts and messages really took."""

from datetime import UTC, datetime, timedelta

from simulators.ledgers import Record
from simulators.reconciliation import Evidence, Told, slowest

NOON = datetime(2026, 9, 9, 12, tzinfo=UTC)


def record(travelled: int | None) -> Record:
    received = None if travelled is None else NOON + timedelta(seconds=travelled)
    return Record(gateway="g", epoch="e", seq=1, body=b"", hash=b"", type="att.tap.v1", at=NOON, received=received)


def told(waited: int) -> Told:
    return Told(pupil="p1", template="late", recipient="r", sent=True, waited=timedelta(seconds=waited))


def evidence(journal: list[Record], notices: list[Told]) -> Evidence:
    return Evidence(gateways=(), journal=journal, marks={}, notices=notices, mails=())


def test_what_waits_in_a_long_line_of_mails_may_be_withdrawn_meanwhile() -> None:
    found = evidence([record(None), record(9), record(40)], [told(3), told(200)])
    assert slowest(found) == timedelta(seconds=240)


def test_nothing_is_allowed_for_where_nothing_took_time() -> None:
    assert slowest(evidence([], [])) == timedelta(0)
