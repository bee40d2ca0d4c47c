"""The command line of the journal: run it, register gateways, write the broker's ACL; and where other commands are."""

import asyncio
import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.listing import Commands
from journal.console import configured, furnished, reading, speaking_errors
from journal.desk.options import SITE, Name

#: Command -> "module:attribute": loaded when it is asked for.
ELSEWHERE: Mapping[str, str] = {
    "card": "journal.desk.card:card",
    "directory": "journal.desk.directory:directory",
    "explain": "journal.reports.explain:explain",
    "key": "journal.desk.key:key",
    "muster": "journal.reports.muster:muster",
    "notify": "journal.notify.cli:notify",
    "report": "journal.reports.cli:report",
    "statement": "journal.desk.statement:statement",
    "timetable": "journal.desk.timetable:timetable",
    "verify": "journal.verify:verify",
}


class _Commands(Commands):
    """Own commands, and those of the table above; an operator's error of any of them is told in one place."""

    def invoke(self, ctx: click.Context) -> object:
        with speaking_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if (place := ELSEWHERE.get(cmd_name)) is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        return found if isinstance(found, click.Command) else None


class _PublicKey(click.ParamType[bytes]):
    """An Ed25519 public key in hex."""

    name = "hex"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
            self.fail("a public key has 64 hex digits; 'attendance-gateway enroll' prints it", param, ctx)
        return bytes.fromhex(value)


GATEWAY = click.argument("gateway", type=Name())
JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attendance-gateway")
def main() -> None:
    """Attendance journal: takes what gateways send, judges it, reports it, tells parents."""


@main.command(epilog="Example: attendance-journal run --config /etc/attendance-gateway/journal.toml --shard 1/2")
@click.option("--shard", "share", default="1/1", show_default=True, help="The share of the sites, on PostgreSQL.")
@configured
def run(config: Path, share: str) -> None:
    """Serve until stopped; the database is brought up to date first. Of one share, a second process stands by."""
    from gateway.log import set_up
    from journal.app import serve
    from journal.shard import Shard

    shard = Shard.parse(share)

    async def work() -> None:
        async with furnished(config) as (settings, store):
            await serve(settings, store, shard)

    set_up()
    asyncio.run(work())


@main.command(epilog="Example: attendance-journal migrate --config journal.toml")
@configured
def migrate(config: Path) -> None:
    """Bring the database up to date without starting anything."""

    async def work() -> str:
        async with furnished(config) as (_, store):
            return store.engine.url.render_as_string()

    click.echo(f"{asyncio.run(work())}: up to date")


@main.group(cls=Commands)
def gateway() -> None:
    """Gateways: which ones are heard, and with which key."""


@gateway.command(
    "add", epilog="Example: attendance-journal gateway add school-12 main-entrance --key 4f1c… --out main-entrance.toml"
)
@SITE
@GATEWAY
@click.option("--key", type=_PublicKey(), required=True, help="The gateway's public key, as it prints it.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Enrolment file to write [SITE-GATEWAY.toml]."
)
@click.option("--replace", is_flag=True, help="The gateway has a new key: its old one was lost.")
@configured
def gateway_add(config: Path, site: str, gateway: str, key: bytes, out: Path | None, *, replace: bool) -> None:
    """Register a gateway and write the file that it needs to trust this journal."""
    from journal.keys import keys_of
    from journal.registry import add, enrolment, write_enrolment
    from sync.clock import clock_from_environment

    path = out or Path(f"{site}-{gateway}.toml")

    async def work() -> None:
        async with furnished(config) as (settings, store):
            at = clock_from_environment().now().at
            # Before the registration: afterwards no key is made any more.
            text = enrolment(site, gateway, await keys_of(settings.state.directory, store))
            await add(store, site, gateway, key, settings.policy(site), at=at, replace=replace)
            write_enrolment(path, text)

    asyncio.run(work())
    click.echo(
        f"{gateway} of {site} is registered. Carry {path} to the gateway, where [enrolment] names it; it holds the site key."
    )


@gateway.command("revoke", epilog="Example: attendance-journal gateway revoke main-entrance")
@GATEWAY
@configured
def gateway_revoke(config: Path, gateway: str) -> None:
    """Hear a gateway no more; what it sent stays."""
    from journal.registry import revoke
    from sync.clock import clock_from_environment

    async def work() -> None:
        async with furnished(config) as (_, store):
            await revoke(store, gateway, at=clock_from_environment().now().at)

    asyncio.run(work())
    click.echo(f"{gateway} is not heard any more. Revoke its certificate at the broker, too.")


@gateway.command("list", epilog="Example: attendance-journal gateway list --json")
@JSON
@configured
def gateway_list(config: Path, *, as_json: bool) -> None:
    """All gateways: key id, and how far each of their ledgers is committed."""
    from journal.registry import registered

    async def work() -> list[dict[str, Any]]:
        async with reading(config) as connection:
            return await registered(connection)

    rows = asyncio.run(work())
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        ledgers = [f"epoch {epoch} through {through}" for epoch, through in row.pop("epochs").items()]
        known = "  ".join(f"{key} {value}" for key, value in row.items())
        click.echo("  ".join([known, *(ledgers or ["nothing received"])]))
    if not rows:
        click.echo("no gateway is registered")


@main.command("broker-acl", epilog="Example: attendance-journal broker-acl > /etc/mosquitto/attendance.acl")
@configured
def broker_acl(config: Path) -> None:
    """Print mosquitto's ACL: one explicit line for each gateway and topic."""
    from journal.registry import acl
    from journal.settings import load

    async def work() -> str:
        async with reading(config) as connection:
            return await acl(connection, load(config).broker.client_id)

    click.echo(asyncio.run(work()), nl=False)
