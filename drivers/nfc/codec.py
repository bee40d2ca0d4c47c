"""What an NFC reader tells about a target, as a card. The bytes on its wire are the business of nfcpy.

Sources: ISO/IEC 14443-3 (type A UIDs), JIS X 6319-4 (FeliCa IDm), NFC Forum Digital (NFCID2 that begins with 01FE).
"""

from typing import TypeAlias

from drivers.frames import BadCard, Card, card
from gateway.domain.credential import Technology

_RANDOM_IDM = b"\x01\xfe"

Target: TypeAlias = Card | BadCard


def type_a(uid: bytes) -> Target:
    """A target of 106 kbit/s type A, by its UID without cascade tags."""
    if not uid:
        return BadCard(technology=Technology.ISO14443A, raw=uid, why="a type 1 tag tells only part of its UID")
    return card(Technology.ISO14443A, uid, uid)


def type_f(sensf_res: bytes) -> Target:
    """A FeliCa target, by its SENSF_RES: response code, IDm, PMm."""
    idm = sensf_res[1:9]
    if idm.startswith(_RANDOM_IDM):
        return BadCard(technology=Technology.FELICA, raw=idm, why="the IDm is random: this is a phone, not a card")
    return card(Technology.FELICA, idm, idm)
