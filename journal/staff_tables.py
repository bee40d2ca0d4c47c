"""The tables of what the staff says of its school by hand, and of what an import brings beside people and lessons.

Statements, changes and corrections are only ever added: what does not hold any more is withdrawn by another row.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from journal.tables import metadata


def _site(*, primary_key: bool = False) -> Column[str]:
    return Column("site", Text, ForeignKey("sites.site"), primary_key=primary_key, nullable=False)


def _spoken() -> list[Column[str] | Column[int]]:
    """Who said it, when, and why."""
    return [
        Column("author", Text, nullable=False),
        Column("said", BigInteger, nullable=False),
        Column("note", Text, nullable=False, default="", server_default=""),
    ]


statements = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(),
    Column("person", Text, nullable=False),
    # came | left | mark | excuse | release | withdraw: journal.statements.Kind
    Column("kind", Text, nullable=False),
    # The moment, or [at, until), that it is about; a withdrawal has those of what it withdraws.
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    # Of a mark: present, late, absent or left_early.
    Column("status", Text),
    Column("minutes_late", Integer, nullable=False, default=0),
    Column("reason", Text),
    # office | teacher
    Column("source", Text, nullable=False),
    *_spoken(),
    # Of a withdrawal: what does not hold any more.
    Column("withdraws", Integer, ForeignKey("statements.id")),
    # The first of those that were said in one go.
    Column("bulk", Integer),
    Index("ix_statements_site_at", "site", "at"),
    Index("ix_statements_withdraws", "withdraws"),
)

# Changes of the timetable that no import brought: each a gateway.domain.timetable.Substitution as JSON.
changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(),
    # NULL for a withdrawal.
    Column("body", Text),
    *_spoken(),
    Column("withdraws", Integer, ForeignKey("changes.id")),
)

# Corrections of the card ledger by hand; rows of `cards` name the one that opened or closed them.
corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(),
    # swap | give | lend | end | state: journal.cards.Kind
    Column("kind", Text, nullable=False),
    *_spoken(),
)

# ---- replaced by an import

# What lessons follow from, as JSON: to place a change of today, only what it touches is compiled again.
timetables = Table(
    "timetables",
    metadata,
    _site(primary_key=True),
    Column("body", Text, nullable=False),
)

excuses = Table(
    "excuses",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(),
    Column("person", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("ix_excuses_site_since", "site", "since"),
)

# Persons whose attendance is taken otherwise: each a gateway.domain.timetable.Plan as JSON.
plans = Table(
    "plans",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(),
    Column("person", Text, nullable=False),
    Column("body", Text, nullable=False),
)

# What a site had set for itself on the days before `until`, and since the row before.
former_rules = Table(
    "former_rules",
    metadata,
    _site(primary_key=True),
    # A date.
    Column("until", Text, primary_key=True),
    Column("policy", Text, nullable=False),
    Column("overrides", Text, nullable=False),
)
