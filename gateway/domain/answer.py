"""What a lane answers to whoever stands there: one of few, so that a pupil of seven knows each by its light and sound."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """Which of the signals a lamp and a buzzer give."""

    PASS = "pass"  # noqa: S105 - no password
    #: Pass; late. Only where nobody but the pupil and the guard sees it.
    LATE = "late"
    #: Pass; no lesson today. Only where nobody but the pupil and the guard sees it.
    NOT_TODAY = "not_today"
    #: Pass: the gate is open until somebody goes through.
    WAITING = "waiting"
    #: Go to the guard: a card that nobody knows or that does not count.
    GUARD = "guard"
    #: Go to the guard: the card cannot serve as an identity.
    UNREADABLE = "unreadable"
    #: Tell the guard: it is not the pupil's fault.
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the lane tells the pupil beside the bolt, for one look."""

    answer: Answer
    #: For a screen.
    lines: tuple[str, ...]
