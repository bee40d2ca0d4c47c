"""Alembic runs this to get at the database: the caller hands over an open connection."""

from alembic import context

from journal import staff_tables as _staff_tables  # noqa: F401 - its tables join the others
from journal.notify import tables as _notices  # noqa: F401 - the same
from journal.tables import metadata

connection = context.config.attributes["connection"]
# SQLite cannot alter a column: Alembic copies the table instead.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
