"""`key`: the journal changes its own key without visiting a gateway."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from gateway.listing import Commands
from journal.console import configured, furnished
from journal.keys import Keys, keys_of

T = TypeVar("T")


@click.group(cls=Commands)
def key() -> None:
    """The journal's own key: announce the next one, then change over to it."""


@key.command("next", epilog="Example: attendance-journal key next")
@configured
def following(config: Path) -> None:
    """Make the next key; a journal that is started again announces it with every directory."""
    signer = _with(config, Keys.make_next)
    click.echo(f"key id {signer.kid} is next. Restart the journal; change when every gateway has a newer directory.")


@key.command("change", epilog="Example: attendance-journal key change")
@configured
def change(config: Path) -> None:
    """Sign with the next key from the next start on; gateways that never heard of it trust this journal no more."""
    signer = _with(config, Keys.change)
    click.echo(f"key id {signer.kid} is in use from the next start of the journal on. Restart it now.")


def _with(config: Path, act: Callable[[Keys], T]) -> T:
    async def work() -> T:
        async with furnished(config) as (settings, store):
            return act(await keys_of(settings.state.directory, store))

    return asyncio.run(work())
