"""A machine that has one of the programs has not the libraries of the others: what is missing is told, not traced."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("program", "line", "missing", "hint"),
    [
        ("journal", ["report"], "sqlalchemy", "make env LOCK=requirements-journal.lock"),
        ("simulators", ["morning"], "rich", "make env"),
    ],
)
def test_a_missing_library_is_named_with_what_to_do(program: str, line: list[str], missing: str, hint: str) -> None:
    start = f"import sys; sys.modules[{missing!r}] = None; from {program}.__main__ import main; main({line!r})"
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0].endswith(" is not installed here")
    assert done.stderr.splitlines()[1:] == [f" hint: {hint}"]
