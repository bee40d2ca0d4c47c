"""The OneRoster exports of the vectors, as files, as a zip, and spoilt."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import MAX_PROBLEMS, SourceError
from sync.sources.oneroster import parse

_TEXT = (Path(__file__).parents[1] / "vectors" / "oneroster.txt").read_text(encoding="utf-8")
EXPORTS: dict[str, dict[str, bytes]] = {"1.1": {}, "1.2": {}}
for _version, _name, _content in re.findall(r"^=== (\S+) (\S+)\n((?:(?!===).*\n)*)", _TEXT, re.MULTILINE):
    EXPORTS[_version][_name] = _content.encode()
OLD = EXPORTS["1.1"]


def changed(file: str, *changes: tuple[str, str], of: Mapping[str, bytes] = OLD) -> dict[str, bytes]:
    """The export with texts of a file replaced, each once."""
    text = of[file].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return {**of, file: text.encode()}


def zipped(files: Mapping[str, bytes], folder: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(folder + name, data)
    return out.getvalue()


def lines_of(files: Mapping[str, bytes], school: str = "") -> list[str]:
    with pytest.raises(SourceError) as caught:
        parse(files, school=school)
    assert 0 < len(caught.value.problems) <= MAX_PROBLEMS
    return str(caught.value).splitlines()
