"""An oracle that cannot fail is worthless: every lie planted into a true morning is found, and nothing else is."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from simulators import audit, oracle
from simulators.crowd import Arrival, Card, Crowd, Pupil
from simulators.ledgers import Record, record
from simulators.oracle import Attempt, Lamp, Rules
from simulators.reconciliation import expected_between, percentiles

SECRET = bytes(range(32))
START = datetime(2026, 9, 9, 5, 30, tzinfo=UTC)
RULES = Rules(start=START, end=START + timedelta(minutes=45), complete=True, margin=timedelta(minutes=2))
BLIND = dataclasses.replace(RULES, complete=False)
CARD = Card(technology="em4100", uid=bytes.fromhex("55007EE424"))
PHONE = Card(technology="14443a", uid=bytes.fromhex("08A1B2C3"))


def pupil(name: str = "p1", grade: int = 7) -> Pupil:
    return Pupil(
        id=name,
        given="Анна",
        family="Седых",
        grade=grade,
        group=f"{grade}А",
        card=CARD,
        mail=f"{name}@families.example",
        language="ru",
    )


def shown(minutes: float, *, lamp: Lamp | None = Lamp.GREEN, lane: str = "serial", card: Card = CARD) -> Attempt:
    at = START + timedelta(minutes=minutes)
    who = None if card is PHONE else "p1"
    seen = at + timedelta(seconds=6)
    return Attempt(gateway="north", lane=lane, card=card, pupil=who, presented=at, ended=seen, left=seen, lamp=lamp)


def ledger(attempts: Sequence[Attempt]) -> list[Record]:
    """What a gateway writes that does nothing wrong."""
    hashed = hashlib.sha256(b"att.v1|school|north|e1").digest()
    records = []
    for seq, attempt in enumerate(attempts, 1):
        at = attempt.presented + timedelta(seconds=3)
        token = None if attempt.card is PHONE else attempt.card.token(SECRET, 1)
        event = {
            "source": "urn:att:school:north:e1",
            "sequence": f"{seq:012d}",
            "type": "att.tap.v1",
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {"lane": attempt.lane, "token": token},
        }
        body = json.dumps(event).encode("ascii")
        hashed = hashlib.sha256(hashed + body).digest()
        records.append(record(body, hashed))
    return records


TAPS = [shown(-20), shown(-19, lane="nfc", card=PHONE, lamp=Lamp.AMBER), shown(-10), shown(7)]


def found(
    attempts: Sequence[Attempt] = TAPS, gateway: Sequence[Record] | None = None, journal: Sequence[Record] | None = None
) -> audit.Entries:
    true = ledger(TAPS)
    return audit.entries(
        attempts,
        true if gateway is None else gateway,
        true if journal is None else journal,
        site="school",
        secret=SECRET,
    )


class TestEntries:
    def test_a_true_morning_reconciles(self) -> None:
        result = found()
        assert (result.mismatches, result.duplicates, result.gaps) == ([], 0, 0)
        assert {tap.seq for _, tap in result.matched} == {1, 2, 3, 4}

    def test_a_green_lamp_without_an_entry(self) -> None:
        result = found(attempts=[*TAPS, shown(9)])
        assert [m for m in result.mismatches if "no entry says so" in m] == result.mismatches != []

    def test_an_entry_without_a_card(self) -> None:
        result = found(attempts=TAPS[:-1])
        assert result.duplicates == 1
        assert "no card was shown" in result.mismatches[0]

    def test_one_tap_written_twice(self) -> None:
        both = ledger([*TAPS, TAPS[-1]])
        result = found(gateway=both, journal=both)
        assert result.duplicates == 1
        assert len(result.mismatches) == 1

    def test_an_entry_counted_twice(self) -> None:
        result = found(journal=[*ledger(TAPS), ledger(TAPS)[1]])
        assert result.duplicates >= 1
        assert any("2 times" in mismatch for mismatch in result.mismatches)

    @pytest.mark.parametrize("lost", [0, 1, 2])
    def test_a_lost_entry(self, lost: int) -> None:
        journal = ledger(TAPS)
        del journal[lost]
        result = found(journal=journal)
        assert result.gaps == 1
        assert any("lacks entry" in mismatch for mismatch in result.mismatches)

    def test_the_newest_entry_lost(self) -> None:
        result = found(journal=ledger(TAPS)[:-1])
        assert any("lacks entry 4" in mismatch for mismatch in result.mismatches)
        assert any("no entry says so" in mismatch for mismatch in result.mismatches)

    def test_lost_on_both_sides(self) -> None:
        both = ledger(TAPS)
        del both[2]
        result = found(gateway=both, journal=both)
        assert result.gaps == 1

    def test_an_entry_from_nowhere(self) -> None:
        result = found(gateway=ledger(TAPS)[:-1])
        assert any("does not know" in mismatch for mismatch in result.mismatches)

    def test_other_bytes(self) -> None:
        true = ledger(TAPS)
        forged = dataclasses.replace(true[1], body=true[1].body.replace(b"nfc", b"nfd"))
        result = found(journal=[true[0], forged, *true[2:]])
        assert any("other bytes" in mismatch for mismatch in result.mismatches)
        assert any("chain of hashes" in mismatch for mismatch in result.mismatches)

    def test_the_wrong_lane_and_the_wrong_time(self) -> None:
        elsewhere = [*TAPS[:-1], dataclasses.replace(TAPS[-1], lane="nfc")]
        later = [*TAPS[:-1], dataclasses.replace(TAPS[-1], presented=TAPS[-1].presented + timedelta(minutes=1))]
        for wrong in (elsewhere, later):
            both = ledger(wrong)
            assert len(found(gateway=both, journal=both).mismatches) == 2

    def test_taken_away_in_the_dark_may_be_read_or_not(self) -> None:
        dark = shown(-5, lamp=None)
        assert found(attempts=[*TAPS, dark]).mismatches == []
        both = ledger([*TAPS, dark])
        assert found(attempts=[*TAPS, dark], gateway=both, journal=both).mismatches == []

    def test_only_a_kill_in_between_excuses_a_second_entry_of_a_card_that_stayed(self) -> None:
        long = dataclasses.replace(TAPS[-1], left=TAPS[-1].left + timedelta(seconds=60))
        again = dataclasses.replace(TAPS[-1], presented=TAPS[-1].presented + timedelta(seconds=50))
        both = ledger([*TAPS, again])
        attempts = [*TAPS[:-1], long]
        for at, fine in ((20, True), (-20, False), (90, False)):
            kills = {"north": [long.presented + timedelta(seconds=at)], "south": [long.presented]}
            result = audit.entries(attempts, both, both, site="school", secret=SECRET, kills=kills)
            assert (result.mismatches == []) is fine

    def test_the_same_tap_again_shows_a_lamp_and_writes_nothing(self) -> None:
        again = dataclasses.replace(TAPS[-1], presented=TAPS[-1].presented + timedelta(seconds=6))
        again = dataclasses.replace(again, ended=again.presented + timedelta(seconds=1))
        assert found(attempts=[*TAPS, again]).mismatches == []


@pytest.mark.parametrize(
    ("grade", "attempts", "rules", "mark", "told"),
    [
        (7, [], RULES, ("absent", 0), ("not_seen",)),
        (7, [], BLIND, ("unknown", 0), ()),
        (7, [shown(-20)], RULES, ("present", 0), ()),
        (7, [shown(-20), shown(7)], RULES, ("present", 0), ()),
        (7, [shown(3.5)], RULES, ("late", 4), ()),
        (7, [shown(6.5)], RULES, ("late", 7), ("late",)),
        (7, [shown(6.5)], BLIND, ("late", 7), ()),
        (2, [shown(13.5)], RULES, ("late", 14), ("not_seen", "update")),
        (7, [shown(13.5)], RULES, ("late", 14), ("late",)),
        (7, [shown(18.5)], RULES, ("late", 19), ("not_seen", "update")),
        (7, [shown(24.5)], RULES, ("absent", 0), ("not_seen", "update")),
        (7, [shown(24.5)], BLIND, ("unknown", 0), ()),
    ],
)
def test_one_story_of_each_pupil(
    grade: int, attempts: list[Attempt], rules: Rules, mark: tuple[str, int], told: tuple[str, ...]
) -> None:
    story = oracle.story(pupil(grade=grade), attempts, rules)
    assert story.marks == {mark}
    assert story.notices == {told}


def test_where_the_doors_cannot_tell_both_stories_are_true() -> None:
    nobody_saw = oracle.story(pupil(), [shown(-20, lamp=None)], RULES)
    assert nobody_saw.marks == {("present", 0), ("absent", 0)}
    just_then = oracle.story(pupil(), [shown(15.5)], RULES)
    assert just_then.notices == {("late",), ("not_seen", "update")}
    counts = expected_between([nobody_saw, just_then])
    assert counts == {"present": (0, 1), "late": (1, 1), "absent": (0, 1), "unknown": (0, 0), "notices": (1, 3)}
    on_the_minute = oracle.story(pupil(), [shown(6.95)], RULES)
    assert on_the_minute.marks == {("late", 7), ("late", 8)}


STORIES = oracle.stories_of([pupil("p1"), pupil("p2")], [shown(6.5), dataclasses.replace(shown(-9), pupil="p2")], RULES)
TRUE_MARKS = {"p1": ("late", 7), "p2": ("present", 0)}
TRUE_NOTICES = {"p1": ["late"]}


class TestTheJournal:
    def test_the_truth(self) -> None:
        assert list(oracle.marks(STORIES, TRUE_MARKS)) == []
        assert list(oracle.notices(STORIES, TRUE_NOTICES)) == []

    @pytest.mark.parametrize(
        "lie",
        [
            {"p1": ("late", 8)},
            {"p1": ("present", 0)},
            {"p2": ("late", 1)},
            {"p2": ("unknown", 0)},
            {"p2": ("pending", 0)},
            {"p9": ("absent", 0)},
        ],
    )
    def test_a_wrong_mark(self, lie: dict[str, tuple[str, int]]) -> None:
        assert len(list(oracle.marks(STORIES, TRUE_MARKS | lie))) == 1

    def test_a_mark_that_is_missing(self) -> None:
        assert len(list(oracle.marks(STORIES, {"p1": ("late", 7)}))) == 1

    @pytest.mark.parametrize(
        "lie",
        [
            {"p1": []},
            {"p1": ["late", "late"]},
            {"p1": ["late", "correction"]},
            {"p1": ["not_seen", "update"]},
            {"p2": ["late"]},
            {"p2": ["not_seen"]},
            {"p9": ["late"]},
        ],
    )
    def test_a_wrong_notice(self, lie: dict[str, list[str]]) -> None:
        assert len(list(oracle.notices(STORIES, TRUE_NOTICES | lie))) == 1

    def test_a_mail_too_many_and_one_too_few(self) -> None:
        said = {"p1@families.example": 1}
        assert list(oracle.mails(said, {}, said)) == []
        assert len(list(oracle.mails(said, {}, {"p1@families.example": 2}))) == 1
        assert len(list(oracle.mails(said, {}, {}))) == 1
        assert len(list(oracle.mails(said, {}, said | {"p2@families.example": 1}))) == 1

    def test_an_attempt_that_broke_is_heard_once_at_most(self) -> None:
        unsure = {"p1@families.example": 1}
        assert [list(oracle.mails({}, unsure, {"p1@families.example": n})) == [] for n in range(3)] == [
            True,
            True,
            False,
        ]

    def test_who_came_has_to_get_in(self) -> None:
        came = Arrival(at=START, card=CARD, pupil="p1")
        crowd = Crowd(pupils=(pupil(),), arrivals=(came,))
        assert list(oracle.lamps(crowd, [shown(-2, lamp=None), shown(-1), shown(0, lamp=Lamp.AMBER, card=PHONE)])) == []
        for wrong in (
            [],
            [shown(-1, lamp=None)],
            [shown(-1), shown(0, lamp=Lamp.AMBER)],
            [shown(-1), shown(0, card=PHONE)],
        ):
            assert len(list(oracle.lamps(crowd, wrong))) == 1


def test_figures_of_nothing_are_null() -> None:
    assert percentiles([], 50, 95) == {"p50": None, "p95": None}
    assert percentiles([0.002, 0.001], 50, 95) == {"p50": 1.0, "p95": 2.0}
