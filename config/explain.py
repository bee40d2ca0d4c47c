"""From what pydantic found to what a person can mend: file, table, key, what stands there, what may, and a hint."""

import difflib
import enum
import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.model import Table
from gateway.errors import Problem

Tables: TypeAlias = dict[str, object]

_SHOWN = 60
_NEAR = 0.7


def explain(model: type[Table], file: str, raw: Tables, detail: ErrorDetails) -> Problem:
    """One finding in words."""
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    owner, field = _owner(model, loc)
    key = next((part for part in reversed(loc) if isinstance(part, str)), "")
    header = _header(str(loc[0]), field)
    where = place(file, raw, loc, header=header)
    if detail["type"] == "extra_forbidden":
        keys = [name for name, known in owner.model_fields.items() if not known.exclude]
        hint = similar(key, keys) or "remove it"
        return Problem(place=where, got="a key that nobody knows", expected=f"one of {', '.join(keys)}", hint=hint)
    expected = _expected(field) if field else "another value"
    example = (
        f"for example: {key} = {show(field.examples[0])}" if field and field.examples else f"write {header or key}"
    )
    if detail["type"] == "missing":
        unknown = [name for name in _siblings(raw, loc) if name not in owner.model_fields]
        typo = difflib.get_close_matches(key, unknown, 1, _NEAR)
        hint = f'it is written "{typo[0]}" here' if typo else example
        return Problem(place=where, got="nothing", expected=expected, hint=hint)
    got = _measure(detail["input"]) if field is None or not field.repr else show(detail["input"])
    choices = [*_choices(field)] if field else []
    hint = similar(str(detail["input"]), choices) or example
    if isinstance(reason := detail.get("ctx", {}).get("error"), ValueError):
        hint = str(reason)
    return Problem(place=where, got=got, expected=expected, hint=hint)


def _header(key: str, field: FieldInfo | None) -> str:
    if field is None or not (_table_of(field) or get_origin(field.annotation) is dict):
        return ""
    return f"[[{key}]]" if get_origin(field.annotation) is tuple else f"[{key}]"


def place(file: str, raw: Tables, loc: tuple[int | str, ...], *, header: str = "") -> str:
    """`gateway.toml: [[lanes]] 2 "north-out", key direction`; `header` is how the key is written where it names a table."""
    match loc:
        case (str(table), int(index), *rest) if isinstance(item := _item(raw, table, index), dict):
            name = f" {show(item['id'])}" if isinstance(item.get("id"), str) else ""
            words = [f"[[{table}]] {index + 1}{name}", *(_key(key) for key in rest[:1])]
        case (str(key), int(index), *_):
            words = [f"{header} {index + 1}" if header else f"{_key(key)}, item {index + 1}"]
        case (str(table), key, *_):
            words = [f"[{table}]", _key(key)]
        case (str(key),):
            words = [header or _key(key)]
        case _:
            words = ["the file"]
    text = ", ".join(words)
    return f"{file}: {text}" if file else text


def show(value: object) -> str:
    """A value as it may stand in a message: short, on one line, without a password."""
    match value:
        case dict():
            return "a table"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str() if len(value) > _SHOWN:
            return f"{_quoted(value[:_SHOWN])}…"
        case str():
            return _quoted(value)
        case bool():
            return str(value).lower()
        case _:
            return str(value)[:_SHOWN]


def similar(word: str, words: Iterable[str]) -> str | None:
    """`did you mean "in"?`, if there is a word that it may have been, or may be the beginning of."""
    known, said = [*words], word.lower()[:_SHOWN]
    near = difflib.get_close_matches(said, known, 1, _NEAR) or [one for one in known if one.startswith(f"{said}-")]
    return f"did you mean {' or '.join(map(show, near))}?" if near else None


def _key(key: int | str) -> str:
    return f"key {key}" if re.fullmatch(r"[\w-]{1,32}", str(key)) else f"key {_quoted(str(key)[:32])}"


def _quoted(text: str) -> str:
    return json.dumps(re.sub(r"//[^/@]*@", "//…@", text), ensure_ascii=False)


def _measure(value: object) -> str:
    return f"a text of {len(value)} characters" if isinstance(value, str) else "something that is no text"


def _item(raw: Tables, table: str, index: int) -> object:
    items = raw.get(table)
    return items[index] if isinstance(items, list) and index < len(items) else None


def _siblings(raw: Tables, loc: tuple[int | str, ...]) -> list[str]:
    table: object = raw
    for part in loc[:-1]:
        if isinstance(table, dict):
            table = table.get(part)
        elif isinstance(table, list) and isinstance(part, int):
            table = table[part]
    return [str(key) for key in table] if isinstance(table, dict) else []


def _owner(model: type[Table], loc: tuple[int | str, ...]) -> tuple[type[Table], FieldInfo | None]:
    """The table that a finding is in, and the field it is about."""
    owner, field = model, None
    for part in loc:
        if not isinstance(part, str):
            continue
        if field is not None:
            inner = _table_of(field)
            if inner is None:
                break
            owner = inner
        field = owner.model_fields.get(part)
    return owner, field


def _table_of(field: FieldInfo) -> type[Table] | None:
    return next((kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, Table)), None)


def _kinds(annotation: object) -> Iterator[object]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _kinds(part)


def _choices(field: FieldInfo) -> Iterator[str]:
    for kind in _kinds(field.annotation):
        if get_origin(kind) is Literal:
            yield from map(str, get_args(kind))
        elif isinstance(kind, type) and issubclass(kind, enum.Enum):
            yield from (str(member.value) for member in kind)


def _expected(field: FieldInfo) -> str:
    if choices := [*_choices(field)]:
        return f"one of {', '.join(choices)}"
    if field.description:
        return field.description
    if table := _table_of(field):
        return f"a table with {', '.join(key for key, inner in table.model_fields.items() if inner.is_required())}"
    # `X | None` keeps the description of X inside.
    inner = (meta for part in get_args(field.annotation) for meta in getattr(part, "__metadata__", ()))
    return next(
        (meta.description for meta in inner if isinstance(meta, FieldInfo) and meta.description), "another value"
    )
