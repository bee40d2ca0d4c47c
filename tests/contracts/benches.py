"""Every kind of this tree with what its own tests bring for the contract suites."""

import importlib
from typing import Any

from drivers.registry import KINDS


def bench_of(kind: str) -> Any:
    """The bench.py beside the other tests of a kind."""
    return importlib.import_module(f"tests.drivers.{kind}.bench")


def every(table: str) -> dict[str, Any]:
    """What all kinds have in a table of that name: how to make the bench, by name."""
    return {name: make for kind in KINDS for name, make in getattr(bench_of(kind), table, {}).items()}


def patience() -> dict[str, object]:
    """What gives up on an answer so soon that a busy machine is taken for a broken device, by its name in full, and what it is for a test."""
    return {name: value for kind in KINDS for name, value in getattr(bench_of(kind), "PATIENCE", {}).items()}


def unnoticed() -> set[str]:
    """Readers whose vanishing nobody can notice."""
    return {name for kind in KINDS for name in getattr(bench_of(kind), "UNNOTICED", ())}
