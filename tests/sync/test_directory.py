"""The directory receiver: newer, whole and signed, or nothing changes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.directory import Directory
from gateway.domain.parts import MAX_PART_BYTES, digest, pack
from sync.directory import DirectoryReceiver
from tests.gateway.fakes import HandClock
from tests.sync.roster import JOURNAL, RAW, SITE, STRANGER, FakeShelf, content, manifest, person_of_card, receive, shelf


async def test_a_new_directory_is_in_use_and_kept(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    raw = content(padding=3 * MAX_PART_BYTES).raw()
    receiver = new_receiver()
    await receiver.load()
    assert receiver.current == Directory.empty()
    await receive(receiver, shelf(manifest(raw), raw=raw))
    assert (person_of_card(receiver), receiver.current.version, receiver.error) == ("p-1", 1, None)
    again = new_receiver()
    await again.load()
    assert again.current == receiver.current


async def test_the_same_and_an_older_one_are_not_even_fetched(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    receiver, raw, old = new_receiver(), content().raw(), content(person="p-2").raw()
    await receive(receiver, shelf(manifest(raw, 5), raw=raw))
    same = shelf(manifest(raw, 5), raw=raw)
    await receive(receiver, same)
    assert (same.asked, receiver.error) == ([], None)
    older = shelf(manifest(old, 4), raw=old)
    await receive(receiver, older)
    assert (older.asked, person_of_card(receiver)) == ([], "p-1")
    assert "older" in (receiver.error or "")
    await receive(receiver, same)
    assert (same.asked, receiver.error, receiver.hint) == ([], None, None)


async def test_an_error_is_forgotten_when_the_next_one_holds(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    receiver, raw = new_receiver(), content().raw()
    await receive(receiver, shelf(b"{}", manifest(raw), raw=raw))
    assert receiver.error is None
    assert person_of_card(receiver) == "p-1"


OTHER_SITE = content(site="school-2", person="p-2").raw()
NO_ZONE = content(zone="Europe/Nowhere", person="p-2").raw()


@pytest.mark.parametrize(
    ("payload", "raw", "told"),
    [
        (b"", RAW, "document"),
        (b"\xff" * 100, RAW, "document"),
        (b"x" * 20000, RAW, "at most"),
        (manifest(RAW, 9)[:-20], RAW, "document"),
        (manifest(RAW, 9).replace(b'"version":9', b'"version":10'), RAW, "does not verify"),
        (manifest(RAW, 9, signer=STRANGER), RAW, "trusted are"),
        (manifest(RAW, 9, site="school-2"), RAW, "school-2"),
        (manifest(OTHER_SITE, 9), OTHER_SITE, "school-2"),
        (manifest(b"{}", 9), b"{}", "directory: site"),
        (manifest(b"not json", 9), b"not json", "Invalid JSON"),
        (manifest(NO_ZONE, 9), NO_ZONE, "Nowhere"),
        (manifest(RAW, 9, sha256="ab" * 32), RAW, "add up"),
        (manifest(RAW, 9, valid_until=10**15 - 1), RAW, "no date"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_does_not_hold_changes_nothing(
    new_receiver: Callable[[], DirectoryReceiver], payload: bytes, raw: bytes, told: str
) -> None:
    receiver, good = new_receiver(), content().raw()
    await receive(receiver, shelf(manifest(good, 8), raw=good))
    await receive(receiver, shelf(payload, raw=raw))
    assert told in (receiver.error or "")
    assert receiver.hint
    assert (person_of_card(receiver), receiver.current.version) == ("p-1", 8)
    again = new_receiver()
    await again.load()
    assert again.current == receiver.current


async def test_a_part_with_other_bytes_changes_nothing(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    raw = content(padding=2 * MAX_PART_BYTES).raw()
    for harmed in (b"", b"y" * MAX_PART_BYTES, b"x" * (MAX_PART_BYTES + 1)):
        receiver = new_receiver()
        parts = {digest(part): part for part in pack(raw)} | {digest(pack(raw)[1]): harmed}
        await receive(receiver, FakeShelf(manifest(raw), parts=parts))
        assert receiver.current == Directory.empty()
        assert "part" in (receiver.error or "")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_was_damaged_never_decides(data: st.DataObject, tmp_path: Path) -> None:
    async def main() -> None:
        folder = tmp_path / str(data.draw(st.integers(0, 10**9)))

        def make() -> DirectoryReceiver:
            return DirectoryReceiver(folder / "directory.json", site=SITE, keys=[JOURNAL.public], clock=HandClock())

        raw = content().raw()
        await receive(make(), shelf(manifest(raw), raw=raw))
        kept = folder / "directory.json"
        whole = kept.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        harmed = data.draw(
            st.sampled_from([whole[:place], whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]])
        )
        kept.write_bytes(harmed)
        again = make()
        await again.load()
        assert again.current == Directory.empty()
        assert again.error
        # And the journal mends it.
        await receive(again, shelf(manifest(raw), raw=raw))
        assert person_of_card(again) == "p-1"

    asyncio.run(main())


async def test_a_disk_that_is_full_changes_nothing_in_memory(
    new_receiver: Callable[[], DirectoryReceiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    receiver, good = new_receiver(), content().raw()
    await receive(receiver, shelf(manifest(good, 8), raw=good))
    monkeypatch.setattr("os.fsync", full)
    await receive(receiver, shelf(manifest(RAW, 9), raw=RAW))
    assert "No space" in (receiver.error or "")
    assert (person_of_card(receiver), receiver.current.version) == ("p-1", 8)
    monkeypatch.undo()
    again = new_receiver()
    await again.load()
    assert again.current.version == 8
    await receive(receiver, shelf(manifest(RAW, 9), raw=RAW))
    assert receiver.current.version == 9
