"""The plain tables: their columns, headers in English and Russian, and what may stand in their cells."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.credential import Technology
from gateway.domain.directory import CredentialState
from gateway.domain.model import LaneDirection, MarkReason, Mode, SlotKind
from gateway.domain.timetable import Change, DayKind
from sync.sources.cells import (
    CellRefused,
    Figure,
    choice,
    date,
    matching,
    moment,
    number,
    numbers,
    several,
    wall_time,
    weekday,
    yes,
)
from sync.sources.rows import Column
from sync.sources.school import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a table is called and what it may hold."""

    #: Its name in Russian; files and sheets may be called so.
    title: str
    columns: Sequence[Column[object]]
    #: Without it there is no school.
    required: bool = False
    #: A cell may hold a name or a card number, be it by mistake: none is shown in a message.
    private: bool = False


LANGUAGES = ("ru", "en")
_text = matching(r".+", "a text")
_identifier = matching(r"[A-Za-z0-9._-]{1,64}", "an opaque id of 1 to 64 letters, digits, . _ and -", "a name is no id")
_group_name = matching(r"[^;,]{1,32}", "a name of at most 32 characters")
_name = matching(r"[a-z0-9-]{1,32}", "1 to 32 of a-z, 0-9 and -", "write it as in gateway.toml")


_group_names = several(_group_name)
_lesson = number(0, 20)
_mode = choice(Mode, {"турникет": Mode.GATE, "учитель": Mode.TEACHER, "нет": Mode.NONE})
_kind = choice(
    SlotKind,
    {"урок": SlotKind.LESSON, "продленка": SlotKind.CARE, "кружок": SlotKind.CLUB, "экзамен": SlotKind.EXAM},
)


def _uid(cell: str) -> bytes:
    hint = "format the column as text before filling it: a spreadsheet turns digits into numbers"
    if isinstance(cell, Figure):
        raise CellRefused("a UID in a cell of text: a number has lost its leading zeros", hint)
    digits = re.sub(r"[ :-]", "", cell)
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,10}", digits):
        raise CellRefused("hex digits in pairs, in air order", hint)
    return bytes.fromhex(digits)


def _set_of_groups(cell: str) -> frozenset[str]:
    return frozenset(_group_names(cell))


ID = Column(name="id", also=("ид", "код"), parse=_identifier)
LAST_NAME = Column(name="last_name", also=("фамилия",), parse=_text)
FIRST_NAME = Column(name="first_name", also=("имя",), parse=_text)
CLASS = Column(name="class", also=("класс", "group", "группа"), parse=_group_name)
PUPILS_CLASS: Column[str | None] = Column(
    name="class", also=("класс", "group", "группа"), parse=_group_name, default=None
)
ROLE = Column(
    name="role",
    also=("роль",),
    parse=choice(Role, {"ученик": Role.PUPIL, "сотрудник": Role.STAFF, "учитель": Role.STAFF}),
    default=Role.PUPIL,
)
LANGUAGE = Column(name="language", also=("язык",), parse=choice(LANGUAGES), default="")
GROUPS: Column[tuple[str, ...]] = Column(name="groups", also=("группы",), parse=_group_names, default=())

PERSON = Column(name="person", also=("id", "ид", "код", "ученик"), parse=_identifier)
ADDRESS = Column(
    name="address",
    also=("адрес", "почта", "email", "e_mail"),
    parse=matching(r"[^@\s]+@[^@\s]+|[a-z][a-z0-9+.-]*://\S+", "an e-mail address or a URL of the notifier"),
)

TECHNOLOGY = Column(
    name="technology",
    also=("технология", "тип"),
    parse=choice(Technology, {"em-marine": Technology.EM4100, "mifare": Technology.ISO14443A}),
)
UID = Column(name="uid", also=("номер", "номер_карты"), parse=_uid)
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
STAGE = Column(name="stage", also=("ступень", "уровень"), parse=_group_name, default="")
PART_OF: Column[str | None] = Column(name="part_of", also=("часть_класса",), parse=_group_name, default=None)

BELL_SHIFT: Column[int | None] = Column(name="shift", also=("смена",), parse=number(1, 3), default=None)
LESSON = Column(name="lesson", also=("урок",), parse=_lesson)
START = Column(name="start", also=("начало",), parse=wall_time)
END = Column(name="end", also=("конец", "окончание"), parse=wall_time)

WEEKDAY = Column(name="weekday", also=("день", "день_недели"), parse=weekday)
SUBJECT = Column(name="subject", also=("предмет",), parse=_text, default="")
KIND = Column(name="kind", also=("вид",), parse=_kind, default=SlotKind.LESSON)
MODE = Column(name="mode", also=("учет",), parse=_mode, default=Mode.GATE)
WEEK = Column(name="week", also=("неделя",), parse=_group_name, default="")
FIRST: Column[dt.date | None] = Column(name="first", also=("с", "from", "date_from"), parse=date, default=None)
LAST: Column[dt.date | None] = Column(name="last", also=("по", "to", "date_to"), parse=date, default=None)
SITE = Column(name="site", also=("здание", "площадка"), parse=_name, default="")
OBLIGATORY = Column(name="obligatory", also=("обязательно", "обязательный"), parse=yes, default=True)

DATE = Column(name="date", also=("дата", "с", "from", "date_from"), parse=date)
DATE_TO: Column[dt.date | None] = Column(name="date_to", also=("по", "to", "last"), parse=date, default=None)
DAY_KIND = Column(
    name="kind",
    also=("вид",),
    parse=choice(DayKind, {"выходной": DayKind.HOLIDAY, "каникулы": DayKind.HOLIDAY, "учебный": DayKind.SCHOOL_DAY}),
)
DAY_BELLS: Column[str | None] = Column(name="bells", also=("звонки",), parse=_group_name, default=None)
AS_WEEKDAY: Column[int | None] = Column(name="weekday", also=("день_недели",), parse=weekday, default=None)
DAY_WEEK: Column[str | None] = Column(name="week", also=("неделя",), parse=_group_name, default=None)
ON = Column(name="on", also=("дни", "по_дням"), parse=numbers(weekday), default=frozenset[int]())
GRADES = Column(name="grades", also=("параллели",), parse=numbers(number(0, 13)), default=frozenset[int]())
CLASSES = Column(
    name="classes",
    also=("классы", "class", "класс", "groups", "группы"),
    parse=_set_of_groups,
    default=frozenset[str](),
)

CHANGE = Column(
    name="change",
    also=("изменение",),
    parse=choice(
        Change,
        {
            "отмена": Change.CANCELLED,
            "отменен": Change.CANCELLED,
            "замена": Change.REPLACED,
            "перенос": Change.MOVED,
            "добавлен": Change.ADDED,
            "вместе": Change.MERGED,
            "учет": Change.MODE,
        },
    ),
)
LESSONS = Column(name="lessons", also=("уроки", "lesson", "урок"), parse=numbers(_lesson), default=frozenset[int]())
TO_DATE: Column[dt.date | None] = Column(name="to_date", also=("на_дату",), parse=date, default=None)
TO_LESSON: Column[int | None] = Column(name="to_lesson", also=("на_урок",), parse=_lesson, default=None)
NEW_START: Column[dt.time | None] = Column(name="start", also=("начало",), parse=wall_time, default=None)
NEW_END: Column[dt.time | None] = Column(name="end", also=("конец", "окончание"), parse=wall_time, default=None)
NEW_MODE: Column[Mode | None] = Column(name="mode", also=("учет",), parse=_mode, default=None)
NEW_SITE: Column[str | None] = Column(name="site", also=("здание", "площадка"), parse=_name, default=None)
WITH_CLASS: Column[str | None] = Column(name="with_class", also=("с_классом",), parse=_group_name, default=None)

SINCE = Column(name="from", also=("с", "since"), parse=moment)
UNTIL: Column[dt.datetime | dt.date | None] = Column(name="to", also=("по", "until"), parse=moment, default=None)
REASON = Column(
    name="reason",
    also=("причина",),
    parse=choice(
        MarkReason,
        {
            "не выяснена": MarkReason.UNEXPLAINED,
            "болезнь": MarkReason.ILL_REPORTED,
            "болеет": MarkReason.ILL_REPORTED,
            "справка": MarkReason.ILL_CERTIFIED,
            "заявление": MarkReason.APPLICATION,
            "приказ": MarkReason.ORDER,
            "олимпиада": MarkReason.OLYMPIAD,
            "мороз": MarkReason.FROST,
            "транспорт": MarkReason.TRANSPORT,
            "очередь": MarkReason.QUEUE,
            "отпущен": MarkReason.RELEASED,
            "неуважительная": MarkReason.INVALID,
        },
    ),
)

PLAN_MODE = Column(name="mode", also=("учет",), parse=_mode)
PLAN_FIRST = Column(name="first", also=("с", "from", "date_from"), parse=date)
WEEKDAYS = Column(name="weekdays", also=("дни", "дни_недели"), parse=numbers(weekday), default=frozenset[int]())

GATEWAY = Column(name="gateway", also=("шлюз",), parse=_name)
LANE = Column(name="lane", also=("проход",), parse=_name)
DIRECTION = Column(
    name="direction",
    also=("направление",),
    parse=choice(LaneDirection, {"вход": LaneDirection.IN, "выход": LaneDirection.OUT}),
)
OPENS = Column(name="opens", also=("открыт_с",), parse=wall_time)
CLOSES = Column(name="closes", also=("открыт_до",), parse=wall_time)
ROTATIONS = Column(name="rotations", also=("повороты",), parse=yes, default=False)

#: By name, which is also the name of its file.
TABLES: Mapping[str, Table] = {
    "people": Table(
        title="ученики",
        columns=(ID, LAST_NAME, FIRST_NAME, PUPILS_CLASS, LANGUAGE, GROUPS, ROLE),
        required=True,
        private=True,
    ),
    "contacts": Table(title="контакты", columns=(PERSON, ADDRESS, LANGUAGE), private=True),
    "cards": Table(
        title="карты",
        columns=(TECHNOLOGY, UID, PERSON, VALID_FROM, VALID_TO, STATE),
        required=True,
        private=True,
    ),
    "classes": Table(title="классы", columns=(CLASS, GRADE, SHIFT, BELLS, STAGE, PART_OF), required=True),
    "bells": Table(title="звонки", columns=(BELLS, BELL_SHIFT, STAGE, LESSON, START, END), required=True),
    "lessons": Table(
        title="уроки",
        columns=(CLASS, WEEKDAY, LESSON, SUBJECT, KIND, MODE, WEEK, FIRST, LAST, SITE, OBLIGATORY),
        required=True,
    ),
    "calendar": Table(
        title="календарь",
        columns=(DATE, DATE_TO, DAY_KIND, DAY_BELLS, AS_WEEKDAY, DAY_WEEK, ON, GRADES, CLASSES),
    ),
    "substitutions": Table(
        title="замены",
        columns=(
            CHANGE,
            DATE,
            DATE_TO,
            CLASSES,
            LESSONS,
            TO_DATE,
            TO_LESSON,
            NEW_START,
            NEW_END,
            NEW_MODE,
            NEW_SITE,
            KIND,
            OBLIGATORY,
            WITH_CLASS,
        ),
    ),
    "excuses": Table(title="пропуски", columns=(PERSON, SINCE, UNTIL, REASON), private=True),
    "plans": Table(title="планы", columns=(PERSON, PLAN_MODE, PLAN_FIRST, LAST, WEEKDAYS, LESSONS), private=True),
    "lanes": Table(title="проходы", columns=(GATEWAY, LANE, DIRECTION, OPENS, CLOSES, ROTATIONS), required=True),
}
