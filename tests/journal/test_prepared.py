"""A prepared statement is built once for each shape, and answers for the values of each call."""

from typing import Any

import pytest
from sqlalchemy import Select, select

from journal.prepared import Value, prepared
from journal.store import Store
from journal.tables import gateways
from tests.journal.door import GATEWAY, SITE

_built: list[bool] = []


@prepared
def _keys(site: Value, names: Value, *, everybody: bool) -> Select[Any]:
    _built.append(everybody)
    query = select(gateways.c.gateway).where(gateways.c.site == site)
    return query if everybody else query.where(gateways.c.gateway.in_(names))


async def test_each_call_has_its_values_and_each_shape_is_built_once(store: Store) -> None:
    async def asked(site: str, *names: str, everybody: bool = False) -> list[str]:
        async with store.read() as connection:
            return list((await connection.execute(*_keys(site, names, everybody=everybody))).scalars())

    _built.clear()
    assert await asked(SITE, GATEWAY) == [GATEWAY]
    assert await asked(SITE, "another", GATEWAY, "a third") == [GATEWAY]
    assert await asked(SITE) == []
    assert await asked("another", GATEWAY) == []
    assert await asked(SITE, everybody=True) == [GATEWAY]
    assert _built in ([], [False, True])  # by the other database, or here
    assert _keys(SITE, (), everybody=True)[0] is _keys("another", (), everybody=True)[0]


def test_a_value_that_is_missing_is_a_mistake_at_once() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _keys(SITE, everybody=True)  # type: ignore[call-arg]
