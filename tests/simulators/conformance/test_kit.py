"""The conformance kit: our own journal keeps everything; of somebody else's it finds each mistake, and nothing but that one."""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.conformance.kit import REQUIREMENTS, Registration, play
from simulators.conformance.player import Patience
from sync.signing import Signer
from tests.broker import Mosquitto
from tests.journal.process import PATIENCE, Process
from tests.journal.test_cli import Desk
from tests.simulators.conformance.faults import FAULTS
from tests.simulators.conformance.faulty import FaultyJournal, living

SITE = "school-1"
CONTRACT = Path(__file__).parents[3] / "docs" / "contract"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    # Each message waits for the one before; without this also for the kernel's patience with small packets.
    with Mosquitto(tmp_path_factory.mktemp("broker"), lines=["set_tcp_nodelay true"]) as one:
        yield one


async def failing(broker: Mosquitto, fault: str) -> set[str]:
    """What the kit finds wrong with a journal that makes this mistake."""
    gateway, signer, again = f"kit-{secrets.token_hex(4)}", Signer(b"\5" * 32), asyncio.Event()
    journal = FaultyJournal(fault, site=SITE, gateway=gateway, public=signer.public)

    async def restart() -> None:
        again.set()

    async with AsyncExitStack() as stack:
        life = asyncio.create_task(living(journal, broker.at(f"journal-{gateway}"), again))
        stack.callback(life.cancel)
        registered = Registration(site=SITE, gateway=gateway, signer=signer, journal_keys=[journal.signer.public])
        seconds = 2.0 if fault else PATIENCE
        patience = Patience(answer=seconds, restart=seconds, grace=0)
        results = await play(broker.at(gateway), registered, restart=restart, patience=patience)
        assert not life.done() or life.result() is None
    return {result.requirement.name for result in results if result.missed is not None}


@pytest.mark.needs("mosquitto")
async def test_a_journal_that_keeps_to_the_contract_passes(broker: Mosquitto) -> None:
    assert await failing(broker, "") == set()


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_mistake_is_found_and_is_the_only_one(broker: Mosquitto, fault: str) -> None:
    assert await failing(broker, fault) == {FAULTS[fault]}


def test_every_requirement_has_a_mistake_that_it_finds() -> None:
    assert {requirement.name for requirement in REQUIREMENTS} == set(FAULTS.values())


def test_every_requirement_stands_on_the_page_that_it_names() -> None:
    for requirement in REQUIREMENTS:
        page, _, heading = requirement.page.partition("#")
        text = (CONTRACT / page).read_text(encoding="utf-8")
        section = text.partition(f"\n## {heading.capitalize()}\n")[2].partition("\n## ")[0]
        assert f"| `{requirement.name}` | {requirement.sentence} |" in section


def test_the_page_names_no_requirement_that_is_none() -> None:
    text = (CONTRACT / "journal.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert rows == [requirement.name for requirement in REQUIREMENTS]


@pytest.mark.needs("mosquitto")
@pytest.mark.slow
async def test_our_own_journal_keeps_everything(broker: Mosquitto, tmp_path: Path) -> None:
    gateway, signer = "kit", Signer.load(tmp_path / "kit.key")
    desk = Desk(tmp_path, broker.url)
    words = ("gateway", "add", SITE, gateway, "--key", signer.public.hex(), "--out", str(tmp_path / "kit.toml"))
    await asyncio.to_thread(desk.types, *words)
    process = Process(desk, broker)
    try:
        process.start()
        kit = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulators", "journal-peer", "--broker", broker.url, "--site", SITE),
            *("--gateway", gateway, "--key", str(tmp_path / "kit.key"), "--patience", str(PATIENCE), "--json"),
            *("--journal-key", journal_key(tmp_path), "--restart", f"kill -9 {process.pid}"),
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.to_thread(process.gone, 100)
        process.start()
        told, _ = await kit.communicate()
    finally:
        process.kill()
        process.notify.close()
    results = json.loads(told)
    assert [one for one in results if not one["passed"]] == []
    assert kit.returncode == 0
    assert len(results) == len(REQUIREMENTS)


def journal_key(folder: Path) -> str:
    return Signer.load(folder / "state" / "journal.key").public.hex()


def test_without_a_key_of_the_journal_it_says_what_to_register(tmp_path: Path) -> None:
    words = ["journal-peer", "--broker", "mqtt://127.0.0.1:9", "--site", SITE, "--gateway", "kit"]
    done = CliRunner().invoke(main, [*words, "--key", str(tmp_path / "kit.key")])
    assert done.exit_code == 1
    assert Signer.load(tmp_path / "kit.key").public.hex() in done.output


def test_without_a_broker_it_says_so(tmp_path: Path) -> None:
    words = ["journal-peer", "--broker", "mqtt://127.0.0.1:9", "--site", SITE, "--gateway", "kit"]
    words += ["--key", str(tmp_path / "kit.key"), "--journal-key", Signer(b"\1" * 32).public.hex()]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, "cannot be reached" in done.output) == (1, True)
