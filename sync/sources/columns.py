"""The columns of the plain tables: headers in English and Russian, and what may stand in their cells."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from gateway.domain.credential import Technology
from gateway.domain.directory import CredentialState
from gateway.domain.model import LaneDirection, Mode, SlotKind
from gateway.domain.timetable import DayKind
from sync.sources.cells import CellRefused, choice, date, matching, number, wall_time
from sync.sources.rows import Column

LANGUAGES = ("ru", "en")
_text = matching(r".+", "a text")
_identifier = matching(r"[A-Za-z0-9._-]{1,64}", "an opaque id of 1 to 64 letters, digits, . _ and -", "a name is no id")
_group_name = matching(r"[^;,]{1,32}", "a name of at most 32 characters")
_name = matching(r"[a-z0-9-]{1,32}", "1 to 32 of a-z, 0-9 and -", "write it as in gateway.toml")


def _uid(cell: str) -> bytes:
    digits = re.sub(r"[ :-]", "", cell)
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,10}", digits):
        hint = "format the column as text before filling it: a spreadsheet turns digits into numbers"
        raise CellRefused("hex digits in pairs, in air order", hint)
    return bytes.fromhex(digits)


def _groups(cell: str) -> tuple[str, ...]:
    return tuple(_group_name(part.strip()) for part in re.split(r"[,|]", cell) if part.strip())


ID = Column(name="id", also=("ид", "код"), parse=_identifier)
LAST_NAME = Column(name="last_name", also=("фамилия",), parse=_text, personal=True)
FIRST_NAME = Column(name="first_name", also=("имя",), parse=_text, personal=True)
CLASS = Column(name="class", also=("класс",), parse=_group_name)
LANGUAGE: Column[str | None] = Column(name="language", also=("язык",), parse=choice(LANGUAGES), default=None)
GROUPS: Column[tuple[str, ...]] = Column(name="groups", also=("группы",), parse=_groups, default=())

PERSON = Column(name="person", also=("id", "ид", "код", "ученик"), parse=_identifier)
ADDRESS = Column(
    name="address",
    also=("адрес", "почта", "email", "e_mail"),
    parse=matching(r"[^@\s]+@[^@\s]+|[a-z][a-z0-9+.-]*://\S+", "an e-mail address or a URL of the notifier"),
    personal=True,
)

TECHNOLOGY = Column(
    name="technology",
    also=("технология", "тип"),
    parse=choice(Technology, {"em-marine": Technology.EM4100, "mifare": Technology.ISO14443A}),
)
UID = Column(name="uid", also=("номер", "номер_карты"), parse=_uid, personal=True)
VALID_FROM: Column[dt.date | None] = Column(name="valid_from", also=("действует_с",), parse=date, default=None)
VALID_TO: Column[dt.date | None] = Column(name="valid_to", also=("действует_по",), parse=date, default=None)
STATE = Column(
    name="state",
    also=("состояние",),
    parse=choice(
        CredentialState,
        {
            "действует": CredentialState.ACTIVE,
            "заблокирована": CredentialState.BLOCKED,
            "утеряна": CredentialState.LOST,
        },
    ),
    default=CredentialState.ACTIVE,
)

GRADE = Column(name="grade", also=("параллель",), parse=number(0, 13))
SHIFT = Column(name="shift", also=("смена",), parse=number(1, 3), default=1)
BELLS = Column(name="bells", also=("звонки",), parse=_group_name)

BELL_SHIFT: Column[int | None] = Column(name="shift", also=("смена",), parse=number(1, 3), default=None)
LESSON = Column(name="lesson", also=("урок",), parse=number(0, 20))
START = Column(name="start", also=("начало",), parse=wall_time)
END = Column(name="end", also=("конец", "окончание"), parse=wall_time)

GROUP = Column(name="class", also=("group", "класс", "группа"), parse=_group_name)
WEEKDAY = Column(name="weekday", also=("день", "день_недели"), parse=number(1, 7))
SUBJECT = Column(name="subject", also=("предмет",), parse=_text, default="")
KIND = Column(
    name="kind",
    also=("вид",),
    parse=choice(
        SlotKind,
        {"урок": SlotKind.LESSON, "продленка": SlotKind.CARE, "кружок": SlotKind.CLUB, "экзамен": SlotKind.EXAM},
    ),
    default=SlotKind.LESSON,
)
MODE = Column(name="mode", also=("учет",), parse=choice(Mode), default=Mode.GATE)

DATE = Column(name="date", also=("дата",), parse=date)
DAY_KIND = Column(
    name="kind",
    also=("вид",),
    parse=choice(DayKind, {"выходной": DayKind.HOLIDAY, "каникулы": DayKind.HOLIDAY, "учебный": DayKind.SCHOOL_DAY}),
)
DAY_BELLS: Column[str | None] = Column(name="bells", also=("звонки",), parse=_group_name, default=None)
AS_WEEKDAY: Column[int | None] = Column(name="weekday", also=("день_недели",), parse=number(1, 7), default=None)

GATEWAY = Column(name="gateway", also=("шлюз",), parse=_name)
LANE = Column(name="lane", also=("проход",), parse=_name)
DIRECTION = Column(
    name="direction",
    also=("направление",),
    parse=choice(LaneDirection, {"вход": LaneDirection.IN, "выход": LaneDirection.OUT}),
)
OPENS = Column(name="opens", also=("открыт_с",), parse=wall_time)
CLOSES = Column(name="closes", also=("открыт_до",), parse=wall_time)

#: Every table and its columns.
TABLES: Mapping[str, Sequence[Column[object]]] = {
    "people.csv": (ID, LAST_NAME, FIRST_NAME, CLASS, LANGUAGE, GROUPS),
    "contacts.csv": (PERSON, ADDRESS, LANGUAGE),
    "cards.csv": (TECHNOLOGY, UID, PERSON, VALID_FROM, VALID_TO, STATE),
    "classes.csv": (CLASS, GRADE, SHIFT, BELLS),
    "bells.csv": (BELLS, BELL_SHIFT, LESSON, START, END),
    "lessons.csv": (GROUP, WEEKDAY, LESSON, SUBJECT, KIND, MODE),
    "calendar.csv": (DATE, DAY_KIND, DAY_BELLS, AS_WEEKDAY),
    "lanes.csv": (GATEWAY, LANE, DIRECTION, OPENS, CLOSES),
}
#: What a folder may lack.
OPTIONAL = frozenset({"contacts.csv", "calendar.csv"})
