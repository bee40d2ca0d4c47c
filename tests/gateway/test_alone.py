"""A school without a journal, from an empty folder: the gateway enrols itself, knows its pupils, and an export settles."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.load import load, load_enrolment
from gateway.cli import main
from gateway.domain.credential import Credential, Technology
from gateway.errors import ConfigError
from simulators.virtual import Virtual
from tests.gateway.daemon import running, taps, write_config
from tests.journal.tables import SCHOOL, write_school

CARD = Credential(technology=Technology.EM4100, uid=bytes.fromhex("55007EE424"))


def said(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def alone(folder: Path, url: str = "tcp://127.0.0.1:9") -> Path:
    config = write_config(folder, [url])
    (folder / "enrolment.toml").unlink()
    return config


def test_it_enrols_itself_once(tmp_path: Path) -> None:
    config, file = alone(tmp_path), tmp_path / "enrolment.toml"
    with pytest.raises(ConfigError) as missing:
        load_enrolment(file, owner=load(config))
    assert missing.value.hint.startswith("'attendance-gateway enroll FILE' makes this file")
    made = said("enroll", str(config))
    assert (made.exit_code, made.stdout) == (0, ""), made.output
    assert str(file) in made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    enrolment = load_enrolment(file, owner=load(config))
    assert (enrolment.site, enrolment.journal_keys, len(enrolment.site_keys)) == ("school-1", (), 1)
    assert enrolment.site_keys[0].secret.hex() not in made.output
    again = said("enroll", str(config))
    assert (again.exit_code, file.read_bytes()) == (0, before)
    assert "is there already" in again.stderr


def test_where_a_journal_is_such_a_file_is_not_enough(tmp_path: Path) -> None:
    config = alone(tmp_path)
    assert said("enroll", str(config)).exit_code == 0
    config.write_text(config.read_text().replace('"none"', '"mqtt://127.0.0.1:1"'))
    with pytest.raises(ConfigError, match="key journal_keys: got nothing, expected one to four public keys"):
        load_enrolment(tmp_path / "enrolment.toml", owner=load(config))


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    config = alone(tmp_path)
    config.write_text(config.read_text().replace(str(tmp_path / "enrolment.toml"), "/proc/enrolment.toml"))
    made = said("enroll", str(config))
    assert made.exit_code == 1
    assert f"for example {tmp_path}/state/enrolment.toml" in made.stderr


async def test_its_pupils_are_known(tmp_path: Path) -> None:
    async with Virtual("tcp://127.0.0.1:0") as door:
        config = alone(tmp_path, door.url)
        assert said("enroll", str(config)).exit_code == 0
        lane = SCHOOL["lanes.csv"].replace("door-1;north", "north;lane-1")
        school = write_school(tmp_path / "school", lanes=lane)
        imported = said("import", str(config), "table", str(school))
        assert (imported.exit_code, imported.stderr) == (0, ""), imported.output
        async with running(config):
            await door.opened()
            assert await door.card(CARD)
            await anext(door.shown())
    assert [tap.person for tap in taps(config)] == ["p-1"]
    assert said("export", str(config), str(tmp_path / "monday.jsonl")).exit_code == 0
    assert '"p-1"' in (tmp_path / "monday.jsonl").read_text()


@pytest.mark.parametrize(
    ("uplink", "kept"), [("mqtt://127.0.0.1:1", False), ("mqtt://127.0.0.1:1", True), ("none", True)]
)
def test_who_wins_is_told_where_a_journal_has_its_own_word(tmp_path: Path, uplink: str, kept: bool) -> None:
    config = write_config(tmp_path, ["tcp://127.0.0.1:9"], uplink)
    if kept:
        load(config).state.roster.parent.mkdir()
        load(config).state.roster.write_text("a directory")
    imported = said("import", str(config), "table", str(write_school(tmp_path / "school")))
    assert imported.exit_code == 0, imported.output
    when = "is kept here and wins" if kept else "wins as soon as it arrives"
    assert when in imported.stderr
