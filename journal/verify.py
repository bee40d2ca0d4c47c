"""`verify`: proves what the journal holds of every gateway, from the exact bytes to the signatures over them."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Seq
from gateway.domain.proof import Flaw, Proof
from gateway.domain.wire import Envelope, Stream, batch_statement
from gateway.errors import BadSignature
from journal.console import configured, reading
from journal.store import of
from journal.tables import entries, gateways, segments, watermarks
from sync.signing import BATCH_TAG, Keyring, key_id

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one ledger."""

    stream: Stream
    through: int
    flaw: Flaw | None
    #: Segments signed by a key that this gateway has no more: their hashes are proven, their signatures are not looked at.
    earlier_key: int


@click.command(epilog="Example: attendance-journal verify --site school-12")
@click.option("--site", help="Only the gateways of this site.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@configured
def verify(site: str | None, config: Path, *, as_json: bool) -> None:
    """Prove every ledger up to its watermark, or name its first bad entry."""
    findings = asyncio.run(_verify(config, site))
    for finding in findings:
        click.echo(json.dumps(_plain(finding)) if as_json else _line(finding))
    if not findings and not as_json:
        click.echo("no gateway has sent anything: there is nothing to prove")
    if any(finding.flaw for finding in findings):
        hint = "put the database back from a backup that verifies: the gateways send again what they still keep"
        click.echo(f" hint: {hint}", err=True)
        raise SystemExit(1)


async def _verify(config: Path, site: str | None) -> list[Finding]:
    async with reading(config) as connection:
        c = watermarks.c
        query = select(watermarks).order_by(c.site, c.gateway, c.epoch)
        rows = (await connection.execute(query if site is None else query.where(c.site == site))).all()
        return [await prove(connection, row) for row in rows]


async def prove(connection: AsyncConnection, watermark: Any) -> Finding:
    """Chain, places, segments and signatures of one ledger, up to its watermark."""
    stream = Stream(site=watermark.site, gateway=watermark.gateway, epoch=watermark.epoch)
    proof = Proof(stream=stream, prev=stream.genesis, expected=1)
    heads = {0: stream.genesis}
    async for page in _pages(connection, stream, watermark.through):
        for envelope, reads in page:
            proof.add([envelope], reads=reads)
            heads[envelope.seq] = envelope.hash
    flaw = proof.flaw
    if flaw is None and heads.get(watermark.through) != watermark.head:
        flaw = Flaw(seq=proof.expected, why="is missing, or is not what the watermark says")
    signed, earlier = await _signatures(connection, stream, watermark.through, heads)
    return Finding(stream=stream, through=watermark.through, flaw=flaw or signed, earlier_key=earlier)


async def _pages(
    connection: AsyncConnection, stream: Stream, through: int
) -> AsyncIterator[list[tuple[Envelope, bool]]]:
    c, after = entries.c, 0
    query = select(c.seq, c.body, c.hash, c.flag).where(*of(entries, stream), c.seq <= through).order_by(c.seq)
    while rows := (await connection.execute(query.where(c.seq > after).limit(_PAGE))).all():
        yield [(Envelope(seq=Seq(seq), body=body, hash=digest), flag is None) for seq, body, digest, flag in rows]
        after = rows[-1].seq


async def _signatures(
    connection: AsyncConnection, stream: Stream, through: int, heads: dict[int, bytes]
) -> tuple[Flaw | None, int]:
    """The first segment that its gateway did not sign, or None; and how many an earlier key signed."""
    c, earlier = segments.c, 0
    key = (await connection.execute(select(gateways.c.public_key).where(gateways.c.gateway == stream.gateway))).scalar()
    query = select(segments).where(*of(segments, stream), c.first <= through).order_by(c.first)
    for row in await connection.execute(query):
        if row.last <= through and (heads.get(row.first - 1), heads.get(row.last)) != (row.prev, row.head):
            return Flaw(seq=row.first, why="its segment was signed over other entries"), earlier
        if key is None or row.kid != key_id(key):
            earlier += 1
            continue
        statement = batch_statement(stream, first=row.first, last=row.last, prev=row.prev, head=row.head)
        try:
            Keyring([key]).verify(BATCH_TAG, statement, kid=row.kid, sig=row.sig)
        except BadSignature as error:
            return Flaw(seq=row.first, why=f"its segment: {error}"), earlier
    return None, earlier


def _plain(finding: Finding) -> dict[str, object]:
    stream, flaw = finding.stream, finding.flaw
    return {
        "site": stream.site,
        "gateway": stream.gateway,
        "epoch": stream.epoch,
        "through": finding.through,
        "flaw": flaw and {"seq": flaw.seq, "why": flaw.why},
        "earlier_key": finding.earlier_key,
    }


def _line(finding: Finding) -> str:
    stream, flaw = finding.stream, finding.flaw
    found = f"entry {flaw.seq}: {flaw.why}" if flaw else "proven"
    earlier = f", {finding.earlier_key} segments by an earlier key" if finding.earlier_key else ""
    return f"{stream.site}/{stream.gateway} epoch {stream.epoch}: through {finding.through}, {found}{earlier}"
