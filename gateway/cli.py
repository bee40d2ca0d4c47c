"""The command line of the gateway: run it, judge a configuration, enrol, import; the rest is in gateway/desk."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.desk.devices import calibrate, decode, provision
from gateway.desk.doctor import doctor
from gateway.desk.ledger import backup, export, restore, status, verify
from gateway.desk.options import CONFIG, speaking_errors
from gateway.desk.watch import devices, tail
from gateway.listing import Commands

if TYPE_CHECKING:
    from config.model import GatewayConfig

#: EX_CONFIG of sysexits.h: systemd does not start again what only a person can mend.
_UNUSABLE_CONFIG = 78


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attendance-gateway")
def main() -> None:
    """Attendance gateway: card taps at the school entrance, recorded and delivered exactly once."""


@main.command(epilog="Example: attendance-gateway run /etc/attendance-gateway/gateway.toml")
@click.argument("config", type=CONFIG)
def run(config: Path) -> None:
    """Serve the entrance until stopped; exit 78 where the configuration has to be mended first."""
    from config.load import load
    from gateway.app import serve
    from gateway.log import set_up

    set_up()
    with speaking_errors(unusable=_UNUSABLE_CONFIG):
        serve(load(config))


@main.command(epilog="Example: attendance-gateway check gateway.toml")
@click.argument("config", type=CONFIG)
def check(config: Path) -> None:
    """Judge a configuration without touching a device."""
    from config.load import load
    from gateway.check import of_machine, own_packages

    with speaking_errors():
        own_packages()
        loaded = load(config, judge=of_machine)
    click.echo(
        f"{config}: good. Gateway {loaded.gateway} of site {loaded.site}: devices {len(loaded.devices)}, "
        f"lanes {len(loaded.lanes)}, uplink {loaded.uplink.url}."
    )


@main.command(epilog="Example: attendance-gateway enroll /etc/attendance-gateway/gateway.toml")
@click.argument("config", type=CONFIG)
@click.option("--new-key", is_flag=True, help="Make the next key: the running gateway changes over to it by itself.")
def enroll(config: Path, *, new_key: bool) -> None:
    """Make this gateway's key, if it has none, and print what the journal needs to know of it."""
    from config.load import load
    from gateway.alone import enrol_itself
    from gateway.rekeying import next_key
    from sync.signing import Signer

    with speaking_errors():
        loaded = load(config)
        signer = Signer.load(next_key(loaded.state.key) if new_key else loaded.state.key)
        alone = loaded.uplink.broker is None and not new_key
        made = alone and enrol_itself(loaded)
    if new_key:
        click.echo(f"key id {signer.kid} is next: in use as soon as the journal has confirmed it")
        return
    if alone:
        told = "made, with a card key of its own" if made else "is there already, and stays"
        click.echo(f"No journal is asked (uplink none): {loaded.enrolment.file} {told}.", err=True)
        return
    click.echo(f"key id {signer.kid}. On the journal's machine run:", err=True)
    click.echo(f"attendance-journal gateway add {loaded.site} {loaded.gateway} --key {signer.public.hex()}")


@main.command(
    "import",
    epilog="Example: attendance-gateway import /etc/attendance-gateway/gateway.toml table school/ --dry-run --json",
)
@click.argument("config", type=CONFIG)
@click.argument("source", type=click.Choice(["table", "oneroster", "asc", "icalendar"]))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--with", "more", type=click.Path(path_type=Path), help="A folder of tables with what the source lacks.")
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@click.option("--language", type=click.Choice(["ru", "en"]), default="ru", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def import_(
    config: Path, source: str, path: Path, more: Path | None, language: str, *, dry_run: bool, as_json: bool
) -> None:
    """Take over a school without a journal: people, cards and lessons; a directory of a journal replaces it."""
    from config.load import load, load_enrolment
    from sync.clock import clock_from_environment
    from sync.local import local_path, standing, write_local
    from sync.sources.content import content_of, known_of
    from sync.sources.report import REHEARSED, Report, difference
    from sync.sources.several import Format, Source, compiled_school

    with speaking_errors():
        loaded = load(config)
        tables = [Source(Format.TABLE, more)] if more else []
        now = clock_from_environment().now().at
        done = compiled_school([*tables, Source(Format(source), path)], now)
        keys = load_enrolment(loaded.enrolment.file, owner=loaded).site_keys
        content = content_of(done.school, done.slots, site=loaded.site, keys=keys)
        kept = local_path(loaded.state.roster)
        before = standing(kept)
        if not dry_run:
            write_local(kept, content, done.until)
    if note := _outranked(loaded):
        click.echo(note, err=True)
    change = difference(None if before is None else known_of(before, done.since), known_of(content, done.since))
    report = Report.of(done.school, done.slots, done.remarks, change)
    if as_json:
        click.echo(json.dumps({**report.plain(), "dry_run": dry_run}, ensure_ascii=False))
        return
    click.echo(report.text(language))
    if dry_run:
        click.echo(REHEARSED[language])


def _outranked(loaded: "GatewayConfig") -> str:
    """What an import has to know of the journal's directory; empty where there is no journal."""
    roster = loaded.state.roster
    if roster.exists():
        return f"warning: the journal's directory {roster} is kept here and wins: what is imported is not used; where no journal is any more, move it away"
    if loaded.uplink.broker is not None:
        return "warning: the journal's directory wins as soon as it arrives; mend people and cards there"
    return ""


@main.command(epilog="Example: attendance-gateway schema > asyncapi.json")
def schema() -> None:
    """Print the contract with the journal: AsyncAPI 3.1 with a JSON Schema of every message."""
    from gateway.contract import document, text

    click.echo(text(document()), nl=False)


for command in (calibrate, decode, devices, doctor, provision, backup, export, restore, status, tail, verify):
    main.add_command(command)
