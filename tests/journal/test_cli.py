"""The commands, as an administrator types them: what they print, how they end, what they leave on the disk."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from config.load import load_enrolment
from gateway.domain.handshake import topic
from gateway.errors import AttendanceError, LinkError, PublishRefused
from journal.cli import ELSEWHERE, main
from journal.keys import Keys
from sync.mqtt import connect
from sync.signing import Signer
from tests.broker import Mosquitto
from tests.journal.door import Door
from tests.journal.tables import write_school

KEY = Door().signer.public.hex()


class Desk:
    """A folder with a journal.toml, and somebody who types."""

    def __init__(self, folder: Path, broker: str = "mqtt://127.0.0.1:9") -> None:
        self.folder = folder
        self.config = folder / "journal.toml"
        self.config.write_text(f'[state]\ndirectory = "{folder}/state"\n[broker]\nurl = "{broker}"\n')

    def types(self, *words: str, code: int = 0) -> str:
        result = self.result(*words)
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    def result(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(self.config)])

    def json(self, *words: str) -> Any:
        return json.loads(self.types(*words, "--json"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize("path", [path for path, _ in commands(main)], ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert f": attendance-journal {' '.join(path)}" in re.sub(r"\s+", " ", result.output)


def test_commands_of_other_packages_are_loaded_when_asked_for() -> None:
    code = "import sys, journal.cli; print([m for m in ('alembic', 'apprise', 'paho') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    assert all(re.fullmatch(r"journal(\.\w+)+:\w+", place) for place in ELSEWHERE.values())


def test_a_gateway_is_added_and_gets_its_file(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "door-1.toml"
    said = desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(out))
    assert str(out) in said
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    enrolment = load_enrolment(out)
    keys = Keys(tmp_path / "state")
    assert (enrolment.site, enrolment.gateway) == ("school-1", "door-1")
    assert enrolment.journal_keys == (keys.signer().public,)
    assert [key.secret for key in enrolment.site_keys] == [key.secret for key in keys.site_keys("school-1")]
    assert enrolment.site_keys[0].secret.hex() not in said


def test_adding_again_is_harmless_and_another_key_is_a_question(desk: Desk, tmp_path: Path) -> None:
    add = ("gateway", "add", "school-1", "door-1", "--out", str(tmp_path / "door-1.toml"), "--key")
    other = Signer(b"\7" * 32)
    desk.types(*add, KEY)
    desk.types(*add, KEY)
    assert "--replace" in desk.types(*add, other.public.hex(), code=1)
    desk.types(*add, other.public.hex(), "--replace")
    (row,) = desk.json("gateway", "list")
    assert (row["kid"], row["state"], row["epochs"]) == (other.kid, "active", {})
    said = desk.types("gateway", "add", "school-2", "door-1", "--key", KEY, "--out", str(tmp_path / "x"), code=1)
    assert "belongs to site school-1" in said
    assert not (tmp_path / "x").exists()


def test_an_empty_list_says_so(desk: Desk) -> None:
    assert desk.types("migrate")
    assert desk.types("gateway", "list") == "no gateway is registered\n"
    assert desk.types("verify") == "no gateway has sent anything: there is nothing to prove\n"


def test_gateways_are_listed_for_people(desk: Desk, tmp_path: Path) -> None:
    desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(tmp_path / "door-1.toml"))
    assert desk.types("gateway", "list") == (
        f"site school-1  gateway door-1  kid {Door().signer.kid}  state active  nothing received\n"
    )


def test_a_revoked_gateway_stays_on_the_list(desk: Desk, tmp_path: Path) -> None:
    desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(tmp_path / "door-1.toml"))
    desk.types("gateway", "revoke", "door-1")
    assert desk.json("gateway", "list")[0]["state"] == "revoked"
    assert "user door-1" not in desk.types("broker-acl")
    assert "no gateway door-9" in desk.types("gateway", "revoke", "door-9", code=1)


@pytest.mark.parametrize(
    "words",
    [
        ("gateway", "add", "School 1", "door-1", "--key", KEY),
        ("gateway", "add", "school-1", "door-1", "--key", "4f1c"),
        ("gateway", "add", "school-1", "door-1"),
        ("directory", "import", "school-1", "somewhere", "--since", "yesterday"),
        ("nonsense",),
    ],
)
def test_wrong_usage_ends_with_2(desk: Desk, words: tuple[str, ...]) -> None:
    desk.types(*words, code=2)


def test_a_wrong_date_is_told_with_a_right_one(desk: Desk) -> None:
    assert "'27.11.2026' is not a date like 2026-09-01" in desk.types("report", "--date", "27.11.2026", code=2)
    assert "PERSON DATE" in desk.types("explain", "--help")


def test_an_enrolment_file_that_cannot_be_written(desk: Desk) -> None:
    said = desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", "/nowhere/at/all.toml", code=1)
    assert "--out FILE" in said


def test_a_device_is_not_replaced_by_an_enrolment_file(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "device")
    add = ("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(tmp_path / "device"))
    assert "is no file" in desk.types(*add, code=1)
    assert (tmp_path / "device").is_fifo()


def test_a_key_file_that_others_can_read_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.types("migrate")
    key = tmp_path / "state" / "site-school-1.1.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    said = desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(tmp_path / "x"), code=1)
    assert f"chmod 600 {key}" in said


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("journal.key", ("gateway", "add", "school-1", "door-2", "--key", KEY, "--out", "{out}")),
        ("journal.key", ("directory", "publish", "school-1")),
        ("journal.key", ("run",)),
        ("cards.key", ("directory", "import", "school-1", "{folder}")),
        ("site-school-1.1.key", ("directory", "import", "school-1", "{folder}")),
        ("site-school-1.1.key", ("gateway", "add", "school-1", "door-2", "--key", KEY, "--out", "{out}")),
    ],
)
def test_a_key_that_is_gone_is_not_made_again(desk: Desk, tmp_path: Path, lost: str, words: tuple[str, ...]) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("gateway", "add", "school-1", "door-1", "--key", KEY, "--out", str(tmp_path / "door-1.toml"))
    desk.types("directory", "import", "school-1", folder)
    (tmp_path / "state" / lost).unlink()
    said = desk.types(*(word.format(folder=folder, out=tmp_path / "door-2.toml") for word in words), code=1)
    assert f"{lost}: this key is gone" in said
    assert "restore it" in said
    assert not (tmp_path / "state" / lost).exists()
    assert [row["gateway"] for row in desk.json("gateway", "list")] == ["door-1"]


def test_another_site_has_a_key_of_its_own(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("directory", "import", "school-1", folder)
    desk.types("directory", "import", "school-2", folder)
    desk.types("gateway", "add", "school-3", "door-3", "--key", KEY, "--out", str(tmp_path / "door-3.toml"))
    assert (tmp_path / "state" / "site-school-3.1.key").exists()


def test_messages_are_paused_and_resumed(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("directory", "import", "school-1", folder)
    assert "resume" not in desk.types("notify", "list")
    assert "notify resume" in desk.types("notify", "pause")
    desk.types("directory", "import", "school-1", folder)
    assert desk.types("notify", "list").startswith("сообщения приостановлены: attendance-journal notify resume")
    assert desk.types("notify", "resume", "--language", "en") == "messages go out again\n"
    assert "resume" not in desk.types("notify", "list")


def test_the_readme_names_the_arguments_of_each_command() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"`attendance-journal ([a-z][a-z-]*(?: [a-z][a-z-]*)*)((?: [A-Z]+)*)(?: --[^`]*)?`", text)
    known = {
        " ".join(path): [p.name.upper() for p in command.params if isinstance(p, click.Argument) and p.name]
        for path, command in commands(main)
    }
    assert shown
    assert {name: words.split() for name, words in shown} == {name: known[name] for name, _ in shown}


def test_errors_have_a_hint_and_no_traceback(desk: Desk) -> None:
    desk.config.unlink()
    said = desk.types("migrate", code=1)
    assert said.startswith("error: ")
    assert "hint: give --config FILE or set ATTENDANCE_JOURNAL" in said


def test_the_configuration_may_come_from_the_environment(desk: Desk) -> None:
    environment = os.environ | {"ATTENDANCE_JOURNAL": str(desk.config)}
    ran = subprocess.run(
        [sys.executable, "-m", "journal", "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, f"sqlite+aiosqlite:///{desk.folder}/state/journal.db: up to date\n")


@pytest.mark.needs("mosquitto")
class TestAcl:
    """What `broker-acl` prints, in a real broker."""

    @pytest.fixture
    def broker(self, desk: Desk, tmp_path: Path) -> Iterator[Mosquitto]:
        for name in ("door-1", "door-2"):
            desk.types("gateway", "add", "school-1", name, "--key", KEY, "--out", str(tmp_path / name))
        with Mosquitto(tmp_path / "broker", acl=desk.types("broker-acl")) as one:
            yield one

    @pytest.mark.parametrize(
        ("client", "place", "allowed"),
        [
            ("door-1", ("door-1", "events"), True),
            ("door-1", ("door-1", "state"), True),
            ("door-1", ("door-1", "receipt"), False),
            ("door-1", ("door-2", "events"), False),
            ("door-1", ("directory", "manifest"), False),
            ("door-3", ("door-3", "events"), False),
            ("journal", ("door-1", "receipt"), True),
            ("journal", ("directory", "part", "0"), True),
            ("journal", ("door-1", "events"), False),
        ],
    )
    async def test_who_may_write(self, broker: Mosquitto, client: str, place: tuple[str, ...], allowed: bool) -> None:
        async with connect(broker.at(client)) as connection:
            with nullcontext() if allowed else pytest.raises(PublishRefused):
                await connection.publish(topic("school-1", *place), b"-")

    def test_the_directory_reaches_a_gateway(self, desk: Desk, broker: Mosquitto, tmp_path: Path) -> None:
        desk.config.write_text(desk.config.read_text().replace("mqtt://127.0.0.1:9", broker.url))
        desk.types("directory", "import", "school-1", str(write_school(tmp_path / "school")))
        assert "is published" in desk.types("directory", "publish", "school-1")
        assert "does not know site" in desk.types("directory", "publish", "school-9", code=1)

        async def hear() -> bool:
            async with connect(broker.at("door-1")) as connection, asyncio.timeout(60):
                await connection.subscribe(topic("school-1", "directory", "manifest"))
                return (await anext(connection.messages())).retain

        assert asyncio.run(hear())


def test_an_operators_error_among_others_is_told_and_a_bug_is_not_hidden() -> None:
    from journal.console import speaking_errors

    def end(error: Exception) -> None:
        with speaking_errors():
            raise error

    with pytest.raises(SystemExit):
        end(ExceptionGroup("", [ExceptionGroup("", [AttendanceError("x")]), LinkError("y")]))
    with pytest.raises(ExceptionGroup):
        end(ExceptionGroup("", [AttendanceError("x"), ValueError("y")]))
