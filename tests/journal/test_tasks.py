"""Whom class teachers look for: nobody as long as the doors can tell."""

from dataclasses import replace
from datetime import datetime

import pytest

from gateway.domain.model import MarkReason, Mode
from journal.notify.due import due
from journal.notify.tasks import tasks
from tests.journal.morning import FIRST, SECOND, ZONE, Morning, at


def local(since: datetime | None) -> str:
    return "" if since is None else f"{since.astimezone(ZONE):%H:%M}"


SILENT = "north 07:00-08:50, south 07:00-07:52"

DAYS = [
    Morning(name="every door was heard of", now="08:50"),
    Morning(name="a door is silent", heard=SILENT, now="08:50", expected="silent south/main 07:52"),
    Morning(name="before the cut-off", heard=SILENT, now="08:44"),
    Morning(name="grade 3", heard=SILENT, now="08:40", primary=True, expected="silent south/main 07:52"),
    Morning(name="came in time", doors="arrival 08:20", heard=SILENT, now="08:50"),
    Morning(name="came a little late", doors="arrival 08:33", heard=SILENT, now="08:50"),
    Morning(
        name="late as it seems: perhaps in time through the silent door",
        doors="arrival 08:36",
        heard=SILENT,
        now="08:50",
        expected="silent south/main 07:52",
    ),
    Morning(
        name="late, and the door fell silent afterwards",
        doors="arrival 08:36",
        heard="north 07:00-08:50, south 07:00-08:40",
        now="08:50",
    ),
    Morning(
        name="came after the cut-off",
        doors="arrival 08:49",
        heard=SILENT,
        now="08:50",
        expected="silent south/main 07:52",
    ),
    Morning(name="the door is heard of again", heard="north 07:00-08:50, south 07:00-08:46", now="08:50"),
    Morning(name="the silence goes on after the lesson", heard=SILENT, now="09:30", expected="silent south/main 07:52"),
    Morning(name="excused", heard=SILENT, excuse=("08:00", "09:00"), now="08:50"),
    Morning(
        name="late with the bus, while a door was silent",
        doors="arrival 08:40",
        heard=SILENT,
        excuse=("08:00", "08:45"),
        reason=MarkReason.TRANSPORT,
        now="08:50",
    ),
    Morning(
        name="a reason for the part of the lesson after the cut-off",
        doors="arrival 08:55",
        heard="north 07:00-08:56, south 07:00-07:52",
        excuse=("08:46", "09:00"),
        now="08:56",
    ),
    Morning(name="the teacher says present", heard=SILENT, staff="teacher present 08:30 said 08:48", now="08:50"),
    Morning(name="the teacher says absent", heard=SILENT, staff="teacher absent 08:30 said 08:48", now="08:50"),
    Morning(
        name="the teacher speaks of the second lesson",
        heard=SILENT,
        staff="teacher present 09:25 said 08:48",
        now="08:50",
        expected="silent south/main 07:52",
    ),
    Morning(name="let in by hand", heard=SILENT, staff="office came 08:47 said 08:47", now="08:50"),
    Morning(name="nobody went through", doors="permit 08:25", now="08:50", expected="permit 08:25"),
    Morning(name="an unset clock", doors="uncertain arrival 08:36", now="08:50", expected="uncertain 08:36"),
    Morning(name="free for everybody", outages="south free 07:40-08:10", now="08:50", expected="free south/main 07:40"),
    Morning(
        name="the teacher takes attendance anyway",
        slots=(replace(FIRST, mode=Mode.TEACHER), SECOND),
        heard=SILENT,
        now="08:50",
    ),
    Morning(name="no lessons", slots=(), heard=SILENT, now="08:50"),
]


@pytest.mark.parametrize("morning", DAYS, ids=lambda m: m.name)
def test_whom_a_class_teacher_looks_for(morning: Morning) -> None:
    found = tasks([morning.day()], at(morning.now))
    doubts = [d for task in found for d in task.doubts]
    words = [" ".join(filter(None, (d.kind, d.lane, local(d.since)))) for d in doubts]
    assert ", ".join(words) == morning.expected
    assert all(task.start == FIRST.start for task in found)


@pytest.mark.parametrize("morning", [m for m in DAYS if m.expected], ids=lambda m: m.name)
def test_whoever_is_looked_for_nobody_else_hears_of(morning: Morning) -> None:
    assert due(morning.day(), [], at(morning.now)) == []
