"""What all commands of the journal share: where the configuration is, how an error ends."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import click
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import AttendanceError, ConfigError
from journal.settings import DEFAULT, ENVIRONMENT, Settings, StateTable, load
from journal.store import Store, opened
from journal.tables import sites

F = TypeVar("F", bound=Callable[..., Any])


def configured(command: F) -> F:
    """Adds --config to a command, as the argument `config`."""
    path = click.Path(dir_okay=False, path_type=Path)
    return click.option(
        "--config",
        type=path,
        default=DEFAULT,
        envvar=ENVIRONMENT,
        show_default=True,
        show_envvar=True,
        help="Its configuration.",
    )(command)


@contextmanager
def speaking_errors() -> Iterator[None]:
    """An operator's error is a sentence with a hint and exit 1, never a traceback; several at once tell the first."""
    try:
        yield
    except (AttendanceError, ExceptionGroup) as error:
        if (told := _told(error)) is None:
            raise
        click.echo(f"error: {told}\n hint: {told.hint}", err=True)
        raise SystemExit(1) from None


@asynccontextmanager
async def furnished(config: Path, *, rehearsed: bool = False) -> AsyncIterator[tuple[Settings, Store]]:
    """The configuration and its database, in the shape that this version needs. Raises ConfigError.

    What is only rehearsed makes no database where none is: it happens in an empty one that nobody sees again.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells every step, and what it loads before the first
    from journal.migrate import migrate  # noqa: PLC0415 - Alembic is slow to load, and reports need it not

    settings = load(config)
    with ExitStack() as stack:
        if rehearsed and not ran_before(settings.url):
            state = StateTable(directory=Path(stack.enter_context(TemporaryDirectory())))
            settings = settings.model_copy(update={"state": state, "database": None})
        settings.state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with opened(settings.url) as store:
            await migrate(store)
            yield settings, store


@asynccontextmanager
async def reading(config: Path) -> AsyncIterator[AsyncConnection]:
    """One picture of the database for a command that changes nothing, not even makes a file. Raises ConfigError."""
    url = load(config).url
    place = make_url(url).render_as_string()
    never = ConfigError(f"{place}: no journal ever ran on this database", hint="attendance-journal migrate")
    if not ran_before(url):
        raise never
    async with opened(url) as store, store.read() as connection:
        if not await connection.run_sync(lambda it: inspect(it).has_table(sites.name)):
            raise never
        try:
            yield connection
        except (OperationalError, ProgrammingError) as error:
            raise ConfigError(
                f"the database cannot be read: {error.orig}", hint="attendance-journal migrate"
            ) from error


def ran_before(url: str) -> bool:
    """Whether there is a database; a server's is found out by connecting."""
    place = make_url(url)
    return place.get_backend_name() != "sqlite" or Path(place.database or "").exists()


def _told(error: Exception) -> AttendanceError | None:
    """What an operator can mend; None where a bug is part of it."""
    if isinstance(error, ExceptionGroup):
        _, bugs = error.split(AttendanceError)
        return _told(error.exceptions[0]) if bugs is None else None
    return error if isinstance(error, AttendanceError) else None
