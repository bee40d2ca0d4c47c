"""Gateways as the office registers them: key in, enrolment file and broker ACL out."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.handshake import topic
from gateway.domain.policy import Policy
from gateway.errors import ConfigError
from journal.keys import Keys
from journal.rules import Numbers, written
from journal.store import Store, insert_new, milliseconds, upsert
from journal.tables import gateways, sites, watermarks
from sync.signing import key_id

_GATEWAY_WRITES, _GATEWAY_READS = ("events", "state", "health", "reply"), ("receipt", "command")
#: A gateway that finds somebody else's session under its own name has a clone.
_GATEWAY_READS_ITS_OWN = "state"


async def add(
    store: Store, site: str, gateway: str, key: bytes, policy: Policy, *, at: dt.datetime, replace: bool
) -> None:
    """Register a gateway; again is harmless. Raises ConfigError where the name has another site or key already."""
    async with store.begin() as connection:
        c = gateways.c
        query = select(c.site, c.public_key, c.next_key).where(c.gateway == gateway)
        before = (await connection.execute(query)).one_or_none()
        if before and before.site != site:
            raise ConfigError(
                f"gateway {gateway} belongs to site {before.site}", hint="give every gateway a name of its own"
            )
        if before and before.public_key != key and not replace:
            raise ConfigError(
                f"gateway {gateway} is registered with key {key_id(before.public_key)}, this one is {key_id(key)}",
                hint="if the old key is lost for certain, add --replace",
            )
        await _make_site(connection, site, policy)
        row = {"gateway": gateway, "site": site, "public_key": key, "state": "active", "added": milliseconds(at)}
        row |= {"revoked": None, "next_key": None if replace or before is None else before.next_key}
        await upsert(connection, gateways, [row])


async def revoke(store: Store, gateway: str, *, at: dt.datetime) -> None:
    """Hear it no more, and wait no longer for what its lanes see from then on. Raises ConfigError."""
    async with store.begin() as connection:
        c = gateways.c
        since = func.coalesce(c.revoked, milliseconds(at))
        known = update(gateways).where(c.gateway == gateway)
        done = await connection.execute(known.values(state="revoked", revoked=since))
        if not done.rowcount:
            raise ConfigError(f"no gateway {gateway} is registered", hint="'attendance-journal gateway list'")


async def registered(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Every gateway with its ledgers."""
    rows = (await connection.execute(select(gateways).order_by(gateways.c.site, gateways.c.gateway))).all()
    marks = (await connection.execute(select(watermarks))).all()
    return [
        {
            "site": row.site,
            "gateway": row.gateway,
            "kid": key_id(row.public_key),
            "state": row.state,
            "epochs": {m.epoch: m.through for m in marks if (m.site, m.gateway) == (row.site, row.gateway)},
        }
        for row in rows
    ]


async def acl(connection: AsyncConnection, journal: str) -> str:
    """Mosquitto's acl_file. No pattern for gateways: one would let a gateway write its own receipts, or another site."""
    blocks = [
        [f"user {journal}"]
        + [f"topic read {topic('+', '+', name)}" for name in _GATEWAY_WRITES]
        + [f"topic write {topic('+', '+', name)}" for name in _GATEWAY_READS]
        + [f"topic write {topic('+', 'directory', '#')}"]
    ]
    for row in await registered(connection):
        if row["state"] == "active":
            site, gateway = str(row["site"]), str(row["gateway"])
            blocks.append(
                [f"user {gateway}"]
                + [f"topic write {topic(site, gateway, name)}" for name in _GATEWAY_WRITES]
                + [f"topic read {topic(site, gateway, name)}" for name in (*_GATEWAY_READS, _GATEWAY_READS_ITS_OWN)]
                + [f"topic read {topic(site, 'directory', '#')}"]
            )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def enrolment(site: str, gateway: str, keys: Keys) -> str:
    """What the gateway needs to trust this journal and to make tokens, as TOML. Raises ConfigError."""
    signers = [keys.signer(), *([following] if (following := keys.next_signer()) is not None else [])]
    lines = [
        f'site = "{site}"',
        f'gateway = "{gateway}"',
        f"journal_keys = [{', '.join(f'{chr(34)}{one.public.hex()}{chr(34)}' for one in signers)}]",
        "",
        "[site_keys]",
        *(f'{key.version} = "{key.secret.hex()}"' for key in keys.site_keys(site)),
    ]
    return "\n".join(lines) + "\n"


def write_enrolment(path: Path, text: str) -> None:
    """Replaced whole, mode 0600: it holds secrets. Raises ConfigError; a device is never replaced."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is no file", hint="give --out FILE in a folder that you may write")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(
            fresh, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, 0o600)
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="give --out FILE in a folder that you may write") from error


async def _make_site(connection: AsyncConnection, site: str, policy: Policy) -> None:
    """Gateways may come before the first import, which brings the true zone and name."""
    row = {"site": site, "name": site, "zone": "UTC", "language": "ru"}
    await connection.execute(insert_new(connection, sites), [row | written(Numbers(policy))])
