"""Since when and until when a lane serves its site."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that are there were always so."""
    op.rename_table("lanes", "lanes_0008")
    if op.get_context().dialect.name == "postgresql":  # there the name of a key is taken until it is gone
        op.execute("ALTER TABLE lanes_0008 DROP CONSTRAINT pk_lanes")
    op.create_table(
        "lanes",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("opens", sa.Text(), nullable=False),
        sa.Column("closes", sa.Text(), nullable=False),
        sa.Column("rotations", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_lanes_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "lane", "since", name=op.f("pk_lanes")),
    )
    columns = "site, gateway, lane, direction, opens, closes, rotations"
    op.execute(f"INSERT INTO lanes ({columns}) SELECT {columns} FROM lanes_0008")  # noqa: S608 - no value is part of it
    op.drop_table("lanes_0008")
