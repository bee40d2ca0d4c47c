"""What an office, an administrator and a technician would have written for this morning: tables, journal.toml, gateway.toml."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.crowd import Crowd
from simulators.scenario import Scenario

SITE = "school"
_NAMES = ("north", "south", "east", "west", "yard", "annex", "sports", "kitchen")
MOST_GATEWAYS = len(_NAMES)
#: Every gateway has one lane for each technology.
LANES = {"serial": "em4100", "nfc": "14443a"}
#: The driver that reads a technology here.
KINDS = {"em4100": "rdm6300", "14443a": "nfc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFile:
    """Where the devices of a lane listen."""

    lane: str
    #: Kind of the reader's driver.
    kind: str
    reader: str
    gate: str


def gateway_names(count: int) -> tuple[str, ...]:
    """Of the first so many gateways."""
    return _NAMES[:count]


def lane_id(gateway: str, lane: str) -> str:
    """What a lane is called at the gateway and in the directory."""
    return f"{gateway}-{lane}"


def write_tables(folder: Path, scenario: Scenario, crowd: Crowd, gateways: Sequence[str]) -> None:
    """The folder that `attendance-journal directory import` reads."""
    folder.mkdir(parents=True)
    classes = {pupil.group: pupil.grade for pupil in crowd.pupils}
    opens, closes = f"{scenario.opens:%H:%M}", f"{scenario.closes:%H:%M}"
    start, end = f"{scenario.lesson.start:%H:%M}", f"{scenario.lesson.end:%H:%M}"
    weekday = scenario.date.isoweekday()
    tables: dict[str, tuple[str, Iterable[Iterable[object]]]] = {
        "people": (
            "id;last_name;first_name;class;language",
            ((p.id, p.family, p.given, p.group, p.language) for p in crowd.pupils),
        ),
        "contacts": ("person;address;language", ((p.id, p.mail, p.language) for p in crowd.pupils)),
        "cards": ("technology;uid;person", ((p.card.technology, p.card.uid.hex().upper(), p.id) for p in crowd.pupils)),
        "classes": ("class;grade;shift;bells", ((name, grade, 1, "normal") for name, grade in classes.items())),
        "bells": ("bells;shift;lesson;start;end", [("normal", 1, 1, start, end)]),
        "lessons": ("class;weekday;lesson;subject", ((name, weekday, 1, "") for name in classes)),
        "lanes": (
            "gateway;lane;direction;opens;closes",
            (
                (gateway, lane_id(gateway, lane), "arrival_only", opens, closes)
                for gateway in gateways
                for lane in LANES
            ),
        ),
    }
    for name, (header, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            file.write(header + "\n")
            csv.writer(file, delimiter=";", lineterminator="\n").writerows(rows)
    site = f'name = "{scenario.name}"\nlanguage = "ru"\nzone = "{scenario.zone}"\n'
    (folder / "site.toml").write_text(site, encoding="utf-8")


def journal_settings(folder: Path, *, broker: int, mail: int) -> str:
    """The text of journal.toml; `broker` and `mail` are ports of loopback.

    Nobody sits at this school who could release messages that the brake holds, and a slow machine makes many late.
    """
    return f"""[state]
directory = "{folder}"

[broker]
url = "mqtt://127.0.0.1:{broker}"

[notices]
mail = "mailto://127.0.0.1:{mail}?from=school@families.example"

[sites.{SITE}]
brake_percent = 100
brake_class_percent = 100
"""


def gateway_settings(folder: Path, gateway: str, *, broker: int, lanes: Sequence[LaneFile]) -> str:
    """The text of gateway.toml."""
    text = f"""site = "{SITE}"
gateway = "{gateway}"

[state]
directory = "{folder}"

[enrolment]
file = "{folder}/enrolment.toml"

[uplink]
url = "mqtt://127.0.0.1:{broker}"
"""
    for lane in lanes:
        text += f"""
[[devices]]
id = "{lane.lane}"
kind = "{lane.kind}"
url = "{lane.reader}"

[[devices]]
id = "{lane.lane}-gate"
kind = "virtual"
url = "{lane.gate}"

[[lanes]]
id = "{lane_id(gateway, lane.lane)}"
direction = "arrival_only"
reader = "{lane.lane}"
gate = "{lane.lane}-gate"
"""
    return text
