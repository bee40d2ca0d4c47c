"""Named days of alarms, gates that let everybody through, and lessons that are not what they were: what a parent is due."""

from dataclasses import replace

import pytest

from gateway.domain.model import Mode
from tests.journal.morning import FIRST, SECOND, Morning

DAYS = [
    Morning(name="fire alarm at the cut-off", outages="north fire_alarm 08:40-", now="08:46"),
    Morning(name="fire alarm just after the cut-off", outages="north fire_alarm 08:46-", now="08:46"),
    Morning(
        name="came in during a fire alarm after not_seen",
        doors="arrival 08:47",
        outages="north fire_alarm 08:46-",
        said="not_seen 08:45",
        now="08:48",
    ),
    Morning(
        name="after the all-clear what was due before the alarm goes on",
        outages="north fire_alarm 08:46-08:50",
        now="08:51",
        expected="not_seen 08:45",
    ),
    Morning(name="a drill before the lesson leaves nobody sure", outages="north fire_alarm 08:10-08:20", now="08:46"),
    Morning(name="the gate was free for everybody", outages="south free 07:40-08:10", now="08:46"),
    Morning(name="late, but the gate was free", doors="arrival 08:40", outages="south free 07:40-08:10", now="08:46"),
    Morning(name="the guard opened by hand and named nobody", outages="north opened 08:20-08:21", now="08:46"),
    Morning(
        name="the reader was blind from the cut-off on only",
        outages="north blind 08:45:01-",
        now="08:46",
        expected="not_seen 08:45",
    ),
    Morning(
        name="the first lesson was cancelled before",
        slots=(SECOND,),
        now="09:41",
        expected="not_seen 09:40",
    ),
    Morning(
        name="late for a lesson that was cancelled afterwards",
        slots=(SECOND,),
        doors="arrival 08:36",
        said="late 08:36",
        now="08:50",
        expected="correction 08:36",
    ),
    Morning(
        name="late for the first lesson, then the class went to the stadium after all",
        slots=(replace(FIRST, mode=Mode.TEACHER), SECOND),
        doors="arrival 08:36",
        said="late 08:36",
        now="08:50",
        expected="correction 08:36",
    ),
    Morning(
        name="not seen before a lesson that was cancelled afterwards: it is true all the same",
        slots=(SECOND,),
        said="not_seen 08:45",
        now="08:50",
    ),
    Morning(
        name="a lesson in another building",
        slots=(replace(FIRST, site="annex"), SECOND),
        now="08:50",
    ),
    Morning(
        name="a choice lesson before the first one that counts",
        slots=(replace(FIRST, obligatory=False), SECOND),
        now="09:40",
        expected="not_seen 09:40",
    ),
    Morning(name="a choice lesson alone", slots=(replace(FIRST, obligatory=False),), now="08:50"),
]


@pytest.mark.parametrize("morning", DAYS, ids=lambda m: m.name)
def test_what_a_parent_is_due(morning: Morning) -> None:
    assert morning.answer() == morning.expected
