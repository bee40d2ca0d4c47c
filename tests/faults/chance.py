"""One seed decides everything: what goes wrong, when, and in which order things happen."""

import random
from collections import Counter
from collections.abc import Callable
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong; each is counted where it happened, not where it was planned."""

    LOSS = "message lost"
    DELAY = "message delayed"
    REORDER = "message overtaken"
    DUPLICATE = "message doubled"
    UNACKNOWLEDGED = "arrived, but no PUBACK"
    PARTITION = "partition"
    WIPED = "broker forgot everything"
    KILL = "process killed"
    STORAGE_CRASH = "crash at a storage step"
    NETWORK_CRASH = "crash at a network step"
    POWER_CUT = "power cut"
    LOST_WRITE = "unsynced write lost"
    TORN_WRITE = "write torn"
    FULL = "disk full"
    IO_ERROR = "disk I/O error"
    CLOCK_JUMP = "clock jumped"
    UNSET_CLOCK = "booted with an unset clock"
    OLD_IMAGE = "gateway from an old SD image"
    OLD_BACKUP = "journal from a backup"
    READER_LOST = "reader lost"


class Chance:
    """The dice of one run, its faults so far, and the story of what happened."""

    def __init__(self, seed: int, now: Callable[[], float]) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        #: What a cryptographic library would draw: another stream, so that an id more moves no fault.
        self.ids = random.Random(f"ids {seed}")
        self.happened: Counter[Fault] = Counter()
        self.story: list[str] = []
        #: Off when the time of faults is over.
        self.faults = True
        self._now = now

    def strikes(self, probability: float) -> bool:
        """Whether something with this probability goes wrong now."""
        return self.dice.random() < probability and self.faults

    def note(self, fault: Fault, where: str) -> None:
        """It has happened."""
        self.happened[fault] += 1
        self.tell(f"{where}: {fault}")

    def tell(self, sentence: str) -> None:
        """A line of the story."""
        self.story.append(f"{self._now():9.3f} {sentence}")
