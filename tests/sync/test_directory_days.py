"""What a directory leaves behind: the next keys of the journal, and the slots of two days."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.domain.directory import Directory
from gateway.domain.model import PersonId
from gateway.errors import MalformedMessage
from sync.directory import MAX_LEARNED_KEYS, DirectoryReceiver, two_days
from sync.signing import Signer
from tests.domain.build import MIDNIGHT, at
from tests.gateway.fakes import HandClock
from tests.sync.roster import RAW, STRANGER, content, manifest, person_of_card, receive, shelf


class TestKeys:
    NEXT = Signer(b"\3" * 32)

    async def test_an_announced_key_holds_after_a_restart_too(
        self, new_receiver: Callable[[], DirectoryReceiver]
    ) -> None:
        first, receiver = content().raw(), new_receiver()
        await receive(receiver, shelf(manifest(first, 1, next_keys=(self.NEXT.public.hex(),)), raw=first))
        receiver = new_receiver()
        await receiver.load()
        await receive(receiver, shelf(manifest(RAW, 2, signer=self.NEXT), raw=RAW))
        assert receiver.current.version == 2
        receiver = new_receiver()
        await receiver.load()
        assert (receiver.current.version, receiver.error) == (2, None)

    async def test_it_holds_although_the_directory_itself_never_came(
        self, new_receiver: Callable[[], DirectoryReceiver]
    ) -> None:
        receiver = new_receiver()
        await receive(receiver, shelf(manifest(RAW, 1, next_keys=(self.NEXT.public.hex(),))))
        await receive(receiver, shelf(manifest(RAW, 2, signer=self.NEXT), raw=RAW))
        assert receiver.current.version == 2

    async def test_a_stranger_announces_nothing(self, new_receiver: Callable[[], DirectoryReceiver]) -> None:
        receiver = new_receiver()
        forged = manifest(RAW, 1, signer=STRANGER, next_keys=(STRANGER.public.hex(),))
        await receive(receiver, shelf(forged, manifest(RAW, 2, signer=STRANGER), raw=RAW))
        assert receiver.current == Directory.empty()
        assert not receiver.keys_path.exists()

    async def test_they_are_bounded_and_the_pinned_one_stays(
        self, new_receiver: Callable[[], DirectoryReceiver]
    ) -> None:
        receiver = new_receiver()
        announced = [Signer(bytes([number]) * 32).public for number in range(10, 30)]
        manifests = [manifest(RAW, version, next_keys=(key.hex(),)) for version, key in enumerate(announced, 1)]
        await receive(receiver, shelf(*manifests, raw=RAW))
        kept = receiver.keys_path.read_text().split()
        assert kept == [key.hex() for key in announced[-MAX_LEARNED_KEYS:]]
        await receive(receiver, shelf(manifest(RAW, 99), raw=RAW))
        assert receiver.current.version == 99

    @pytest.mark.parametrize("text", ["zz\n", "abcd\n"])
    async def test_a_damaged_file_of_keys_is_told(
        self, new_receiver: Callable[[], DirectoryReceiver], text: str
    ) -> None:
        receiver = new_receiver()
        receiver.keys_path.parent.mkdir()
        receiver.keys_path.write_text(text)
        await receiver.load()
        assert "journal-keys is damaged" in (receiver.error or "")

    async def test_they_hide_no_directory_that_the_pinned_key_signed(
        self, new_receiver: Callable[[], DirectoryReceiver]
    ) -> None:
        receiver, announced = new_receiver(), (self.NEXT.public.hex(),)
        await receive(receiver, shelf(manifest(RAW, 1, next_keys=announced), raw=RAW))
        receiver.keys_path.write_text("zz\n")
        receiver = new_receiver()
        await receiver.load()
        assert (receiver.current.version, person_of_card(receiver)) == (1, "p-2")
        assert "journal-keys is damaged" in (receiver.error or "")
        # The manifest that the broker keeps mends the file and takes the error away.
        await receive(receiver, shelf(manifest(RAW, 1, next_keys=announced)))
        assert receiver.keys_path.read_text() == f"{self.NEXT.public.hex()}\n"
        assert (receiver.error, receiver.hint) == (None, None)

    async def test_both_damaged_files_are_told(self, new_receiver: Callable[[], DirectoryReceiver]) -> None:
        receiver = new_receiver()
        await receive(receiver, shelf(manifest(RAW, 1), raw=RAW))
        receiver.keys_path.write_text("zz\n")
        kept = receiver.keys_path.with_name("directory.json")
        kept.write_bytes(kept.read_bytes()[:-1])
        receiver = new_receiver()
        await receiver.load()
        assert "journal-keys is damaged" in (receiver.error or "")
        assert "directory.json is damaged" in (receiver.error or "")
        assert "enrol again" in (receiver.hint or "")
        assert "the journal sends it again" in (receiver.hint or "")


class TestDays:
    async def test_today_and_tomorrow_are_in_memory_and_move_on(
        self, new_receiver: Callable[[], DirectoryReceiver], clock: HandClock
    ) -> None:
        raw, receiver = content().raw(), new_receiver()
        await receiver.turn_day()
        await receive(receiver, shelf(manifest(raw), raw=raw))

        def days() -> list[int]:
            return [(slot.start - MIDNIGHT).days for slot in receiver.current.slots_of(PersonId("p-1"))]

        assert days() == [0, 1]
        before = receiver.current
        await receiver.turn_day()
        assert receiver.current is before
        clock.set_wall(at("20:59:59"))
        await receiver.turn_day()
        assert days() == [0, 1]
        # Midnight in Moscow.
        clock.set_wall(at("21:00"))
        await receiver.turn_day()
        assert days() == [1, 2]
        clock.set_wall(at("08:00"))
        await receiver.turn_day()
        assert days() == [0, 1]

    async def test_the_day_turns_on_what_was_parsed_once(
        self, new_receiver: Callable[[], DirectoryReceiver], clock: HandClock
    ) -> None:
        raw, receiver = content().raw(), new_receiver()
        await receive(receiver, shelf(manifest(raw), raw=raw))
        (receiver.keys_path.parent / "directory.json").write_bytes(b"harm")
        clock.set_wall(at("08:00") + timedelta(days=1))
        await receiver.turn_day()
        assert [slot.start - MIDNIGHT for slot in receiver.current.slots] == [
            timedelta(days=day, hours=5, minutes=30) for day in (1, 2)
        ]
        assert (person_of_card(receiver), receiver.current.version, receiver.error) == ("p-1", 1, None)

    def test_a_day_has_23_or_25_hours_where_the_zone_says_so(self) -> None:
        winter = two_days("Europe/Berlin", at("12:00") + timedelta(days=54))  # the last Sunday of October
        assert winter[1] - winter[0] == timedelta(hours=49)

    @pytest.mark.parametrize("zone", ["", "Nowhere", "../etc/passwd", "Europe", "\0", "x" * 5000])
    def test_a_zone_that_is_none(self, zone: str) -> None:
        with pytest.raises(MalformedMessage):
            two_days(zone, MIDNIGHT)
