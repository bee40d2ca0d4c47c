"""A gateway changes its key: announced under the old one, in force with the first birth under the new one, once."""

import json
from pathlib import Path

import pytest

from gateway.domain.entry import KeyData
from gateway.domain.policy import Policy
from journal.registry import add, registered
from sync.signing import Signer
from tests.journal.door import GATEWAY, MORNING, SITE, Door, entry, tap
from tests.journal.receiver import Journal, refused
from tests.journal.test_cli import Desk

OLD, NEW, OTHER = Signer(b"\1" * 32), Signer(b"\5" * 32), Signer(b"\6" * 32)


def announcing(key: Signer = NEW, under: Signer = OLD) -> Door:
    """Two entries, and the announcement as the third."""
    door = Door().taps(2)
    door.append(entry(KeyData(kid=under.kid, key=key.public.hex())))
    return door


async def kid(journal: Journal) -> object:
    async with journal.store.read() as connection:
        [row] = await registered(connection)
    return row["kid"]


async def test_the_next_key_is_in_force_with_the_birth_that_it_signs(journal: Journal) -> None:
    door = announcing()
    assert (await journal.receipt(door.birth(), door.message(1, 3))).through == 3
    assert await kid(journal) == OLD.kid
    door.append(entry(KeyData(kid=NEW.kid, key=OTHER.public.hex())))
    assert (await journal.receipt(door.message(4, 4))).through == 4  # still under the old one
    door.signer = NEW
    door.append(tap(), tap(), tap())
    link = await journal.takes(door.birth(), door.message(5, 7))  # together: the batch is signed by the new one, too
    assert (link.receipts[-1].through, refused(link.receipts[-1])) == (7, [])
    assert await kid(journal) == NEW.kid
    assert ["changed its key" in alarm["sentence"] for alarm in journal.alarms] == [True]


async def test_the_old_key_is_worth_nothing_afterwards(journal: Journal) -> None:
    door = announcing()
    await journal.takes(door.birth(), door.message(1, 3))
    door.signer = NEW
    await journal.takes(door.birth())
    door.signer, door.session = OLD, "session-2"
    assert (await journal.takes(door.birth())).receipts == []
    door.append(tap(), tap())
    assert refused((await journal.takes(door.message(4, 5))).receipts[-1]) == ["4-5:key"]


@pytest.mark.parametrize(("key", "under"), [(NEW, NEW), (NEW, OTHER), (OTHER, OLD)])
async def test_a_key_that_nobody_announced_under_the_registered_one(
    journal: Journal, key: Signer, under: Signer
) -> None:
    door = announcing(key, under)
    await journal.takes(door.birth(), door.message(1, 3))
    door.signer = NEW
    assert (await journal.takes(door.birth())).receipts == []
    assert await kid(journal) == OLD.kid


async def test_what_was_announced_under_a_key_that_is_replaced_holds_no_more(journal: Journal) -> None:
    door = announcing()
    await journal.takes(door.birth(), door.message(1, 3))
    for replace in (False, True):
        public = OTHER.public if replace else OLD.public
        await add(journal.store, SITE, GATEWAY, public, Policy(), at=MORNING, replace=replace)
    door.signer = NEW
    assert (await journal.takes(door.birth())).receipts == []
    assert await kid(journal) == OTHER.kid


def test_the_journals_key_is_announced_then_changed(desk: Desk) -> None:
    out = desk.folder / "door.toml"
    add_gateway = ("gateway", "add", "school-1", "door-1", "--key", OLD.public.hex(), "--out", str(out))
    desk.types(*add_gateway)
    before = Signer.load(desk.folder / "state" / "journal.key")
    assert "key next" in desk.types("key", "change", code=1)
    said = [desk.types("key", "next") for _ in range(2)]
    assert said[0] == said[1]
    following = Signer.load(desk.folder / "state" / "journal.key.next")
    desk.types(*add_gateway)
    assert json.dumps([before.public.hex(), following.public.hex()]) in out.read_text()
    assert following.kid in desk.types("key", "change")
    assert Signer.load(desk.folder / "state" / "journal.key").kid == following.kid
    assert Signer.load(desk.folder / "state" / f"journal.key.{before.kid}").kid == before.kid
    assert not (desk.folder / "state" / "journal.key.next").exists()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
