"""A name, an address or a card in a log, a topic or a gateway's health is found, however it is spelt."""

import os
from pathlib import Path

import pytest

from simulators.broker import BrokerKind, command
from simulators.crowd import Arrival, Card, Crowd
from simulators.ports import free_port
from simulators.privacy import leaks, public
from simulators.processes import Child, listening
from sync.mqtt import Broker, connect
from tests.simulators.test_oracle import CARD, PHONE, START, pupil

LONG = Card(technology="14443a", uid=bytes.fromhex("04DE5F1EACC040"))
CROWD = Crowd(
    pupils=(pupil(),),
    arrivals=tuple(Arrival(at=START, card=card, pupil=None) for card in (CARD, PHONE, LONG)),
)


@pytest.mark.parametrize(
    "text",
    [
        "error: Анна Седых",
        "ANNA СЕДЫХ",
        r'{"name": "\u0421\u0435\u0434\u044b\u0445"}',
        "%D0%A1%D0%B5%D0%B4%D1%8B%D1%85",
        "sent to p1@families.example.",
        "mailto://127.0.0.1?to=p1%40families.example",
        "uid=55007EE424",
        "em4100:55007ee424",
        "55 00 7E E4 24",
        "08:a1:b2:c3",
        "14443a:04DE5F1EACC040",
        "card 0008315940 again",
        "card 8315940",
    ],
)
def test_a_leak(text: str) -> None:
    assert len(list(leaks(CROWD, {"the log of north": f"before {text} after", "the log of south": "up"}))) == 1


def test_what_may_be_said() -> None:
    text = (
        "north-serial: lane up; person p1; Анна; school@families.example; seq 000000000007; 08:30:12; "
        "token 1:55007ee424aabbccddeeff0011223344; site/school/north/health"
    )
    assert list(leaks(CROWD, {"health of north": text})) == []


@pytest.mark.parametrize(
    "kind", [pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.needs("mosquitto")), BrokerKind.IOTCORE]
)
async def test_what_a_broker_retains_is_read(tmp_path: Path, kind: BrokerKind) -> None:
    port = free_port()
    child = Child("broker", command(kind, port), log=tmp_path / "log", environment=dict(os.environ))
    await child.start()
    try:
        await listening(port, child=child)
        async with connect(Broker.parse(f"mqtt://127.0.0.1:{port}", client_id="north")) as north:
            await north.publish("att/v1/school/north/health", "Седых".encode(), retain=True)
            await north.publish("att/v1/school/north/state", b"p1@families.example", retain=True)
        child.log.write_text("04DE5F1EACC040", encoding="ascii")
        said = await public({"broker": child.log}, ["north"], port)
    finally:
        await child.stop()
    assert sorted(line.split(" tells ")[0] for line in leaks(CROWD, said)) == [
        "health of north",
        "state of north",
        "the log of broker",
    ]
    assert "the topic att/v1/school/north/health" in said
