"""What libosdp tells of a reader, as cards and notices, and what a lamp, a buzzer, a screen and an output are told.

    event     {"event": CardRead, "format": Wiegand, "length": 26, "data": BF 72 12 00}    bits, left-justified
              {"event": Status, "type": Local, "report": tamper, power}                    a byte each
    command   LED, Buzzer, Text and Output, whose times are tenths of a second

Sources: SIA OSDP 2.2 (replies RAW and LSTATR; commands LED, BUZ, TEXT and OUT), libosdp 3.2.9.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from osdp.constants import CardFormat, Command, CommandLEDColor, Event, StatusReportType

from drivers.frames import BadCard, BadFrame, Card, card
from drivers.signals import Colour, Signal
from drivers.wiegand import wiegand
from gateway.domain.credential import Technology
from gateway.domain.entry import DeviceState
from gateway.ports import DeviceNotice

Order: TypeAlias = dict[str, Any]

#: Bits of the whole UIDs of 4, 7 and 10 bytes.
_UID_BITS: Final = (32, 56, 80)
_COLOURS: Final = {
    Colour.GREEN: CommandLEDColor.Green,
    Colour.AMBER: CommandLEDColor.Amber,
    Colour.RED: CommandLEDColor.Red,
}
_TEMPORARY: Final = 2
_SWITCHED_OFF: Final = 1
_ON_FOR_A_TIME: Final = 5
#: A count of LED and Buzzer is one byte.
_LONGEST_COUNT: Final = 255
_LONGEST_TEXT: Final = 32


class Uid(StrEnum):
    """What a reader means by 32, 56 or 80 bits without parity."""

    REFUSED = "refused"
    AIR = "air"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """How the reader itself stands."""

    tamper: bool = False
    power: bool = False

    def said(self, reader: str) -> Iterator[tuple[DeviceNotice, bool]]:
        """In words, and whether that is as usual."""
        for kind, now, came, went in (
            (DeviceState.TAMPER, self.tamper, "its housing was opened", "its housing is closed again"),
            (DeviceState.POWER, self.power, "its power is failing", "its power is back"),
        ):
            yield DeviceNotice(kind=kind, detail=f"{reader}: {came if now else went}"), not now


def read(event: Mapping[str, Any], uid: Uid = Uid.REFUSED) -> Card | BadCard | BadFrame | Local | None:
    """A card, or how the reader stands; None for keys, whose digits are a secret of somebody, and for what libosdp notes."""
    if event["event"] == Event.CardRead:
        return _card(event["format"], event["length"], event["data"], uid)
    if event["event"] == Event.Status and event["type"] == StatusReportType.Local:
        tamper, power = (*event["report"], 0, 0)[:2]
        return Local(tamper=bool(tamper), power=bool(power))
    return None


def picture(signal: Signal, lines: tuple[str, ...], *, output: int | None = None, opens: float = 0) -> list[Order]:
    """What ends by itself: lamp, buzzer, the lines of a screen, and an output that is on for `opens` seconds."""
    orders = [_lamp(_COLOURS[signal.colour], signal.on, signal.off, signal.lasts)]
    if output is not None:
        orders.insert(0, _output(output, _ON_FOR_A_TIME, opens))
    if signal.beeps:
        beep = _tenths(signal.beep)
        orders.append(
            {"command": Command.Buzzer, "reader": 0, "control_code": 2}
            | {"on_count": beep, "off_count": beep, "rep_count": signal.beeps}
        )
    return orders + [_text(row, line, signal.lasts) for row, line in enumerate(lines, 1)]


def rest(rows: int, *, output: int | None = None) -> list[Order]:
    """Dark, the screen empty, the output off."""
    orders = [] if output is None else [_output(output, _SWITCHED_OFF, 0)]
    orders.append(_lamp(CommandLEDColor.Black, 0.1, 0.1, 0.1))
    return orders + [_text(row, " ", 1) for row in range(1, rows + 1)]


def _card(form: int, bits: int, data: bytes, uid: Uid) -> Card | BadCard | BadFrame:
    if form == CardFormat.ASCII:
        return BadFrame(raw=data, why="the number of a card as text: set the reader to bits")
    if bits not in _UID_BITS or uid is Uid.REFUSED or len(data) * 8 != bits:
        return wiegand(bits, data)
    return card(Technology.ISO14443A, data if uid is Uid.AIR else data[::-1], data)


def _lamp(colour: int, on: float, off: float, lasts: float) -> Order:
    return {
        "command": Command.LED,
        "reader": 0,
        "led_number": 0,
        "control_code": _TEMPORARY,
        "on_count": _tenths(on),
        "off_count": _tenths(off),
        "on_color": colour,
        "off_color": CommandLEDColor.Black,
        "timer_count": round(lasts * 10),
        "temporary": True,
    }


def _output(number: int, control: int, seconds: float) -> Order:
    return {"command": Command.Output, "output_no": number, "control_code": control, "timer_count": round(seconds * 10)}


def _text(row: int, line: str, lasts: float) -> Order:
    shown = line.encode()[:_LONGEST_TEXT].decode(errors="ignore")
    return {
        "command": Command.Text,
        "reader": 0,
        "control_code": _TEMPORARY,
        "temp_time": min(round(lasts) or 1, _LONGEST_COUNT),
        "offset_row": row,
        "offset_col": 1,
        "data": shown,
    }


def _tenths(seconds: float) -> int:
    return min(round(seconds * 10), _LONGEST_COUNT)
