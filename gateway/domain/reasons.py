"""Why somebody was not there: what people said about it. It explains a status and never makes one."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.coverage import EVER
from gateway.domain.model import MarkReason, Slot, Source
from gateway.domain.presence import NEVER, Stay
from gateway.domain.statement import Excuse, Statement, StatementKind

#: Late without blame: no parent is told.
BLAMELESS: Final = frozenset({MarkReason.TRANSPORT, MarkReason.QUEUE})
#: Explanations that let nobody go.
_NO_RELEASE: Final = frozenset({MarkReason.UNEXPLAINED, MarkReason.INVALID})
#: Whose word counts more.
RANK: Final = {Source.GATE: 0, Source.TEACHER: 1, Source.OFFICE: 2}

#: Time of [since, until] that the person was outside.
Outside = Callable[[datetime, datetime], timedelta]


def explanations(said: Iterable[Statement], stays: Sequence[Stay]) -> list[Excuse]:
    """Who was let in or out with a reason is explained as long as the person was outside before, or is afterwards."""
    found = []
    for one in said:
        if one.reason is None or one.kind is StatementKind.MARK:
            continue
        if one.kind is StatementKind.CAME:
            since, until = max((s.until for s in stays if s.until < one.at), default=EVER), one.at
        else:
            since, until = one.at, min((s.since for s in stays if s.since > one.at), default=NEVER)
        found.append(Excuse(person=one.person, since=since, until=until, reason=one.reason, source=one.source))
    return found


def reason_of(slot: Slot, excuses: Iterable[Excuse], outside: Outside) -> MarkReason | None:
    """Of several that explain some of the missed time, the one of the higher source; then the later one."""
    explaining = [
        excuse
        for excuse in excuses
        if outside(max(excuse.since, slot.start), min(excuse.until, slot.end)) > timedelta(0)
    ]
    explaining.sort(key=lambda e: (RANK[e.source], e.since, e.until, e.reason))
    return explaining[-1].reason if explaining else None


def released(slot: Slot, excuses: Iterable[Excuse], outside: Outside) -> timedelta:
    """Time of the slot that the person was outside and need not have been inside."""
    spent, reached = timedelta(0), slot.start
    for excuse in sorted((e for e in excuses if e.reason not in _NO_RELEASE), key=lambda e: e.since):
        since, until = max(excuse.since, reached), min(excuse.until, slot.end)
        if since < until:
            spent += outside(since, until)
            reached = until
    return spent


def ruling(slot: Slot, said: Iterable[Statement]) -> Statement | None:
    """What a person said of this slot: office before teacher, and within one source the later word."""
    about = [
        one
        for one in said
        if one.kind is StatementKind.MARK and one.at <= slot.start and (one.until is None or slot.start < one.until)
    ]
    return max(about, key=lambda one: (RANK[one.source], one.said, repr(one)), default=None)
