"""`directory import` holds the lanes of the table against what the gateways are, and against what they told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journal.counter import Counter, counter
from tests.journal.school import SITE
from tests.journal.tables import SCHOOL, write_school

_HEAD = "gateway;lane;direction;opens;closes\n"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    """Gateways north and south with a lane `main` each."""
    async with counter(tmp_path) as made:
        yield made


async def imported(desk: Counter, *lanes: str, dry_run: bool = True) -> list[str]:
    """What is remarked, a line for each."""
    rows = "".join(f"{lane.replace('/', ';')};arrival_only;07:00;20:00\n" for lane in lanes)
    folder = str(write_school(desk.folder / "school", lanes=_HEAD + rows))
    words = ("directory", "import", SITE, folder, "--language", "en", *(["--dry-run"] if dry_run else []))
    said = await desk.types(*words)
    return [line.strip() for line in said.splitlines() if line.startswith("  ")]


async def test_a_lane_of_a_gateway_that_was_never_added_is_remarked(desk: Counter) -> None:
    assert await imported(desk, "north/main", "south/main") == []
    [said] = await imported(desk, "north/main", "south/main", "yard/main", "yard/back")
    assert said.startswith("lanes.csv:4: school-1 has no gateway yard; such a lane keeps everybody unknown (")
    [said] = await imported(desk, "north/main", "south/main", "norht/main")
    assert said.endswith('(did you mean "north"?)')


async def test_a_lane_that_its_gateway_never_told_of_is_remarked_once_it_told_of_others(desk: Counter) -> None:
    assert await imported(desk, "north/mian", "south/main") == []
    await desk.place.heard("07:00", "08:00")
    [said] = await imported(desk, "north/mian", "south/main")
    assert said.startswith("lanes.csv:2: north tells of main, and in 31 days never of mian; such a lane keeps")
    assert said.endswith('(did you mean "main"?)')
    assert await imported(desk, "north/main", "south/main") == []


async def test_a_lane_with_taps_that_is_not_listed_is_remarked(desk: Counter) -> None:
    await imported(desk, "north/main", dry_run=False)
    desk.place.south.tap(1, "12:05")
    await desk.place.heard("07:00", "12:06")
    [said] = await imported(desk, "north/main")
    assert said.startswith("lanes: somebody tapped at south/main, which is not listed: what happens there counts for")
    assert await imported(desk, "north/main", "south/main") == []


async def test_a_lane_that_is_taken_out_on_purpose_is_not(desk: Counter) -> None:
    desk.place.south.tap(1, "08:20")
    await desk.place.heard("07:00", "08:21")
    assert await imported(desk, "north/main", dry_run=False) == []
    assert await imported(desk, "north/main") == []


async def test_whoever_imports_before_any_gateway_is_added_is_told_nothing(desk: Counter) -> None:
    folder = str(write_school(desk.folder / "other", lanes=SCHOOL["lanes.csv"]))
    said = await desk.types("directory", "import", "school-2", folder, "--dry-run", "--language", "en")
    assert "no gateway" not in said
