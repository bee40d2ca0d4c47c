"""What a site sets for itself, and since when: a day that is judged again is judged by the numbers that it had."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import GroupId
from gateway.domain.policy import Override, Policy, resolve
from gateway.errors import ConfigError
from journal.prepared import Value, prepared
from journal.staff_tables import former_rules
from journal.tables import groups, sites

_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
_OVERRIDES: TypeAdapter[tuple[Override, ...]] = TypeAdapter(tuple[Override, ...])


@dataclass(frozen=True, slots=True)
class Numbers:
    """What holds on a day."""

    policy: Policy
    overrides: tuple[Override, ...] = ()

    def of(self, groups: Collection[str], shift: int | None, grade: int | None) -> Policy:
        """The policy for somebody of these groups."""
        mine = frozenset(map(GroupId, groups))
        return (
            resolve(self.policy, self.overrides, groups=mine, shift=shift, grade=grade)
            if self.overrides
            else self.policy
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What was said last, perhaps of a day to come, and what held before."""

    zone: ZoneInfo
    language: str
    last: Numbers
    #: By the date on which they ended, in order of it.
    former: Mapping[str, Numbers]

    def on(self, date: str) -> Numbers:
        """What holds on that day."""
        return next((numbers for until, numbers in self.former.items() if date < until), self.last)


async def rules_of(connection: AsyncConnection, *only: str) -> dict[str, Rules]:
    """By site; of `only` these, or of every one. Raises ConfigError."""
    former: dict[str, dict[str, Numbers]] = defaultdict(dict)
    for site, until, policy, overrides in await connection.execute(*_former(only, every=not only)):
        former[site][until] = _parsed(site, policy, overrides)
    return {
        site: Rules(zone=ZoneInfo(zone), language=language, last=_parsed(site, policy, overrides), former=former[site])
        for site, zone, language, policy, overrides in await connection.execute(*_sites(only, every=not only))
    }


def the_site(rules: Mapping[str, Rules], name: str | None) -> str:
    """The site that is meant; without a name the only one. Raises ConfigError."""
    if name is None and len(rules) != 1:
        raise ConfigError(f"the journal serves {len(rules)} sites", hint=f"add --site {' or '.join(rules)}")
    site = name or next(iter(rules))
    if site not in rules:
        raise ConfigError(f"the journal knows no site {site}", hint=f"known sites: {', '.join(rules) or 'none'}")
    return site


async def policies_of(connection: AsyncConnection, site: str, numbers: Numbers) -> set[Policy]:
    """Every policy that somebody of the site may have."""
    if not numbers.overrides:
        return {numbers.policy}
    g = groups.c
    query = select(g.group, g.shift, g.grade).where(g.site == site)
    return {
        numbers.policy,
        *(numbers.of([group], shift, grade) for group, shift, grade in await connection.execute(query)),
    }


async def set_numbers(connection: AsyncConnection, site: str, numbers: Numbers, since: str) -> bool:
    """Other numbers hold from that date on, and what held on the day before stays; True where they are other ones.

    Those that were said last change nothing, whatever the date. Before its first import a site has no past.
    """
    s, f = sites.c, former_rules.c
    query = select(s.policy, s.overrides, s.revision).where(s.site == site)
    said = (await connection.execute(query)).mappings().one()
    if _parsed(site, said["policy"], said["overrides"]) == numbers:
        return False
    if said["revision"]:
        ended = select(former_rules).where(f.site == site, f.until >= since).order_by(f.until)
        held = (await connection.execute(ended)).mappings().first() or said
        await connection.execute(delete(former_rules).where(f.site == site, f.until >= since))
        row = {"site": site, "until": since, "policy": held["policy"], "overrides": held["overrides"]}
        await connection.execute(insert(former_rules), [row])
    await connection.execute(update(sites).where(s.site == site).values(written(numbers)))
    return True


def written(numbers: Numbers) -> dict[str, str]:
    """The columns of a row that has them."""
    return {
        "policy": _POLICY.dump_json(numbers.policy).decode("ascii"),
        "overrides": _OVERRIDES.dump_json(numbers.overrides).decode("utf-8"),
    }


def _parsed(site: str, policy: str, overrides: str) -> Numbers:
    try:
        return _numbers(policy, overrides)
    except ValidationError as error:
        raise ConfigError(
            f"site {site}: its policy cannot be read: {error}", hint="import the site's directory again"
        ) from error


@lru_cache(1024)
def _numbers(policy: str, overrides: str) -> Numbers:
    return Numbers(_POLICY.validate_json(policy or "{}"), _OVERRIDES.validate_json(overrides))


@prepared
def _sites(only: Value, *, every: bool) -> Select[Any]:
    c = sites.c
    query = select(c.site, c.zone, c.language, c.policy, c.overrides)
    return query if every else query.where(c.site.in_(only))


@prepared
def _former(only: Value, *, every: bool) -> Select[Any]:
    c = former_rules.c
    query = select(c.site, c.until, c.policy, c.overrides).order_by(c.site, c.until)
    return query if every else query.where(c.site.in_(only))
