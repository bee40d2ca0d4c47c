"""Which entries may go next: the relay's arithmetic, without I/O and without a clock."""

from collections import deque

from gateway.domain.model import Seq


class Window:
    """What is settled, what is on its way, and whether one more batch may follow."""

    def __init__(self, width: int, through: Seq) -> None:
        #: The journal has everything up to this one.
        self.through = through
        #: Everything up to this one is on its way.
        self.cursor = through
        self._sent: deque[Seq] = deque()
        self._width = self._widest = width

    @property
    def open(self) -> bool:
        """Whether one more batch may go."""
        return len(self._sent) < self._width

    @property
    def waiting(self) -> bool:
        """Whether a batch is without receipt."""
        return bool(self._sent)

    def send(self, last: Seq) -> None:
        """A batch that ends with this seq goes out."""
        self._sent.append(last)
        self.cursor = last

    def settle(self, through: Seq) -> bool:
        """The journal has everything up to this one. True when that is more than before; less means: from there again."""
        progress = through > self.through
        if through < self.through:
            self.cursor = through
            self._sent.clear()
        if progress:
            self._width = self._widest
        while self._sent and self._sent[0] <= through:
            self._sent.popleft()
        self.through = through
        self.cursor = max(self.cursor, through)
        return progress

    def narrow(self) -> None:
        """One batch at a time until there is progress."""
        self._width = 1

    def probe(self) -> None:
        """What went out is taken for lost: the oldest batch again."""
        self.narrow()
        self.cursor = self.through
        self._sent.clear()
