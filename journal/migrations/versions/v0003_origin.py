"""Where an entry stood that was appended again under a new epoch."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("origin", sa.Text(), nullable=True))
    op.create_index("ix_entries_origin", "entries", ["origin"], unique=False)
