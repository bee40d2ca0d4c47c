"""What a source tells of the site itself: site.toml with its name, language and zone."""

import re
import tomllib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.sources.cells import quoted, similar
from sync.sources.columns import LANGUAGES
from sync.sources.rows import Problems

SITE = "site.toml"


def read_site(data: bytes | None, problems: Problems) -> tuple[str, str, ZoneInfo]:
    """Name, language and zone; stand-ins where something is among the problems."""
    try:
        raw = tomllib.loads((data or b"").decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        found = re.search(r"\(at (.*)\)$", str(error))
        got = f"a mistake at {found[1]}" if found else "something else"
        problems.add(SITE, got, "TOML in UTF-8", 'write for example: zone = "Europe/Moscow"')
        raw = {}
    if data is None or not problems.none_in(SITE):
        return "", "", ZoneInfo("UTC")
    for key in raw.keys() - {"name", "language", "zone"}:
        hint = similar(key, ("name", "language", "zone"), "remove it")
        problems.add(SITE, f"a key {quoted(key)}", "only name, language, zone", hint)
    name, language, zone = raw.get("name"), raw.get("language", "ru"), raw.get("zone")
    if not (isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()):
        problems.add(SITE, _shown(name), "the school as parents call it", 'name = "Школа 12"', column="name")
    if language not in LANGUAGES:
        problems.add(SITE, _shown(language), "one of ru, en", 'language = "ru"', column="language")
    return str(name), str(language), _zone(zone, problems)


def _zone(name: object, problems: Problems) -> ZoneInfo:
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
    return ZoneInfo("UTC")


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else "nothing" if value is None else "something that is no text"
