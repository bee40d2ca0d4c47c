"""The tables of what parents and class teachers are told, and of what they asked for."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from journal.tables import metadata


def _site(*, primary_key: bool = True) -> Column[str]:
    return Column("site", Text, ForeignKey("sites.site"), primary_key=primary_key, nullable=False)


notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(primary_key=False),
    Column("person", Text, nullable=False),
    Column("date", Text, nullable=False),
    Column("episode", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("template", Text, nullable=False),
    # JSON object: what the template needs.
    Column("body", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    # journal.notify.outbox.State
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent_at", BigInteger),
    Column("error", Text),
    # Who let a held one go, or dropped it, and when.
    Column("author", Text),
    Column("decided", BigInteger),
    UniqueConstraint("episode", "recipient", "template"),
    Index("ix_notices_state_due", "state", "due"),
    Index("ix_notices_site_date", "site", "date"),
)

# What a parent asked to hear besides; an import leaves it alone.
wishes = Table(
    "wishes",
    metadata,
    _site(),
    Column("person", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    # One of journal.notify.notice.ON_REQUEST.
    Column("template", Text, primary_key=True),
)

# Whose day no door can tell: for the class teacher to look.
tasks = Table(
    "tasks",
    metadata,
    _site(),
    Column("date", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    # When the lesson in doubt begins.
    Column("start", BigInteger, nullable=False),
    # JSON list of what keeps the doors from telling.
    Column("doubts", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    # When the doubt was resolved, and by whom: gate, teacher or office; both NULL while it is open.
    Column("closed", BigInteger),
    Column("closed_by", Text),
)
