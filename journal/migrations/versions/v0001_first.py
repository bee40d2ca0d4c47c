"""The first shape of the journal's tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_sites")),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("technology", sa.Text(), nullable=False),
        sa.Column("uid_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_cards_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
    )
    op.create_index("ix_cards_site_token", "cards", ["site", "token"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("consent", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_contacts_site")),
        sa.PrimaryKeyConstraint("site", "person", "address", name=op.f("pk_contacts")),
    )
    op.create_table(
        "dirty",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_dirty_site")),
        sa.PrimaryKeyConstraint("site", "date", "person", name=op.f("pk_dirty")),
    )
    op.create_table(
        "entries",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("recorded", sa.BigInteger(), nullable=True),
        sa.Column("boot", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_entries_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "epoch", "seq", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
        postgresql_partition_by="HASH (site)",
    )
    if op.get_context().dialect.name == "postgresql":
        for number in range(16):
            of = f"entries FOR VALUES WITH (MODULUS 16, REMAINDER {number})"
            op.execute(f"CREATE TABLE entries_{number:02} PARTITION OF {of}")
    op.create_index("ix_entries_site_at", "entries", ["site", "at"], unique=False)
    op.create_index("ix_entries_token", "entries", ["token"], unique=False)
    op.create_table(
        "gateways",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_gateways_site")),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateways")),
    )
    op.create_table(
        "groups",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_groups_site")),
        sa.PrimaryKeyConstraint("site", "group", name=op.f("pk_groups")),
    )
    op.create_table(
        "lanes",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("opens", sa.Text(), nullable=False),
        sa.Column("closes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_lanes_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "lane", name=op.f("pk_lanes")),
    )
    op.create_table(
        "marks",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("minutes_late", sa.Integer(), nullable=False),
        sa.Column("minutes_missed", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.Column("final", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_marks_site")),
        sa.PrimaryKeyConstraint("site", "person", "slot", "revision", name=op.f("pk_marks")),
    )
    op.create_index("ix_marks_site_date", "marks", ["site", "date"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_memberships_site")),
        sa.PrimaryKeyConstraint("site", "person", "group", name=op.f("pk_memberships")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_notices_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("episode", "recipient", "template", name=op.f("uq_notices_episode")),
    )
    op.create_index("ix_notices_state_due", "notices", ["state", "due"], unique=False)
    op.create_table(
        "people",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("class_group", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_people_site")),
        sa.PrimaryKeyConstraint("site", "person", name=op.f("pk_people")),
    )
    op.create_table(
        "publications",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stale", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_publications_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_publications")),
    )
    op.create_table(
        "quarantine",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_quarantine_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "epoch", "seq", "hash", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "segments",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("sig", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_segments_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "epoch", "first", "last", name=op.f("pk_segments")),
    )
    op.create_table(
        "slots",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_slots_site")),
        sa.PrimaryKeyConstraint("site", "slot", name=op.f("pk_slots")),
    )
    op.create_index("ix_slots_site_date", "slots", ["site", "date"], unique=False)
    op.create_table(
        "watermarks",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_watermarks_site")),
        sa.PrimaryKeyConstraint("site", "gateway", "epoch", name=op.f("pk_watermarks")),
    )


def downgrade() -> None:
    """Nothing was there before; drop the database instead."""
    raise NotImplementedError
