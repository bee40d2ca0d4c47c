"""Staff come and go like everybody: in the table of people, with cards, perhaps without a class, and never judged."""

import pytest

from gateway.errors import SourceError
from sync.sources.school import Role
from sync.sources.table import parse
from tests.school import FILES

PEOPLE = FILES["people.csv"].decode()
HEADER = PEOPLE.splitlines()[0]


def school_with(row: str) -> dict[str, bytes]:
    lines = [f"{line};" for line in PEOPLE.splitlines()[1:]]
    return FILES | {"people.csv": "\n".join([f"{HEADER};role", *lines, row]).encode()}


@pytest.mark.parametrize("word", ["staff", "сотрудник", "Учитель"])
def test_staff_may_be_without_a_class(word: str) -> None:
    cells = dict.fromkeys(HEADER.split(";"), "") | {"id": "t-1", "last_name": "Фамилия", "first_name": "Имя"}
    person = parse(school_with(";".join([*cells.values(), word]))).people[-1]
    assert (person.id, person.role, person.groups) == ("t-1", Role.STAFF, ())


def test_a_pupil_may_not() -> None:
    cells = dict.fromkeys(HEADER.split(";"), "") | {"id": "p-9", "last_name": "Фамилия", "first_name": "Имя"}
    with pytest.raises(SourceError, match=r"people\.csv:18:class: got an empty cell.*or give the role staff"):
        parse(school_with(";".join([*cells.values(), ""])))


def test_without_a_role_everybody_is_a_pupil() -> None:
    assert {person.role for person in parse(FILES).people} == {Role.PUPIL}
