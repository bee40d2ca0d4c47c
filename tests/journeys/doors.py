"""The doors of one gateway, each with another kind of reader at the far end of its own wire, and who comes to them."""

import asyncio
import json
import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from drivers.contacts import OPENS, Role
from drivers.lamp import Output
from drivers.wiegand import encode
from gateway.domain.credential import Credential, Technology
from gateway.domain.directory import Content, CredentialRow, PersonRow
from gateway.domain.model import Direction, GroupId, PersonId, Reason, Verdict
from simulators.ironlogic import Ironlogic
from simulators.keyboard import Keyboard
from simulators.modbus import Turnstile
from simulators.osdp import OsdpBus
from simulators.pcsc import PcscReader
from simulators.pn532 import Pn532
from simulators.rdm6300 import Rdm6300
from simulators.text import TextReader
from simulators.virtual import Virtual
from simulators.zkteco import Terminal
from sync.local import local_path, write_local
from tests.domain.build import KEY
from tests.drivers.osdp.bench import KEY as OF_THE_BUS
from tests.drivers.osdp.bench import keyed
from tests.gateway.daemon import write_config
from tests.journeys.ledger import Ledger

#: Pupils of each door.
PUPILS = 400
_SOON = 0.01
_ADMITTED = Verdict(admit=True, reason=Reason.KNOWN)
_Hold: TypeAlias = Callable[[Credential], Awaitable[bool]]
#: Longer than any arm here takes, by the daemon's clock.
_PASSAGE = {"passage_seconds": 60}


@dataclass(kw_only=True)
class Door:
    """One lane, named after the kind of its reader: the device's end, and everybody who was there."""

    kind: str
    sim: Any
    technology: Technology
    size: int
    #: Whether the reader heard of the card.
    hold: _Hold
    #: Of its device, beside the url, and of its lane.
    device: Mapping[str, object] = field(default_factory=dict)
    lane: Mapping[str, object] = field(default_factory=dict)
    #: Waits for the lamp, and goes through where the gate tells rotations.
    through: Callable[[], Awaitable[None]] | None = None
    shown: list[Credential] = field(default_factory=list)
    let_in: int = 0

    def card(self, number: int) -> Credential:
        """Of one pupil; a terminal knows decimal numbers only."""
        digits = f"{10 ** (2 * self.size - 1) + number:d}"
        uid = (
            bytes.fromhex(digits) if self.technology is Technology.ZKTECO else b"\x04" + number.to_bytes(self.size - 1)
        )
        return Credential(technology=self.technology, uid=uid)

    async def come(self, chance: random.Random) -> None:
        """One more pupil, who holds the card to the reader until it is heard."""
        card = self.card(len(self.shown) + 1)
        while not await self.hold(card):
            await asyncio.sleep(_SOON)
        self.shown.append(card)
        if self.through is not None:
            await self.through()
            self.let_in += 1
        await asyncio.sleep(chance.uniform(0, 0.15))

    @property
    def pupils(self) -> list[Credential]:
        """Whom the directory knows."""
        return [self.card(number) for number in range(1, PUPILS + 1)]


@dataclass
class Gates:
    """Devices that have no reader, by the name of the device."""

    lamp: Virtual
    board: Turnstile
    relays: Turnstile


def gates(folder: Path) -> Gates:
    """A lamp on a socket, a turnstile on Ethernet, relays on a serial line."""
    return Gates(Virtual(f"unix:{folder}/lamp"), Turnstile("tcp://127.0.0.1:0"), Turnstile(str(folder / "relays")))


def doors(folder: Path, gates: Gates, start: datetime, *, pace: float = 0.01) -> list[Door]:
    """Eight kinds; four gates, and the lamp of a reader on a bus. A terminal looks for commands every `pace` seconds."""
    ledger = Ledger(folder / "state" / "ledger.db")
    serial, ironlogic = Rdm6300(str(folder / "rdm6300")), Ironlogic(str(folder / "ironlogic"))
    text, keyboard = TextReader("tcp://127.0.0.1:0"), Keyboard(f"unix:{folder}/keyboard")
    chip, bus = Pn532(str(folder / "pn532")), OsdpBus(str(folder / "bus"), {1: OF_THE_BUS})
    terminal, virtual = Terminal(pace=pace), Virtual(f"unix:{folder}/virtual")

    async def found(card: Credential) -> bool:
        # What is answered too late is lost, as on a wire, and asked again: the card stays until its tap is on the disk.
        holding, token = asyncio.create_task(chip.present(card.uid, hold=math.inf)), KEY.token(card)
        await ledger.until(lambda: any(tap.token == token for tap in ledger.taps("nfc")))
        holding.cancel()
        await asyncio.wait([holding])
        return True

    async def bits(card: Credential) -> bool:
        return bus.readers[1].bits(*encode(card))

    async def pushed(card: Credential) -> bool:
        terminal.tap(card.uid.hex(), at=(start + timedelta(seconds=len(terminal.log))).replace(tzinfo=None))
        return True

    async def through_virtual() -> None:
        assert await anext(virtual.shown()) == _ADMITTED
        assert await virtual.rotate(Direction.IN)

    async def through_board() -> None:
        await _until(lambda: Output.UNLOCK in gates.board.on)
        # Not as fast as people are: the gateway looks at a board from time to time, on a busy machine seldom.
        await gates.board.contact(Role.PASS_A, closed=True)
        await _until(lambda: Output.UNLOCK not in gates.board.on)
        await gates.board.contact(Role.PASS_A, closed=False)
        await gates.board.asked_again()
        await asyncio.sleep(OPENS + _SOON)

    async def past_relays() -> None:
        await _until(lambda: Output.UNLOCK in gates.relays.on)

    async def past_lamp() -> None:
        assert await anext(gates.lamp.shown()) == _ADMITTED

    async def past_bus() -> None:
        await _until(lambda: bool(bus.readers[1].told))
        bus.readers[1].told.clear()

    def door(kind: str, sim: Any, make: tuple[Technology, int], hold: _Hold, **more: Any) -> Door:
        return Door(kind=kind, sim=sim, technology=make[0], size=make[1], hold=hold, **more)

    em4100, type_a = (Technology.EM4100, 5), (Technology.ISO14443A, 7)
    line, keys = {"technology": "em4100", "length": 5}, {"technology": "14443a", "length": 7}
    secure, terminals = {"keys": keyed(folder / "keys", 1)}, {"terminals": [{"serial": terminal.serial, "zone": "UTC"}]}
    return [
        door("rdm6300", serial, em4100, lambda card: serial.present(card.uid)),
        door(
            *("ironlogic", ironlogic, type_a, lambda card: ironlogic.present(card.uid)),
            lane={"gate": "board", **_PASSAGE},
            through=through_board,
        ),
        door(
            *("line", text, em4100, lambda card: text.present(card.uid)),
            device=line,
            lane={"gate": "relays"},
            through=past_relays,
        ),
        door(
            *("keyboard", keyboard, type_a, lambda card: keyboard.present(card.uid)),
            device=keys,
            lane={"gate": "lamp"},
            through=past_lamp,
        ),
        door("nfc", chip, type_a, found),
        door("osdp", bus, (Technology.WIEGAND34, 4), bits, device=secure, lane={"gate": "osdp"}, through=past_bus),
        door(
            *("zkteco", terminal, (Technology.ZKTECO, 3), pushed),
            device=terminals,
            lane={"reader": f"zkteco/{terminal.serial}"},
        ),
        door(
            *("virtual", virtual, em4100, virtual.card), lane={"gate": "virtual", **_PASSAGE}, through=through_virtual
        ),
    ]


def pcsc_door(folder: Path) -> Door:
    """A ninth kind, where its service is installed."""
    reader = PcscReader(folder)

    async def asked(card: Credential) -> bool:
        await reader.present(card.uid)
        return True

    return Door(kind="pcsc", sim=reader, technology=Technology.ISO14443A, size=7, hold=asked)


def configured(folder: Path, doors: Sequence[Door], gates: Gates | None, until: datetime) -> Path:
    """The configuration of a gateway with all of them, and the directory of its school."""
    config = write_config(folder, [])
    tables: list[str] = []
    if gates is not None:
        tables.append(_device("lamp", "virtual", {"url": gates.lamp.url}))
        # Whoever goes through ends it; a pulse could be over before a busy machine looks, and an answer come late.
        slow = {"opens": 60.0, "patience": 5.0}
        tables.append(_device("board", "modbus", {**gates.board.settings, **slow}))
        tables.append(_device("relays", "modbus", {**gates.relays.settings, **slow}))
    for door in doors:
        tables.append(_device(door.kind, door.kind, {"url": door.sim.url, **door.device}))
        tables.append(_table("lanes", {"id": door.kind, "direction": "in", "reader": door.kind, **door.lane}))
    config.write_text(config.read_text() + "\n".join(tables))
    cards = [card for door in doors for card in door.pupils]
    people = [PersonId(f"p-{number}") for number in range(len(cards))]
    content = Content(
        site="school-1",
        zone="UTC",
        gateways=(),
        persons=tuple(PersonRow(id=person, groups=(GroupId("5a"),)) for person in people),
        credentials=tuple(CredentialRow(token=KEY.token(c), person=p) for c, p in zip(cards, people, strict=True)),
        slots=(),
    )
    write_local(local_path(folder / "state" / "directory.json"), content, until)
    return config


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(_SOON)


def _device(name: str, kind: str, settings: Mapping[str, object]) -> str:
    return _table("devices", {"id": name, "kind": kind, **settings})


def _table(name: str, keys: Mapping[str, object]) -> str:
    return f"[[{name}]]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in keys.items())


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(one)}' for key, one in value.items())} }}"
    return json.dumps(value)
