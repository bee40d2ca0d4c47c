"""What a parent hears during the day of a situation; the only place here that knows how notices are decided."""

from datetime import datetime, timedelta

from gateway.domain.register import Fact, judge
from gateway.domain.statement import Statement
from journal.notify.due import due
from journal.notify.notice import Pupil, PupilDay, Recipient, Told
from tests.domain.situation import PERSON, SITE, Situation

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
            if notice.window.opens > moment:
                continue
            told = Told(address=_PARENT.address, template=notice.template, at=notice.at, window=notice.window)
            heard.append(told)
            at = f" {notice.at.astimezone(situation.here):%H:%M}" if notice.at else ""
            words.append(f"{notice.template}{at}" + (f" {notice.minutes}" if notice.minutes else ""))
        moment += _MINUTE
    return ", ".join(words) or "none"


def _day(situation: Situation, as_of: datetime) -> PupilDay:
    slots, facts, policy = situation.slots(), situation.facts(as_of), situation.numbers
    excuses, coverage = situation.absences(as_of), situation.coverage(as_of)
    statements = situation.statements(as_of)
    known: list[Fact | Statement] = [*facts, *statements]
    return PupilDay(
        pupil=Pupil(person=PERSON, name="Иван", primary=situation.primary, recipients=(_PARENT,)),
        slots=slots,
        marks=judge(situation.whose, slots, known, excuses, coverage, as_of, policy),
        facts=facts,
        statements=statements,
        excuses=excuses,
        coverage=coverage,
        policy=policy,
        zone=situation.here,
        site=SITE,
    )
