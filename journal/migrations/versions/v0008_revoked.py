"""Since when a gateway is heard no more."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateways", sa.Column("revoked", sa.BigInteger(), nullable=True))
    # Of those that were revoked before nobody knows the moment: they are not waited for, as they were not until now.
    op.execute("UPDATE gateways SET revoked = 0 WHERE state = 'revoked'")
