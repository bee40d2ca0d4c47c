"""What a site had set for itself on days before."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is set now has always been."""
    op.create_table(
        "former_rules",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_former_rules_site")),
        sa.PrimaryKeyConstraint("site", "until", name=op.f("pk_former_rules")),
    )
