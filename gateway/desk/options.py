"""What all commands of the gateway share: how a file is named, how an error ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.errors import AttendanceError, ConfigError

CONFIG = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def speaking_errors(*, unusable: int = 1) -> Iterator[None]:
    """An operator's error is two lines and exit 1, a configuration's `unusable`, never a traceback."""
    try:
        yield
    except AttendanceError as error:
        click.echo(f"error: {error}\n hint: {error.hint}", err=True)
        raise SystemExit(unusable if isinstance(error, ConfigError) else 1) from None
