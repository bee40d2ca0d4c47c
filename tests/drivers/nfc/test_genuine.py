"""Which cards are believed: keys from files, and counters that no copy, no restart and no second reader gets around."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from drivers.frames import BadCard, Card, card
from drivers.nfc.codec import type_a
from drivers.nfc.genuine import Genuine, SunSettings
from drivers.nfc.sun import Keys
from gateway.domain.credential import Technology
from gateway.domain.model import Assurance
from gateway.errors import DeviceLost
from simulators.type4 import Ntag424, ndef

UID = bytes.fromhex("04DE5F1EACC040")
KEYS = Keys(meta=bytes(range(16)), file=bytes(range(16, 32)))
SEEN = card(Technology.ISO14443A, UID, UID)
RANDOM = type_a(bytes.fromhex("08112233"))


def table(folder: Path, **more: object) -> dict[str, object]:
    """A `sun` table whose keys are there."""
    for name, key in (("meta", KEYS.meta), ("file", KEYS.file)):
        path = folder / f"{name}.key"
        path.write_text(f"{key.hex()}\n")
        path.chmod(0o600)
    places = {"meta_key": f"{folder}/meta.key", "file_key": f"{folder}/file.key", "counters": f"{folder}/sun.db"}
    return {**places, **more}


def sun(folder: Path, **more: object) -> Genuine:
    return Genuine(SunSettings.model_validate(table(folder, **more)))


def at(counter: int, uid: bytes = UID, keys: Keys = KEYS) -> bytes:
    return ndef(Ntag424(uid, keys).url(counter, bytes(5)))


def why(judged: Card | BadCard) -> str:
    assert isinstance(judged, BadCard), judged
    assert "040" not in judged.why
    return judged.why


def test_a_genuine_tag(tmp_path: Path) -> None:
    with sun(tmp_path) as genuine:
        for seen in (SEEN, RANDOM):
            judged = genuine.judge(seen, at(1 if seen is SEEN else 2))
            assert isinstance(judged, Card)
            assert judged.credential.uid == UID
            assert judged.assurance is Assurance.SUN


def test_a_counter_counts_once_and_only_upwards(tmp_path: Path) -> None:
    accepted = []
    for counter in (61, 61, 60, 64, 62, 256, 65, 0xFFFFFF, 0):
        # Every time another process: what is accepted is on the disk.
        with sun(tmp_path) as genuine:
            accepted.append(isinstance(genuine.judge(SEEN, at(counter)), Card))
    assert accepted == [True, False, False, True, False, True, False, True, False]


def test_it_is_on_the_disk_before_it_is_accepted(tmp_path: Path) -> None:
    with sun(tmp_path) as genuine, sqlite3.connect(tmp_path / "sun.db") as beside:
        assert isinstance(genuine.judge(SEEN, at(7)), Card)
        assert beside.execute("SELECT counter FROM tag").fetchall() == [(7,)]
        beside.execute("BEGIN IMMEDIATE")
        genuine._counters.execute("PRAGMA busy_timeout = 50")
        assert "could not be kept" in why(genuine.judge(SEEN, at(8)))
        beside.rollback()
        assert isinstance(genuine.judge(SEEN, at(8)), Card)


def test_two_readers_do_not_both_accept_a_copy(tmp_path: Path) -> None:
    settings = SunSettings.model_validate(table(tmp_path))

    def tap(counter: int) -> bool:
        with Genuine(settings) as genuine:
            return isinstance(genuine.judge(SEEN, at(counter)), Card)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(tap, [5] * 24)) == 1


def test_tags_do_not_disturb_each_other_and_no_uid_is_kept(tmp_path: Path) -> None:
    other = bytes.fromhex("04958CAA5C5E80")
    with sun(tmp_path) as genuine:
        assert isinstance(genuine.judge(SEEN, at(9)), Card)
        assert isinstance(genuine.judge(RANDOM, at(3, other)), Card)
        assert "shown before" in why(genuine.judge(RANDOM, at(3, other)))
    kept = (tmp_path / "sun.db").read_bytes()
    assert not any(uid in kept or uid.hex().upper().encode() in kept for uid in (UID, other))


def test_a_forged_message_changes_nothing(tmp_path: Path) -> None:
    with sun(tmp_path) as genuine:
        forged = at(1000, keys=Keys(meta=KEYS.meta, file=bytes(16)))
        assert why(genuine.judge(SEEN, forged)) == "its SUN message is not genuine"
        assert why(genuine.judge(SEEN, at(1, keys=Keys(meta=bytes(16), file=KEYS.file)))) == why(
            genuine.judge(SEEN, forged)
        )
        assert genuine._counters.execute("SELECT * FROM tag").fetchall() == []


def test_the_message_of_another_tag_is_not_its_own(tmp_path: Path) -> None:
    with sun(tmp_path, require=False) as genuine:
        assert "not genuine" in why(genuine.judge(SEEN, at(1, bytes.fromhex("04958CAA5C5E80"))))


@pytest.mark.parametrize(
    "file", [None, b"", ndef("https://journal.example/t"), ndef("https://journal.example/t?cmac=00")]
)
def test_a_card_without_a_message_is_a_matter_of_policy(file: bytes | None, tmp_path: Path) -> None:
    felica = card(Technology.FELICA, b"12345678", b"12345678")
    with sun(tmp_path, require=False) as genuine:
        assert genuine.judge(SEEN, file) == SEEN
        assert genuine.judge(felica, None) == felica
        assert genuine.judge(RANDOM, file) == RANDOM
    with sun(tmp_path) as genuine:
        assert "no SUN message" in why(genuine.judge(SEEN, file))
        refused = genuine.judge(felica, None)
        assert isinstance(refused, BadCard)
        assert refused.technology is Technology.FELICA


def test_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "meta.key").chmod(0o440)
    with sun(tmp_path / "."), sun(tmp_path, meta_key="credential:meta.key", file_key="credential:file.key") as genuine:
        assert isinstance(genuine.judge(SEEN, at(1)), Card)


@pytest.mark.parametrize(
    ("spoil", "said", "hint"),
    [
        (lambda key: key.unlink(), "cannot be read", "ls -l"),
        (lambda key: key.chmod(0o640), "read by others", "chmod 600"),
        (lambda key: key.write_text("00" * 15), "32 hex digits", "copy it again"),
        (lambda key: key.write_bytes(b"\xff" * 16), "cannot be read", "ls -l"),
        (lambda key: key.with_name("sun.db").write_text("no database at all" * 100), "counters", "put the file aside"),
    ],
)
def test_a_key_or_counters_that_cannot_be_used(spoil: object, said: str, hint: str, tmp_path: Path) -> None:
    genuine = sun(tmp_path)
    assert callable(spoil)
    spoil(tmp_path / "file.key")
    with pytest.raises(DeviceLost, match=said) as lost:
        genuine.__enter__()
    assert hint in lost.value.hint
    assert KEYS.meta.hex() not in str(lost.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"meta_key": "00" * 16},
        {"file_key": "sun.key"},
        {"meta_key": "credential:../key"},
        {"counters": "sun.db"},
        {"cmac": "c m"},
        {"diversifier": "3042F5"},
        {"require": "no"},
        {"unknown": 1},
    ],
)
def test_a_table_that_cannot_be_meant(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        sun(tmp_path, **wrong)
