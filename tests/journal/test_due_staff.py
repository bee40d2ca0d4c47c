"""Named days on which the staff speaks or gives reasons: what a parent is due."""

from dataclasses import replace

import pytest

from gateway.domain.model import MarkReason, Mode
from journal.notify.due import due
from tests.journal.morning import FIRST, SECOND, Morning, at, slot, told

THIRD = slot("10:20", "11:05", number=3)

DAYS = [
    Morning(name="confirmed", staff="teacher absent 08:30 said 08:40", now="08:41", expected="absent 08:30"),
    Morning(
        name="confirmed by the office", staff="office absent 08:30 said 08:40", now="08:41", expected="absent 08:30"
    ),
    Morning(name="not confirmed yet", staff="teacher absent 08:30 said 08:42", now="08:41"),
    Morning(name="the doors alone never say absent", doors="in 08:20, out 08:25", now="09:14"),
    Morning(
        name="let in by hand for the end of the lesson is no word about the whole of it",
        staff="office came 09:00 said 09:00",
        now="09:01",
        expected="late 09:00 30",
    ),
    Morning(name="sent home by the nurse", doors="in 08:20", staff="office left 08:35 said 08:36", now="09:14"),
    Morning(
        name="confirmed while a door is silent: a teacher needs no door",
        heard="north 07:00-08:50, south 07:00-07:30",
        staff="teacher absent 08:30 said 08:40",
        now="08:50",
        expected="absent 08:30",
    ),
    Morning(name="confirmed once a day", staff="teacher absent 08:30 said 08:40", said="absent 08:30", now="08:45"),
    Morning(
        name="confirmed in the second lesson, too",
        staff="teacher absent 08:30 said 08:40, teacher absent 09:25 said 09:30",
        said="absent 08:30",
        now="09:31",
    ),
    Morning(
        name="came to the first lesson, not to the second",
        doors="arrival 08:20",
        staff="teacher absent 09:25 said 09:30",
        now="09:31",
        expected="absent 09:25",
    ),
    Morning(name="confirmed after the lesson", staff="teacher absent 08:30 said 09:20", now="09:21"),
    Morning(
        name="a lesson that nobody must come to",
        staff="teacher absent 08:30 said 08:40",
        slots=(replace(FIRST, obligatory=False), SECOND),
        now="08:41",
    ),
    Morning(
        name="in the stadium the teacher confirms",
        slots=(replace(FIRST, mode=Mode.TEACHER), SECOND),
        staff="teacher absent 08:30 said 08:40",
        now="08:41",
        expected="absent 08:30",
    ),
    Morning(name="absent with a reason", staff="teacher absent 08:30 said 08:40 ill_reported", now="08:41"),
    Morning(
        name="absent without one, as the staff notes",
        staff="teacher absent 08:30 said 08:40 invalid",
        now="08:41",
        expected="absent 08:30",
    ),
    Morning(
        name="absent with an excuse of the parents",
        staff="teacher absent 08:30 said 08:40",
        excuse=("00:00", "23:59"),
        now="08:41",
    ),
    Morning(
        name="the excuse comes between",
        staff="teacher absent 08:30 said 08:40",
        said="not_seen 08:45",
        excuse=("08:00", "12:00"),
        now="08:50",
    ),
    Morning(
        name="confirmed after not_seen",
        staff="teacher absent 08:30 said 08:50",
        said="not_seen 08:45",
        now="08:51",
        expected="absent 08:30",
    ),
    Morning(
        name="came in after absent",
        doors="arrival 08:52",
        staff="teacher absent 08:30 said 08:40",
        said="absent 08:30",
        now="08:53",
        expected="update 08:52",
    ),
    Morning(
        name="came in after absent, told once",
        doors="arrival 08:52",
        staff="teacher absent 08:30 said 08:40",
        said="absent 08:30, update 08:52",
        now="08:54",
    ),
    Morning(
        name="the teacher mixed two up",
        doors="arrival 08:20",
        staff="teacher absent 08:30 said 08:40, teacher present 08:30 said 08:50",
        said="absent 08:30",
        now="08:51",
        expected="correction 08:20",
    ),
    Morning(
        name="after absent the teacher says late",
        staff="teacher absent 08:30 said 08:40, teacher late:15 08:30 said 08:46",
        said="absent 08:30",
        now="08:47",
        expected="seen 08:46",
    ),
    Morning(
        name="absent from a lesson that was cancelled afterwards",
        slots=(SECOND,),
        said="absent 08:30",
        now="08:50",
        expected="correction -",
    ),
    Morning(name="the teacher sees the child", staff="teacher present 08:30 said 08:40", now="08:46"),
    Morning(
        name="the teacher sees the child after not_seen",
        staff="teacher present 08:30 said 08:50",
        said="not_seen 08:45",
        now="08:51",
        expected="seen 08:50",
    ),
    Morning(
        name="the teacher sees the child, told once",
        staff="teacher present 08:30 said 08:50",
        said="not_seen 08:45, seen 08:50",
        now="08:52",
    ),
    Morning(
        name="a teacher of a later lesson is not asked about the first",
        staff="teacher present 10:20 said 08:40",
        slots=(FIRST, THIRD),
        now="08:46",
        expected="not_seen 08:45",
    ),
    Morning(name="let in by hand in time", staff="office came 08:20 said 08:20", now="08:46"),
    Morning(name="let in by hand late", staff="office came 08:36 said 08:36", now="08:37", expected="late 08:36 6"),
    Morning(
        name="let in by hand in time, noted after not_seen: the card was not seen indeed",
        staff="office came 08:20 said 08:50",
        said="not_seen 08:45",
        now="08:51",
        expected="update 08:20",
    ),
    Morning(
        name="updated by hand once",
        staff="office came 08:20 said 08:50",
        said="not_seen 08:45, update 08:20",
        now="08:52",
    ),
    Morning(
        name="the guard took it back",
        said="not_seen 08:45, update 08:20",
        now="08:52",
        expected="correction -",
    ),
    Morning(name="let out by hand proves that the child was there", staff="office left 08:35 said 08:36", now="08:46"),
    Morning(
        name="the teacher says how late", doors="arrival 08:25", staff="teacher late:9 08:30 said 08:40", now="08:41"
    ),
    Morning(
        name="the bus was late", doors="arrival 08:40", staff="office late:10 08:30 said 08:41 transport", now="08:42"
    ),
    Morning(
        name="the doors and the teacher tell different minutes",
        doors="arrival 08:36",
        staff="teacher late:9 08:30 said 08:40",
        now="08:41",
    ),
    Morning(
        name="late with an excuse that the teacher does not believe",
        doors="arrival 08:36",
        staff="teacher late:6 08:30 said 08:38 invalid",
        excuse=("08:00", "08:40"),
        now="08:41",
    ),
    Morning(
        name="absent with an excuse that the teacher does not believe",
        staff="teacher absent 08:30 said 08:40 invalid",
        excuse=("00:00", "23:59"),
        now="08:41",
    ),
    Morning(
        name="let in by hand, noted later",
        staff="office came 08:20 said 08:50",
        now="08:46",
        expected="not_seen 08:45",
    ),
    Morning(name="let in late with the bus", staff="office came 08:40 said 08:40 transport", now="08:41"),
    Morning(
        name="late with the bus, as an excuse",
        doors="arrival 08:40",
        excuse=("08:30", "09:00"),
        reason=MarkReason.TRANSPORT,
        now="08:41",
    ),
    Morning(
        name="waited in the queue",
        doors="arrival 08:36",
        excuse=("08:00", "08:45"),
        reason=MarkReason.QUEUE,
        now="08:40",
    ),
    Morning(
        name="noted as unexplained is no excuse",
        excuse=("08:00", "12:00"),
        reason=MarkReason.UNEXPLAINED,
        now="08:45",
        expected="not_seen 08:45",
    ),
]


@pytest.mark.parametrize("morning", DAYS, ids=lambda m: m.name)
def test_what_a_parent_is_due(morning: Morning) -> None:
    assert morning.answer() == morning.expected


def test_what_follows_up_expires_with_what_it_follows() -> None:
    arrived = Morning(name="", doors="arrival 08:52", now="08:53")
    (update,) = due(arrived.day(), told("not_seen 08:45/09:00"), at("08:53"))
    assert update.window.expires == at("09:00")
    assert due(arrived.day(), told("not_seen 08:45/08:53"), at("08:53")) == []
    (correction,) = due(
        Morning(name="", doors="arrival 08:20", now="08:53").day(), told("not_seen 08:45/09:00"), at("08:53")
    )
    assert correction.window.expires == at("09:00")
