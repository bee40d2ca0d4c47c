"""The command line of the gateway: run it, judge a configuration, decode captured bytes, enrol."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from gateway.errors import AttendanceError, ConfigError

#: EX_CONFIG of sysexits.h: systemd does not start again what only a person can mend.
_UNUSABLE_CONFIG = 78
#: Bytes of a capture that are decoded at once.
_PIECE = 4096

CONFIG = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def speaking_errors(*, unusable: int = 1) -> Iterator[None]:
    """An operator's error is two lines and exit 1, a configuration's `unusable`, never a traceback."""
    try:
        yield
    except AttendanceError as error:
        click.echo(f"error: {error}\n hint: {error.hint}", err=True)
        raise SystemExit(unusable if isinstance(error, ConfigError) else 1) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    from gateway.check import judge_devices, own_packages

    with speaking_errors():
        own_packages()
        loaded = load(config)
        judge_devices(loaded)
    click.echo(
        f"{config}: good. Gateway {loaded.gateway} of site {loaded.site}: {len(loaded.devices)} devices, "
        f"{len(loaded.lanes)} lanes, uplink {loaded.uplink.url}."
    )


@main.command(epilog="Example: attendance-gateway decode rdm6300 --hex capture.txt")
@click.argument("kind")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "as_hex", is_flag=True, help="The input is hex digits in text, white space ignored.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the kind, as in gateway.toml."
)
def decode(kind: str, file: BinaryIO, settings: tuple[str, ...], *, as_hex: bool) -> None:
    """Turn captured raw bytes of a reader into one JSON line per card or refused frame.

    FILE is standard input when it is not given.
    """
    from drivers.registry import decoder

    with speaking_errors():
        pieces = _pieces(file)
        for line in decoder(kind, _settings(settings))(_unhexed(pieces) if as_hex else pieces):
            click.echo(json.dumps(line))


def _settings(texts: Iterable[str]) -> dict[str, object]:
    """Values as TOML has them; words need no quotation marks here."""
    settings: dict[str, object] = {}
    for text in texts:
        key, _, word = text.partition("=")
        try:
            settings |= tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = word.strip()
    return settings


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """As they come: a pipe may be the reader itself."""
    read = getattr(file, "read1", file.read)
    while piece := read(_PIECE):
        yield piece


def _unhexed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    digits = ""
    try:
        for piece in pieces:
            digits += "".join(piece.decode("ascii").split())
            yield bytes.fromhex(digits[: len(digits) // 2 * 2])
            digits = digits[len(digits) // 2 * 2 :]
        yield bytes.fromhex(digits)
    except ValueError:
        raise click.UsageError("--hex wants hex digits and white space only") from None


@main.command(
    epilog="Example: attendance-gateway calibrate /etc/attendance-gateway/gateway.toml north-in --uid em4100:55007EE424"
)
@click.argument("config", type=CONFIG)
@click.argument("lane")
@click.option("--uid", required=True, metavar="TECHNOLOGY:UID", help="The card that you will hold to the reader.")
@click.option("--wait", type=click.FloatRange(1, 600), default=60, show_default=True, help="Seconds for the card.")
def calibrate(config: Path, lane: str, uid: str, wait: float) -> None:
    """Read one known card at a lane's reader and print the settings under which it is that card; stop the gateway first."""
    import asyncio

    from config.load import load
    from gateway.calibrate import calibrated, device_of, known_card

    with speaking_errors():
        loaded, known = load(config), known_card(uid)
        device = device_of(loaded, lane)
        click.echo(f"Hold {known.masked} to the reader of lane {lane}, and take it away.", err=True)
        found = asyncio.run(calibrated(loaded, device, known, wait=wait))
    if found.told != known:
        click.echo(f"This reader tells only a part of the card, {found.told}: enter its cards as such.", err=True)
    click.echo(f'In the [[devices]] table "{device.id}" of {config}:', err=True)
    for key, value in found.settings.items():
        click.echo(f"{key} = {json.dumps(value)}")


@main.command(epilog="Example: attendance-gateway enroll /etc/attendance-gateway/gateway.toml")
@click.argument("config", type=CONFIG)
@click.option("--new-key", is_flag=True, help="Make the next key: the running gateway changes over to it by itself.")
def enroll(config: Path, *, new_key: bool) -> None:
    """Make this gateway's key, if it has none, and print what the journal needs to know of it."""
    from config.load import load
    from gateway.rekeying import next_key
    from sync.signing import Signer

    with speaking_errors():
        loaded = load(config)
        signer = Signer.load(next_key(loaded.state.key) if new_key else loaded.state.key)
    if new_key:
        click.echo(f"key id {signer.kid} is next: in use as soon as the journal has confirmed it")
        return
    click.echo(f"key id {signer.kid}. On the journal's machine run:", err=True)
    click.echo(f"attendance-journal gateway add {loaded.site} {loaded.gateway} --key {signer.public.hex()}")


@main.command(
    epilog="Example: attendance-gateway provision /etc/attendance-gateway/gateway.toml osdp-bus 1 --seconds 30"
)
@click.argument("config", type=CONFIG)
@click.argument("device")
@click.argument("address")
@click.option("--seconds", type=click.FloatRange(1, 300), default=60, show_default=True, help="How long it may take.")
def provision(config: Path, device: str, address: str, seconds: float) -> None:
    """Give a reader a secret key of its own, while it waits for one; stop the service first.

    DEVICE is the id of its [[devices]] table, ADDRESS that of the reader on it.
    """
    import asyncio

    from config.load import load
    from gateway.provision import give_key

    with speaking_errors():
        kept = asyncio.run(give_key(load(config), device, address, seconds))
    click.echo(f"reader {address} of {device} has its key; keep {kept} as secret as the door")


@main.command(epilog="Example: attendance-gateway status /etc/attendance-gateway/gateway.toml --json")
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


@main.command(
    "import",
    epilog="Example: attendance-gateway import /etc/attendance-gateway/gateway.toml table school/ --dry-run --json",
)
@click.argument("config", type=CONFIG)
@click.argument("source", type=click.Choice(["table", "oneroster", "asc", "icalendar"]))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--with", "more", type=click.Path(path_type=Path), help="A folder of tables with what the source lacks.")
@click.option("--dry-run", is_flag=True, help="Judge the source and write nothing.")
@click.option("--language", type=click.Choice(["ru", "en"]), default="ru", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def import_(
    config: Path, source: str, path: Path, more: Path | None, language: str, *, dry_run: bool, as_json: bool
) -> None:
    """Take over a school without a journal: people, cards and lessons; a directory of a journal replaces it."""
    from config.load import load, load_enrolment
    from sync.clock import clock_from_environment
    from sync.local import local_path, write_local
    from sync.sources.content import content_of
    from sync.sources.report import Report
    from sync.sources.several import Format, Source, compiled_school

    with speaking_errors():
        loaded = load(config)
        before = [Source(Format.TABLE, more)] if more else []
        now = clock_from_environment().now().at
        done = compiled_school([*before, Source(Format(source), path)], now)
        keys = load_enrolment(loaded.enrolment.file, owner=loaded).site_keys
        content = content_of(done.school, done.slots, site=loaded.site, keys=keys)
        if not dry_run:
            write_local(local_path(loaded.state.roster), content, done.until)
    report = Report.of(done.school, done.slots, done.remarks)
    click.echo(json.dumps(report.plain(), ensure_ascii=False) if as_json else report.text(language))


@main.command(epilog="Example: attendance-gateway verify /etc/attendance-gateway/gateway.toml")
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


@main.command(epilog="Example: attendance-gateway export /etc/attendance-gateway/gateway.toml monday.jsonl")
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


@main.command(epilog="Example: attendance-gateway backup /etc/attendance-gateway/gateway.toml /media/usb/door.backup")
@click.argument("config", type=CONFIG)
@click.argument("file", type=CONFIG)
def backup(config: Path, file: Path) -> None:
    """Copy ledger, key and directory into FILE, beside a running daemon. It holds the key: keep it as you keep keys."""
    from config.load import load
    from sync.backup import backup

    with speaking_errors():
        size = backup(load(config).state.directory, file)
    click.echo(f"{file}: {size} bytes. The enrolment file and the certificates are not in it.")


@main.command(epilog="Example: attendance-gateway restore /etc/attendance-gateway/gateway.toml /media/usb/door.backup")
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


@main.command(epilog="Example: attendance-gateway schema > asyncapi.json")
def schema() -> None:
    """Print the contract with the journal: AsyncAPI 3.1 with a JSON Schema of every message."""
    from gateway.contract import document, text

    click.echo(text(document()), nl=False)
