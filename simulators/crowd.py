"""Who comes to school this morning, when, with which card and how: pure, the same for the same seed."""

import hashlib
import hmac
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from simulators.scenario import Scenario

_MINUTE = timedelta(minutes=1)
_GIVEN = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Захар", "Ирина", "Кирилл", "Лев", "Мария")
_FAMILY = ("Акименко", "Бондаренко", "Гончар", "Дурново", "Живаго", "Кравец", "Лысенко", "Мельник", "Седых", "Черных")
_LETTERS = "АБВГДЕЖЗИК"
#: Minutes of lateness that leave a clear distance to the moments at which parents are told that a card was not seen.
_LATE_PRIMARY = (6, 6, 7, 7, 8, 8, 9, 9, 14, 17, 21, 25)
_LATE = (6, 6, 7, 7, 8, 9, 11, 12, 13, 19, 21, 25)
_A_LITTLE_LATE = (1, 2, 3, 4)


class Manner(StrEnum):
    """How somebody treats the reader."""

    PLAIN = "plain"
    #: Taps again after the lamp, to be sure.
    DOUBLE = "double"
    #: Leaves the card on the reader for a while.
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a reader can see: `em4100` at the serial lanes, `14443a` at the NFC lanes; UID in air order."""

    technology: str
    uid: bytes

    def token(self, secret: bytes, version: int) -> str:
        """By the words of the contract, and apart from the code under test: HMAC-SHA-256 of `technology:UID`, 128 bit."""
        name = f"{self.technology}:{self.uid.hex().upper()}".encode("ascii")
        return f"{version}:{hmac.new(secret, name, hashlib.sha256).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """A child with a card and a parent."""

    id: str
    given: str
    family: str
    grade: int
    #: Name of the class.
    group: str
    card: Card
    #: Address of the only parent.
    mail: str
    #: Language of the parent.
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody comes to the door."""

    at: datetime
    card: Card
    #: None for a visitor.
    pupil: str | None
    manner: Manner = Manner.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Everybody of one morning."""

    pupils: tuple[Pupil, ...]
    #: In order of time.
    arrivals: tuple[Arrival, ...]


def gather(scenario: Scenario, *, pupils: int, seed: int) -> Crowd:
    """The crowd of a seed."""
    dice = random.Random(seed)  # noqa: S311 - the same morning again is the point
    cards = _cards(dice)
    people = list(_pupils(scenario, pupils, cards, dice))
    arrivals = [*_comings(scenario, people, dice), *_visitors(scenario, pupils, cards, dice)]
    return Crowd(pupils=tuple(people), arrivals=tuple(sorted(arrivals, key=lambda a: (a.at, a.card.uid))))


def _pupils(scenario: Scenario, count: int, cards: Iterator[Card], dice: random.Random) -> Iterator[Pupil]:
    grades, size = scenario.school.grades, scenario.school.class_size
    for number in range(count):
        # At least two classes, so that a small crowd has younger and older pupils too.
        room = number % 2 if count < 2 * size else number // size
        yield Pupil(
            id=f"p{number + 1:04d}",
            given=dice.choice(_GIVEN),
            family=dice.choice(_FAMILY),
            grade=grades[room % len(grades)],
            group=f"{grades[room % len(grades)]}{_LETTERS[room // len(grades)]}",
            card=next(cards),
            mail=f"parent{number + 1:04d}@families.example",
            language=dice.choice(("ru", "en")),
        )


def _cards(dice: random.Random) -> Iterator[Card]:
    """Never the same card twice; half of them for each kind of reader, and NFC cards of every length of UID."""
    seen: set[bytes] = set()
    while True:
        uid = dice.choice(
            (
                b"\x55" + dice.randbytes(4),
                b"\x01" + dice.randbytes(4),
                b"\x00" + dice.randbytes(4),
                b"\x5a" + dice.randbytes(3),
                b"\x04" + dice.randbytes(6),
                b"\x05" + dice.randbytes(9),
            )
        )
        # The cascade tag 88 is no first byte of a level of the anticollision; an end of zeros or ones is a half read.
        if uid not in seen and b"\x88" not in uid and uid[-4:] not in (bytes(4), b"\xff" * 4):
            seen.add(uid)
            yield Card(technology="em4100" if len(uid) == 5 else "14443a", uid=uid)


def _comings(scenario: Scenario, people: Sequence[Pupil], dice: random.Random) -> Iterator[Arrival]:
    def some(percent: int) -> int:
        return round(len(people) * percent / 100)

    shares = scenario.crowd
    order = dice.sample(people, len(people))
    away, late = some(shares.absent), some(shares.late)
    coming = order[away:]
    manners = {pupil.id: Manner.DOUBLE for pupil in dice.sample(coming, some(shares.double_taps))}
    manners |= {pupil.id: Manner.HELD for pupil in dice.sample(coming, some(shares.held_cards))}
    for place, pupil in enumerate(coming):
        if place < late:
            at = _minutes_late(scenario, dice.choice(_LATE_PRIMARY if pupil.grade <= 4 else _LATE), dice)
        elif place < late + some(shares.a_little_late):
            at = _minutes_late(scenario, dice.choice(_A_LITTLE_LATE), dice)
        else:
            at = _in_time(scenario, dice)
        yield Arrival(at=at, card=pupil.card, pupil=pupil.id, manner=manners.get(pupil.id, Manner.PLAIN))


def _visitors(scenario: Scenario, pupils: int, cards: Iterator[Card], dice: random.Random) -> Iterator[Arrival]:
    for _ in range(round(pupils * scenario.crowd.unknown_cards / 100)):
        yield Arrival(at=_in_time(scenario, dice), card=next(cards), pupil=None)
    for _ in range(round(pupils * scenario.crowd.random_cards / 100)):
        # ISO/IEC 14443-3: a UID of four bytes that begins with 08 is another one each time.
        phone = Card(technology="14443a", uid=b"\x08" + dice.randbytes(3))
        yield Arrival(at=_in_time(scenario, dice), card=phone, pupil=None)


def _in_time(scenario: Scenario, dice: random.Random) -> datetime:
    first, peak, last = (
        scenario.at(moment).timestamp()
        for moment in (scenario.arrivals.first, scenario.arrivals.peak, scenario.arrivals.last)
    )
    return datetime.fromtimestamp(dice.triangular(first, last, peak), tz=UTC)


def _minutes_late(scenario: Scenario, minutes: int, dice: random.Random) -> datetime:
    """Early in the minute, so that the moment a tap takes does not make it another one."""
    start = scenario.at(scenario.lesson.start).astimezone(UTC)
    return start + (minutes - 1) * _MINUTE + timedelta(seconds=dice.uniform(20, 35))
