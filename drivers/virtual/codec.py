"""The virtual reader and gate as lines of text, each ended by LF; only words for a screen are more than ASCII, in UTF-8.

    device -> driver   card 14443a:04DE5F1EACC040 · refused 14443a reason in words · rotation in|out · tamper
                       mode single|free|locked · fire_alarm on|off · blocked on|off
    driver -> device   show admit known pass|Please pass · show refuse lost guard|Please go|to the guard · rest

A CR before the LF is allowed, so that a terminal program will do.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from drivers.frames import BadCard, BadFrame, Frame, card
from drivers.lines import Lines, whole
from gateway.domain.answer import Answer, Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Direction, Reason, Verdict
from gateway.ports import DeviceNotice, Rotation

Told: TypeAlias = Frame | Rotation | DeviceNotice

#: Dark again, the bolt shut.
REST = b"rest\n"

_CARD = re.compile(rf"card ({'|'.join(Technology)}):((?:[0-9A-F]{{2}})+)")
_REFUSED = re.compile(rf"refused ({'|'.join(Technology)}) ([ -~]{{1,80}})")
_SHOW = re.compile(rf"show (admit|refuse) ({'|'.join(Reason)}) ({'|'.join(Answer)})((?:\|[^|]*)*)")
_PLAIN: dict[str, Rotation | DeviceNotice] = {
    "rotation in": Rotation(direction=Direction.IN),
    "rotation out": Rotation(direction=Direction.OUT),
    "tamper": DeviceNotice(kind=DeviceState.TAMPER, detail="the housing was opened"),
    "fire_alarm on": DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM),
    "fire_alarm off": DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALL_CLEAR),
    "blocked on": DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.BLOCKED),
    "blocked off": DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.CLEAR),
    **{f"mode {mode}": DeviceNotice(kind=DeviceState.MODE, detail=mode) for mode in GateMode},
}


class Codec(Lines[Told]):
    """Line by line."""

    def __init__(self) -> None:
        super().__init__(b"\n", whole(_read))


def encode_card(credential: Credential) -> bytes:
    """A card was held to the reader."""
    return f"card {credential}\n".encode("ascii")


def encode_show(verdict: Verdict, words: Words) -> bytes:
    """What the lamp and the bolt shall do, and the lines of the screen."""
    told = f"show {'admit' if verdict.admit else 'refuse'} {verdict.reason} {words.answer}"
    return ("|".join([told, *words.lines]) + "\n").encode()


def read_show(line: bytes) -> tuple[Verdict, Words] | None:
    """The device's side of `encode_show`; None for anything else."""
    found = _SHOW.fullmatch(line.decode("utf-8", "replace").strip())
    if found is None:
        return None
    verdict = Verdict(admit=found[1] == "admit", reason=Reason(found[2]))
    return verdict, Words(answer=Answer(found[3]), lines=tuple(found[4].split("|")[1:]))


def _read(raw: bytes) -> Iterator[Told]:
    text = raw.decode("ascii", "replace")
    if text in _PLAIN:
        yield _PLAIN[text]
    elif found := _CARD.fullmatch(text):
        yield card(Technology(found[1]), bytes.fromhex(found[2]), raw)
    elif found := _REFUSED.fullmatch(text):
        yield BadCard(technology=Technology(found[1]), raw=raw, why=found[2])
    else:
        why = "not a line of the grammar: card, refused, rotation, tamper, mode, fire_alarm or blocked"
        yield BadFrame(raw=raw, why=why)
