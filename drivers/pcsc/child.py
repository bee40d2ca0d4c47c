"""The program in the process of one PC/SC reader: whatever hangs in pyscard, pcscd or a driver of it is killed with it.

    python -m drivers.pcsc.child "ACS ACR122U"

It says what codec.py describes, and imports nothing that it does not need: it is started anew for each opening.
Standard input holds APDUs for the reader in hex, one a line; its end ends the process.
"""

import os
import re
import sys
import threading
from typing import Any, Never

_UID, _ATS = bytes.fromhex("FFCA000000"), bytes.fromhex("FFCA010000")
#: Milliseconds until it says how things stand: more often while a card is there, so that its leaving is noticed.
_IDLE, _HELD = 1000, 100
#: CM_IOCTL_GET_FEATURE_REQUEST is 3400; 3500 is the escape of the ccid driver.
_ESCAPE = 3500


class _Lost(Exception):
    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class _Service:
    """One connection to pcscd. Belongs to one thread."""

    def __init__(self, scard: Any) -> None:
        self._scard = scard
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code != scard.SCARD_S_SUCCESS:
            raise _Lost(self._words("pcscd cannot be used", code), "sudo systemctl enable --now pcscd.socket")

    def find(self, wanted: str) -> str:
        """The whole name of the one reader that is meant."""
        _, names = self._scard.SCardListReaders(self._context, [])
        found = [name for name in names if wanted in name or re.search(wanted, name)]
        if len(found) != 1:
            there = f"there are {', '.join(names)}" if names else "pcscd knows no reader"
            raise _Lost(f"{len(found)} readers have that name", f"{there}; plug it in, or name one of them in the url")
        return str(found[0])

    def wait(self, reader: str, state: int, milliseconds: int) -> tuple[int, bytes]:
        """The reader's state and the ATR of its card, when it changed or the time is over."""
        scard = self._scard
        code, told = scard.SCardGetStatusChange(self._context, milliseconds, [(reader, state)])
        if code == scard.SCARD_E_TIMEOUT:
            return state, b""
        if code != scard.SCARD_S_SUCCESS:
            raise _Lost(self._words("pcscd went away", code), "systemctl status pcscd")
        _, now, atr = told[0]
        if now & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise _Lost("the reader was unplugged", "plug it in again")
        return now & ~scard.SCARD_STATE_CHANGED, bytes(atr)

    def ask(self, reader: str, *apdus: bytes) -> list[bytes] | None:
        """The answers of the card that is there; None where it does not answer."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, card, protocol = scard.SCardConnect(self._context, reader, scard.SCARD_SHARE_SHARED, protocols)
        if code != scard.SCARD_S_SUCCESS:
            return None
        header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        answers = []
        for apdu in apdus:
            code, answer = scard.SCardTransmit(card, header, [*apdu])
            answers.append(bytes(byte & 0xFF for byte in answer) if code == scard.SCARD_S_SUCCESS else b"")
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return answers if answers[0] else None

    def tell(self, reader: str, apdu: bytes) -> None:
        """Say something to the reader itself; without a card only where its driver lets that through."""
        scard = self._scard
        if self.ask(reader, apdu) is not None:
            return
        code, card, _ = scard.SCardConnect(self._context, reader, scard.SCARD_SHARE_DIRECT, 0)
        if code == scard.SCARD_S_SUCCESS:
            scard.SCardControl(card, scard.SCARD_CTL_CODE(_ESCAPE), [*apdu])
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def _words(self, what: str, code: int) -> str:
        return f"{what}: {self._scard.SCardGetErrorMessage(code).strip().rstrip('.')}"


def _watch(scard: Any, service: _Service, reader: str) -> Never:
    """Say what is in the field, for ever."""
    state, atr, seen, pause = scard.SCARD_STATE_UNAWARE, b"", None, _IDLE
    while True:
        state, came = service.wait(reader, state, pause)
        atr = came or atr
        if not state & scard.SCARD_STATE_PRESENT:
            seen, pause = None, _IDLE
            _say(b"idle\n")
        # The upper half counts cards that came and went; the lower half also tells who else uses the reader.
        elif seen == state >> 16:
            _say(b"still\n")
        elif (answers := service.ask(reader, _UID, _ATS)) is None:
            pause = _HELD
            _say(b"mute\n")
        else:
            seen, pause = state >> 16, _HELD
            _say(encode_card(atr, *answers))


def _obey(scard: Any, reader: str) -> None:
    """Tell the reader what comes in; the end of it ends the process."""
    try:
        service = _Service(scard)
        for line in sys.stdin.buffer:
            service.tell(reader, bytes.fromhex(line.decode("ascii")))
    finally:
        os._exit(0)


def encode_card(atr: bytes, uid: bytes, ats: bytes) -> bytes:
    """A card came; `uid` and `ats` are the answers with their status words."""
    return f"card {atr.hex().upper()} {uid.hex().upper()} {ats.hex().upper()}\n".encode("ascii")


def encode_lost(why: str, hint: str) -> bytes:
    """The process ends, and why."""
    why, hint = (text.replace("|", "/").replace("\n", " ")[:300] for text in (why, hint))
    return f"lost {why}|{hint}\n".encode()


def _say(line: bytes) -> None:
    os.write(sys.stdout.fileno(), line)


def main(wanted: str) -> None:
    """Serve the reader of that name until it is lost."""
    try:
        from smartcard import scard  # noqa: PLC0415 - whoever has no such reader needs no such library

        service = _Service(scard)
        reader = service.find(wanted)
        threading.Thread(target=_obey, args=(scard, reader), daemon=True).start()
        _say(f"ready {reader}\n".encode("ascii", "replace"))
        _watch(scard, service, reader)
    except ImportError as error:
        _say(encode_lost(f"the library {error.name} is not installed", "see drivers/pcsc/README.md how to install it"))
    except _Lost as lost:
        _say(encode_lost(str(lost), lost.hint))
    except Exception as error:  # noqa: BLE001 - nobody reads the traceback of this process
        _say(encode_lost(f"its process failed: {error!r}", "report this"))
    finally:
        # Ending in order would wait for the thread that hears standard input.
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
