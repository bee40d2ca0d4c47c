"""Doors against the ledgers of the gateways, and those against the journal: nothing lost, nothing doubled, nothing made up."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from simulators.crowd import Card
from simulators.ledgers import Record
from simulators.oracle import Attempt, Lamp

#: Times in the ledger are cut to milliseconds.
_GRAIN = timedelta(milliseconds=1)
#: The register: the same card at the same lane within this time is the same tap.
_REPEAT = timedelta(seconds=5)

_Key: TypeAlias = tuple[str, str | None, str | None]


@dataclass(slots=True, kw_only=True)
class Entries:
    """How entries relate to what happened at the doors."""

    mismatches: list[str] = field(default_factory=list)
    duplicates: int = 0
    gaps: int = 0
    #: The attempts that were shown a lamp, each with its entry.
    matched: list[tuple[Attempt, Record]] = field(default_factory=list)


def entries(
    attempts: Sequence[Attempt],
    gateways: Sequence[Record],
    journal: Sequence[Record],
    *,
    site: str,
    secret: bytes,
    kills: Mapping[str, Sequence[datetime]] | None = None,
) -> Entries:
    """Doors against the gateways' ledgers, and those against the journal.

    `secret` is version 1 of the site key; `kills` tells when each gateway was killed.
    """
    found = Entries()
    _carried(gateways, journal, found)
    _chained(journal, site, found)
    _tapped(attempts, _Claims((r for r in journal if r.is_tap), secret), kills or {}, found)
    return found


def _carried(gateways: Sequence[Record], journal: Sequence[Record], found: Entries) -> None:
    ours, theirs = {r.place: r.body for r in gateways}, {r.place: r.body for r in journal}
    for gateway, epoch, seq in sorted(ours.keys() - theirs.keys()):
        found.mismatches.append(f"the journal lacks entry {seq} of {gateway}/{epoch}")
    for gateway, epoch, seq in sorted(theirs.keys() - ours.keys()):
        found.mismatches.append(f"the journal holds entry {seq} of {gateway}/{epoch} that the gateway does not know")
    for place in sorted(ours.keys() & theirs.keys()):
        if ours[place] != theirs[place]:
            found.mismatches.append(
                f"entry {place[2]} of {place[0]} has other bytes in the journal than at the gateway"
            )
    for place, times in Counter(r.place for r in journal).items():
        if times > 1:
            found.duplicates += times - 1
            found.mismatches.append(f"the journal holds entry {place[2]} of {place[0]} {times} times")


def _chained(journal: Sequence[Record], site: str, found: Entries) -> None:
    """Gapless from 1, and every hash is that of all bytes before it."""
    streams: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in sorted(journal, key=lambda r: r.place):
        streams[record.gateway, record.epoch].append(record)
    for (gateway, epoch), records in streams.items():
        seqs = {r.seq for r in records}
        missing = sorted(set(range(1, max(seqs) + 1)) - seqs)
        found.gaps += len(missing)
        if missing:
            found.mismatches.append(f"{gateway}: seqs {missing[:5]} of {max(seqs)} are missing in the journal")
            continue
        head = hashlib.sha256(f"att.v1|{site}|{gateway}|{epoch}".encode("ascii")).digest()
        for record in {r.seq: r for r in records}.values():
            head = hashlib.sha256(head + record.body).digest()
            if head != record.hash:
                found.mismatches.append(f"{gateway}: the chain of hashes breaks at seq {record.seq}")
                break


class _Claims:
    """Which tap entry belongs to which attempt: each at most once."""

    def __init__(self, taps: Iterable[Record], secret: bytes) -> None:
        self._secret = secret
        self._all: dict[_Key, list[Record]] = defaultdict(list)
        for tap in sorted(taps, key=lambda r: r.at):
            self._all[tap.gateway, tap.lane, tap.token].append(tap)
        self._free = {key: list(records) for key, records in self._all.items()}

    def take(self, attempt: Attempt, until: datetime) -> Record | None:
        """The first entry after the card came that nobody has claimed."""
        free = self._free.get(self._key(attempt), [])
        found = next((t for t in free if attempt.presented - _GRAIN <= t.at <= until), None)
        if found is not None:
            free.remove(found)
        return found

    def repeats(self, attempt: Attempt) -> bool:
        """Whether it is the same tap again, which shows a lamp and writes nothing."""
        before = attempt.presented - _REPEAT
        return any(before <= tap.at <= attempt.ended for tap in self._all.get(self._key(attempt), ()))

    def rest(self) -> list[Record]:
        """What nobody claimed."""
        return [tap for free in self._free.values() for tap in free]

    def _key(self, attempt: Attempt) -> _Key:
        return attempt.gateway, attempt.lane, _token(attempt.card, self._secret)


def _tapped(
    attempts: Iterable[Attempt], claims: _Claims, kills: Mapping[str, Sequence[datetime]], found: Entries
) -> None:
    """Each lamp has exactly one entry between card and lamp; no entry is without a card."""
    # Those who saw a lamp choose first: a card that was taken away in the dark may have been read or not.
    for attempt in sorted(attempts, key=lambda a: (a.lamp is None, a.presented)):
        tap = claims.take(attempt, attempt.ended)
        if tap is not None and attempt.lamp is not None:
            found.matched.append((attempt, tap))
        if tap is None and attempt.lamp in (Lamp.GREEN, Lamp.AMBER) and not claims.repeats(attempt):
            who = attempt.pupil or "a visitor"
            found.mismatches.append(
                f"{who} saw {attempt.lamp} at {attempt.lane} at {attempt.ended:%H:%M:%S}Z, and no entry says so"
            )
    for attempt in attempts:
        until = max(attempt.ended, attempt.left)
        if any(attempt.presented <= at <= until for at in kills.get(attempt.gateway, ())):
            # Recorded, and killed while the card lay there: for the next life of the process it came again.
            claims.take(attempt, until)
    for tap in claims.rest():
        found.duplicates += 1
        found.mismatches.append(
            f"{tap.gateway}: entry {tap.seq} at {tap.lane}, {tap.at:%H:%M:%S}Z: no card was shown then"
        )


def _token(card: Card, secret: bytes) -> str | None:
    random_uid = card.technology == "14443a" and len(card.uid) == 4 and card.uid[0] == 0x08
    return None if random_uid else card.token(secret, 1)
