"""What a parent asks to hear besides."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import InputError
from journal.days import local_date
from journal.notify.tables import wishes
from journal.store import Day, mark_dirty
from journal.tables import contacts


async def wish(
    connection: AsyncConnection,
    site: str,
    person: str,
    address: str,
    templates: Collection[str],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """These and no others, from the next judgement on. Raises InputError where the office lists no such contact."""
    c, k = wishes.c, contacts.c
    listed = select(k.address).where(k.site == site, k.person == person, k.address == address)
    if (await connection.execute(listed)).scalar() is None:
        hint = "give the address as the directory lists it; 'attendance-journal directory import' brings contacts"
        raise InputError(f"{site} lists no such address for {person}", hint=hint)
    place = {"site": site, "person": person, "address": address}
    await connection.execute(delete(wishes).where(c.site == site, c.person == person, c.address == address))
    if templates:
        rows = [{**place, "template": template} for template in sorted(set(templates))]
        await connection.execute(insert(wishes), rows)
    await mark_dirty(connection, [Day(site, local_date(now, zone), person)])
