"""The index of origins holds the few entries that have one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    some = sa.text("origin IS NOT NULL")
    op.drop_index("ix_entries_origin", table_name="entries")
    op.create_index("ix_entries_origin", "entries", ["origin"], postgresql_where=some, sqlite_where=some)
