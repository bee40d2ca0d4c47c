r"""What ZKTeco terminals and their server say over HTTP (attendance push, protocol 2.x), as bytes.

    terminal -> server   PIN \t YYYY-MM-DD HH:MM:SS \t status \t verify \t …     a line of ATTLOG for each tap
                         ID=7&Return=0&CMD=DATA                                  what became of a command
    server -> terminal   C:7:DATA UPDATE USERINFO PIN=501\tCard=1234567          a command

Times are the terminal's own, without a zone. Lines may end in CR LF, and in blanks.
Source: public implementations of "Attendance PUSH Communication Protocol" 2.4.2.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from drivers.frames import BadCard, BadFrame, Card, Frame, card
from gateway.domain.credential import Technology
from gateway.domain.model import Direction

_LF = 0x0A
_LONGEST = 512
_ATTLOG = re.compile(
    r"(?P<pin>[^\t]{1,32}?) *\t *(?P<time>[0-9]{4}-[0-9-]{3,5} [0-9:]{5,8}) *(?:\t *(?P<status>[0-9]{0,3}).*)?"
)
_DONE = re.compile(rb"\bID=([0-9]{1,9})\s*&\s*Return=(-?[0-9]{1,9})\b", re.IGNORECASE)
_WAYS: Mapping[int, Direction] = {
    0: Direction.IN,  # check in
    1: Direction.OUT,  # check out
    2: Direction.OUT,  # break
    3: Direction.IN,  # back from the break
    4: Direction.IN,  # overtime
    5: Direction.OUT,
}
_NOT_SET = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Punch(Card):
    """Somebody whom a terminal let in."""

    #: By the terminal's clock, without a zone.
    local: datetime
    #: The key that was pressed, or whatever the terminal sends always.
    status: int

    @property
    def direction(self) -> Direction:
        """What the status says of the way."""
        return _WAYS.get(self.status, Direction.UNKNOWN)


class Codec:
    """Lines of ATTLOG; holds at most one."""

    def __init__(self) -> None:
        self._line = bytearray()
        #: What is held continues a line that was too long.
        self._cut = False

    def feed(self, data: bytes) -> list[Frame]:
        """What these bytes complete; never raises."""
        return [frame for byte in data for frame in self._take(byte)]

    def end(self) -> list[Frame]:
        """The last line may have no end."""
        return [*self._take(_LF)]

    def _take(self, byte: int) -> Iterator[Frame]:
        if byte != _LF:
            self._line.append(byte)
            if len(self._line) == _LONGEST:
                yield self._too_long()
                self._cut = True
        elif self._cut:
            if self._line:
                yield self._too_long()
            self._cut = False
        else:
            raw = bytes(self._line).strip()
            self._line.clear()
            if raw:
                yield _read(raw)

    def _too_long(self) -> BadFrame:
        raw = bytes(self._line)
        self._line.clear()
        return BadFrame(raw=raw, why="the line is too long")


def punch(pin: str, local: datetime, status: int, raw: bytes) -> Punch | BadCard:
    """A tap of the person with this PIN."""
    if not (pin.isascii() and pin.isdecimal()):
        return BadCard(technology=Technology.ZKTECO, raw=raw, why="a PIN is written in decimal digits")
    found = card(Technology.ZKTECO, uid_of(pin), raw)
    if isinstance(found, BadCard):
        return found
    return Punch(credential=found.credential, raw=raw, local=local, status=status)


def uid_of(pin: str) -> bytes:
    """501 and 00501 are 05 01: the digits in pairs, two at least."""
    digits = pin.lstrip("0").rjust(4, "0")
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


def moment(local: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """A time of the wall clock in UTC, and whether it is ambiguous: an hour that came twice (the first), or never."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.astimezone(UTC), first.utcoffset() != second.utcoffset()


def options(serial: str, stamp: str, offset: float) -> str:
    """The answer to a handshake: taps at once and in order from `stamp` on, nothing else; `offset` from UTC in hours."""
    # Firmwares disagree about half hours.
    zone = f"TimeZone={offset:.0f}\n" if offset == round(offset) else ""
    return (
        f"GET OPTION FROM: {serial}\nATTLOGStamp={stamp}\nOPERLOGStamp=9999\nATTPHOTOStamp=None\nErrorDelay=30\nDelay=10\n"
        f"TransTimes=00:00;14:05\nTransInterval=1\nTransFlag=1000000000\n{zone}Realtime=1\nEncrypt=None\n"
    )


def done(body: bytes) -> list[tuple[int, int]]:
    """Numbers of commands, and what the terminal returned for each: 0 is well done."""
    return [(int(number), int(returned)) for number, returned in _DONE.findall(body)]


def update_user(pin: str, card: str) -> str:
    """A person by number and card; a terminal needs no name."""
    return f"DATA UPDATE USERINFO PIN={pin}\tCard={card}"


def delete_user(pin: str) -> str:
    """Whoever it is, the terminal knows them no longer."""
    return f"DATA DELETE USERINFO PIN={pin}"


def attlog(pin: str, local: datetime, status: int = _NOT_SET, verify: int = 2) -> bytes:
    """A line as a terminal sends it."""
    return f"{pin}\t{local:%Y-%m-%d %H:%M:%S}\t{status}\t{verify}\t0\t0\t0\n".encode("ascii")


def _read(raw: bytes) -> Frame:
    found = _ATTLOG.fullmatch(raw.decode("latin-1"))
    if found is None:
        return BadFrame(raw=raw, why="a line of ATTLOG is a PIN, a tab and a time")
    try:
        local = datetime.strptime(found["time"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the terminal's own
    except ValueError:
        local = datetime.min  # noqa: DTZ901
    if not 2000 <= local.year < 2100:
        return BadFrame(raw=raw, why="there is no such time")
    return punch(found["pin"], local, int(found["status"] or _NOT_SET), raw)
