"""Every error that a person may meet: a sentence, and a hint that is the operator's next command.

AttendanceError
├── InputError           what a person wrote cannot be used; `problems` names every place to mend
│   ├── ConfigError      a configuration file or a key file cannot be used
│   └── SourceError      a file of people, cards, bells or lessons cannot be imported
├── CredentialRefused    a card cannot serve as an identity (random UID, half read)
├── MalformedMessage     bytes from the other side of the contract do not follow it
├── BadSignature         a message is not signed by a key that is trusted here
├── DeviceLost           a reader or gate stopped answering; its lane backs off and opens it again
├── NotRecorded          the local database did not take an entry
├── LedgerMismatch       the journal holds other entries than this ledger; nothing is sent or settled
└── LinkError            the way to the broker
    ├── LinkLost         the connection broke; what was in flight has an unknown outcome
    │   └── TakenOver    another client connected under this name
    └── PublishRefused   the broker answered with a reason code of 0x80 or above

Raise; do not log. The supervisor that catches one logs it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

MAX_PROBLEMS = 50


class AttendanceError(Exception):
    """Something went wrong that an operator can mend."""

    hint = "see the lines before it in the log: 'journalctl -u attendance-gateway'"

    def __init__(self, sentence: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(sentence or (self.__doc__ or "").strip().splitlines()[0])
        if hint is not None:
            self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One place that a person can mend."""

    #: The file, and in it the table and key, or the row and column.
    place: str
    #: What stands there; never a secret, a name or a whole card number.
    got: str
    #: What may stand there.
    expected: str
    #: What to do.
    hint: str

    def __str__(self) -> str:
        return f"{self.place}: got {self.got}, expected {self.expected} ({self.hint})"


class InputError(AttendanceError):
    """What a person wrote cannot be used."""

    #: Every place to mend, as far as they are known.
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """One per line, and of a file that is wrong all over no more than a person will read."""
        more = len(problems) - MAX_PROBLEMS
        lines = [*map(str, problems[:MAX_PROBLEMS]), *([f"and {more} more"] if more > 0 else [])]
        error = cls("\n".join(lines))
        error.problems = tuple(problems[:MAX_PROBLEMS])
        return error


class ConfigError(InputError):
    """The configuration cannot be used."""

    hint = "run 'attendance-gateway check FILE' after mending it"


class SourceError(InputError):
    """The imported file cannot be used."""

    hint = "mend the named place and run the import again with --dry-run"


class CredentialRefused(AttendanceError):
    """This card cannot serve as an identity."""

    hint = "give the pupil a card with a fixed UID"


class MalformedMessage(AttendanceError):
    """A message does not follow the contract."""

    hint = "compare the sender with docs/contract"


class BadSignature(AttendanceError):
    """A message is not signed by a key that is trusted here."""

    hint = "compare key ids on both sides: 'attendance-gateway enroll' and 'attendance-journal gateway list'"


class DeviceLost(AttendanceError):
    """The device stopped answering."""

    hint = "check its cable and power; its stable name is in /dev/serial/by-id"


class NotRecorded(AttendanceError):
    """The local database did not take the entry."""

    hint = "check free space and the rights of the state directory: 'df -h' and 'ls -l'"


class LedgerMismatch(AttendanceError):
    """The journal holds other entries of this epoch than the ledger here."""

    hint = "the ledger or the journal was restored from a copy: compare 'attendance-gateway status' with 'attendance-journal gateway list'"


class LinkError(AttendanceError):
    """The way to the broker is not usable."""

    hint = "check the broker's address in the configuration, and the broker's log"


class LinkLost(LinkError):
    """The connection to the broker broke; what was in flight has an unknown outcome."""


class TakenOver(LinkLost):
    """Another client connected under the name of this one."""

    hint = "find the second device or process of this name, and revoke its certificate"


class PublishRefused(LinkError):
    """The broker refused a publish."""

    hint = "compare the broker's ACL with 'attendance-journal broker-acl'"

    def __init__(self, topic: str, reason: str, code: int) -> None:
        super().__init__(f"the broker refused a publish to {topic}: {reason} (0x{code:02X})")
        self.code = code
