"""Commands about the ledger of a gateway: how it stands, whether it is whole, copies of it."""

import json
from pathlib import Path

import click

from gateway.desk.options import CONFIG, speaking_errors


@click.command(epilog="Example: attendance-gateway status /etc/attendance-gateway/gateway.toml --json")
@click.argument("config", type=CONFIG)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(config: Path, *, as_json: bool) -> None:
    """Show what this gateway has recorded and what the journal has not confirmed; works beside a running daemon."""
    from config.load import load
    from sync.certificates import validity, warning
    from sync.clock import clock_from_environment
    from sync.status import ledger_summary

    with speaking_errors():
        loaded = load(config)
        summary = ledger_summary(loaded.state.ledger)
        ends = validity(loaded.uplink.certificates, clock_from_environment().now().at)
    if as_json:
        click.echo(json.dumps(summary | {"certificates": ends}))
        return
    summary |= {name: certificate["until"] for name, certificate in ends.items()}
    if (soon := warning(ends)) is not None:
        click.echo(f"warning: {soon}", err=True)
    for key, value in summary.items():
        click.echo(f"{key:12} {value}")


@click.command(epilog="Example: attendance-gateway verify /etc/attendance-gateway/gateway.toml")
@click.argument("config", type=CONFIG)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def verify(config: Path, *, as_json: bool) -> None:
    """Prove the ledger: every entry reads, none is missing, each hangs on the one before; works beside a running daemon."""
    from config.load import load
    from sync.verify import prove

    with speaking_errors():
        proofs = prove(load(config).state.ledger)
    for proof in proofs:
        flaw = proof.flaw and {"seq": proof.flaw.seq, "why": proof.flaw.why}
        if as_json:
            click.echo(json.dumps({"epoch": proof.stream.epoch, "entries": proof.count, "flaw": flaw}))
        else:
            found = f"entry {flaw['seq']}: {flaw['why']}" if flaw else "proven"
            click.echo(f"epoch {proof.stream.epoch}: {proof.count} entries, {found}")
    if any(proof.flaw for proof in proofs):
        click.echo(" hint: restart the gateway: it puts a damaged ledger aside and begins a new epoch", err=True)
        raise SystemExit(1)


@click.command(epilog="Example: attendance-gateway export /etc/attendance-gateway/gateway.toml monday.jsonl")
@click.argument("config", type=CONFIG)
@click.argument("file", type=CONFIG)
@click.option("--all", "everything", is_flag=True, help="Also what was confirmed, or exported before.")
def export(config: Path, file: Path, *, everything: bool) -> None:
    """Write what is recorded into FILE, one event a line, byte for byte; works beside a running daemon.

    Without a journal (uplink none) this settles it: it need not be kept here any longer.
    """
    from config.load import load
    from sync.export import export

    with speaking_errors():
        loaded = load(config)
        done = export(loaded.state.ledger, file, everything=everything)
        if loaded.uplink.broker is None:
            done.leave(loaded.state.ledger)
    click.echo(f"{file}: {done.count} entries of epoch {done.epoch}, up to {done.through}")
    if not done.count and done.through and not everything:
        click.echo("Everything was confirmed or exported before; --all writes it again.", err=True)


@click.command(epilog="Example: attendance-gateway backup /etc/attendance-gateway/gateway.toml /media/usb/door.backup")
@click.argument("config", type=CONFIG)
@click.argument("file", type=CONFIG)
def backup(config: Path, file: Path) -> None:
    """Copy ledger, key and directory into FILE, beside a running daemon. It holds the key: keep it as you keep keys."""
    from config.load import load
    from sync.backup import backup

    with speaking_errors():
        size = backup(load(config).state.directory, file)
    click.echo(f"{file}: {size} bytes. The enrolment file and the certificates are not in it.")


@click.command(epilog="Example: attendance-gateway restore /etc/attendance-gateway/gateway.toml /media/usb/door.backup")
@click.argument("config", type=CONFIG)
@click.argument("file", type=CONFIG)
def restore(config: Path, file: Path) -> None:
    """Make an empty state directory what it was at the backup; a new epoch begins, in which the journal hears the rest again."""
    import asyncio

    from config.load import load
    from sync.backup import restore
    from sync.clock import clock_from_environment

    with speaking_errors():
        loaded, clock = load(config), clock_from_environment()
        work = restore(file, loaded.state.directory, site=loaded.site, gateway=loaded.gateway, clock=clock)
        epoch = asyncio.run(work)
    click.echo(f"{loaded.state.directory}: restored; epoch {epoch} begins. Give it to the user of the gateway: chown.")
