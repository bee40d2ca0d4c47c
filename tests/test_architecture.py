"""The architecture as failing tests: budgets that only go down, names, packages, and what the daemon may load."""

import ast
import importlib.metadata
import io
import re
import statistics
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"gateway", "drivers", "sync", "config", "simulators", "journal"}
DAEMON = ("gateway", "drivers", "sync", "config")
MODULE_LINES, MEDIAN_LINES, FUNCTION_LINES = 300, 150, 40
NOT_A_NAME = {"util", "utils", "common", "helper", "helpers", "base", "manager", "misc"}
NOT_IN_THE_DAEMON = ("alembic", "apprise", "fastapi", "rich", "sqlalchemy", "pydantic_settings")
ASKS_A_CLOCK = {"now", "today", "utcnow", "monotonic", "monotonic_ns", "perf_counter", "time", "time_ns"}
#: Paths of somebody's machine, package registries, tickets of this project.
NOT_IN_THE_TREE = re.compile(
    r"/(?:work|root)/|/home/\w|\b(?:pypi|piwheels|npmjs|pythonhosted)\.(?:org|com)|\bissue #?\d", re.IGNORECASE
)
DATE = re.compile(r"\b20\d\d-[01]\d-[0-3]\d\b")


@cache
def tree() -> list[Path]:
    """Every file that is in the repository, or would be after `git add`."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def modules() -> list[Path]:
    return [path for path in tree() if path.suffix == ".py" and path.stat().st_size]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{name(path)}:{node.name}"


def settings() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_modules_stay_small() -> None:
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {module: count for module, count in lines.items() if count > MODULE_LINES} == {}
    assert statistics.median(lines.values()) <= MEDIAN_LINES


def test_the_domain_and_the_codecs_ask_no_clock() -> None:
    """import-linter sees `datetime` imported, as it must be, and not that somebody asks it for the time."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in modules()
        if name(path).startswith("gateway/domain/") or (name(path).startswith("drivers/") and path.stem == "codec")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKS_A_CLOCK
    ]
    assert found == []


@pytest.mark.parametrize("of", ["code", "tests"])
def test_functions_stay_short(of: str) -> None:
    found = sorted(
        function
        for path in modules()
        if name(path).startswith("tests/") == (of == "tests")
        for function in functions(path)
    )
    longest = found[int(len(found) * 0.95) :]
    assert longest
    assert longest[0][0] <= FUNCTION_LINES, longest


def test_names_say_something() -> None:
    assert [name(path) for path in tree() if NOT_A_NAME & {path.stem, *path.relative_to(ROOT).parts}] == []


def test_package_markers_are_empty() -> None:
    assert [name(path) for path in modules() if path.name == "__init__.py"] == []


def test_every_module_says_its_job() -> None:
    assert [name(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_bytes()))] == []


def test_every_folder_of_code_is_known() -> None:
    assert {name(path.parent) for path in ROOT.glob("*/__init__.py")} == PACKAGES | {"tests", "bench"}


def test_package_names_are_ours_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {(package, owner) for package in PACKAGES for owner in owners.get(package, ["nobody"])} == {
        (package, "attendance-gateway") for package in PACKAGES
    }


def test_every_module_of_the_gateway_has_a_layer() -> None:
    """import-linter leaves alone what no layer names."""
    contracts = settings()["tool"]["importlinter"]["contracts"]
    assert isinstance(contracts, list)
    layered = {
        module.strip(" ()")
        for contract in contracts
        for layer in contract.get("layers", ())
        for module in re.split(r"[|:]", layer)
    }
    modules_here = {f"gateway.{path.stem}" for path in (ROOT / "gateway").iterdir() if not path.name.startswith("__i")}
    assert modules_here - {"gateway.__pycache__"} <= layered


def test_the_daemon_runs_without_what_it_must_not_load() -> None:
    daemon = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in modules()
        if path.relative_to(ROOT).parts[0] in DAEMON and path.stem != "__main__"
    ]
    assert "gateway.app" in daemon
    program = f"""
import importlib, sys
sys.modules.update({{name: None for name in {NOT_IN_THE_DAEMON!r}}})  # importing one of them fails from here on
for name in {daemon!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_text_names_a_machine_a_registry_or_a_ticket() -> None:
    found = []
    for path in tree():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name(path)}: {match[0]}" for match in NOT_IN_THE_TREE.finditer(text)]
    assert found == []


def test_no_comment_is_dated() -> None:
    found = [
        f"{name(path)}:{token.start[0]}"
        for path in modules()
        if DATE.search(path.read_text(encoding="utf-8"))  # in whatever: to look for comments takes long
        for token in tokenize.tokenize(io.BytesIO(path.read_bytes()).readline)
        if token.type == tokenize.COMMENT and DATE.search(token.string)
    ]
    assert found == []


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name)
def test_locks_carry_versions_and_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
    assert requirements
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []
    assert "://" not in text
