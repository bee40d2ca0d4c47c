"""The command line of the simulators: a whole morning, or one reader to play with."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.errors import AttendanceError
from gateway.listing import Commands
from simulators.desk import NOT_PLAYED, kinds

T = TypeVar("T")

_KINDS = click.Choice(sorted([*kinds(), *NOT_PLAYED]))
_BROKERS = click.Choice(["auto", "mosquitto", "iotcore"])
_FILE = click.Path(dir_okay=False, path_type=Path)
_INTERRUPTED = 130


@contextmanager
def speaking_errors() -> Iterator[None]:
    """An operator's error is two lines and exit 1, Ctrl-C is exit 130, neither is a traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        click.echo(f"error: {error.name} is not installed here\n hint: make env", err=True)
        raise SystemExit(1) from None
    except AttendanceError as error:
        click.echo(f"error: {error}\n hint: {error.hint}", err=True)
        raise SystemExit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(_INTERRUPTED) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end; SIGTERM ends it as tidily as Ctrl-C."""

    async def cancellable() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    with speaking_errors():
        return asyncio.run(cancellable())


class _Commands(Commands):
    """Each loads what it needs only when it is asked for, and that may be missing."""

    def invoke(self, ctx: click.Context) -> object:
        with speaking_errors():
            return super().invoke(ctx)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attendance-gateway")
def main() -> None:
    """Simulated readers, cards and pupils: everything of the product is real, only the radio field is not."""


@main.command(epilog="Example: attendance-sim morning --pupils 300 --gateways 2 --seed 7 --speed 60 --json result.json")
@click.option(
    "--scenario", default="ordinary", show_default=True, help="A name of simulators/scenarios, or a TOML file."
)
@click.option("--pupils", type=click.IntRange(1, 2000), default=300, show_default=True, help="How many there are.")
@click.option("--gateways", type=click.IntRange(1, 8), default=2, show_default=True, help="Each with two lanes.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same number is the same crowd.")
@click.option("--speed", type=click.FloatRange(1, 600), default=60, show_default=True, help="Minutes in a minute.")
@click.option("--kill", type=click.Choice(["gateway", "journal", "broker"]), help="Kill -9 it several times meanwhile.")
@click.option(
    "--broker", type=_BROKERS, default="auto", show_default=True, help="auto: mosquitto where it is installed."
)
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found here.")
@click.option(
    "--keep", type=click.Path(exists=False, path_type=Path), help="Keep all files here; a demo keeps them anyway."
)
@click.option("--demo", is_flag=True, help="Show it on the screen while it runs.")
@click.option("--language", type=click.Choice(["ru", "en"]), help="Of the screen; by default that of the terminal.")
def morning(
    *,
    scenario: str,
    report: Path | None,
    demo: bool,
    language: str | None,
    kill: str | None,
    broker: str,
    keep: Path | None,
    **numbers: Any,
) -> None:
    """Play a whole school morning through real processes and hold everything against what happened at the doors.

    Exit 0 only if doors, gateways, journal and parents' mail agree.
    """
    from simulators.broker import BrokerKind
    from simulators.live import Screen, language_of
    from simulators.morning import Options, Victim, morning, verdict
    from simulators.scenario import Scenario

    screen = Screen(language or language_of(os.environ), demo=demo)
    with ExitStack() as unless_it_ends:
        if demo and keep is None:
            made = tempfile.mkdtemp(prefix="attendance-demo-")
            unless_it_ends.callback(shutil.rmtree, made)
            keep = Path(made) / "morning"
        with speaking_errors():
            options = Options(
                scenario=Scenario.load(scenario),
                kill=Victim(kill) if kill else None,
                broker=BrokerKind(broker),
                keep=keep,
                **numbers,
            )
        result = run(morning(options, screen))
        unless_it_ends.pop_all()
    if report is not None:
        report.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    screen.end(verdict(options, result))
    sys.exit(1 if result["mismatches"] else 0)


@main.command(epilog="Example: attendance-sim crowd --pupils 60 --seed 7")
@click.option(
    "--scenario", default="ordinary", show_default=True, help="A name of simulators/scenarios, or a TOML file."
)
@click.option("--pupils", type=click.IntRange(1, 2000), default=300, show_default=True, help="How many there are.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same number is the same crowd.")
def crowd(scenario: str, pupils: int, seed: int) -> None:
    """Print who comes in that morning, one JSON line each."""
    from zoneinfo import ZoneInfo

    from simulators.crowd import gather
    from simulators.scenario import Scenario

    with speaking_errors():
        loaded = Scenario.load(scenario)
    for arrival in gather(loaded, pupils=pupils, seed=seed).arrivals:
        line = {
            "at": arrival.at.astimezone(ZoneInfo(loaded.zone)).isoformat(timespec="seconds"),
            "pupil": arrival.pupil,
            "technology": arrival.card.technology,
            "uid": arrival.card.uid.hex().upper(),
            "manner": arrival.manner.value,
        }
        click.echo(json.dumps(line))


@main.command(epilog="Example: attendance-sim broker --port 1883")
@click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True, help="Of 127.0.0.1.")
@click.option("--kind", type=_BROKERS, default="auto", show_default=True, help="auto: mosquitto where it is installed.")
def broker(port: int, kind: str) -> None:
    """Run an MQTT 5 broker for loopback: for trying things out, never for a school."""
    from simulators.broker import BrokerKind, serve

    with speaking_errors():
        serve(BrokerKind(kind), port)


@main.command(epilog="Example: attendance-sim reader rdm6300    (then type 55007EE424 and Enter)")
@click.argument("kind", type=_KINDS)
@click.option("--url", help="Where it shall be found; by default a new place, which is printed.")
@click.option("--hold", type=click.FloatRange(0, 60), default=0.3, show_default=True, help="Seconds a card stays.")
def reader(kind: str, url: str | None, hold: float) -> None:
    """Be a reader or a gate: print what belongs into gateway.toml, then present each UID that is typed, in hex, one a line.

    At a gate words are typed instead, which it prints; what its lamp and bolt do is told.
    """
    from simulators.desk import play

    run(play(kind, url, hold))


@main.command(epilog="Example: attendance-sim card nfc 04DE5F1EACC040 --url udp:127.0.0.1:54321")
@click.argument("kind", type=_KINDS)
@click.argument("uid")
@click.option("--url", required=True, help="As in gateway.toml: this command is the device that the gateway opens.")
@click.option("--hold", type=click.FloatRange(0, 60), default=0.3, show_default=True, help="Seconds the card stays.")
@click.option(
    "--wait", type=click.FloatRange(0, 600), default=10, show_default=True, help="Seconds for a gateway to come."
)
def card(kind: str, uid: str, url: str, hold: float, wait: float) -> None:
    """Be a reader for as long as one card is presented. Exit 1 when no gateway opened it."""
    from simulators.desk import present_once

    run(present_once(kind, uid, url, hold=hold, wait=wait))


@main.command(
    "journal-peer",
    epilog="Example: attendance-sim journal-peer --broker mqtt://127.0.0.1:1883 --site school-12 --gateway kit "
    "--key kit.key --journal-key 4f1c… --restart 'systemctl restart journal'",
)
@click.option("--broker", "url", required=True, help="mqtt://host:port, or mqtts:// with the three files.")
@click.option("--site", required=True, help="A site of the journal.")
@click.option("--gateway", required=True, help="A gateway that is registered there, for this kit alone.")
@click.option("--key", type=_FILE, required=True, help="Its private key; made when there is none.")
@click.option("--journal-key", "keys", multiple=True, help="A public key of the journal, in hex.")
@click.option("--restart", help="A command that restarts the journal; without it you are asked to.")
@click.option(
    "--patience", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Seconds for an answer."
)
@click.option("--ca", type=_FILE, help="The authority that signed the broker's certificate.")
@click.option("--certificate", type=_FILE, help="The gateway's certificate.")
@click.option("--certificate-key", type=_FILE, help="Its private key.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def journal_peer(
    *,
    url: str,
    site: str,
    gateway: str,
    key: Path,
    keys: tuple[str, ...],
    restart: str | None,
    patience: float,
    as_json: bool,
    **tls: Path | None,
) -> None:
    """Play a gateway to any journal and tell which requirements of docs/contract it keeps. Exit 0 only if it keeps all.

    Duplicates, gaps, forks, forged and oversize batches: register a gateway for it that is used for nothing else.
    """
    from simulators.conformance.kit import Registration, play, restarted_by, trusted
    from simulators.conformance.player import Patience
    from sync.mqtt import Broker, TlsFiles
    from sync.signing import Signer

    with speaking_errors():
        signer = Signer.load(key)
        trust = trusted(keys, signer)
        files = TlsFiles(ca=tls["ca"], certificate=tls["certificate"], key=tls["certificate_key"])
        at = Broker.parse(url, client_id=gateway, username=gateway, tls=files if any(tls.values()) else None)
    registered = Registration(site=site, gateway=gateway, signer=signer, journal_keys=trust)
    results = run(
        play(
            at,
            registered,
            restart=restarted_by(restart),
            patience=Patience(answer=patience),
            tell=lambda result: None if as_json else click.echo(str(result)),
        )
    )
    failed = sum(result.missed is not None for result in results)
    if as_json:
        click.echo(json.dumps([result.plain() for result in results], indent=1))
    else:
        click.echo(f"{len(results) - failed} of {len(results)} requirements are kept")
    sys.exit(1 if failed else 0)
