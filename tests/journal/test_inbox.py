"""What the journal does with births and batches: answered, committed, receipted, and never silent."""

from typing import Any

import pytest
from sqlalchemy import text, update

from gateway.domain.handshake import Parting, topic
from gateway.errors import NotRecorded
from journal import tables
from journal.inbox import EVENTS, STATE
from sync.packets import Publication
from tests.journal.door import (
    GATEWAY,
    SITE,
    Door,
    FakeLink,
    publication,
)
from tests.journal.receiver import Journal, held, refused


async def test_a_birth_is_answered_with_its_session(journal: Journal) -> None:
    door = Door().taps(3)
    link = await journal.takes(door.birth())
    assert link.filters == [EVENTS, STATE]
    assert [address for address, _ in link.published] == [topic(SITE, GATEWAY, "receipt")]
    (receipt,) = link.receipts
    assert (receipt.session, receipt.epoch, receipt.through) == (door.session, "epoch-1", 0)
    assert receipt.head == door.stream.genesis.hex()


async def test_a_new_session_replaces_the_old_one(journal: Journal) -> None:
    door = Door().taps(3)
    await journal.takes(door.birth())
    door.session = "session-2"
    link = await journal.takes(door.birth(), door.message(1, 3))
    assert {receipt.session for receipt in link.receipts} == {"session-2"}


async def test_a_session_under_another_site_takes_the_place_of_no_other(journal: Journal) -> None:
    ours, theirs = Door(), Door(site="school-2")
    link = await journal.takes(ours.birth(), theirs.birth(site="school-2"))
    assert {receipt.site for receipt in link.receipts} == {ours.stream.site, "school-2"}
    again = await journal.takes(ours.taps(1).message(1, 1))
    assert [receipt.through for receipt in again.receipts] == [1]


async def test_a_session_under_another_site_answers_for_no_other(journal: Journal) -> None:
    door = Door().taps(3)
    await journal.takes(door.birth(site="school-2"))
    assert (await journal.takes(door.message(1, 3))).receipts == []


async def test_a_batch_is_committed_then_receipted_then_acknowledged(journal: Journal) -> None:
    door = Door().taps(5)
    link = await journal.takes(door.birth(), door.message(1, 5))
    assert link.receipts[-1].through == 5
    assert link.receipts[-1].head == door.head.hex()
    assert link.story.index("receipt") < link.story.index("puback state")
    assert link.story[-1] == "puback events"
    rows = await journal.rows()
    assert [(row.seq, row.body, row.hash) for row in rows] == [(e.seq, e.body, e.hash) for e in door.ledger]
    assert [row.type for row in rows] == ["att.epoch.v1"] + ["att.tap.v1"] * 4
    assert journal.store.dirtied.is_set()
    assert journal.alarms == []


async def test_a_repeated_batch_is_receipted_again_and_counted_once(journal: Journal) -> None:
    door = Door().taps(4)
    await journal.takes(door.birth(), door.message(1, 4))
    again = await journal.receipt(door.message(1, 4), door.message(2, 3))
    assert (again.through, refused(again)) == (4, [])
    assert len(await journal.rows()) == 4


async def test_batches_out_of_order_are_held_and_then_linked(journal: Journal) -> None:
    door = Door().taps(9)
    receipt = await journal.receipt(door.birth(), door.message(7, 9), door.message(4, 4))
    assert (receipt.through, held(receipt)) == (0, ["4-4", "7-9"])
    assert (await journal.receipt(door.message(1, 3))).through == 4
    receipt = await journal.receipt(door.message(5, 6))
    assert (receipt.through, receipt.head, held(receipt)) == (9, door.head.hex(), [])


async def test_at_most_sixteen_held_ranges_are_named(journal: Journal) -> None:
    door = Door().taps(60)
    receipt = await journal.receipt(door.birth(), *(door.message(n, n) for n in range(2, 60, 2)))
    assert held(receipt) == [f"{n}-{n}" for n in range(2, 34, 2)]


async def test_other_batches_over_the_same_entries(journal: Journal) -> None:
    door = Door().taps(9)
    receipt = await journal.receipt(door.birth(), door.message(1, 4), door.message(3, 6), door.message(2, 9))
    assert (receipt.through, refused(receipt)) == (9, [])
    assert len(await journal.rows()) == 9


async def test_a_lost_receipt_is_answered_by_the_next_birth(journal: Journal) -> None:
    door = Door().taps(4)
    await journal.takes(door.message(1, 4))
    assert (await journal.receipt(door.birth())).through == 4


async def test_without_a_session_entries_are_kept_and_nothing_is_answered(journal: Journal) -> None:
    link = await journal.takes(Door().taps(3).message(1, 3))
    assert link.receipts == []
    assert len(await journal.rows()) == 3


async def test_a_session_ends_only_by_its_own_farewell(journal: Journal) -> None:
    door = Door().taps(3)
    await journal.takes(door.birth())

    def farewell(state: str, session: str) -> Publication:
        said = Parting.model_validate({"state": state, "session": session})
        return publication(topic(SITE, GATEWAY, "state"), said.model_dump_json().encode(), retain=True)

    assert (await journal.receipt(farewell("lost", "session-0"), door.message(1, 2))).through == 2
    assert (await journal.takes(farewell("offline", "session-1"), door.message(3, 3))).receipts == []
    assert len(await journal.rows()) == 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"payload": b"[\nnonsense\n]"}, "malformed"),
        ({"payload": b"no batch"}, "malformed"),
        ({"payload": b"[\n" + b"x" * 50_000 + b"\n]"}, "malformed"),
        ({"sig": "0" * 128}, "signature"),
        ({"last": "4"}, "signature"),
        ({"prev": "0" * 64}, "signature"),
        ({"epoch": "epoch-2"}, "signature"),
        ({"kid": "0" * 16}, "key"),
    ],
)
async def test_a_bad_batch_is_named_and_not_counted(journal: Journal, changed: dict[str, Any], code: str) -> None:
    door = Door().taps(3)
    link = await journal.takes(door.birth(), door.message(1, 3, **changed))
    last = changed.get("last", "3")
    assert [refused(receipt) for receipt in link.receipts if receipt.refused] == [[f"1-{last}:{code}"]]
    assert all(receipt.through == 0 for receipt in link.receipts)
    assert await journal.rows() == []
    assert journal.alarms[0]["code"] == code
    assert (await journal.receipt(door.message(1, 3))).through == 3


@pytest.mark.parametrize("changed", [{"epoch": "E!"}, {"first": "0"}, {"first": "-1"}, {"head": "xyz"}, {"sig": ""}])
async def test_properties_that_make_no_sense(journal: Journal, changed: dict[str, Any]) -> None:
    door = Door().taps(3)
    receipt = await journal.receipt(door.birth(), door.message(1, 3, **changed))
    assert (refused(receipt), receipt.through) == (["0-0:malformed"], 0)
    assert len(journal.alarms) == 2


async def test_a_batch_without_properties(journal: Journal) -> None:
    receipt = await journal.receipt(Door().birth(), publication(topic(SITE, GATEWAY, "events"), b"[]"))
    assert refused(receipt) == ["0-0:malformed"]


async def test_one_event_changed_on_the_way(journal: Journal) -> None:
    door = Door().taps(3)
    payload = door.batch(1, 3).payload.replace(b'"north"', b'"south"')
    assert refused(await journal.receipt(door.birth(), door.message(1, 3, payload=payload))) == ["1-3:link"]
    assert await journal.rows() == []


async def test_a_registered_gateway_under_another_site(journal: Journal) -> None:
    door = Door(site="school-2").taps(3)
    link = await journal.takes(door.birth(), door.message(1, 3))
    assert {code for receipt in link.receipts for code in refused(receipt)} == {"0-3:site", "1-3:site"}
    assert await journal.rows() == []


@pytest.mark.parametrize("revoked", [False, True])
async def test_an_unregistered_gateway_is_not_heard(journal: Journal, revoked: bool) -> None:
    door = Door(gateway=GATEWAY if revoked else "door-9").taps(3)
    async with journal.store.begin() as connection:
        await connection.execute(update(tables.gateways).values(state="revoked"))
    link = await journal.takes(door.birth(), door.message(1, 3))
    assert link.published == []
    assert await journal.rows() == []
    assert all("is not registered" in alarm["sentence"] and "gateway add" in alarm["hint"] for alarm in journal.alarms)


async def test_a_birth_by_another_key(journal: Journal) -> None:
    link = await journal.takes(Door(secret=b"\7" * 32).birth())
    assert link.published == []
    assert "is signed by key" in journal.alarms[0]["sentence"]


@pytest.mark.parametrize(
    ("address", "payload"),
    [
        (topic(SITE, GATEWAY, "state"), b""),
        (topic(SITE, GATEWAY, "state"), b"{}"),
        (topic(SITE, GATEWAY, "state"), b"[" * 100_000),
        (topic("Школа", GATEWAY, "events"), b"[\n{}\n]"),
        (topic("SCHOOL 1", GATEWAY, "state"), Door().birth().payload),
        (topic(SITE, "door/../1", "events"), b""),
        (topic("school-2", GATEWAY, "state"), Door().birth().payload),
    ],
)
async def test_garbage_is_survived(journal: Journal, address: str, payload: bytes) -> None:
    link = await journal.takes(publication(address, payload))
    assert link.published == []
    assert (await journal.receipt(Door().birth())).through == 0


async def test_what_waits_shares_a_transaction(journal: Journal) -> None:
    door = Door().taps(40)
    link = await journal.takes(door.birth(), *(door.message(n, n) for n in range(1, 41)))
    assert len(link.receipts) < 20
    assert link.receipts[-1].through == 40


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_full_disk_settles_nothing(journal: Journal) -> None:
    door = Door().taps(50)
    async with journal.store.engine.connect() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
    limited = f"PRAGMA max_page_count = {pages}"

    async def fill() -> None:
        async with journal.store.begin() as connection:
            await connection.exec_driver_sql(limited)

    await fill()
    link = FakeLink([door.birth(), door.message(1, 50)])
    with pytest.raises(NotRecorded, match="did not take a batch"):
        await journal.inbox.serve(link)
    assert all(receipt.through == 0 for receipt in link.receipts)
    assert "puback events" not in link.story
