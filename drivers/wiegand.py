"""Wiegand frames of 26, 34 and 37 bits, as OSDP and panels hand them over: left-justified, both parity bits included.

    even parity over the first group | facility and number | odd parity over the last group

A reader with Wiegand wires cuts the number of a card to what fits, and two cards may then be one: such a number has a
technology of its own and is never completed to the card's. Sources: SIA AC-01; HID H10301 (26 bits) and H10304 (37).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.frames import BadCard, BadFrame, Card, card
from gateway.domain.credential import Credential, Technology


@dataclass(frozen=True, slots=True)
class _Format:
    technology: Technology
    #: Bits that each parity bit covers, beside itself; the groups of 37 share the bit in the middle.
    group: int


_FORMATS: Mapping[int, _Format] = {
    26: _Format(Technology.WIEGAND26, 12),
    34: _Format(Technology.WIEGAND34, 16),
    37: _Format(Technology.WIEGAND37, 18),
}


def wiegand(bits: int, data: bytes) -> Card | BadCard | BadFrame:
    """Judge one frame of `bits` bits, the first one leftmost; never raises."""
    known = _FORMATS.get(bits)
    if known is None:
        return BadFrame(raw=data, why=f"a Wiegand frame has 26, 34 or 37 bits, got {bits}")
    if len(data) != _size(bits):
        return BadFrame(raw=data, why=f"{bits} bits are {_size(bits)} bytes, got {len(data)}")
    frame = int.from_bytes(data) >> (8 * len(data) - bits)
    wrong = _odd(frame >> (bits - 1 - known.group)), not _odd(frame & ((2 << known.group) - 1))
    if all(wrong):
        # Each group and its parity bit are an odd number of bits, so exchanged wires break both.
        return BadFrame(
            raw=data, why="both parities are wrong: the wires D0 and D1 are exchanged, or most bits were lost"
        )
    if any(wrong):
        return BadFrame(raw=data, why=f"the {'even' if wrong[0] else 'odd'} parity is wrong")
    number = (frame >> 1) & ((1 << (bits - 2)) - 1)
    return card(known.technology, number.to_bytes(_size(bits - 2)), data)


def encode(credential: Credential) -> tuple[int, bytes]:
    """Bits and left-justified bytes of a credential of a Wiegand technology."""
    bits, known = next(item for item in _FORMATS.items() if item[1].technology is credential.technology)
    number = int.from_bytes(credential.uid)
    even = _odd(number >> (bits - 2 - known.group))
    odd = not _odd(number & ((1 << known.group) - 1))
    frame = even << (bits - 1) | number << 1 | odd
    return bits, (frame << (8 * _size(bits) - bits)).to_bytes(_size(bits))


def _size(bits: int) -> int:
    return (bits + 7) // 8


def _odd(bits: int) -> bool:
    return bits.bit_count() % 2 == 1
