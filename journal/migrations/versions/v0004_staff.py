"""What the staff says by hand; groups, lessons and memberships as the whole register needs them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _statements()
    _beside()
    _memberships()
    with op.batch_alter_table("groups") as table:
        table.add_column(sa.Column("shift", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("stage", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("part_of", sa.Text(), nullable=True))
    with op.batch_alter_table("slots") as table:
        table.add_column(sa.Column("place", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("obligatory", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("sites") as table:
        table.add_column(sa.Column("overrides", sa.Text(), nullable=False, server_default="[]"))
    with op.batch_alter_table("lanes") as table:
        table.add_column(sa.Column("rotations", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("cards") as table:
        table.add_column(sa.Column("opened_by", sa.Integer(), nullable=True))
        table.add_column(sa.Column("closed_by", sa.Integer(), nullable=True))


def _site(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("site", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f(f"fk_{table}_site")),
    ]


def _numbered(table: str) -> list[sa.schema.SchemaItem]:
    number = sa.Column("id", sa.Integer(), nullable=False)
    return [number, *_site(table), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def _spoken() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("said", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
    ]


def _withdraws(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("withdraws", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["withdraws"], [f"{table}.id"], name=op.f(f"fk_{table}_withdraws")),
    ]


def _statements() -> None:
    op.create_table(
        "statements",
        *_numbered("statements"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("minutes_late", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        *_spoken(),
        *_withdraws("statements"),
        sa.Column("bulk", sa.Integer(), nullable=True),
    )
    op.create_index("ix_statements_site_at", "statements", ["site", "at"], unique=False)
    op.create_index("ix_statements_withdraws", "statements", ["withdraws"], unique=False)


def _beside() -> None:
    body = sa.Column("body", sa.Text(), nullable=True)
    op.create_table("changes", *_numbered("changes"), body, *_spoken(), *_withdraws("changes"))
    kind = sa.Column("kind", sa.Text(), nullable=False)
    op.create_table("corrections", *_numbered("corrections"), kind, *_spoken())
    body = sa.Column("body", sa.Text(), nullable=False)
    key = sa.PrimaryKeyConstraint("site", name=op.f("pk_timetables"))
    op.create_table("timetables", *_site("timetables"), body, key)
    op.create_table(
        "excuses",
        *_numbered("excuses"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
    )
    op.create_index("ix_excuses_site_since", "excuses", ["site", "since"], unique=False)
    person = sa.Column("person", sa.Text(), nullable=False)
    op.create_table("plans", *_numbered("plans"), person, sa.Column("body", sa.Text(), nullable=False))


def _memberships() -> None:
    """Those that are there were always so."""
    op.rename_table("memberships", "memberships_0003")
    if op.get_context().dialect.name == "postgresql":  # there the name of a key is taken until it is gone
        op.execute("ALTER TABLE memberships_0003 DROP CONSTRAINT pk_memberships")
    op.create_table(
        "memberships",
        *_site("memberships"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False, server_default=""),
        sa.Column("until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site", "person", "group", "first", name=op.f("pk_memberships")),
    )
    copied = 'INSERT INTO memberships (site, person, "group") SELECT site, person, "group" FROM memberships_0003'
    op.execute(copied)
    op.drop_table("memberships_0003")
