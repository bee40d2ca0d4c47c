"""Exports of a large school, read: OneRoster with 5,000 users and their enrolments, aSc Timetables with 60 classes."""

import datetime as dt
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence

from bench.figure import Figure, over_rounds
from sync.sources import asc, oneroster
from sync.sources.school import Part

_ROUNDS = 5
_SECONDS, _MIB = 3.0, 256.0
_PUPILS, _PARENTS, _TEACHERS = 2_000, 2_700, 300
_CLASSES, _GROUPS, _SUBJECTS = 60, 5, 14
_DAYS, _LESSONS = 6, 7
_DAY = dt.date(2026, 11, 23)


def run() -> Sequence[Figure]:
    """Takes some seconds."""
    files, plan = _roster(), _plan()
    return [
        *_measured("oneroster_import", lambda: oneroster.parse(files, on=_DAY), _PUPILS),
        *_measured("asc_import", lambda: asc.parse(plan, "plan.xml"), None),
    ]


def _measured(name: str, read: Callable[[], Part], people: int | None) -> list[Figure]:
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        part = read()
        rounds.append((time.perf_counter() - begun, _SECONDS))
        assert part.classes
        assert (None if part.people is None else len(part.people)) == people
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1] / 1024 / 1024
    tracemalloc.stop()
    return [
        over_rounds(name, "s", rounds, "budget", at_most=1),
        over_rounds(f"{name}_memory", "MiB", [(peak, _MIB)], "budget", at_most=1),
    ]


def _roster() -> Mapping[str, bytes]:
    """As a system writes it: every column, most of them empty."""
    users = [
        f"u{n},,,true,school,{role},user{n},{{Fed:{n}}},Имя{n},Фамилия{n},,{n},user{n}@example.org,,,{agents},05,"
        for n, role, agents in (
            *((n, "student", f"u{_PUPILS + n}") for n in range(_PUPILS)),
            *((_PUPILS + n, "parent", "") for n in range(_PARENTS)),
            *((_PUPILS + _PARENTS + n, "teacher", "") for n in range(_TEACHERS)),
        )
    ]
    homes = [f"h{n},,,{n % 11 + 1}-{n // 11 + 1},,crs,h{n},homeroom,,school,year,,," for n in range(_CLASSES)]
    subjects = [
        f"s{n}-{m},,,Предмет {m},,crs,{n}-{m},scheduled,,school,year,,,"
        for n in range(_CLASSES)
        for m in range(_SUBJECTS)
    ]
    enrolments = [
        f"e{n}-{m},,,{key},school,u{n},student,{str(not m).lower()},2026-09-01,2027-05-31"
        for n in range(_PUPILS)
        for m, key in enumerate((f"h{n % _CLASSES}", *(f"s{n % _CLASSES}-{k}" for k in range(_SUBJECTS))))
    ]
    tables = {
        "orgs": ("sourcedId,status,dateLastModified,name,type,identifier", ["school,,,Школа,school,1"]),
        "academicSessions": (
            "sourcedId,status,dateLastModified,title,type,startDate,endDate",
            ["year,,,Год,schoolYear,2026-09-01,2027-05-31"],
        ),
        "users": (
            (
                "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
                "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password"
            ),
            users,
        ),
        "classes": (
            (
                "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
                "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods"
            ),
            [*homes, *subjects],
        ),
        "enrollments": (
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
            enrolments,
        ),
    }
    return {f"{name}.csv": "\r\n".join([header, *rows]).encode() for name, (header, rows) in tables.items()}


def _plan() -> bytes:
    rows = [
        "<periods>",
        *(f'<period period="{n}" starttime="{8 + n}:00" endtime="{8 + n}:45"/>' for n in range(_LESSONS)),
    ]
    rows += ["</periods><classes>", *(f'<class id="c{n}" name="{n % 11 + 1}-{n // 11 + 1}"/>' for n in range(_CLASSES))]
    rows += ["</classes><groups>"]
    rows += [
        f'<group id="g{n}.{m}" classid="c{n}" name="Группа {m}" entireclass="{int(not m)}" divisiontag="{(m + 1) // 2}"/>'
        for n in range(_CLASSES)
        for m in range(_GROUPS)
    ]
    places = [(n, day, at) for n in range(_CLASSES) for day in range(_DAYS) for at in range(_LESSONS)]
    rows += ["</groups><lessons>"]
    rows += [
        f'<lesson id="l{number}" classids="c{n}" groupids="g{n}.{number % _GROUPS}" periodspercard="1"/>'
        for number, (n, _, _) in enumerate(places)
    ]
    rows += ["</lessons><cards>"]
    rows += [
        f'<card lessonid="l{number}" period="{at}" days="{"0" * day}1{"0" * (_DAYS - 1 - day)}" weeks="1" terms="1"/>'
        for number, (_, day, at) in enumerate(places)
    ]
    text = '<?xml version="1.0" encoding="windows-1251"?><timetable>' + "\n".join(rows) + "</cards></timetable>"
    return text.encode("windows-1251")
