"""`directory import`: tried, told with what differs, and then taken over whole; from one source or several."""

import datetime as dt
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal.door import CARD
from tests.journal.tables import SCHOOL, write_school
from tests.journal.test_cli import Desk

TODAY = dt.date(2026, 9, 1)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """All of it on one day: another one has other lessons before it."""
    monkeypatch.setenv("ATTENDANCE_CLOCK", f"{TODAY}T10:00:00+03:00|{time.monotonic()}|0.000001")
    return Desk(tmp_path)


def test_a_folder_is_judged_and_then_imported(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    judged = desk.json("directory", "import", "school-1", folder, "--dry-run")
    assert not (tmp_path / "state").exists()
    assert desk.json("directory", "import", "school-1", folder) == judged | {"dry_run": False}
    assert {key: judged[key] for key in ("persons", "groups", "credentials", "warnings")} == {
        "persons": 2,
        "groups": 1,
        "credentials": 2,
        "warnings": [],
    }
    assert judged["slots"] > 100
    again = desk.types("directory", "import", "school-1", folder, "--language", "en")
    assert again.splitlines()[0] == f"persons: 2, groups: 1, credentials: 2, slots: {judged['slots']}"
    assert again.splitlines()[1] == "nothing changed"
    assert "dry run" not in again
    tried = desk.types("directory", "import", "school-1", folder, "--language", "en", "--dry-run")
    assert tried.splitlines()[1] == "nothing changes"
    assert tried.endswith("A dry run: nothing was written.\n")


def test_an_import_tells_what_differs_and_changes_nothing_when_tried(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("directory", "import", "school-1", folder)
    cards = "technology;uid;person\nem4100;55007EE424;p-2\n14443a;04DE5F1EACC040;p-2\n"
    people = SCHOOL["people.csv"].replace("Мария", "Марина") + "p-3;Орлов;Пётр;5А\n"
    write_school(tmp_path / "school", cards=cards, people=people)
    tried = desk.json("directory", "import", "school-1", folder, "--dry-run")["difference"]
    assert tried == desk.json("directory", "import", "school-1", folder, "--dry-run")["difference"]
    assert (tried["persons"]["added"]["ids"], tried["persons"]["changed"]["ids"]) == (["p-3"], ["p-1"])
    assert tried["credentials"]["changed"]["ids"] == ["p-2"]
    assert desk.json("directory", "import", "school-1", folder)["difference"] == tried
    again = desk.json("directory", "import", "school-1", folder, "--dry-run")["difference"]
    assert {what["count"] for kind in again.values() for what in kind.values()} == {0}


def test_a_site_of_a_wrong_name_is_no_silent_first_import(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    assert desk.json("directory", "import", "school-1", folder)["warnings"] == []
    [told] = desk.json("directory", "import", "shcool-1", folder, "--dry-run")["warnings"]
    assert (told["place"], told["problem"]) == ("site", "shcool-1 has nobody yet; known sites: school-1")
    assert desk.json("directory", "import", "school-1", folder, "--dry-run")["warnings"] == []


def test_a_lane_that_is_gone_is_named(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("directory", "import", "school-1", folder)
    write_school(tmp_path / "school", lanes=SCHOOL["lanes.csv"].replace("north", "south"))
    told = desk.types("directory", "import", "school-1", folder, "--dry-run")
    assert "проходы: добавлено 1 (door-1/south), убрано 1 (door-1/north)" in told.splitlines()
    turned = SCHOOL["lanes.csv"].replace("arrival_only", "in")
    write_school(tmp_path / "school", lanes=turned)
    assert "lanes: changed 1 (door-1/north)" in desk.types(
        "directory", "import", "school-1", folder, "--language", "en"
    )
    assert "nothing changed" in desk.types("directory", "import", "school-1", folder, "--language", "en")


def test_a_lane_that_was_listed_wrongly_today_is_mended_with_today_s_date(desk: Desk, tmp_path: Path) -> None:
    def imports(direction: str, *since: str) -> list[tuple[str, bool]]:
        """(direction, whether it still serves) of the lane's past."""
        lanes = SCHOOL["lanes.csv"].replace("arrival_only", direction)
        desk.types("directory", "import", "school-1", str(write_school(tmp_path / "school", lanes=lanes)), *since)
        with closing(sqlite3.connect(tmp_path / "state" / "journal.db")) as database:
            return database.execute("SELECT direction, until IS NULL FROM lanes ORDER BY since").fetchall()

    assert imports("arrival_only") == [("arrival_only", True)]
    turned = [("arrival_only", False), ("out", True)]
    assert imports("out") == turned
    assert imports("out", "--since", "2026-08-31") == turned
    assert imports("arrival_only", "--since", f"{TODAY}") == [("arrival_only", True)]


def test_a_card_that_has_ended_is_told_as_new_once(desk: Desk, tmp_path: Path) -> None:
    cards = (
        SCHOOL["cards.csv"].replace("person\n", "person;valid_from;valid_to;state\n", 1).replace(";p-1\n", ";p-1;;;\n")
    )
    cards = cards.replace(";p-2\n", ";p-2;;;\n") + "em4100;0100A1C0DE;p-2;01.09.2020;30.09.2020;lost\n"
    folder = str(write_school(tmp_path / "school", cards=cards))
    first = desk.json("directory", "import", "school-1", folder)["difference"]
    assert first["credentials"]["added"]["count"] == 3
    again = desk.json("directory", "import", "school-1", folder)["difference"]
    assert {what["count"] for kind in again.values() for what in kind.values()} == {0}
    write_school(tmp_path / "school", cards=cards.replace("30.09.2020", "29.09.2020"))
    other = desk.json("directory", "import", "school-1", folder, "--dry-run")["difference"]["credentials"]
    assert [what["count"] for what in other.values()] != [0, 0, 0]


def test_a_card_given_by_hand_stays_and_is_not_called_removed(desk: Desk, tmp_path: Path) -> None:
    folder = str(write_school(tmp_path / "school"))
    desk.types("directory", "import", "school-1", folder)
    desk.types("card", "give", "p-1", "04A1B2C3D4E5F6", "--by", "Петрова")
    desk.types("card", "give", "p-1", "04DE5F1EACC040", "--by", "Петрова")
    for tried in ((), ("--dry-run",), ()):
        found = desk.json("directory", "import", "school-1", folder, *tried)
        assert {what["count"] for kind in found["difference"].values() for what in kind.values()} == {0}
        assert [one["place"] for one in found["warnings"]] == ["cards"], "the list gives one of them to somebody else"
    write_school(
        tmp_path / "school",
        people=SCHOOL["people.csv"].replace("p-1", "p-3"),
        cards="technology;uid;person\n14443a;04DE5F1EACC040;p-2\n",
        contacts="person;address\n",
    )
    gone = desk.json("directory", "import", "school-1", folder)["difference"]["credentials"]["removed"]
    assert set(gone["ids"]) == {"p-1"}, "who is gone holds nothing"


@pytest.mark.parametrize(
    ("had", "goes", "remarks"),
    [
        (16, 5, ["5 of 16 people go"]),
        (16, 4, []),
        (20, 5, []),
        (21, 6, ["6 of 21 people go"]),
        (6, 5, ["5 of 6 people go"]),
    ],
)
def test_many_people_who_go_at_once_are_remarked(
    desk: Desk, tmp_path: Path, had: int, goes: int, remarks: list[str]
) -> None:
    def export(first: int) -> str:
        ids = [*(f"q-{number}" for number in range(first, had - 1)), "p-1"]
        people = "id;last_name;first_name;class\n" + "".join(f"{one};Орлов;Пётр;5А\n" for one in ids)
        cards = "technology;uid;person\nem4100;55007EE424;p-1\n"
        return str(write_school(tmp_path / "school", people=people, cards=cards))

    desk.types("directory", "import", "school-1", export(0))
    for tried in (["--dry-run"], []):
        told = desk.json("directory", "import", "school-1", export(goes), *tried)["warnings"]
        assert [one["problem"] for one in told] == remarks


def test_a_timetable_of_another_program_joins_the_tables(desk: Desk, tmp_path: Path) -> None:
    folder = write_school(tmp_path / "school")
    feed = tmp_path / "5А.ics"
    event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260901T000000Z\r\nDTSTART:{0}T120000Z\r\nDTEND:{0}T130000Z\r\nEND:VEVENT\r\n"
    day = TODAY + dt.timedelta(days=1)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event.format(f'{day:%Y%m%d}')}END:VCALENDAR\r\n"
    feed.write_bytes(text.encode())
    alone = desk.json("directory", "import", "school-1", str(folder), "--dry-run")
    words = ("directory", "import", "school-1", str(folder), str(feed), "--from", "table", "--from", "icalendar")
    assert desk.json(*words, "--dry-run")["slots"] == alone["slots"] + 1
    desk.types(*words[:-2], code=2)
    said = desk.types(*words[:3], str(folder), "/nowhere.xml", "--from", "table", "--from", "asc", code=1)
    assert "nowhere.xml" in said


def test_a_folder_with_mistakes_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    folder = write_school(tmp_path / "school", cards=SCHOOL["cards.csv"] + "em4100;12;p-9\n")
    said = desk.types("directory", "import", "school-1", str(folder), code=1)
    assert "cards.csv" in said
    assert not (tmp_path / "state").exists()
    assert CARD.uid.hex().upper() not in said
