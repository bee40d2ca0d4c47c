"""What a parent hears during the day of a situation; the only place here that knows how notices are decided."""

from datetime import datetime, timedelta

from gateway.domain.register import EntryRef, Fact, FactKind, judge
from gateway.domain.statement import Statement, StatementKind
from journal.notify.due import Pupil, PupilDay, Recipient, Told, due
from tests.domain.situation import PERSON, Situation

_MINUTE = timedelta(minutes=1)
_PARENT = Recipient(address="parent@example.org", language="ru")


def messages(situation: Situation) -> str:
    """`not_seen 08:45, update 08:52`: looked at each minute of the day, each message heard at once; or `none`."""
    heard: list[Told] = []
    words = []
    last = situation.at(situation.when)
    moment = min([last, *(slot.start for slot in situation.slots())])
    while moment <= last:
        for notice in due(_day(situation, moment), heard, moment):
            if notice.opens > moment:
                continue
            heard.append(Told(address=_PARENT.address, template=notice.template, at=notice.at))
            at = f" {notice.at.astimezone(situation.here):%H:%M}" if notice.at else ""
            words.append(f"{notice.template}{at}" + (f" {notice.minutes}" if notice.minutes else ""))
        moment += _MINUTE
    return ", ".join(words) or "none"


def _as_fact(let_in: Statement) -> Fact:
    ref = EntryRef(gateway="staff", epoch="e", seq=0)
    return Fact(at=let_in.at, kind=FactKind.IN, ref=ref)


def _day(situation: Situation, as_of: datetime) -> PupilDay:
    slots, facts, policy = situation.slots(), situation.facts(as_of), situation.numbers
    excuses, coverage = situation.absences(as_of), situation.coverage(as_of)
    known: list[Fact | Statement] = [*facts, *situation.statements(as_of)]
    return PupilDay(
        pupil=Pupil(person=PERSON, name="Иван", primary=situation.primary, recipients=(_PARENT,)),
        slots=slots,
        marks=judge(situation.whose, slots, known, excuses, coverage, as_of, policy),
        facts=[
            *facts,
            *(_as_fact(one) for one in known if isinstance(one, Statement) and one.kind is StatementKind.CAME),
        ],
        excuses=excuses,
        coverage=coverage,
        policy=policy,
        zone=situation.here,
    )
