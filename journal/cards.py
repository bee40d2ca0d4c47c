"""The card ledger: who held which card when. A row is closed and another opened; what was true stays readable.

An import brings the ledger to what the office lists: a card that changes hands, or is not listed any more, ends now for
its holder, unless the list gives dates of its own. What a person corrected by hand (journal.corrections) stands: a list
that says otherwise is told so.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.directory import CredentialState
from journal.days import local_date
from journal.store import Day, chunks, milliseconds, moment
from journal.tables import cards, entries
from sync.sources.school import Card, Remark

_c = cards.c
_OTHERWISE = "a person corrected this card by hand, and the list says something else"


class Listed(NamedTuple):
    """A card of the list under one of the site's keys."""

    card: Card
    token: str
    sealed: bytes


class Listing(NamedTuple):
    """What a list changed."""

    days: set[Day]
    remarks: list[Remark]


async def ledger_of(connection: AsyncConnection, site: str) -> dict[str, list[dict[str, Any]]]:
    """Every row by token, in the order in which they were opened."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (await connection.execute(select(cards).where(_c.site == site).order_by(_c.id))).mappings():
        found.setdefault(row["token"], []).append(dict(row))
    return found


async def list_cards(
    connection: AsyncConnection,
    site: str,
    zone: ZoneInfo,
    listed: Sequence[Listed],
    persons: Collection[str],
    at: dt.datetime,
) -> Listing:
    """Bring the ledger to what the office lists; `persons` are all that it lists."""
    now = milliseconds(at)
    ledger = await ledger_of(connection, site)
    touched: dict[str, set[str]] = {}
    changes = _Changes(site=site, now=now)
    for one in listed:
        if changes.list(one, ledger.get(one.token, [])):
            touched.setdefault(one.token, set()).add(one.card.person)
    for old in (row for rows in ledger.values() for row in rows if row["id"] not in changes.kept):
        lasts = old["valid_to"] is None or old["valid_to"] > now
        if lasts and (old["opened_by"] is None or old["person"] not in persons):
            changes.revised[old["id"]] = {"valid_to": now}
            touched.setdefault(old["token"], set()).add(old["person"])
    for number, values in changes.revised.items():
        await connection.execute(update(cards).where(_c.id == number).values(values))
    if changes.opened:
        await connection.execute(insert(cards), changes.opened)
    holders = {token: mine | {row["person"] for row in ledger.get(token, ())} for token, mine in touched.items()}
    days = await tapped(connection, site, holders, zone)
    remark = Remark(
        place="cards",
        problem=f"{_OTHERWISE}; so it is with {changes.otherwise} of them",
        hint="mend the list, or the ledger: 'attendance-journal card list'",
    )
    return Listing(days, [remark] if changes.otherwise else [])


async def tapped(
    connection: AsyncConnection,
    site: str,
    holders: Mapping[str, Collection[str]],
    zone: ZoneInfo,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> set[Day]:
    """The days of [since, until) on which these cards were shown, for everybody who held or holds them."""
    days = set()
    e = entries.c
    for chunk in chunks(sorted(holders)):
        query = select(e.token, e.at).where(e.token.in_(chunk), e.site == site, e.at.is_not(None))
        query = query if since is None else query.where(e.at >= milliseconds(since))
        query = query if until is None else query.where(e.at < milliseconds(until))
        for token, at in await connection.execute(query):
            days |= {Day(site, local_date(moment(at), zone), person) for person in holders[token]}
    return days


@dataclass(slots=True, kw_only=True)
class _Changes:
    """What an import does to the card ledger: rows that stay, rows that say something else, and new ones."""

    site: str
    now: int
    kept: set[int] = field(default_factory=set)
    revised: dict[int, dict[str, Any]] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)
    #: Listed cards that a person said something else about.
    otherwise: int = 0

    def list(self, listed: Listed, rows: Sequence[dict[str, Any]]) -> bool:
        """Find or write the row of one listed card; True where the ledger says something else than before."""
        card = listed.card
        if self._corrected(card, rows):
            return False
        since, until = (None if at is None else milliseconds(at) for at in (card.valid_from, card.valid_to))
        said = {"valid_to": until, "state": card.state.value}
        if free := [row for row in _fitting(card.person, since, rows) if row["id"] not in self.kept]:
            row = free[-1]
            self.kept.add(row["id"])
            if all(row[key] == value for key, value in said.items()):
                return False
            if row["state"] == said["state"] or not self._covered(row["valid_from"], row["valid_to"], until):
                self.revised[row["id"]] = said
                return True
            # A card that is lost today was good yesterday: what was judged by it stays true.
            self.revised[row["id"]] = {"valid_to": self.now}
            since = self.now
        elif since is None and any(row["person"] != card.person for row in rows):
            # Without a date of its own a card that somebody else held changes hands now; one never seen was always theirs.
            since = self.now
        place = {"site": self.site, "token": listed.token, "technology": card.credential.technology.value}
        held = {"person": card.person, "valid_from": since, "uid_encrypted": listed.sealed}
        self.opened.append(place | held | said)
        return True

    def _corrected(self, card: Card, rows: Sequence[dict[str, Any]]) -> bool:
        """Whether a person said by hand whose card it is now, and the list does not only take it out of use."""
        by_hand = [row for row in rows if row["opened_by"] is not None and self._valid(row)]
        agrees = any(row["person"] == card.person and row["state"] == card.state.value for row in by_hand)
        stopped = card.state is not CredentialState.ACTIVE and any(row["person"] == card.person for row in by_hand)
        if not by_hand or (stopped and not agrees):
            return False
        self.kept |= {row["id"] for row in rows}
        self.otherwise += not agrees
        return True

    def _valid(self, row: Mapping[str, Any]) -> bool:
        return bool((row["valid_from"] or 0) <= self.now and (row["valid_to"] is None or row["valid_to"] > self.now))

    def _covered(self, since: int | None, *ends: int | None) -> bool:
        return (since or 0) < self.now and all(end is None or end > self.now for end in ends)


def _fitting(person: str, since: int | None, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The rows of one listed card: from its date on, each that goes on in another state where the one before ends."""
    found: list[dict[str, Any]] = []
    for row in (row for row in rows if row["person"] == person):
        goes_on = found and (row["valid_from"], row["state"] != found[-1]["state"]) == (found[-1]["valid_to"], True)
        if since is None or row["valid_from"] == since or goes_on:
            found.append(row)
    return found
