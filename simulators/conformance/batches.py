"""What the contract asks of a journal about batches: what counts, what waits, what is refused and by which name."""

import secrets
from dataclasses import replace

from gateway.domain.wire import MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from simulators.conformance.ledger import Ledger
from simulators.conformance.player import Player
from simulators.conformance.requirement import Page, expect
from sync.packets import Publication
from sync.signing import Signer

COUNTING, REFUSING = Page("journal.md#counting"), Page("journal.md#refusing")


@COUNTING.asks("A batch is answered: through is its last entry, head is h(through).")
async def batch_counted(player: Player) -> None:
    ledger = player.ledger().write(4)
    await player.born(ledger)
    since = len(player.heard)
    await player.say(ledger.batch(1, 4))
    told = await player.until(lambda receipt: receipt.through == 4, "a receipt through 4", since=since)
    expect(told.head == ledger.head.hex(), "head is not h(4)")


@COUNTING.asks("A batch that is sent again is answered again, counts once and moves nothing back.")
async def repetition_answered(player: Player) -> None:
    ledger = player.ledger().write(6)
    await player.born(ledger)
    await player.after(ledger, ledger.batch(1, 4), ledger.batch(5, 6))
    since = len(player.heard)
    await player.say(ledger.batch(1, 4))
    epoch = ledger.stream.epoch
    told = await player.until(lambda receipt: receipt.epoch == epoch, "an answer to the repetition", since=since)
    expect(told.through == 6, f"after a repetition of 1-4 through is {told.through}, it was 6")
    expect(not told.refused, f"the repetition was refused: {list(map(str, told.refused))}")


@COUNTING.asks("Batches may be cut differently when they are sent again: the same bytes count once.")
async def overlap_counted(player: Player) -> None:
    ledger = player.ledger().write(9)
    told, refused = await player.after(ledger, *ledger.batches((1, 4), (3, 6), (2, 9)))
    expect(told.through == 9, f"after 1-4, 3-6 and 2-9 through is {told.through}")
    expect(not refused, f"refused were {sorted(refused)}")


@COUNTING.asks("What arrives beyond a gap is held and named, and does not count.")
async def gap_held(player: Player) -> None:
    ledger = player.ledger().write(6)
    told, _ = await player.after(ledger, *ledger.batches((1, 2), (5, 6)))
    expect(told.through == 2, f"with 3-4 missing through is {told.through}")
    expect(list(map(str, told.held)) == ["5-6"], f"held is {list(map(str, told.held))}")


@COUNTING.asks("When the gap closes, what was held counts with it.")
async def gap_closed(player: Player) -> None:
    ledger = player.ledger().write(6)
    told, refused = await player.after(ledger, *ledger.batches((1, 2), (5, 6), (3, 4)))
    expect(told.through == 6, f"after 1-2, 5-6 and 3-4 through is {told.through}")
    expect(not told.held and not refused, f"held {list(map(str, told.held))}, refused {sorted(refused)}")


@COUNTING.asks("Of more than 16 held ranges the lowest are named.")
async def lowest_held(player: Player) -> None:
    ledger = player.ledger().write(42)
    singles = [(seq, seq) for seq in range(3, 42, 2)]
    told, _ = await player.after(ledger, ledger.batch(1, 1), *ledger.batches(*singles))
    wanted = [f"{seq}-{seq}" for seq, _ in singles[:16]]
    expect(list(map(str, told.held)) == wanted, f"held is {list(map(str, told.held))}")


@REFUSING.asks("A signature that does not hold: `signature`.")
async def signature_checked(player: Player) -> None:
    ledger = player.ledger().write(3)
    await refused(player, ledger, ledger.batch(1, 3, sig="0" * 128), "1-3:signature")


@REFUSING.asks("A signature over other positions or hashes does not hold either: `signature`.")
async def signature_bound(player: Player) -> None:
    ledger = player.ledger().write(6)
    other = ledger.batch(1, 3).properties["sig"]
    await player.after(ledger, ledger.batch(1, 3))
    await refused(player, ledger, ledger.batch(4, 6, sig=other), "4-6:signature", through=3)


@REFUSING.asks("A key that is not registered for this gateway: `key`.")
async def key_known(player: Player) -> None:
    ledger = player.ledger().write(3)
    stranger = ledger.signed_by(Signer(secrets.token_bytes(32)))
    await refused(player, ledger, stranger.batch(1, 3), "1-3:key")


@REFUSING.asks("Bytes that do not hash to the signed head: `link`.")
async def bytes_hashed(player: Player) -> None:
    ledger = player.ledger().write(3)
    sound = ledger.batch(1, 3)
    changed = replace(sound, payload=sound.payload.replace(b"entry 2", b"entry 9"))
    await refused(player, ledger, changed, "1-3:link")


@REFUSING.asks("More than 48 KiB: `malformed`.")
async def size_limited(player: Player) -> None:
    ledger = player.ledger().write(17, size=3000)
    large = ledger.batch(1, 17)
    expect(MAX_BATCH_BYTES < len(large.payload) < MAX_BATCH_BYTES * 5 // 4, "the kit's own batch has a wrong size")
    await refused(player, ledger, large, "1-17:malformed")


@REFUSING.asks("More than 100 events: `malformed`.")
async def count_limited(player: Player) -> None:
    ledger = player.ledger().write(MAX_BATCH_EVENTS + 1)
    await refused(player, ledger, ledger.batch(1, MAX_BATCH_EVENTS + 1), f"1-{MAX_BATCH_EVENTS + 1}:malformed")


@REFUSING.asks("Another number of events than first and last say: `malformed`.")
async def count_true(player: Player) -> None:
    ledger = player.ledger().write(3)
    await refused(player, ledger, ledger.batch(1, 3, claimed_last="4"), "1-4:malformed")


@REFUSING.asks("A payload that is no list of lines: `malformed`.")
async def lines_wanted(player: Player) -> None:
    ledger = player.ledger().write(3)
    await refused(player, ledger, ledger.batch(1, 3, payload=b"[{},\n{},{}]"), "1-3:malformed")


@REFUSING.asks("Properties that are missing: `malformed`, whatever positions it is named by.")
async def properties_wanted(player: Player) -> None:
    ledger = player.ledger().write(3)
    await player.born(ledger)
    told, codes = await player.after(ledger, ledger.bare())
    expect(any(code.endswith(":malformed") for code in codes), f"refused were {sorted(codes)}")
    expect(told.through == 0, f"a batch without properties counted: through {told.through}")


@REFUSING.asks("A first entry that does not hang on h(0): `link`.")
async def beginning_checked(player: Player) -> None:
    ledger = player.ledger()
    adrift = ledger.fork(0, prev=secrets.token_bytes(32)).write(3)
    await refused(player, ledger, adrift.batch(1, 3), "1-3:link")


@REFUSING.asks("A batch that does not hang on the entry before it, which is committed: `link`.")
async def link_checked(player: Player) -> None:
    ledger = player.ledger().write(2)
    await player.after(ledger, ledger.batch(1, 2))
    adrift = ledger.fork(2, prev=secrets.token_bytes(32)).write(2)
    await refused(player, ledger, adrift.batch(3, 4), "3-4:link", through=2)


@REFUSING.asks("What was held and turns out to hang on something else gives way: `link`; then the right one counts.")
async def stray_dropped(player: Player) -> None:
    ledger = player.ledger().write(5)
    adrift = ledger.fork(3, prev=secrets.token_bytes(32)).write(2, note=" adrift")
    await player.after(ledger, ledger.batch(1, 1), adrift.batch(4, 5))
    await refused(player, ledger, ledger.batch(2, 3), "4-5:link", through=3)
    told, _ = await player.after(ledger, ledger.batch(4, 5))
    expect(told.through == 5, f"then the right 4-5 came, and through is {told.through}")
    expect(told.head == ledger.head.hex(), "head is not h(5) of the right ones")


@REFUSING.asks("Other bytes under the name of a committed entry: `quarantine`; what is committed stays.")
async def other_bytes_quarantined(player: Player) -> None:
    ledger = player.ledger().write(4)
    await player.after(ledger, ledger.batch(1, 4))
    other = ledger.fork(2).write(2, note=" of a clone")
    told = await refused(player, ledger, other.batch(3, 4), "3-4:quarantine", through=4)
    expect(told == ledger.head_of(4), "head is not h(4) of what was committed first")


async def refused(player: Player, ledger: Ledger, message: Publication, wanted: str, *, through: int = 0) -> str:
    """The batch is named so in a receipt and does not count; returns the head that is told."""
    await player.born(ledger)
    told, seen = await player.after(ledger, message)
    expect(told.through == through, f"through is {told.through}, it should be {through}")
    expect(wanted in seen, f"refused should be {wanted}, was {sorted(seen) or 'nothing'}")
    return told.head
