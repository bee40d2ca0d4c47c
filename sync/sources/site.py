"""What a source tells of the site itself: site.toml with its name, language and zone, and the names of weeks that take turns."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.sources.cells import quoted, similar
from sync.sources.columns import LANGUAGES
from sync.sources.rows import Problems
from sync.sources.toml import read_toml

SITE = "site.toml"
_KEYS = ("name", "language", "zone", "weeks", "weeks_from")
_MAX_WEEKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """None is what it does not tell."""

    name: str | None = None
    #: ru or en.
    language: str | None = None
    zone: ZoneInfo | None = None
    #: The names that weeks take in turn, and a day of a week of the first name.
    weeks: Sequence[str] | None = None
    weeks_from: dt.date | None = None


def read_site(data: bytes | None, problems: Problems) -> Site:
    """What can be read of it; the rest is among the problems."""
    if data is None:
        return Site()
    raw = read_toml(SITE, data, 'write for example: zone = "Europe/Moscow"', problems)
    if not problems.none_in(SITE):
        return Site()
    for key in raw.keys() - set(_KEYS):
        problems.add(SITE, f"a key {quoted(key)}", f"only {', '.join(_KEYS)}", similar(key, _KEYS, "remove it"))
    name, language = raw.get("name"), raw.get("language", "ru")
    if not (isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()):
        problems.add(SITE, _shown(name), "the school as parents call it", 'name = "Школа 12"', column="name")
    if language not in LANGUAGES:
        problems.add(SITE, _shown(language), "one of ru, en", 'language = "ru"', column="language")
    weeks, first = _weeks(raw.get("weeks"), raw.get("weeks_from"), problems)
    return Site(
        name=str(name),
        language=str(language),
        zone=read_zone(raw.get("zone"), problems),
        weeks=weeks,
        weeks_from=first,
    )


def read_zone(name: object, problems: Problems) -> ZoneInfo | None:
    """The zone of an IANA name; None if it is among the problems."""
    try:
        # Some files of the data base are this machine's own choice: "localtime", "posixrules".
        if isinstance(name, str) and (
            name == "UTC" or re.fullmatch(r"[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]{1,32}){1,2}", name)
        ):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    expected = "an IANA zone that this machine knows (package tzdata)"
    problems.add(SITE, _shown(name), expected, 'for example: zone = "Europe/Moscow"', column="zone")
    return None


def _weeks(names: object, first: object, problems: Problems) -> tuple[Sequence[str] | None, dt.date | None]:
    if names is None and first is None:
        return None, None
    said = names if isinstance(names, list) else []
    if not 1 < len(said) <= _MAX_WEEKS or not all(isinstance(name, str) and 0 < len(name) <= 32 for name in said):
        got, expected = "something else", f"2 to {_MAX_WEEKS} names of weeks that take turns"
        problems.add(SITE, got, expected, 'weeks = ["A", "B"]', column="weeks")
    if type(first) is not dt.date:
        got, expected = "something that is no date", "a day of a week of the first name"
        problems.add(SITE, got, expected, "weeks_from = a date without quotes", column="weeks_from")
        return said, None
    return said, first


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else "nothing" if value is None else "something that is no text"
