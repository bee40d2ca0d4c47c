"""A mapping profile: what a school's own export calls things, so that nobody edits the export."""

import re
from collections.abc import Collection, Mapping

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sync.sources.cells import quoted, similar
from sync.sources.headings import Heading, Headings
from sync.sources.rows import Problems
from sync.sources.toml import read_toml

PROFILE = "profile.toml"
_PROFILE = TypeAdapter(dict[str, Headings])
_EXAMPLE = "compare with the example in the README of the sample school"


def read_profile(
    data: bytes | None, tables: Mapping[str, Collection[str]], problems: Problems
) -> Mapping[str, Headings]:
    """Headings by table; `tables` are the tables that there are, and the names of their columns."""
    if data is None:
        return {}
    try:
        profile = _PROFILE.validate_python(read_toml(PROFILE, data, _EXAMPLE, problems))
    except ValidationError as refused:
        for error in refused.errors(include_url=False, include_context=False):
            problems.add(PROFILE, *_explained(error), column=".".join(_key(str(part)) for part in error["loc"]))
        return {}
    known = {table: headings for table, headings in profile.items() if table in tables}
    for table in profile.keys() - known.keys():
        hint = similar(table, tables, "remove it")
        problems.add(PROFILE, f"a table {quoted(table)}", f"one of {', '.join(tables)}", hint)
    for table, headings in known.items():
        for part in ("columns", "fixed", "values"):
            for column in getattr(headings, part).keys() - set(tables[table]):
                hint = similar(column, tables[table], "remove it")
                expected = f"one of {', '.join(tables[table])}"
                problems.add(PROFILE, quoted(column), expected, hint, column=f"{table}.{part}")
    return known


def _explained(error: ErrorDetails) -> tuple[str, str, str]:
    """What stands there, what may, and a hint."""
    if error["type"] == "extra_forbidden":
        _, *within, key = error["loc"]
        keys = (Heading if within else Headings).model_fields
        return "a key that nobody knows", f"one of {', '.join(keys)}", similar(str(key), keys, "remove it")
    if error["type"] == "missing":
        return "nothing", "a value", _EXAMPLE
    got = quoted(error["input"]) if isinstance(error["input"], str) else "something else"
    return got, error["msg"].lower().removeprefix("value error, "), _EXAMPLE


def _key(part: str) -> str:
    return part if re.fullmatch(r"[\w-]{1,60}", part) else quoted(part)
