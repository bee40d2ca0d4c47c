"""The enrolment file: read only when others cannot read it, and never shown."""

from pathlib import Path

import pytest

from config.load import load_enrolment
from config.model import GatewayConfig
from gateway.errors import ConfigError

SECRET = "5e" * 32
WHOLE = f"""
site = "school-12"
gateway = "main"
journal_keys = ["{"a1" * 32}", "{"b2" * 32}"]
[site_keys]
1 = "{SECRET}"
2 = "{"7f" * 32}"
"""


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "enrolment.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def lines_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_enrolment(path)
    return str(caught.value).splitlines()


def test_a_file_that_is_not_there_is_made_at_the_journal(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_enrolment(tmp_path / "enrolment.toml")
    assert "enrolment.toml: got no such file" in str(caught.value)
    assert "attendance-gateway enroll" in caught.value.hint


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_it_is_read(tmp_path: Path, mode: int) -> None:
    enrolment = load_enrolment(write(tmp_path, WHOLE, mode))
    assert (enrolment.site, enrolment.gateway) == ("school-12", "main")
    assert enrolment.journal_keys == (b"\xa1" * 32, b"\xb2" * 32)
    assert [(key.version, key.secret) for key in enrolment.site_keys] == [(2, b"\x7f" * 32), (1, b"\x5e" * 32)]
    assert SECRET not in repr(enrolment)
    assert repr(b"\x5e" * 32) not in repr(enrolment)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o601])
def test_it_is_refused_when_others_reach_it(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, WHOLE, mode)
    assert lines_of(path) == [f"{path}: got mode {mode:o}, expected a file that others cannot read (chmod 640 {path})"]


COPY = "copy the enrolment file again: 'attendance-journal gateway add' writes it"
KEYS = 'one to four of: version = "64 to 128 hex digits"'


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (f'"{SECRET}"', f'"{SECRET[:-2]}"', f"[site_keys], key 1: got a text of 62 characters, expected {KEYS} ({COPY})"),
        (f'"{SECRET}"', f'"{SECRET[:-2]}zz"', f"[site_keys], key 1: got a text of 64 characters, expected {KEYS} ({COPY})"),
        (f'"{SECRET}"', "12", f"[site_keys], key 1: got something that is no text, expected {KEYS} ({COPY})"),
        ("1 =", "one =", f"[site_keys], key one: got a text of 3 characters, expected {KEYS} (write [site_keys])"),
        ("[site_keys]\n1", "site_key", 'key site_key: got a key that nobody knows, expected one of site, gateway, journal_keys, site_keys (did you mean "site_keys"?)'),
        ("a1a1", "A1A1", f'key journal_keys, item 1: got "{("A1A1" + "a1" * 30)[:60]}"…, expected one to four public keys of 64 lower-case hex digits (write journal_keys)'),
        (SECRET, f'{SECRET}\nx"', "line 6, column 70: got Illegal character '\\n', expected TOML (texts stand in quotes, every bracket is closed; compare with gateway.example.toml)"),
    ],
)  # fmt: skip
def test_a_broken_file_is_explained_without_its_secrets(tmp_path: Path, old: str, new: str, line: str) -> None:
    lines = lines_of(write(tmp_path, WHOLE.replace(old, new, 1)))
    assert f"enrolment.toml: {line}" in lines
    assert "5e5e" not in "".join(lines)


def test_a_file_for_another_gateway_is_refused(tmp_path: Path) -> None:
    owner = GatewayConfig.model_validate(
        {
            "site": "school-12",
            "gateway": "annex",
            "state": {"directory": "/s"},
            "enrolment": {"file": "/e"},
            "uplink": {"url": "none"},
            "devices": [{"id": "d", "kind": "virtual"}],
            "lanes": [{"id": "l", "direction": "in", "reader": "d"}],
        }
    )
    path = write(tmp_path, WHOLE)
    with pytest.raises(
        ConfigError, match=r'^enrolment\.toml: key gateway: got "main", expected "annex" as in the'
    ) as caught:
        load_enrolment(path, owner=owner)
    assert len(caught.value.problems) == 1
    assert load_enrolment(path, owner=owner.model_copy(update={"gateway": "main"})).gateway == "main"
