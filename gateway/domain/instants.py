"""When the clock alone can change what is judged or told: without any new fact, at these moments and at no others."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from gateway.domain.model import Slot
from gateway.domain.policy import Policy
from gateway.domain.register import taken

_MINUTE = timedelta(minutes=1)


def instants(slots: Iterable[Slot], policy: Policy) -> set[datetime]:
    """For the marks and the notices of these slots.

    start: a person's word counts · start + grace: present or not · not-seen times · end: marks become final, notices
    expire · end + patience: what is missing still is given up
    """
    lessons = taken(slots)
    after_start = (timedelta(0), policy.grace, policy.not_seen_after, policy.not_seen_after_primary)
    after_end = (timedelta(0), policy.patience)
    return {slot.start + wait for slot in lessons for wait in after_start} | {
        slot.end + wait for slot in lessons for wait in after_end
    }


def cutoffs(slots: Iterable[Slot], policy: Policy, zone: tzinfo) -> list[datetime]:
    """When a lane tells what it covers: at each instant, and each minute while latecomers are watched for.

    Those minutes change nothing by themselves; what is told at them does: a latecomer is announced once every lane has been
    heard of up to the arrival. A day is a day of the site's zone.
    """
    known = list(slots)
    first: dict[tuple[str, date], datetime] = {}
    for slot in taken(known):
        first.setdefault((slot.group, slot.start.astimezone(zone).date()), slot.start)
    minutes = range(policy.watch // _MINUTE + 1)
    return sorted(instants(known, policy) | {start + n * _MINUTE for start in first.values() for n in minutes})
