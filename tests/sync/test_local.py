"""A directory of one's own: imported at the gateway, in use without a journal, and replaced by any directory of one."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.load import load
from gateway.cli import main
from gateway.errors import MalformedMessage
from sync.directory import DirectoryReceiver
from sync.local import local_path, read_local, write_local
from tests.domain.build import at
from tests.gateway.daemon import write_config
from tests.journal.tables import SCHOOL, write_school
from tests.sync.roster import RAW, content, manifest, person_of_card, receive, shelf

UNTIL = at("08:00") + timedelta(days=9)


async def test_it_is_in_use_until_a_journal_sends_one(
    new_receiver: Callable[[], DirectoryReceiver], tmp_path: Path
) -> None:
    receiver = new_receiver()
    write_local(local_path(receiver._path), content(person="p-9"), UNTIL)
    await receiver.load()
    assert (person_of_card(receiver), receiver.current.version, receiver.error) == ("p-9", None, None)
    assert receiver.current.valid_until == UNTIL
    await receive(receiver, shelf(manifest(RAW), raw=RAW))
    assert (person_of_card(receiver), receiver.current.version) == ("p-2", 1)
    for again in (receiver, new_receiver()):
        await again.load()
        await again.turn_day()
        assert person_of_card(again) == "p-2"


async def test_a_new_import_is_taken_over_by_a_running_daemon(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    receiver = new_receiver()
    await receiver.load()
    path = local_path(receiver._path)
    for moment, person in enumerate(("p-8", "p-9"), 1):
        write_local(path, content(person=person), UNTIL)
        os.utime(path, ns=(moment, moment))
        await receiver.turn_day()
        assert person_of_card(receiver) == person


async def test_a_damaged_one_and_one_of_another_site_change_nothing(
    new_receiver: Callable[[], DirectoryReceiver],
) -> None:
    receiver = new_receiver()
    path = local_path(receiver._path)
    write_local(path, content(), UNTIL)
    await receiver.load()
    for raw in (path.read_bytes()[:-1], b"{}\n", b"\xff"):
        path.write_bytes(raw)
        with pytest.raises(MalformedMessage, match="damaged") as caught:
            read_local(path)
        assert "attendance-gateway import" in caught.value.hint
        await receiver.turn_day()
        assert person_of_card(receiver) == "p-1"
    write_local(path, content(site="school-2", person="p-2"), UNTIL)
    await receiver.turn_day()
    assert person_of_card(receiver) == "p-1"
    assert "school-2" in (receiver.error or "")


def test_the_command_tries_and_then_writes(tmp_path: Path) -> None:
    config, folder = write_config(tmp_path, ["tcp://127.0.0.1:9"]), str(write_school(tmp_path / "school"))
    path = local_path(load(config).state.roster)
    words = ["import", str(config), "table", folder, "--json"]
    tried = CliRunner().invoke(main, [*words, "--dry-run"])
    assert tried.exit_code == 0, tried.output
    assert not path.exists()
    said = json.loads(tried.stdout)
    assert (said["persons"], said["groups"], said["credentials"], said["warnings"]) == (2, 1, 2, [])
    assert (said["dry_run"], said["difference"]["persons"]["added"]["ids"]) == (True, ["p-1", "p-2"])
    assert json.loads(CliRunner().invoke(main, words).stdout) == said | {"dry_run": False}
    local = read_local(path)
    assert local is not None
    assert len(local.content.slots) == said["slots"]
    assert "Мария".encode() not in path.read_bytes()
    write_school(tmp_path / "school", cards=SCHOOL["cards.csv"] + "em4100;12;p-9\n")
    before = path.read_bytes()
    failed = CliRunner().invoke(main, words)
    assert failed.exit_code == 1
    assert "cards.csv" in failed.output
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("language", "same", "told"),
    [
        ("en", "nothing changes", "A dry run: nothing was written."),
        ("ru", "ничего не меняется", "Это проверка: ничего не записано."),
    ],
)
def test_a_dry_run_tells_what_would_change_and_that_nothing_was_written(
    tmp_path: Path, language: str, same: str, told: str
) -> None:
    config, school = write_config(tmp_path, ["tcp://127.0.0.1:9"]), tmp_path / "school"
    words = ["import", str(config), "table", str(write_school(school)), "--language", language]
    assert told not in CliRunner().invoke(main, words).stdout
    path = local_path(load(config).state.roster)
    before = path.read_bytes()
    assert CliRunner().invoke(main, [*words, "--dry-run"]).stdout.splitlines()[1:] == [same, told]
    cards = SCHOOL["cards.csv"].replace("p-1", "p-3")
    write_school(school, people=SCHOOL["people.csv"] + "p-3;Орлов;Пётр;5А\n", cards=cards)
    tried = CliRunner().invoke(main, [*words, "--dry-run"]).stdout.splitlines()
    assert [line.partition(": ")[2] for line in tried[1:-1]] == (
        ["added 1 (p-3)", "changed 1 (p-3)"] if language == "en" else ["добавлено 1 (p-3)", "изменено 1 (p-3)"]
    )
    assert path.read_bytes() == before
    path.write_bytes(b"damaged")
    damaged = CliRunner().invoke(main, [*words, "--dry-run"])
    assert "3 (p-1, p-2, p-3)" in damaged.stdout
