"""Corrections of the card ledger by hand, each a fact with author and reason: rows are closed, others opened.

before   p1 ────────────────────────────────        swap p1 p2 for [since, until):
after    p1 ──────) since ... p2 ... until ( p1      taps of that time belong to the other one, and are judged again
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.directory import CredentialState
from gateway.domain.entry import TapData
from gateway.domain.model import Reason
from gateway.domain.wire import decode
from gateway.errors import InputError
from journal.cards import tapped
from journal.keys import CardCipher
from journal.staff_tables import corrections
from journal.statements import Author
from journal.store import Day, holder_at, holders, mark_dirty, milliseconds, moment, revised
from journal.tables import cards, entries

_c = cards.c
#: Newest unknown taps of a lane that are looked through.
_LOOKED_AT = 200


class Kind(StrEnum):
    """What was corrected."""

    #: Two persons had each other's cards.
    SWAP = "swap"
    #: A card is that person's.
    GIVE = "give"
    #: A card replaces all others of that person.
    REISSUE = "reissue"
    #: A card is that person's for one day.
    LEND = "lend"
    #: A card works again, or does not any more.
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """[since, until); None is without end on that side."""

    since: dt.datetime | None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A card as somebody named it, with what the ledger needs of it."""

    technology: Technology
    tokens: tuple[str, ...]
    #: Empty where nobody typed the UID in.
    sealed: bytes = field(repr=False)
    #: When it was shown, if it was named by that.
    seen: dt.datetime | None = None


#: Where a correction is about no card in particular.
NOBODYS = Named(technology=Technology.EM4100, tokens=(), sealed=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One correction on its way into the ledger, in the caller's transaction."""

    connection: AsyncConnection
    site: str
    zone: ZoneInfo
    number: int
    now: dt.datetime

    @classmethod
    async def begin(
        cls, connection: AsyncConnection, site: str, zone: ZoneInfo, kind: Kind, author: Author
    ) -> "Correction":
        """Write down who corrects, and why."""
        row = {"site": site, "kind": kind.value, "author": author.name, "said": milliseconds(author.at)}
        query = insert(corrections).values(**row, note=author.note).returning(corrections.c.id)
        number = (await connection.execute(query)).scalar_one()
        return cls(connection=connection, site=site, zone=zone, number=number, now=author.at)

    async def hold(
        self,
        named: Named,
        person: str,
        span: Span,
        state: CredentialState = CredentialState.ACTIVE,
    ) -> set[Day]:
        """During that span the card is this person's and nobody else's. Returns the days that this changes."""
        held = await self._cut(named.tokens, span)
        rows = [
            {
                "site": self.site,
                "token": token,
                "technology": named.technology.value,
                "uid_encrypted": named.sealed,
                "person": person,
                "valid_from": span.since and milliseconds(span.since),
                "valid_to": span.until and milliseconds(span.until),
                "state": state.value,
                "opened_by": self.number,
            }
            for token in named.tokens
        ]
        await self.connection.execute(insert(cards), rows)
        return await self._touched(named.tokens, {person, *(row["person"] for row in held)}, span)

    async def stop(
        self, person: str, since: dt.datetime, state: CredentialState, keep: Collection[str] = ()
    ) -> set[Day]:
        """From then on the working cards of this person are in that state, but for the tokens to keep."""
        span = Span(since=since)
        days: set[Day] = set()
        for row in await self._rows(_c.person == person, span):
            if row["token"] not in keep and row["state"] == CredentialState.ACTIVE:
                days |= await self.hold(_named(row), person, span, state)
        return days

    async def swap(self, one: str, other: str, span: Span) -> set[Day]:
        """During that span each has the cards of the other one. Raises InputError where neither has any."""
        rows = [
            row for row in await self._rows(_c.person.in_([one, other]), span) if row["state"] == CredentialState.ACTIVE
        ]
        if not rows:
            raise InputError(f"neither {one} nor {other} had a card then", hint="'attendance-journal card list PERSON'")
        days: set[Day] = set()
        for row in rows:
            since = _later(span.since, row["valid_from"])
            until = _earlier(span.until, row["valid_to"])
            taker = other if row["person"] == one else one
            days |= await self.hold(_named(row), taker, Span(since=since, until=until))
        return days

    async def settle(self, days: set[Day]) -> set[Day]:
        """Let the days be judged again, and the doors hear of it."""
        await mark_dirty(self.connection, days)
        await revised(self.connection, self.site)
        return days

    async def _rows(self, which: Any, span: Span) -> Sequence[Any]:
        query = select(cards).where(_c.site == self.site, which).order_by(_c.id)
        if span.since is not None:
            query = query.where(or_(_c.valid_to.is_(None), _c.valid_to > milliseconds(span.since)))
        if span.until is not None:
            query = query.where(or_(_c.valid_from.is_(None), _c.valid_from < milliseconds(span.until)))
        rows = (await self.connection.execute(query)).mappings().all()
        return [row for row in rows if row["valid_to"] is None or row["valid_to"] > (row["valid_from"] or 0)]

    async def _cut(self, tokens: Iterable[str], span: Span) -> Sequence[Any]:
        """Close the rows of these tokens for the span; what they say of the time after it goes on in a new row."""
        rows = await self._rows(_c.token.in_(list(tokens)), span)
        since = 0 if span.since is None else milliseconds(span.since)
        for row in rows:
            closed = {"valid_to": max(row["valid_from"] or 0, since), "closed_by": self.number}
            await self.connection.execute(update(cards).where(_c.id == row["id"]).values(closed))
            if span.until is not None and (row["valid_to"] is None or row["valid_to"] > milliseconds(span.until)):
                rest = {key: value for key, value in row.items() if key != "id"}
                rest |= {"valid_from": milliseconds(span.until), "opened_by": self.number, "closed_by": None}
                await self.connection.execute(insert(cards).values(rest))
        return rows

    async def _touched(self, tokens: Iterable[str], persons: Collection[str], span: Span) -> set[Day]:
        """The days of its taps; and those of the span up to today, because who has no card is the teacher's."""
        days = await tapped(
            self.connection, self.site, dict.fromkeys(tokens, persons), self.zone, span.since, span.until
        )
        today = self.now.astimezone(self.zone).date()
        first = today if span.since is None else span.since.astimezone(self.zone).date()
        last = today if span.until is None else min(today, span.until.astimezone(self.zone).date())
        span_days = range(first.toordinal(), last.toordinal() + 1)
        return days | {
            Day(self.site, dt.date.fromordinal(day).isoformat(), person) for day in span_days for person in persons
        }


def by_uid(site: str, credential: Credential, keys: Sequence[SiteKey], cipher: CardCipher) -> Named:
    """A card whose number was typed in."""
    tokens = tuple(key.token(credential) for key in keys)
    return Named(technology=credential.technology, tokens=tokens, sealed=cipher.seal(site, credential))


async def last_unknown(connection: AsyncConnection, site: str, gateway: str, lane: str, since: dt.datetime) -> Named:
    """The card of the newest tap of that lane since then that is nobody's. Raises InputError."""
    e = entries.c
    query = select(e.body, e.at).where(e.site == site, e.gateway == gateway, e.lane == lane, e.type == TapData.type)
    query = query.where(e.flag.is_(None), e.token.is_not(None), e.at >= milliseconds(since))
    for body, at in (await connection.execute(query.order_by(e.at.desc()).limit(_LOOKED_AT))).all():
        tap = decode(body).data
        if isinstance(tap, TapData) and tap.token and tap.verdict.reason is Reason.UNKNOWN_CARD:
            ledger = await holders(connection, site, [tap.token])
            if holder_at(ledger.get(tap.token, ()), at) is None:
                return Named(technology=tap.technology, tokens=(tap.token,), sealed=b"", seen=moment(at))
    raise InputError(
        f"{gateway}/{lane} saw no unknown card today", hint="show the card there once more, or type its number in"
    )


def _named(row: Any) -> Named:
    return Named(technology=Technology(row["technology"]), tokens=(row["token"],), sealed=row["uid_encrypted"])


def _later(moment_: dt.datetime | None, row: int | None) -> dt.datetime | None:
    return moment_ if row is None else max(moment(row), moment_ or moment(row))


def _earlier(moment_: dt.datetime | None, row: int | None) -> dt.datetime | None:
    return moment_ if row is None else min(moment(row), moment_ or moment(row))
