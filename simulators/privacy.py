"""Nothing personal where strangers may look: greps logs, topics and what gateways tell of themselves for the crowd."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from gateway.errors import LinkError
from simulators.crowd import Card, Crowd
from sync.mqtt import Broker, connect

#: Real seconds.
_PATIENCE: Final = 3.0
_PUBLIC: Final = ("health", "state")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_NUMBER: Final = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{7,20}|[0-9a-f]{2}(?:[ :-][0-9a-f]{2}){3,9})(?![0-9a-z])")
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w.-]+\w")


async def public(logs: Mapping[str, Path], gateways: Iterable[str], port: int) -> dict[str, str]:
    """By place: the log of each process, every retained topic, and the retained health and state of gateways."""
    texts = {f"the log of {name}": log.read_text("utf-8", "replace") for name, log in logs.items()}
    # After a kill the health of a gateway may not be there yet again.
    with contextlib.suppress(LinkError, TimeoutError):
        await asyncio.wait_for(_retained(gateways, port, texts), _PATIENCE)
    return texts


async def _retained(gateways: Iterable[str], port: int, texts: dict[str, str]) -> None:
    missing = {(name, leaf) for name in gateways for leaf in _PUBLIC}
    broker = Broker.parse(f"mqtt://127.0.0.1:{port}", client_id="onlooker")
    async with connect(broker) as connection:
        await connection.subscribe("#")
        async for message in connection.messages():
            connection.acknowledge(message)
            gateway, leaf = ("", *message.topic.split("/"))[-2:]
            texts[f"the topic {message.topic}"] = message.topic
            if leaf in _PUBLIC:
                texts[f"{leaf} of {gateway}"] = message.payload.decode("utf-8", "replace")
            missing.discard((gateway, leaf))
            if not missing:
                return


def leaks(crowd: Crowd, texts: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each person and card that is named; `texts` by the place where each was found."""
    names = re.compile(rf"\b(?:{'|'.join(sorted({re.escape(p.family.casefold()) for p in crowd.pupils}))})\b")
    addresses = {pupil.mail.casefold() for pupil in crowd.pupils}
    cards = {number for arrival in crowd.arrivals for number in _numbers(arrival.card)}
    cards |= {number for pupil in crowd.pupils for number in _numbers(pupil.card)}
    for place, text in texts.items():
        plain = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unquote(text)).casefold()
        found = {f"the last name {name}" for name in names.findall(plain)}
        found |= {f"the address {address}" for address in addresses & set(_ADDRESS.findall(plain))}
        shown = {re.sub("[ :-]", "", number) for number in _NUMBER.findall(plain)}
        found |= {f"the card {number}" for number in cards & shown}
        yield from (f"{place} tells {what}" for what in sorted(found))


def _numbers(card: Card) -> Iterator[str]:
    """As UID in hex, and as it is printed on a card of five bytes: the last four in decimal."""
    yield card.uid.hex()
    if card.technology == "em4100":
        printed = int.from_bytes(card.uid[1:])
        yield from (f"{printed:010d}", str(printed))
