"""Statements that are built once and run with other values each time: building one costs several times its execution.

    @prepared
    def _of_day(site: Value, date: Value) -> Select[Any]:
        return select(notices).where(_c.site == site, _c.date == date)

    rows = await connection.execute(*_of_day("school-1", "2026-09-01"))

What stands before the star of the signature are values, given by place; what stands behind it is the shape of the
statement, given by name, and each shape is built once.
"""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Executable, bindparam

#: What the caller gives; while the statement is built, the place that it takes.
Value: TypeAlias = Any
P = ParamSpec("P")
S = TypeVar("S", bound=Executable)


def prepared(build: Callable[P, S]) -> Callable[P, tuple[S, dict[str, Any]]]:
    """The statement and its values, for `connection.execute(*...)`."""
    parameters = signature(build).parameters.values()
    places: dict[str, Any] = {
        one.name: bindparam(one.name) for one in parameters if one.kind is not Parameter.KEYWORD_ONLY
    }
    shaped: Any = build
    built: Any = cache(lambda **shape: shaped(**places, **shape))

    def bound(*values: P.args, **shape: P.kwargs) -> tuple[S, dict[str, Any]]:
        return built(**shape), dict(zip(places, values, strict=True))

    return bound
