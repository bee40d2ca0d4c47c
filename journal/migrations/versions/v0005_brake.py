"""Messages may be held for a person, parents may ask for more of them, and class teachers get tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sites") as table:
        table.alter_column("held", new_column_name="paused")
    with op.batch_alter_table("notices") as table:
        table.add_column(sa.Column("author", sa.Text(), nullable=True))
        table.add_column(sa.Column("decided", sa.BigInteger(), nullable=True))
        table.create_index("ix_notices_site_date", ["site", "date"], unique=False)
    op.create_table(
        "wishes",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_wishes_site")),
        sa.PrimaryKeyConstraint("site", "person", "address", "template", name=op.f("pk_wishes")),
    )
    op.create_table(
        "tasks",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("doubts", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_tasks_site")),
        sa.PrimaryKeyConstraint("site", "date", "person", name=op.f("pk_tasks")),
    )
