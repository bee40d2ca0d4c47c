"""The sample school, whole and spoilt."""

from pathlib import Path

import pytest

from gateway.errors import MAX_PROBLEMS, SourceError
from sync.sources.table import parse

SAMPLE = Path(__file__).parents[1] / "simulators" / "scenarios" / "sample-school"
FILES = {path.name: path.read_bytes() for path in SAMPLE.iterdir() if path.suffix != ".md"}


def lines_of(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(SourceError) as caught:
        parse(files)
    assert len(caught.value.problems) <= MAX_PROBLEMS
    return str(caught.value).splitlines()


def changed(file: str, old: str, new: str) -> dict[str, bytes]:
    text = FILES[file].decode()
    assert old in text
    return FILES | {file: text.replace(old, new, 1).encode()}
