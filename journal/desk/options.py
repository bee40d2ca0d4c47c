"""What a person types: names of sites and gateways, and times by the clock on the wall."""

import datetime as dt
import re

import click

from journal.words import LANGUAGES
from sync.sources.cells import CellRefused, wall_time


class Name(click.ParamType[str]):
    """A site or a gateway."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[a-z0-9-]{1,32}", value):
            self.fail(f"{value!r} is not 1 to 32 of a-z, 0-9 and -", param, ctx)
        return value


class WallTime(click.ParamType[dt.time]):
    """A time by the clock on the school's wall."""

    name = "HH:MM"

    def convert(self, value: str | dt.time, param: click.Parameter | None, ctx: click.Context | None) -> dt.time:
        if isinstance(value, dt.time):
            return value
        try:
            return wall_time(value)
        except CellRefused as refused:
            self.fail(f"{value!r} is not {refused.expected}", param, ctx)


class Day(click.ParamType[dt.datetime]):
    """A date, without a time."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: str | dt.datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return value
        try:
            return dt.datetime.combine(dt.date.fromisoformat(value), dt.time())
        except ValueError:
            self.fail(f"{value!r} is not a date like 2026-09-01", param, ctx)


SITE = click.argument("site", type=Name())
WALL_TIME = WallTime()
DAY = Day()
LANGUAGE = click.option("--language", type=click.Choice(LANGUAGES), default="ru", show_default=True)
DATE = click.option("--date", "day", type=DAY, help="The day; today where it is left out.")
