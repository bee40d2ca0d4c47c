"""What only those parents hear who asked for it: when the child came in, and that it left before the end of a lesson."""

from dataclasses import replace

import pytest

from gateway.domain.model import MarkReason, Mode
from journal.notify.due import due
from journal.notify.notice import Template
from tests.journal.morning import FIRST, SECOND, Morning, at, slot, told

BOTH = "arrived left_early"
THIRD = slot("10:20", "11:05", number=3)

DAYS = [
    Morning(name="nobody asked", doors="in 08:20, out 08:55", now="09:15"),
    Morning(name="arrived", doors="arrival 08:20", asked=BOTH, now="09:15", expected="arrived 08:20"),
    Morning(name="arrived, but the lesson lasts", doors="arrival 08:20", asked=BOTH, now="09:14"),
    Morning(name="arrived, told once", doors="arrival 08:20", asked=BOTH, said="arrived 08:20/10:15", now="09:16"),
    Morning(name="arrived, an hour later", doors="arrival 08:20", asked=BOTH, now="10:14", expected="arrived 08:20"),
    Morning(name="arrived, more than an hour later", doors="arrival 08:20", asked=BOTH, now="10:15"),
    Morning(name="arrived, asked for the other one", doors="arrival 08:20", asked="left_early", now="09:15"),
    Morning(name="arrived a little late", doors="arrival 08:33", asked=BOTH, now="09:15", expected="arrived 08:33"),
    Morning(name="late was told already", doors="arrival 08:36", asked=BOTH, said="late 08:36", now="09:15"),
    Morning(
        name="update was told already",
        doors="arrival 08:52",
        asked=BOTH,
        said="not_seen 08:45, update 08:52",
        now="09:15",
    ),
    Morning(
        name="not_seen was told, and the child came in after the lesson",
        doors="arrival 09:20",
        asked=BOTH,
        said="not_seen 08:45",
        now="09:21",
        expected="arrived 09:20",
    ),
    Morning(name="after a correction silence", doors="arrival 08:20", asked=BOTH, said="correction 08:20", now="09:15"),
    Morning(name="never arrived", asked=BOTH, now="09:15"),
    Morning(name="arrived at an unset clock", doors="uncertain arrival 08:20", asked=BOTH, now="09:15"),
    Morning(name="arrived after a permit", doors="permit 08:10, in 08:20", asked=BOTH, now="09:15"),
    Morning(
        name="arrived while a door was silent: perhaps earlier",
        doors="arrival 08:20",
        heard="north 07:00-09:15, south 07:00-08:10",
        asked=BOTH,
        now="09:15",
    ),
    Morning(
        name="arrived before a door fell silent",
        doors="arrival 08:20",
        heard="north 07:00-09:15, south 07:00-08:21",
        asked=BOTH,
        now="09:15",
        expected="arrived 08:20",
    ),
    Morning(
        name="arrived was told of the brother",
        doors="arrival 08:40",
        asked=BOTH,
        said="arrived 08:20/10:15",
        now="09:30",
        expected="correction 08:40",
    ),
    Morning(
        name="arrived, fire alarm", doors="arrival 08:20", asked=BOTH, outages="north fire_alarm 09:14-", now="09:15"
    ),
    Morning(
        name="left early",
        doors="in 08:20, out 09:45",
        asked="left_early",
        now="10:10",
        expected="left_early 09:45",
    ),
    Morning(
        name="left in the second half",
        doors="in 08:20, out 09:50",
        asked="left_early",
        now="10:10",
        expected="left_early 09:50",
    ),
    Morning(name="left early, but the lesson lasts", doors="in 08:20, out 09:45", asked="left_early", now="10:09"),
    Morning(
        name="left early, told once",
        doors="in 08:20, out 09:45",
        asked=BOTH,
        said="left_early 09:45/11:10",
        now="10:20",
    ),
    Morning(
        name="left two lessons early, told once",
        doors="in 08:20, out 09:45, in 10:18, out 10:45",
        slots=(FIRST, SECOND, THIRD),
        asked="left_early",
        said="left_early 09:45/11:10",
        now="11:05",
    ),
    Morning(name="left 14 minutes early", doors="in 08:20, out 09:56", asked="left_early", now="10:10"),
    Morning(
        name="left and came back in the lesson", doors="in 08:20, out 09:30, in 09:48", asked="left_early", now="10:10"
    ),
    Morning(
        name="left, and the doors were not heard of until the end",
        doors="in 08:20, out 09:45",
        heard="north 07:00-10:11, south 07:00-10:00",
        asked="left_early",
        now="10:11",
    ),
    Morning(
        name="left through a gate that was free for everybody before",
        doors="in 08:20, out 09:45",
        outages="south free 07:40-08:10",
        asked="left_early",
        now="10:10",
    ),
    Morning(name="released", doors="in 08:20, out 09:45", excuse=("09:40", "23:59"), asked="left_early", now="10:10"),
    Morning(
        name="released, and the teacher does not believe it",
        doors="in 08:20, out 09:45",
        staff="teacher left_early 09:25 said 10:05 invalid",
        excuse=("09:40", "23:59"),
        asked="left_early",
        now="10:10",
    ),
    Morning(
        name="sent home by the nurse with a reason",
        doors="in 08:20",
        staff="office left 09:45 said 09:45 released",
        asked="left_early",
        now="10:10",
    ),
    Morning(
        name="out by hand, nobody released the child",
        doors="in 08:20",
        staff="office left 09:45 said 09:45",
        asked="left_early",
        now="10:10",
        expected="left_early 09:45",
    ),
    Morning(
        name="left early in a club",
        doors="in 08:20, out 09:45",
        slots=(FIRST, replace(SECOND, mode=Mode.NONE)),
        asked="left_early",
        now="10:10",
    ),
    Morning(
        name="left a choice lesson",
        doors="in 08:20, out 09:45",
        slots=(FIRST, replace(SECOND, obligatory=False)),
        asked="left_early",
        now="10:10",
    ),
    Morning(
        name="left early, fire alarm on",
        doors="in 08:20, out 09:45",
        outages="north fire_alarm 10:10-",
        asked="left_early",
        now="10:10",
    ),
    Morning(name="left after the lessons", doors="in 08:20, out 10:12", asked="left_early", now="10:15"),
    Morning(
        name="left early was the brother",
        doors="in 08:20",
        asked="left_early",
        said="left_early 09:45/11:10",
        now="10:20",
        expected="correction -",
    ),
    Morning(
        name="left early, released afterwards: it is true all the same",
        doors="in 08:20, out 09:45",
        excuse=("09:40", "23:59"),
        reason=MarkReason.RELEASED,
        asked="left_early",
        said="left_early 09:45/11:10",
        now="10:20",
    ),
]


@pytest.mark.parametrize("morning", DAYS, ids=lambda m: m.name)
def test_what_a_parent_is_due_who_asked(morning: Morning) -> None:
    assert morning.answer() == morning.expected


def test_no_message_after_a_lesson_reaches_another_day_or_the_night() -> None:
    evening = Morning(
        name="",
        slots=(slot("20:00", "20:40"),),
        doors="arrival 19:50",
        heard="north 07:00-20:59",
        asked="arrived",
        now="20:59",
    )
    (notice,) = due(evening.day(), [], at("20:59"))
    assert (notice.template, notice.window.opens, notice.window.expires) == (Template.ARRIVED, at("20:40"), at("21:00"))
    assert due(replace(evening, now="21:00").day(), [], at("21:00")) == []


def test_arriving_and_leaving_are_two_messages() -> None:
    day = Morning(name="", doors="in 08:20, out 08:50", asked=BOTH, now="09:15").day()
    assert [n.template for n in due(day, told(""), at("09:15"))] == [Template.ARRIVED, Template.LEFT_EARLY]
