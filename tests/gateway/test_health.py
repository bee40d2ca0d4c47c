"""What the gateway says of itself."""

import json
from datetime import timedelta

import pytest

from gateway import health
from gateway.domain.decide import Recent
from gateway.domain.model import LaneDirection
from gateway.lane import Lane, Site
from tests.domain.build import KEY, LANE, at, directory, instant
from tests.gateway.fakes import HandClock, Ledger


def document(*, waiting: int = 0, oldest: str | None = None, connected: bool = True) -> dict[str, object]:
    site = Site(
        outbox=Ledger(),
        clock=HandClock(),
        directory=directory,
        recent=Recent(timedelta(seconds=5)),
        keys=[KEY],
        report=lambda error: None,
    )
    return health.report(
        [Lane(site, LANE, LaneDirection.IN)],
        directory(),
        instant("08:00"),
        waiting=waiting,
        oldest=at(oldest) if oldest else None,
        last=9,
        link={"connected": connected},
    )


def test_it_is_one_document_of_ascii() -> None:
    told = json.loads(health.payload(document(waiting=3, oldest="07:58")).decode("ascii"))
    assert told["lanes"][LANE] == {"reader": False, "gate": False, "stand": [], "unpermitted": 0, "not_recorded": 0}
    assert (told["queue"], told["queue_seconds"], told["last"], told["clock"]) == (3, 120, 9, "synced")
    assert (told["time"], told["directory"]) == ("2026-09-01T08:00:00.000Z", 7)
    assert told["directory_valid_until"] == "2026-09-15T00:00:00.000Z"


@pytest.mark.parametrize(("oldest", "age"), [(None, None), ("08:00", 0), ("08:10", 0)])
def test_the_age_of_the_queue_is_never_negative(oldest: str | None, age: int | None) -> None:
    assert document(oldest=oldest)["queue_seconds"] == age


def test_the_version_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = document()["version"]
    monkeypatch.setattr(health, "version", lambda name: pytest.fail("metadata is read from the disk"))
    assert document()["version"] == first


def test_a_queue_that_moves_is_no_news_and_a_link_that_breaks_is() -> None:
    moved, broken = document(waiting=8, oldest="07:00"), document(connected=False)
    noisy = document() | {"disk_free": 1, "faults": {LANE: {"bad_frames": 1}}}
    assert health.standing(document()) == health.standing(moved) == health.standing(noisy)
    assert health.standing(document()) != health.standing(broken)
