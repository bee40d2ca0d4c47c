"""The small TOML files beside the tables."""

import re
import tomllib
from typing import Any

from sync.sources.rows import Problems

MAX_TOML = 256 * 1024


def read_toml(file: str, data: bytes, hint: str, problems: Problems) -> dict[str, Any]:
    """What the file says; nothing where it is no TOML, which then is among the problems."""
    if len(data) > MAX_TOML:
        problems.add(file, "more than 256 KiB", "at most 256 KiB", "this is not the file you mean")
        return {}
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        found = re.search(r"\(at (.*)\)$", str(error))
        got = f"a mistake at {found[1]}" if found else "something else"
        problems.add(file, got, "TOML in UTF-8", hint)
        return {}
