"""Brings the database to the shape that this version of the journal needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from gateway.errors import ConfigError
from journal.store import Store


async def migrate(store: Store) -> bool:
    """Bring the database to the newest revision in one transaction; True where something changed. Raises ConfigError."""
    async with store.begin() as connection:
        return await connection.run_sync(_upgrade)


def alembic_config(connection: Connection) -> Config:
    """What Alembic needs to know; no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> bool:
    config = alembic_config(connection)
    before = MigrationContext.configure(connection).get_current_revision()
    try:
        if before == ScriptDirectory.from_config(config).get_current_head():
            return False
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the database has a shape that this version does not know: {error}",
            hint="install the version of the journal that wrote it, or a newer one",
        ) from error
    return True
