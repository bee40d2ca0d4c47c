"""What a school's own register calls a mark: УП, Б, НП, ОТ, ОП, ОСВ, or whatever its settings say."""

from typing import Final

from gateway.domain.model import MarkReason, Status
from journal.settings import CodesTable

_KEYS: Final = {
    MarkReason.ILL_REPORTED: "ill",
    MarkReason.ILL_CERTIFIED: "ill",
    MarkReason.APPLICATION: "valid",
    MarkReason.ORDER: "valid",
    MarkReason.OLYMPIAD: "valid",
    MarkReason.FROST: "valid",
    MarkReason.TRANSPORT: "valid",
    MarkReason.QUEUE: "valid",
    MarkReason.RELEASED: "released",
    MarkReason.INVALID: "invalid",
}
#: Lateness stays lateness, whatever the reason.
_STATUSES: Final = {Status.ABSENT: "absent", Status.LEFT_EARLY: "left_early"}


def code_of(status: Status, reason: MarkReason | None, codes: CodesTable) -> str:
    """Empty for whoever was there, and where nobody knows."""
    if status is Status.LATE:
        return codes.late
    if status not in _STATUSES:
        return ""
    return str(getattr(codes, _KEYS.get(reason, _STATUSES[status]) if reason else _STATUSES[status]))
