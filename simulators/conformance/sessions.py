"""What the contract asks of a journal about sessions and receipts."""

import secrets
from dataclasses import replace

from gateway.domain.handshake import topic
from gateway.domain.wire import Stream
from simulators.conformance.player import NOBODY, Player
from simulators.conformance.requirement import Page, expect
from sync.signing import Signer

SESSIONS, RECEIPTS, NAMES = Page("journal.md#sessions"), Page("journal.md#receipts"), Page("journal.md#names")


@SESSIONS.asks(
    "A birth of a ledger never heard of is answered: its session and epoch, through 0, head h(0), nothing held."
)
async def birth_answered(player: Player) -> None:
    ledger = player.ledger().write(3)
    told = await player.born(ledger)
    expect(told.epoch == ledger.stream.epoch, f"the receipt is of epoch {told.epoch}")
    expect(told.through == 0 and not told.held, f"through is {told.through}, held {list(map(str, told.held))}")
    expect(told.head == ledger.stream.genesis.hex(), "head is not h(0) of site, gateway and epoch")


@SESSIONS.asks("A birth of a known ledger is answered with how far it is committed, head h(through).")
async def position_told(player: Player) -> None:
    ledger = player.ledger().write(4)
    await player.born(ledger)
    told, _ = await player.after(ledger, ledger.batch(1, 3))
    expect(told.through == 3, f"after entries 1-3 a birth is told through {told.through}")
    expect(told.head == ledger.head_of(3), "head is not h(3)")


@SESSIONS.asks("Receipts name the newest session.")
async def newest_session(player: Player) -> None:
    ledger = player.ledger().write(3)
    old, new = (await player.born(ledger)).session, (await player.born(ledger)).session
    since = len(player.heard)
    await player.say(ledger.batch(1, 3))
    told = await player.until(lambda receipt: receipt.through == 3, "a receipt of the batch", since=since)
    expect(
        told.session == new, f"the batch was answered under {'the old' if told.session == old else 'another'} session"
    )


@SESSIONS.asks("A last will of an older session does not end a newer one.")
async def late_will(player: Player) -> None:
    ledger = player.ledger().write(3)
    old, _ = (await player.born(ledger)).session, await player.born(ledger)
    since = len(player.heard)
    await player.say(ledger.lost(old), ledger.batch(1, 3))
    await player.until(lambda receipt: receipt.through == 3, "a receipt of the batch after the late will", since=since)


@SESSIONS.asks("Anything else under `state` is dropped, and the session goes on.")
async def garbage_survived(player: Player) -> None:
    ledger = player.ledger().write(3)
    await player.born(ledger)
    since = len(player.heard)
    nonsense = [b"", b"{}", b"nonsense", b"[" * 5000, b'{"state":"online"}', b"\xff\xfe\0"]
    await player.say(*map(ledger.garbage, nonsense), ledger.batch(1, 3))
    await player.until(lambda receipt: receipt.through == 3, "a receipt of the batch after garbage", since=since)


@SESSIONS.asks("A birth that the registered key did not sign begins no session.")
async def birth_verified(player: Player) -> None:
    ledger = player.ledger().write(3)
    other, spoilt = secrets.token_hex(8), secrets.token_hex(8)
    stranger = ledger.signed_by(Signer(secrets.token_bytes(32)))
    await player.after(ledger, stranger.birth(other), ledger.birth(spoilt, sig="0" * 128))
    sessions = {receipt.session for receipt in player.receipts()}
    expect(other not in sessions, "a birth under a strange key was answered")
    expect(spoilt not in sessions, "a birth with a spoilt signature was answered")


@NAMES.asks("A gateway that is not registered gets no receipt.")
async def stranger_ignored(player: Player) -> None:
    ledger = player.ledger().write(3)
    await player.subscribe(gateway=NOBODY)
    stranger = ledger.moved(gateway=NOBODY)
    await player.after(ledger, stranger.birth(secrets.token_hex(8)), stranger.batch(1, 3))
    expect(not _under(player, stranger.stream), "an unregistered gateway was answered")


@NAMES.asks("What a registered gateway says under another site is not counted.")
async def site_bound(player: Player) -> None:
    ledger = player.ledger().write(3)
    await player.subscribe(site=NOBODY)
    astray = ledger.moved(site=NOBODY)
    said = await player.after(ledger, astray.birth(secrets.token_hex(8)), astray.batch(1, 3))
    counted = max(_under(player, astray.stream), default=0)
    expect(counted == 0, f"under another site it was told through {counted}")
    expect(said[0].through == 0, f"under its own site it was told through {said[0].through} for it")


@NAMES.asks("A birth names the site and the gateway of its topic, or begins no session.")
async def topic_bound(player: Player) -> None:
    ledger = player.ledger().write(3)
    session = secrets.token_hex(8)
    elsewhere = ledger.moved(gateway=NOBODY).birth(session)
    await player.after(ledger, replace(elsewhere, topic=topic(ledger.stream.site, ledger.stream.gateway, "state")))
    expect(session not in {receipt.session for receipt in player.receipts()}, "a birth of another name was answered")


@RECEIPTS.asks("A receipt is never retained.")
async def receipt_passing(player: Player) -> None:
    ledger = player.ledger().write(1)
    await player.after(ledger, ledger.batch(1, 1))
    await player.subscribe()
    await player.born(ledger)
    expect(not any(heard.retained for heard in player.heard), "a new subscription was given an old receipt")


@RECEIPTS.asks("A receipt has the fields of the schema and no other.")
async def receipt_valid(player: Player) -> None:
    await player.born(player.ledger().write(1))
    faults = [heard.fault for heard in player.heard if heard.fault is not None]
    expect(not faults, f"{len(faults)} receipts are not of the contract, the first: {faults[0] if faults else ''}")


@RECEIPTS.asks("A receipt is signed by a key of the journal over its type tag and every field.")
async def receipt_signed(player: Player) -> None:
    await player.born(player.ledger().write(1))
    wrong = sum(not heard.verified for heard in player.heard)
    expect(wrong == 0, f"{wrong} of {len(player.heard)} receipts do not verify under the given keys")


def _under(player: Player, stream: Stream) -> list[int]:
    name = topic(stream.site, stream.gateway, "receipt")
    return [heard.receipt.through for heard in player.heard if heard.topic == name]
