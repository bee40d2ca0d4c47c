"""Secrets on the disk: made once, read by nobody else, and a card that opens only under its own key and site."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from journal.keys import CardCipher, Keys
from tests.journal.door import CARD


def test_keys_are_made_once_with_mode_0600(tmp_path: Path) -> None:
    first, again = Keys(tmp_path / "state"), Keys(tmp_path / "state")
    assert first.signer().public == again.signer().public
    assert first.site_keys("school-1")[0].secret == again.site_keys("school-1")[0].secret
    assert again.cards().open("school-1", first.cards().seal("school-1", CARD)) == CARD
    files = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert files == ["cards.key", "journal.key", "site-school-1.1.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()} == {0o600}


def test_sites_have_keys_of_their_own(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    secrets = {keys.site_keys(site)[0].secret for site in ("school", "school-1", "school-1-1")}
    assert len(secrets) == 3


def test_the_newest_version_comes_first(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.site_keys("s")
    (tmp_path / "site-s.2.key").touch(mode=0o600)
    (tmp_path / "site-s.2.key").write_text("ab" * 32)
    assert [key.version for key in keys.site_keys("s")] == [2, 1]


def test_all_that_make_a_key_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = threads.map(lambda _: Keys(tmp_path).site_keys("s")[0].secret, range(32))
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["site-s.1.key"]


@pytest.mark.parametrize("text", ["", "xyz", "ab" * 31, "ab" * 33])
def test_a_damaged_key_is_named_and_never_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cards.key"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"cards\.key") as refused:
        Keys(tmp_path).cards()
    assert "backup" in refused.value.hint
    assert path.read_text() == text


def test_a_card_opens_only_under_its_key_and_for_its_site() -> None:
    cipher = CardCipher(bytes(32))
    sealed = cipher.seal("school-1", CARD)
    assert CARD.uid not in sealed
    assert sealed != cipher.seal("school-1", CARD)
    for other, site, data in (
        (CardCipher(bytes([1]) * 32), "school-1", sealed),
        (cipher, "school-2", sealed),
        (cipher, "school-1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (cipher, "school-1", b""),
    ):
        with pytest.raises(ConfigError, match="does not open"):
            other.open(site, data)
