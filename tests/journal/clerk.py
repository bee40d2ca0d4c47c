"""A school whose database the commands of an administrator can open, at a time of day that the test names."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner

from journal.cli import main
from journal.migrate import alembic_config
from sync.clock import ENVIRONMENT
from tests.journal.judging import Judge
from tests.journal.school import School, at, school


@dataclass
class Clerk:
    """The school, its judge, and somebody who types."""

    place: School
    judge: Judge
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    async def types(self, local: str, *words: str, code: int = 0) -> str:
        """A command at that time; it has an event loop of its own."""
        standing = f"{at(local).isoformat()}|{time.monotonic()}|0.000001"
        self.monkeypatch.setenv(ENVIRONMENT, standing)
        config = str(self.folder / "journal.toml")
        result = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--config", config])
        assert result.exit_code == code, (result.output, result.exception)
        return result.output


@asynccontextmanager
async def clerk(folder: Path, monkeypatch: pytest.MonkeyPatch, *, pupils: int) -> AsyncIterator[Clerk]:
    (folder / "journal.toml").write_text(f'[state]\ndirectory = "{folder}"\n', encoding="utf-8")
    async with school(folder, pupils=pupils) as place:
        async with place.store.begin() as connection:
            await connection.run_sync(lambda it: command.stamp(alembic_config(it), "head"))
        yield Clerk(place, Judge(place), folder, monkeypatch)
