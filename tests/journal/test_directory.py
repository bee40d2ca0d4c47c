"""From the tables to what gateways read: no name, nothing issued twice, nothing left behind."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import update

from gateway.domain.directory import Directory
from gateway.domain.parts import digest
from gateway.domain.policy import Override, Policy
from gateway.errors import LinkLost, PublishRefused
from journal import tables
from journal.directory import Publisher
from journal.office import Site, prepare, take_over
from journal.store import milliseconds
from sync.sources.table import read_folder
from tests.journal.bureau import CIPHER, DAYS, HEADER, IVAN, MARIA, SIGNER, Office, Shelf
from tests.journal.door import CARD, KEY, MORNING, SITE, STRANGE
from tests.journal.tables import PUPILS


async def test_a_gateway_reads_what_the_office_wrote(office: Office) -> None:
    await office.imports()
    shelf = Shelf()
    await office.publishes(shelf)
    manifest, content = shelf.read()
    assert manifest.version == milliseconds(MORNING)
    assert manifest.valid_until == milliseconds(MORNING + dt.timedelta(days=DAYS))
    assert (content.zone, [lane.id for row in content.gateways for lane in row.lanes]) == ("Europe/Moscow", ["north"])
    directory = Directory.of(content, version=manifest.version, valid_until=MORNING)
    row = directory.credential([KEY.token(STRANGE)], MORNING)
    assert row is not None
    assert row.person == "p-2"
    slots = directory.slots_of(row.person)
    assert slots[0].start == dt.datetime(2026, 9, 1, 5, 30, tzinfo=dt.UTC)
    assert slots[-1].end.date() == dt.date(2026, 9, 15)
    assert len(slots) == 2 * 11


async def test_neither_names_nor_card_numbers_leave(office: Office) -> None:
    await office.imports()
    shelf = Shelf()
    await office.publishes(shelf)
    told = b"".join([*shelf.kept.values(), *(topic.encode() for topic in shelf.kept)])
    for secret in (*(name for pair in PUPILS.values() for name in pair), CARD.uid.hex(), "families.example"):
        for encoded in (secret.encode(), secret.upper().encode(), secret.encode("unicode_escape")):
            assert encoded not in told


async def test_parts_come_before_the_manifest_and_old_ones_go_after_it(office: Office) -> None:
    await office.imports()
    shelf = Shelf()
    first = await office.publishes(shelf)
    office.clock.at += dt.timedelta(hours=1)
    await office.imports(cards=HEADER + f"{IVAN};;;\n")
    shelf.story.clear()
    second = await office.publishes(shelf)
    assert [topic.rpartition("/")[2] for topic in shelf.story] == [
        *second.manifest.parts,
        "manifest",
        *first.manifest.parts,
    ]
    assert shelf.read()[0] == second.manifest
    assert (await office.publishes(Shelf())).stale == ()


async def test_unchanged_content_is_published_again_and_not_issued_again(office: Office) -> None:
    await office.imports()
    first = await office.publishes(Shelf())
    office.clock.at += dt.timedelta(hours=5)
    await office.imports()
    shelf = Shelf()
    assert (await office.publishes(shelf)).manifest == first.manifest
    assert shelf.read()[0] == first.manifest


async def test_a_restored_database_is_published_as_something_newer(office: Office) -> None:
    """What gateways hold may be newer than the backup, and they refuse anything older."""
    await office.imports()
    before = await office.publishes(Shelf())
    office.clock.at += dt.timedelta(minutes=5)
    held = office.clock.at
    office.clock.at += dt.timedelta(minutes=1)
    restarted = Publisher(office.store, SIGNER, office.clock, office.alarms, days=DAYS)
    shelf = Shelf()
    first, again = [await restarted.publish(shelf, SITE) for _ in range(2)]
    assert first.manifest.version == again.manifest.version > milliseconds(held) > before.manifest.version
    assert first.manifest.parts == before.manifest.parts
    assert shelf.read()[0] == first.manifest


async def test_a_new_day_or_an_old_manifest_is_issued_again(office: Office) -> None:
    await office.imports()
    versions = [(await office.publishes(Shelf())).manifest.version]
    office.clock.at += dt.timedelta(days=1)
    versions.append((await office.publishes(Shelf())).manifest.version)
    # Nothing is left to change, but validity runs out.
    async with office.store.begin() as connection:
        await connection.execute(tables.slots.delete())
    for _ in range(2):
        office.clock.at += dt.timedelta(days=8)
        versions.append((await office.publishes(Shelf())).manifest.version)
    assert versions == sorted(set(versions))


async def test_the_version_grows_though_the_clock_goes_back(office: Office) -> None:
    await office.imports()
    first = await office.publishes(Shelf())
    office.clock.at -= dt.timedelta(days=2)
    assert (await office.publishes(Shelf())).manifest.version == first.manifest.version + 1


@pytest.mark.parametrize("breaks_after", range(4))
async def test_a_crash_while_publishing_leaves_nothing_behind(office: Office, breaks_after: int) -> None:
    await office.imports()
    shelf = Shelf()
    await office.publishes(shelf)
    office.clock.at += dt.timedelta(days=1)
    broken = Shelf(shelf.kept, breaks_after=breaks_after)
    if breaks_after < 3:
        with pytest.raises(LinkLost):
            await office.publishes(broken)
    else:
        await office.publishes(broken)
    office.clock.at += dt.timedelta(days=1)
    last = await office.publishes(shelf)
    assert shelf.read()[0] == last.manifest


async def test_a_part_that_is_needed_again_is_not_cleared(office: Office) -> None:
    await office.imports()
    shelf = Shelf()
    await office.publishes(shelf)
    await office.imports(lanes="gateway;lane;direction;opens;closes\ndoor-1;north;in;07:00;20:00\n")
    with pytest.raises(LinkLost):
        await office.publishes(Shelf(shelf.kept, breaks_after=1))
    await office.imports()
    last = await office.publishes(shelf)
    assert shelf.read()[0] == last.manifest


async def test_a_big_school_fits_into_parts(office: Office) -> None:
    people = "id;last_name;first_name;class\n" + "".join(f"p-{n};А;Б;5А\n" for n in range(2000))
    cards = "technology;uid;person\n" + "".join(f"em4100;55{n:08X};p-{n}\n" for n in range(1, 2000))
    await office.imports(people=people, cards=cards, contacts="person;address\n")
    shelf = Shelf()
    publication = await office.publishes(shelf)
    assert len(publication.manifest.parts) > 1
    assert len(shelf.read()[1].persons) == 2000
    assert {digest(part) for part in shelf.kept.values()} >= set(publication.manifest.parts)


async def test_the_loop_publishes_once_and_then_what_changes(office: Office) -> None:
    await office.imports()
    sleeps = iter([True, True, False])
    shelf = Shelf()
    seen: list[int] = []

    async def sleep(seconds: float) -> None:
        seen.append(len(shelf.story))
        if not next(sleeps):
            raise LinkLost
        if len(seen) == 2:
            await office.imports(cards=HEADER + f"{MARIA};;;lost\n")

    office.clock.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(LinkLost):
        await office.publisher.serve(shelf)
    assert seen[0] == seen[1] < seen[2]
    states = {str(row.person): row.state for row in shelf.read()[1].credentials}
    assert states["p-1"] == "lost"


async def test_a_broker_that_refuses_is_an_alarm_and_the_end_of_a_timetable_too(office: Office) -> None:
    class Refusing(Shelf):
        async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
            raise PublishRefused(topic, "Not authorized", 0x87)

    await office.imports(lessons="class;weekday;lesson;subject\n5А;1;1;\n")
    async with office.store.begin() as connection:
        await connection.execute(tables.slots.delete().where(tables.slots.c.date > "2026-09-08"))
    with pytest.raises(LinkLost):
        await office.publisher.serve(Refusing())
    assert ["0x87" in alarm["sentence"] for alarm in office.alarms] == [True, False]
    assert "2026-09-07" in office.alarms[1]["sentence"]
    assert "directory import" in office.alarms[1]["hint"]


async def test_a_site_without_a_timetable_is_told_what_that_means(office: Office) -> None:
    await office.imports()
    async with office.store.begin() as connection:
        await connection.execute(tables.slots.delete())
    with pytest.raises(LinkLost):
        await office.publisher.serve(Shelf())
    [alarm] = office.alarms
    assert alarm["sentence"].startswith("there is no timetable yet: taps are recorded")
    assert alarm["hint"] == f"'attendance-journal directory import {SITE} FOLDER' brings people, cards and lessons"


async def test_the_policy_of_the_whole_site_travels(office: Office) -> None:
    await office.imports()
    shelf = Shelf()
    overrides = (
        Override(numbers={"watch_minutes": 45}),
        Override(shifts=frozenset({2}), numbers={"settle_seconds": 9}),
    )
    policy = Policy(grace=dt.timedelta(minutes=3))
    site = Site(name=SITE, policy=policy, overrides=overrides, keys=[KEY], cipher=CIPHER)
    school = read_folder(office.folder)
    async with office.store.begin() as connection:
        await take_over(connection, prepare(site, school, now=MORNING))
        await connection.execute(update(tables.sites).values(language="en"))
    await office.publishes(shelf)
    assert shelf.read()[1].policy == replace(policy, watch=dt.timedelta(minutes=45))
