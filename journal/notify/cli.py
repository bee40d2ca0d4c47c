"""`notify`: what parents were told, are about to be told, and what nobody knows; and a brake on all of it."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from journal.console import configured, furnished, reading
from journal.notify.outbox import State, hold
from journal.store import moment
from journal.tables import notices, sites


@click.group()
def notify() -> None:
    """Messages to parents."""


@notify.command(
    "list",
    epilog="Example: attendance-journal notify list --state uncertain     what the office should ask parents about",
)
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only these.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Only of that day.")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@configured
def list_(state: str | None, day: Any, as_json: bool, config: Path) -> None:
    """Show messages in the order in which they were made; an uncertain one is never sent again by itself."""
    rows, held = asyncio.run(_read(config, state, None if day is None else day.date().isoformat()))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if held:
        click.echo("messages are held: attendance-journal notify release")
    for row in rows:
        tail = f"  {row['error']}" if row["error"] else ""
        click.echo(
            f"{row['date']}  {row['state']:<9}  {row['template']:<10}  {row['person']}  {row['recipient']}{tail}"
        )
    counts = Counter(row["state"] for row in rows)
    click.echo(", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "no messages")


@notify.command(
    "hold", epilog="Example: attendance-journal notify hold     before the first start on a restored backup"
)
@configured
def hold_(config: Path) -> None:
    """Tell nobody anything until it is released; what is held expires with its lesson."""
    asyncio.run(_hold(config, held=True))
    click.echo("messages are held; 'attendance-journal notify release' lets them go again")


@notify.command("release", epilog="Example: attendance-journal notify release")
@configured
def release(config: Path) -> None:
    """Let messages go again that are still true and whose lesson is not over."""
    asyncio.run(_hold(config, held=False))
    click.echo("messages go out again")


async def _hold(config: Path, *, held: bool) -> None:
    async with furnished(config) as (_, store), store.begin() as connection:
        await hold(connection, held=held)


async def _read(config: Path, state: str | None, day: str | None) -> tuple[list[dict[str, Any]], bool]:
    c = notices.c
    query = select(notices, sites.c.held).join(sites, sites.c.site == c.site).order_by(c.id)
    if state is not None:
        query = query.where(c.state == state)
    if day is not None:
        query = query.where(c.date == day)
    async with reading(config) as connection:
        held = bool((await connection.execute(select(sites.c.site).where(sites.c.held == 1).limit(1))).scalar())
        return [_plain(dict(row)) for row in (await connection.execute(query)).mappings()], held


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    words = ("id", "site", "person", "date", "template", "recipient", "language", "state", "attempts", "error")
    moments = {key: row[key] for key in ("created", "due", "expires", "sent_at")}
    return (
        {key: row[key] for key in words}
        | {"held": bool(row["held"])}
        | {
            key: None if value is None else moment(value).isoformat(timespec="milliseconds")
            for key, value in moments.items()
        }
    )
