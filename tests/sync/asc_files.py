"""Exports of aSc Timetables for tests: the one of the vectors, spoilt, and ones that hypothesis makes up with what they mean."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import strategies as st

from gateway.errors import MAX_PROBLEMS, SourceError
from sync.sources.asc import parse

VECTOR = (Path(__file__).parents[1] / "vectors" / "asc_2012.xml").read_bytes()


def changed(*changes: tuple[str, str]) -> bytes:
    """The vector with texts replaced, each once."""
    text = VECTOR.decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def lines_of(data: bytes) -> list[str]:
    with pytest.raises(SourceError) as caught:
        parse(data, "plan.xml")
    assert 0 < len(caught.value.problems) <= MAX_PROBLEMS
    return str(caught.value).splitlines()


@dataclass(frozen=True)
class Plan:
    """An export, and what it says: (group, weekday, lesson, week)."""

    data: bytes
    lessons: set[tuple[str, int, int, str]]


DAYS = ("Понедельник", "Вторник", "Среда", "Четверг", "Пятница", "Суббота")
PARTS = (("Весь класс", 0), ("1 группа", 1), ("2 группа", 1), ("Мальчики", 2), ("Девочки", 2))


def mask(place: int, width: int) -> str:
    return "".join("1" if at == place else "0" for at in range(width))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """As the program writes them, with the quirks that real files show."""
    prefix = draw(st.sampled_from(["*", "", "9E402EE47E0FA0"]))
    names = draw(
        st.lists(st.sampled_from(["5А", "5 Б", "11-В", "9Г", "IX Д", "1Е"]), min_size=1, max_size=4, unique=True)
    )
    weeks, days = draw(st.integers(1, 2)), draw(st.integers(5, 6))
    spelled = draw(st.booleans())
    classes: list[dict[str, str]] = []
    groups: list[dict[str, str]] = []
    lessons: list[dict[str, str]] = []
    cards: list[dict[str, str]] = []
    meant = set()
    for at, name in enumerate(names):
        classes.append(
            {"id": f"{prefix}c{at}", "name": name, "short": name, "teacherid": "", "grade": "", "partner_id": ""}
        )
        for number, (title, tag) in enumerate(PARTS):
            key = f"{prefix}g{at}.{number}"
            entire = str(int(not number))
            groups.append(
                {"id": key, "name": title, "classid": f"{prefix}c{at}", "entireclass": entire, "divisiontag": str(tag)}
            )
    slots = draw(st.lists(st.tuples(st.integers(0, days - 1), st.integers(0, 3)), max_size=12, unique=True))
    for number, (day, period) in enumerate(slots):
        at, part = draw(st.integers(0, len(names) - 1)), draw(st.integers(0, len(PARTS) - 1))
        length, week = draw(st.integers(1, 2)), draw(st.integers(0, weeks))
        bits = "1" * weeks if week == weeks else mask(week, weeks)
        key = f"{prefix}l{number}"
        # What aSc writes into a list: ids with commas, often with a space or a comma at the end.
        listed = f"{prefix}g{at}.{part}" + draw(st.sampled_from(["", ",", " "]))
        lessons.append(
            {
                "id": key,
                "classids": f"{prefix}c{at}",
                "groupids": listed,
                "subjectid": "",
                "periodspercard": str(length),
                "seminargroup": "",
            }
        )
        begun = range(period * 2, period * 2 + length)
        for one in begun if spelled else begun[:1]:
            card = {
                "lessonid": key,
                "period": str(one),
                "days": mask(day, days),
                "weeks": bits,
                "terms": "1",
                "classroomids": "*9",
            }
            cards += [card] * draw(st.integers(1, 2))
        group = names[at] if not part else f"{names[at]}-{PARTS[part][0]}"
        name = "" if weeks in (1, week) else "AB"[week]
        meant |= {(group, day + 1, one, name) for one in begun}
    if lessons:
        cards.append({"lessonid": f"{prefix}l0"})
    tables = {
        "period": [
            {"period": str(n), "name": str(n), "starttime": f"{8 + n}:00", "endtime": f"{8 + n}:45"} for n in range(9)
        ],
        "daysdef": [{"id": f"{prefix}d{n}", "name": DAYS[n], "short": "", "days": mask(n, days)} for n in range(days)],
        "class": classes,
        "group": groups,
        "lesson": lessons,
        "card": cards or [{"lessonid": ""}],
        "teacher": [{"id": f"{prefix}t0", "name": "Образцова", "short": "О", "email": "nobody@example.org"}],
    }
    end = draw(st.sampled_from(["\n", "\r\n", ""]))
    body = end.join(_table(name, rows, end) for name, rows in draw(st.permutations(list(tables.items()))))
    codec, mark = draw(
        st.sampled_from([("windows-1251", b""), ("UTF-8", b""), ("UTF-8", b"\xef\xbb\xbf"), ("UTF-16", b"")])
    )
    text = f'<?xml version="1.0" encoding="{codec}"?>{end}<timetable options="groupstype1">{body}</timetable>{end}'
    return Plan(mark + text.encode(codec), meant)


def _table(name: str, rows: list[dict[str, str]], end: str) -> str:
    table = "classes" if name == "class" else f"{name}s"
    inside = end.join(
        f"<{name} {' '.join(f'{key}={quoteattr(value)}' for key, value in row.items())}/>" for row in rows
    )
    return (
        f'<{table} options="canadd,export:silent" columns="{",".join(rows[0] if rows else ())}">{end}{inside}</{table}>'
    )
