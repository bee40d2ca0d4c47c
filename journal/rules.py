"""What a site sets for itself, and since when: a day that is judged again is judged by the numbers that it had."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import GroupId
from gateway.domain.policy import Override, Policy, resolve
from gateway.errors import ConfigError
from journal.prepared import Value, prepared
from journal.staff_tables import former_rules
from journal.store import OVERRIDES, POLICY
from journal.tables import groups, sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that hold now, with those that held before."""

    zone: ZoneInfo
    language: str
    policy: Policy
    overrides: tuple[Override, ...] = ()
    #: By the date on which they ended, in order of it.
    former: Mapping[str, tuple[Policy, tuple[Override, ...]]] = field(default_factory=dict)

    def on(self, date: str) -> "Rules":
        """The rules of that day."""
        for until, (policy, overrides) in self.former.items():
            if date < until:
                return replace(self, policy=policy, overrides=overrides, former={})
        return self

    def numbers(self, groups: Collection[str], shift: int | None, grade: int | None) -> Policy:
        """The policy for somebody of these groups."""
        mine = frozenset(map(GroupId, groups))
        return (
            resolve(self.policy, self.overrides, groups=mine, shift=shift, grade=grade)
            if self.overrides
            else self.policy
        )


async def rules_of(connection: AsyncConnection, *only: str) -> dict[str, Rules]:
    """By site; of `only` these, or of every one. Raises ConfigError."""
    former: dict[str, dict[str, tuple[Policy, tuple[Override, ...]]]] = defaultdict(dict)
    found = {}
    for site, until, policy, overrides in await connection.execute(*_former(only, every=not only)):
        former[site][until] = _parsed(site, policy, overrides)
    for site, zone, language, policy, overrides in await connection.execute(*_sites(only, every=not only)):
        numbers, others = _parsed(site, policy, overrides)
        found[site] = Rules(
            zone=ZoneInfo(zone), language=language, policy=numbers, overrides=others, former=former[site]
        )
    return found


def the_site(rules: Mapping[str, Rules], name: str | None) -> str:
    """The site that is meant; without a name the only one. Raises ConfigError."""
    if name is None and len(rules) != 1:
        raise ConfigError(f"the journal serves {len(rules)} sites", hint=f"add --site {' or '.join(rules)}")
    site = name or next(iter(rules))
    if site not in rules:
        raise ConfigError(f"the journal knows no site {site}", hint=f"known sites: {', '.join(rules) or 'none'}")
    return site


async def policies_of(connection: AsyncConnection, site: str, rules: Rules) -> set[Policy]:
    """Every policy that somebody of the site may have."""
    if not rules.overrides:
        return {rules.policy}
    g = groups.c
    query = select(g.group, g.shift, g.grade).where(g.site == site)
    return {
        rules.policy,
        *(rules.numbers([group], shift, grade) for group, shift, grade in await connection.execute(query)),
    }


async def keep_former(connection: AsyncConnection, site: str, since: str) -> None:
    """Before the rules of a site are replaced: other ones hold from that date on, and what held on the day before is kept."""
    f = former_rules.c
    ended = (await connection.execute(select(former_rules).where(f.site == site).order_by(f.until))).mappings().all()
    last = next((row for row in ended if row["until"] >= since), None)
    if last is None:
        query = select(sites.c.policy, sites.c.overrides).where(sites.c.site == site)
        last = (await connection.execute(query)).mappings().one()
    await connection.execute(delete(former_rules).where(f.site == site, f.until >= since))
    row = {"site": site, "until": since, "policy": last["policy"], "overrides": last["overrides"]}
    await connection.execute(insert(former_rules), [row])


def _parsed(site: str, policy: str, overrides: str) -> tuple[Policy, tuple[Override, ...]]:
    try:
        return POLICY.validate_json(policy or "{}"), OVERRIDES.validate_json(overrides)
    except ValidationError as error:
        raise ConfigError(
            f"site {site}: its policy cannot be read: {error}", hint="import the site's directory again"
        ) from error


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
