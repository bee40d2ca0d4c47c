"""What the contract asks of a journal about what it cannot judge, about epochs and keys, and about its own restart."""

import secrets
from contextlib import suppress

from simulators.conformance.ledger import Ledger
from simulators.conformance.player import NOBODY, Missed, Player
from simulators.conformance.requirement import Page, expect
from sync.signing import Signer

EVENTS, EPOCHS = Page("journal.md#events"), Page("journal.md#epochs")
KEYS, RESTART = Page("journal.md#keys"), Page("journal.md#restart")


@EVENTS.asks("An event of an unknown type is kept, and counts.")
async def unknown_type_kept(player: Player) -> None:
    ledger = player.ledger().write(1)
    ledger.add(ledger.altered(type="att.tomorrow.v9", data={"any": ["thing"]}))
    await _kept(player, ledger.write(1))


@EVENTS.asks("A line that is no event of the contract is kept as it came, and counts.")
async def bad_event_kept(player: Player) -> None:
    ledger = player.ledger().write(1)
    ledger.add(b'{"no":"event"}')
    ledger.add(b"no JSON at all")
    await _kept(player, ledger.write(1))


@EVENTS.asks("An event that calls itself another one is kept as it came, and counts.")
async def misnamed_event_kept(player: Player) -> None:
    ledger = player.ledger().write(1)
    source = f"urn:att:{ledger.stream.site}:{NOBODY}:{ledger.stream.epoch}"
    ledger.add(ledger.altered(source=source))
    ledger.add(ledger.altered(sequence="000000000077", id="000000000077"))
    await _kept(player, ledger.write(1))


@EVENTS.asks("Data that the schema of its type does not allow is kept as it came, and counts.")
async def bad_data_kept(player: Player) -> None:
    ledger = player.ledger().write(1)
    ledger.add(ledger.altered(data={"lane": 7}))
    await _kept(player, ledger.write(1))


@EPOCHS.asks("Each epoch is a ledger of its own: a new one begins at 0, and the one before stays.")
async def epoch_apart(player: Player) -> None:
    old, new = player.ledger().write(3), player.ledger().write(2)
    await player.after(old, old.batch(1, 3))
    told = await player.born(new)
    expect(told.through == 0, f"a new epoch begins at through {told.through}")
    await player.after(new, new.batch(1, 2))
    told = await player.born(old)
    expect(told.through == 3, f"the epoch before is told through {told.through}, it was 3")


@EPOCHS.asks("What is left of an epoch is still taken in a session of a newer one.")
async def old_epoch_taken(player: Player) -> None:
    old, new = player.ledger().write(4), player.ledger().write(1)
    await player.after(old, old.batch(1, 2))
    await player.born(new)
    await player.say(old.batch(3, 4))
    told, _ = await player.after(old)
    expect(told.through == 4, f"3-4 of the older epoch came, and it is told through {told.through}")


@EPOCHS.asks(
    "An entry that was appended again, with its origin, counts in its new epoch whether or not the old one is held."
)
async def origins_taken(player: Player) -> None:
    old, new = player.ledger().write(4), player.ledger().write(1)
    await player.after(old, old.batch(1, 2))
    new.repeat(old, 2)
    told, refused = await player.after(new, new.batch(1, new.last))
    expect(told.through == new.last, f"after 1-{new.last} of the new epoch through is {told.through}")
    expect(not refused, f"refused were {sorted(refused)}")


@RESTART.asks(
    "At its own start a journal answers every state that is online, and has everything that it gave a receipt for."
)
async def restart_remembered(player: Player) -> None:
    ledger = player.ledger().write(4)
    await player.after(ledger, ledger.batch(1, 4))
    epoch = ledger.stream.epoch
    told = await player.restarted(lambda receipt: receipt.epoch == epoch, "a receipt for the session that was online")
    expect(told.through == 4, f"before the restart through was 4, now it is {told.through}")


@KEYS.asks(
    "A key that was announced under the registered one is in force from the first birth that it signs, and the old one is no more."
)
async def key_changed(player: Player) -> None:
    old, new = player.signer, Signer(secrets.token_bytes(32))
    try:
        ledger = player.ledger().write(1).announce(new)
        await player.after(ledger, ledger.batch(1, 2))
        await player.born(ledger.signed_by(new))
        session = secrets.token_hex(8)
        await player.after(ledger.signed_by(new), ledger.birth(session))
        expect(
            session not in {receipt.session for receipt in player.receipts()}, "a birth under the old key was answered"
        )
    finally:
        await _back(player, new, old)


async def _back(player: Player, now: Signer, before: Signer) -> None:
    """The key that the gateway had before the kit came, as far as the journal follows."""
    player.signer = now
    ledger = player.ledger().write(1).announce(before)
    player.signer = before
    with suppress(Missed):
        await player.after(ledger, ledger.batch(1, 2))
        await player.born(ledger.signed_by(before))


async def _kept(player: Player, ledger: Ledger) -> None:
    told, refused = await player.after(ledger, ledger.batch(1, ledger.last))
    expect(told.through == ledger.last, f"through is {told.through}, it should be {ledger.last}")
    expect(told.head == ledger.head.hex(), f"head is not h({ledger.last})")
    expect(not refused, f"refused were {sorted(refused)}")
