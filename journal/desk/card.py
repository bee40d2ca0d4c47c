"""`card`: who holds which card, corrected by hand; a number that is typed in is never printed back whole."""

import asyncio
import datetime as dt
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.domain.credential import Credential, Technology
from gateway.domain.directory import CredentialState
from gateway.errors import CredentialRefused, InputError
from gateway.listing import Commands
from journal.console import configured
from journal.corrections import NOBODYS, Correction, Kind, Named, Span, by_uid, last_unknown
from journal.desk.cards_shown import lines, plain, shown
from journal.desk.options import DATE, DAY, LANGUAGE
from journal.desk.persons import known
from journal.desk.session import Desk, Session, at_the_desk, carry_out, tell
from journal.facts import bounds
from journal.store import Day

_LAST = click.option("--last", type=DAY, help="The last day; without it, for good.")
_WORDS = {"ru": "Записано в журнал карт.", "en": "Written into the card ledger."}
Find = Callable[[Session], Awaitable[Named]]
_SEEN = {"ru": "Это карта, показанная в {at}.", "en": "It is the card that was shown at {at}."}


@click.group(cls=Commands)
def card() -> None:
    """Who holds which card: corrections by hand. Taps of that time are judged again."""


def _of_card(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the ways to name a card, as one argument `find`."""

    @wraps(command)
    def with_card(uid: str | None, technology: str | None, unknown: str | None, **words: Any) -> None:
        async def find(session: Session) -> Named:
            return await _find(session, uid, technology, unknown)

        command(find=find, **words)

    lane = "The card of the last unknown tap there: GATEWAY/LANE."
    kinds = click.Choice([one.value for one in Technology])
    decorated: Callable[..., None] = click.argument("uid", required=False)(with_card)
    decorated = click.option("--technology", type=kinds, help="Where the length of the number does not tell it.")(
        decorated
    )
    return click.option("--last-unknown", "unknown", metavar="GATEWAY/LANE", help=lane)(decorated)


@card.command(
    epilog="Examples: attendance-journal card give p-17 04A1B2C3D4E5F6 --by Petrova · "
    "attendance-journal card give p-17 --last-unknown main-entrance/north --by Petrova"
)
@click.argument("person")
@_of_card
@DATE
@at_the_desk
def give(desk: Desk, person: str, find: Find, day: dt.datetime | None) -> None:
    """A card is that person's from that day on, its taps of today too; other cards of the person stay."""

    async def work(session: Session, correction: Correction, named: Named) -> set[Day]:
        return await correction.hold(named, person, Span(since=bounds(session.day(day), session.rules.zone)[0]))

    _correct(desk, Kind.GIVE, [person], work, find)


@card.command(epilog="Example: attendance-journal card reissue p-17 --last-unknown main-entrance/north --by Petrova")
@click.argument("person")
@_of_card
@DATE
@at_the_desk
def reissue(desk: Desk, person: str, find: Find, day: dt.datetime | None) -> None:
    """A new card replaces the others of that person, which are lost from that day on."""

    async def work(session: Session, correction: Correction, named: Named) -> set[Day]:
        since = bounds(session.day(day), session.rules.zone)[0]
        days = await correction.stop(person, since, CredentialState.LOST, keep=named.tokens)
        return days | await correction.hold(named, person, Span(since=since))

    _correct(desk, Kind.REISSUE, [person], work, find)


@card.command(epilog="Example: attendance-journal card lend p-17 04A1B2C3D4E5F6 --by Guard")
@click.argument("person")
@_of_card
@DATE
@_LAST
@at_the_desk
def lend(desk: Desk, person: str, find: Find, day: dt.datetime | None, last: dt.datetime | None) -> None:
    """A card is that person's for a day, or through the last one, and afterwards whoever's it was."""

    async def work(session: Session, correction: Correction, named: Named) -> set[Day]:
        return await correction.hold(named, person, _days(session, day, last or day))

    _correct(desk, Kind.LEND, [person], work, find)


@card.command(epilog="Example: attendance-journal card swap p-17 p-18 --last 2026-09-01 --by Petrova")
@click.argument("person")
@click.argument("other")
@DATE
@_LAST
@at_the_desk
def swap(desk: Desk, person: str, other: str, day: dt.datetime | None, last: dt.datetime | None) -> None:
    """Two persons have, or had, each other's cards: from that day on, or through the last one."""

    async def work(session: Session, correction: Correction, _named: Named) -> set[Day]:
        span = _days(session, day, last) if last else Span(since=_days(session, day, day).since)
        return await correction.swap(person, other, span)

    _correct(desk, Kind.SWAP, [person, other], work, _none)


@card.command("state", epilog="Example: attendance-journal card state p-17 lost --by Petrova")
@click.argument("person")
@click.argument("state", type=click.Choice([one.value for one in CredentialState if one is not CredentialState.ACTIVE]))
@at_the_desk
def state_(desk: Desk, person: str, state: str) -> None:
    """The working cards of that person are lost or blocked from now on; 'card give' makes one work again."""

    async def work(session: Session, correction: Correction, _named: Named) -> set[Day]:
        days = await correction.stop(person, session.author.at, CredentialState(state))
        if not days:
            raise InputError(f"{person} has no working card", hint=f"'attendance-journal card list {person}'")
        return days

    _correct(desk, Kind.STATE, [person], work, _none)


@card.command("list", epilog="Example: attendance-journal card list p-17 --json")
@click.argument("person")
@click.option("--site", help="Needed where the journal serves several.")
@LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def list_(config: Path, person: str, site: str | None, language: str, *, as_json: bool) -> None:
    """Show which cards a person held when, the end of each number only, and who corrected what."""
    found, zone = asyncio.run(shown(config, site, person))
    if as_json:
        click.echo(json.dumps([plain(one) for one in found], ensure_ascii=False))
        return
    for line in lines(found, language, zone):
        click.echo(line)


def _correct(
    desk: Desk,
    kind: Kind,
    persons: Sequence[str],
    work: Callable[[Session, Correction, Named], Awaitable[set[Day]]],
    find: Find,
) -> None:
    seen: list[dt.datetime] = []

    async def correct(session: Session) -> set[Day]:
        connection, zone = session.connection, session.rules.zone
        await known(connection, session.site, persons)
        named = await find(session)
        seen.extend([named.seen.astimezone(zone)] if named.seen else [])
        correction = await Correction.begin(connection, session.site, zone, kind, session.author)
        return await correction.settle(await work(session, correction, named))

    effect = carry_out(desk, correct)
    shown_at = "".join(f" {_SEEN[desk.language].format(at=f'{at:%H:%M:%S}')}" for at in seen)
    done = "" if desk.dry_run else _WORDS[desk.language]
    tell(desk, effect, done + shown_at, correction=kind.value, persons=list(persons))


async def _none(_session: Session) -> Named:
    return NOBODYS


async def _find(session: Session, uid: str | None, technology: str | None, unknown: str | None) -> Named:
    """The card that is meant. Raises InputError."""
    if (uid is None) == (unknown is None):
        raise InputError("one card is to be named", hint="type its number in, or give --last-unknown GATEWAY/LANE")
    if uid is None:
        gateway, _, lane = str(unknown).partition("/")
        today = bounds(session.day(None), session.rules.zone)[0]
        return await last_unknown(session.connection, session.site, gateway, lane, today)
    credential = _credential(uid, technology)
    return by_uid(session.site, credential, session.keys.site_keys(session.site), session.keys.cards())


def _credential(uid: str, technology: str | None) -> Credential:
    """What the number means; its length tells the technology. Raises InputError, and repeats no number in it."""
    digits = re.sub(r"[ :-]", "", uid)
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,10}", digits):
        raise InputError("that is no card number", hint="hex digits in pairs, in air order: 04A1B2C3D4E5F6")
    why = CredentialRefused()
    # A terminal's PIN is like the number of many a card: it is meant where it is named.
    cards = [kind for kind in Technology if kind is not Technology.ZKTECO]
    for kind in [Technology(technology)] if technology else cards:
        try:
            return Credential(technology=kind, uid=bytes.fromhex(digits))
        except CredentialRefused as refused:
            why = refused
    raise why


def _days(session: Session, day: dt.datetime | None, last: dt.datetime | None) -> Span:
    """Whole days of the school. Raises InputError."""
    first = session.day(day)
    end = session.day(last) if last else first
    if end < first:
        raise InputError("the last day is before the first", hint="give --last on or after --date")
    return Span(since=bounds(first, session.rules.zone)[0], until=bounds(end, session.rules.zone)[1])
