"""The door to libosdp: one panel with the readers of one bus. Belongs to one thread.

libosdp notices a lost reader after eight seconds and then leaves it alone for five minutes, and one whose channel is
insecure for ten. So every reader that is not there, safely, is switched off and on again until it is.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import osdp_sys
from osdp import Capability, Channel, Command, LibFlag, LogLevel, PDInfo
from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from drivers.cable import Line
from drivers.frames import Noise
from drivers.osdp.answers import Answers
from drivers.osdp.codec import Order
from gateway.errors import DeviceLost

#: Questions without an answer after which a reader is not there: libosdp asks again each second, and longer.
_UNANSWERED: Final = 3
#: An answer is taken, the next question is chosen, and sent: libosdp wants to be called for each of these.
_STEPS: Final = 3
#: A handshake of eight readers at 9600 baud takes this long.
PATIENCE: Final = 5.0
_LONGEST_WAIT: Final = 30.0
#: libosdp needs a round to see that a reader is switched off.
_OFF: Final = 0.3
_NEEDED: Final = {
    Command.LED: Capability.LEDControl,
    Command.Buzzer: Capability.AudibleControl,
    Command.Text: Capability.TextOutput,
    Command.Output: Capability.OutputControl,
}
_MARK: Final = b"\xff"
_ADDRESS: Final = 0x7F
#: Stale bytes of a flooded line are thrown away in portions, not for ever.
_PORTIONS: Final = 16
_PORTION: Final = 4096


class Wire(Channel):  # type: ignore[misc]
    """The bus as libosdp uses it. Nothing is ever raised from here: it would end the library without a word."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self._asked = 0
        self._answers, self._unread = Answers(), bytearray()
        #: How many were asked.
        self.questions = 0
        #: What ended the bus.
        self.failed: Exception | None = None
        #: By address, questions since something was heard; who was never heard has left enough of them unanswered.
        self.unanswered: defaultdict[int, int] = defaultdict(lambda: _UNANSWERED)
        #: By address, bytes that were heard instead of an answer: since they were fetched, and after the last question.
        self.noise, self._last = Counter[int](), Counter[int]()

    def read(self, max_bytes: int) -> bytes:
        """What was answered by now."""
        heard = self._try(lambda: self._line.read(_PORTION)) or b""
        if answers := self._answers.feed(heard, self._asked):
            self.unanswered[self._asked] = 0
            self._unread += answers
        data = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        """All of it, or none."""
        frame = bytes(buf).lstrip(_MARK)
        if len(frame) > 1:
            self._last[self._asked] = self._answers.end()
            self.noise[self._asked] += self._last[self._asked]
            self._asked = frame[1] & _ADDRESS
            self.unanswered[self._asked] += 1
            self.questions += 1
        self._try(lambda: self._line.write(bytes(buf)))
        return 0 if self.failed else len(buf)

    def disturbed(self, address: int) -> bool:
        """Whether the last question to it brought noise."""
        return bool(self._answers.noise if address == self._asked else self._last[address])

    def flush(self) -> None:
        """Throw away what came too late."""
        for _ in range(_PORTIONS):
            heard = self._try(lambda: self._line.read(_PORTION))
            if not heard:
                break
            self._answers.feed(heard, self._asked)
        self._unread.clear()

    def _try(self, act: Callable[[], bytes | None]) -> bytes | None:
        if self.failed is None:
            try:
                return act()
            except Exception as error:  # noqa: BLE001 - raised again by Panel.turn
                self.failed = error
        return None


@dataclass(slots=True)
class _Reader:
    """One address, as far as the panel knows it."""

    index: int
    #: When it is switched off and on again, unless it is there by then.
    again: float
    there: bool = False
    #: When it is switched on again.
    on_at: float | None = None
    waits: RetryCallState = field(default_factory=lambda: RetryCallState(AsyncRetrying(), None, (), {}))


class Panel:
    """Every reader of the bus with its key."""

    def __init__(
        self, line: Line, keys: Mapping[int, bytes], clock: Callable[[], float], *, installs: bool = False
    ) -> None:
        """Without a secure channel under its key a reader is not there; `installs` gives it that key, under the default one."""
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._clock = clock
        self._wire = Wire(line)
        self._events: list[tuple[int, Mapping[str, Any]]] = []
        self._addresses = [*keys]
        flags = [LibFlag.InstallMode] if installs else [LibFlag.EnforceSecure]
        infos = [PDInfo(address, self._wire, scbk=key, flags=[*flags]).get() for address, key in keys.items()]
        self._panel = osdp_sys.ControlPanel(infos)
        self._panel.set_event_callback(self._keep)
        self._wait = wait_random_exponential(multiplier=PATIENCE, min=PATIENCE / 2, max=_LONGEST_WAIT)
        begun = clock() + PATIENCE
        self._readers = {address: _Reader(index, begun) for index, address in enumerate(keys)}

    def turn(self) -> None:
        """Ask and answer once; to be called often. Raises DeviceLost."""
        try:
            questions = self._wire.questions
            for _ in range(_STEPS):
                self._panel.refresh()
                if self._wire.questions > questions:
                    break
        except SystemError as error:
            raise DeviceLost(f"libosdp failed: {error}") from error
        if self._wire.failed is not None:
            raise self._wire.failed
        safe, now = self._panel.status() & self._panel.sc_status(), self._clock()
        for address, reader in self._readers.items():
            reader.there = bool(safe >> reader.index & 1) and self._wire.unanswered[address] < _UNANSWERED
            self._recover(reader, now)

    def events(self) -> Iterator[tuple[int, Mapping[str, Any] | Noise]]:
        """What libosdp told since, by address, and what was noise."""
        told, self._events = self._events, []
        yield from ((self._addresses[index], event) for index, event in told)
        noise, self._wire.noise = self._wire.noise, Counter()
        # What was said before the first question belongs to nobody.
        yield from ((address, Noise(size=noise[address])) for address in self._addresses if noise[address])

    def there(self, address: int) -> bool:
        """Whether it answers in its secure channel."""
        return self._readers[address].there

    def why(self, address: int) -> str:
        """Why it is not there, for whoever can mend it."""
        if self._wire.unanswered[address] < _UNANSWERED:
            return "answers, but not under its key: it was late, it was reset or exchanged, or somebody plays it"
        if self._wire.disturbed(address):
            return "is drowned in noise: another baud rate, A and B exchanged, an echo, or a wire that is disturbed"
        return "does not answer"

    def tell(self, address: int, order: Order) -> bool:
        """Whether libosdp has room for it. What the reader cannot do is left out: asked for it, it would be lost."""
        index, command = self._readers[address].index, order["command"]
        level, number = self._panel.check_capability(index, _NEEDED[command])
        if not level or (command == Command.Output and order["output_no"] >= number):
            return True
        return bool(self._panel.submit_command(index, order))

    def _keep(self, index: int, event: Mapping[str, Any]) -> int:
        self._events.append((index, event))
        return 0

    def _recover(self, reader: _Reader, now: float) -> None:
        if reader.on_at is not None:
            if now >= reader.on_at:
                reader.on_at = None
                self._panel.enable_pd(reader.index)
                reader.again = now + self._wait(reader.waits)
                reader.waits.prepare_for_next_attempt()
        elif reader.there:
            reader.waits.attempt_number = 1
            reader.again = now + random.uniform(0, _OFF)  # noqa: S311 - so that two do not come back in step
        elif now >= reader.again:
            self._panel.disable_pd(reader.index)
            reader.on_at = now + _OFF
