"""journal.toml: every mistake of a file is told at once, with its place, what stands there, what may, and a hint."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.policy import Policy
from gateway.errors import ConfigError
from journal.settings import Settings, load

EXAMPLE = Path(__file__).parents[2] / "config" / "journal.example.toml"
GOOD = '[state]\ndirectory = "/var/lib/j"\n'


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "journal.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_the_example_loads_and_holds_every_key() -> None:
    settings = load(EXAMPLE)
    assert settings.policy("school-12") == Policy()
    assert settings.url == "sqlite+aiosqlite:////var/lib/attendance-journal/journal.db"
    text = EXAMPLE.read_text(encoding="utf-8")
    parts = (
        settings.state,
        settings.broker,
        settings.directory,
        settings.notices,
        settings.sites["school-12"],
        *settings.sites["school-12"].overrides,
    )
    parts += (settings.codes("school-12"),)
    for table in (settings, *parts):
        for key in type(table).model_fields:
            assert re.search(rf"(?m)^{key} = |^\[+([\w-]+\.)*{key}[].]", text), key


def test_the_configuration_of_a_gateway_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match=r"gateway\.example\.toml: this is a gateway's configuration; ") as caught:
        load(EXAMPLE.with_name("gateway.example.toml"))
    assert "attendance-gateway" in caught.value.hint


def test_what_the_example_calls_a_default_is_one(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert settings.url == "sqlite+aiosqlite:////var/lib/j/journal.db"
    assert settings.policy("anywhere") == Policy()
    assert (settings.broker.url, settings.broker.client_id, settings.directory.days) == (
        "mqtt://127.0.0.1:1883",
        "journal",
        14,
    )
    assert settings.notices.mail is None


def test_a_site_may_have_rules_of_its_own(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + "[sites.school-1]\ngrace_minutes = 3\n")
    assert settings.policy("school-1").grace == timedelta(minutes=3)
    assert settings.policy("school-2").grace == timedelta(0)


def test_a_shift_or_a_group_may_have_other_numbers(tmp_path: Path) -> None:
    second = "[[sites.school-1.overrides]]\nshifts = [2]\nnumbers = { grace_minutes = 5, overnight = true }\n"
    (override,) = loaded(tmp_path, GOOD + second).overrides("school-1")
    assert (override.shifts, override.numbers) == (frozenset({2}), {"grace_minutes": 5, "overnight": True})
    assert loaded(tmp_path, GOOD + second).overrides("school-2") == ()


def test_a_school_has_its_own_codes(tmp_path: Path) -> None:
    codes = loaded(tmp_path, GOOD + '[sites.school-1.codes]\nabsent = "Н"\nlate = "О"\n').codes("school-1")
    assert (codes.absent, codes.late, codes.ill) == ("Н", "О", "Б")


def test_the_broker_is_told_who_we_are(tmp_path: Path) -> None:
    table = '[broker]\nurl = "mqtts://broker.example"\nca = "/ca.crt"\n'
    broker = loaded(tmp_path, GOOD + table).broker.broker("-publish")
    assert (broker.port, broker.client_id, broker.username) == (8883, "journal-publish", "journal")
    assert broker.tls is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["key state", "got nothing", "a table with directory"]),
        ("[state]\n", ["[state], key directory", "got nothing", "an absolute path"]),
        ('[state]\ndirectory = "j"\n', ["[state], key directory", 'got "j"', "begins with /"]),
        ("[state]\ndirectory = 5\n", ["[state], key directory", "got 5"]),
        (GOOD + "[brokr]\n", ["key brokr", "got a key that nobody knows", "did you mean broker?"]),
        (GOOD + '[broker]\nulr = "x"\n', ["[broker], key ulr", "did you mean url?"]),
        (GOOD + '[broker]\nurl = "http://x"\n', ["[broker], key url", 'got "http://x"', "mqtts://host:port"]),
        (GOOD + '[broker]\nurl = "mqtt://u:secret@x"\n', ["[broker], key url", 'got "mqtt://…@x"']),
        (GOOD + '[broker]\nclient_id = "The Journal"\n', ["key client_id", "a-z, 0-9 and -"]),
        (GOOD + '[broker]\nca = "ca.crt"\n', ["key ca", "begins with /"]),
        (GOOD + '[database]\nurl = "mysql://x"\n', ["[database], key url", "sqlite+aiosqlite"]),
        (
            GOOD + '[database]\nurl = "postgresql://u:secret@h/j"\n',
            ["[database], key url", 'got "postgresql://…@h/j"', "sqlite+aiosqlite", "postgresql+asyncpg"],
        ),
        (GOOD + "[directory]\ndays = 3\n", ["[directory], key days", "got 3", "from 14 to 60"]),
        (GOOD + "[directory]\ndays = 14.5\n", ["key days", "got 14.5"]),
        (GOOD + '[directory]\ndays = "14"\n', ["key days", 'got "14"']),
        (GOOD + "[sites.school-1]\ngrace = 3\n", ["[sites.school-1], key grace", "did you mean grace_minutes?"]),
        (GOOD + "[sites.school-1]\ngrace_minutes = true\n", ["[sites.school-1], key grace_minutes", "got true"]),
        (GOOD + "[sites.school-1]\nabsent_percent = 0\n", ["key absent_percent", "from 1 to 100"]),
        (GOOD + "[sites.'Школа 1']\n", ["key Школа 1", "a-z, 0-9 and -"]),
        (GOOD + "sites = 5\n", ["key sites"]),
        (
            GOOD + "[[sites.school-1.overrides]]\nnumbers = { grace = 5 }\n",
            ["key numbers", "no number of the policy is called so", "grace_minutes"],
        ),
        (GOOD + "[[sites.school-1.overrides]]\nshift = [2]\nnumbers = {}\n", ["key shift", "did you mean shifts?"]),
        (GOOD + "[sites.school-1.codes]\nabsence = 'Н'\n", ["key absence", "did you mean absent?"]),
        (GOOD + "[notices]\nmail = 5\n", ["[notices], key mail", "not shown", "an Apprise URL"]),
        ("[state\n", ["not TOML", "journal.example.toml"]),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, expected: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    told = f"{refused.value} {refused.value.hint}"
    assert "journal.toml" in told
    for words in expected:
        assert words in told
    assert "secret" not in told


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, GOOD + '[directory]\ndays = 3\n[broker]\nurl = "x"\n')
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"a = " + b"[" * 5000])
def test_bytes_that_are_no_toml(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "journal.toml").write_bytes(data)
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path / "journal.toml")


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"no such file|is a directory"):
        load(tmp_path / name)
