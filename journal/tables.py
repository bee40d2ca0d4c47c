"""The journal's tables: what gateways sent, what the office said, what was judged.

Moments are UTC milliseconds since 1970 in BIGINT, days are `YYYY-MM-DD` of the site's zone, flags are 0 or 1, so that
every database compares and sorts them alike.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
    text,
)

_BY_COLUMN = ("fk", "uq", "ix")
metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s"}
    | {key: f"{key}_%(table_name)s_%(column_0_name)s" for key in _BY_COLUMN}
)


def _site(*, primary_key: bool = True) -> Column[str]:
    return Column("site", Text, ForeignKey("sites.site"), primary_key=primary_key, nullable=False)


def _stream() -> list[Column[str]]:
    """The columns that name a ledger of a gateway."""
    return [_site(), Column("gateway", Text, primary_key=True), Column("epoch", Text, primary_key=True)]


sites = Table(
    "sites",
    metadata,
    Column("site", Text, primary_key=True),
    # As parents read it.
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("language", Text, nullable=False),
    # JSON of gateway.domain.policy.Policy, and of a list of its overrides.
    Column("policy", Text, nullable=False),
    Column("overrides", Text, nullable=False, default="[]", server_default="[]"),
    # 1 while nobody is told anything: 'notify pause'.
    Column("paused", Integer, nullable=False, default=0, server_default="0"),
    # Grows whenever the office changes something that gateways must hear.
    Column("revision", BigInteger, nullable=False, default=0),
)

# The newest directory of a site, to publish the same bytes again after a restart of the journal or of the broker.
publications = Table(
    "publications",
    metadata,
    _site(),
    Column("version", BigInteger, nullable=False),
    # The signed manifest, and the parts joined.
    Column("manifest", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    # JSON list of the hashes of retained parts that nobody needs any more.
    Column("stale", Text, nullable=False),
)

gateways = Table(
    "gateways",
    metadata,
    # Client id and certificate name at the broker, so it is unique over all sites.
    Column("gateway", Text, primary_key=True),
    _site(primary_key=False),
    Column("public_key", LargeBinary, nullable=False),
    # What the gateway announced under that one; it takes its place with the first birth that it signs.
    Column("next_key", LargeBinary, nullable=True),
    Column("added", BigInteger, nullable=False),
    # active | revoked
    Column("state", Text, nullable=False, default="active"),
    # From then on nobody waits for its lanes; what they may have seen before and never told stays unknown.
    Column("revoked", BigInteger, nullable=True),
)

# ---- what gateways sent: rows are added, never changed

_APPENDED_AGAIN = text("origin IS NOT NULL")
entries = Table(
    "entries",
    metadata,
    *_stream(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # As it was signed; and h(seq).
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # From here on NULL where it does not decode.
    Column("type", Text),
    Column("at", BigInteger),
    Column("recorded", BigInteger),
    Column("boot", Text),
    Column("lane", Text),
    Column("token", Text),
    # Why nobody may judge by it: malformed | identity | repeated.
    Column("flag", Text),
    # epoch/seq/hash where it stood before, if it was appended again under this epoch.
    Column("origin", Text),
    Column("received", BigInteger, nullable=False),
    Index("ix_entries_site_at", "site", "at"),
    Index("ix_entries_token", "token"),
    # Of the few that have one.
    Index("ix_entries_origin", "origin", postgresql_where=_APPENDED_AGAIN, sqlite_where=_APPENDED_AGAIN),
    sqlite_with_rowid=False,
    postgresql_partition_by="HASH (site)",
)
#: Of `entries` on PostgreSQL; a site is in one of them: docs/decisions/0028.
PARTITIONS = tuple(
    f"CREATE TABLE entries_{n:02} PARTITION OF entries FOR VALUES WITH (MODULUS 16, REMAINDER {n})" for n in range(16)
)
for _partition in PARTITIONS:
    event.listen(entries, "after_create", DDL(_partition).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]

segments = Table(
    "segments",
    metadata,
    *_stream(),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, primary_key=True, autoincrement=False),
    Column("prev", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("kid", Text, nullable=False),
    Column("sig", Text, nullable=False),
)

watermarks = Table(
    "watermarks",
    metadata,
    *_stream(),
    # Every seq up to this one is in entries and linked; head = h(through).
    Column("through", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    *_stream(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("received", BigInteger, nullable=False),
)

# Days to judge again. `stamp` grows with every fact: who judged deletes what it read. person '' is everybody.
dirty = Table(
    "dirty",
    metadata,
    _site(),
    Column("date", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("stamp", BigInteger, nullable=False, default=1),
)

# ---- what the office said: replaced by an import, except what has a past; by hand: journal.staff_tables

groups = Table(
    "groups",
    metadata,
    _site(),
    Column("group", Text, primary_key=True),
    Column("title", Text, nullable=False),
    # 1 to 11; NULL for a group that spans grades.
    Column("grade", Integer),
    Column("shift", Integer, nullable=False, default=1, server_default="1"),
    Column("stage", Text, nullable=False, default="", server_default=""),
    # The class that it is a part of.
    Column("part_of", Text),
)

people = Table(
    "people",
    metadata,
    _site(),
    Column("person", Text, primary_key=True),
    Column("last_name", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    # The group that is the person's class; every group of the person, this one too, is in memberships.
    Column("class_group", Text),
    Column("language", Text),
    # pupil | staff; staff are never judged.
    Column("role", Text, nullable=False, default="pupil"),
    # Who left stays, so that old marks keep a name: 1 present in the newest import, 0 not.
    Column("active", Integer, nullable=False, default=1),
)

# Who was in which group when, [first, until) in days; '' is always.
memberships = Table(
    "memberships",
    metadata,
    _site(),
    Column("person", Text, primary_key=True),
    Column("group", Text, primary_key=True),
    Column("first", Text, primary_key=True, default="", server_default=""),
    Column("until", Text),
)

contacts = Table(
    "contacts",
    metadata,
    _site(),
    Column("person", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("language", Text),
    # 1 only where the parent agreed to be told.
    Column("consent", Integer, nullable=False),
)

# Who held which card when, [valid_from, valid_to); a correction closes a row and opens another.
cards = Table(
    "cards",
    metadata,
    Column("id", Integer, primary_key=True),
    _site(primary_key=False),
    Column("token", Text, nullable=False),
    Column("technology", Text, nullable=False),
    Column("uid_encrypted", LargeBinary, nullable=False),
    Column("person", Text, nullable=False),
    Column("valid_from", BigInteger),
    Column("valid_to", BigInteger),
    # active | blocked | lost
    Column("state", Text, nullable=False),
    # The corrections by hand that opened and closed the row; NULL is an import.
    Column("opened_by", Integer),
    Column("closed_by", Integer),
    Index("ix_cards_site_token", "site", "token"),
)

slots = Table(
    "slots",
    metadata,
    _site(),
    Column("slot", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("date", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    # Where it is held; '' is the site itself.
    Column("place", Text, nullable=False, default="", server_default=""),
    Column("obligatory", Integer, nullable=False, default=1, server_default="1"),
    Index("ix_slots_site_date", "site", "date"),
)

# Which lanes serve the site when, [since, until) in moments; 0 is always.
lanes = Table(
    "lanes",
    metadata,
    _site(),
    Column("gateway", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False, default=0, server_default="0"),
    Column("until", BigInteger),
    Column("direction", Text, nullable=False),
    # Local wall time HH:MM of its service.
    Column("opens", Text, nullable=False),
    Column("closes", Text, nullable=False),
    # 1 where its gate reports who went through.
    Column("rotations", Integer, nullable=False, default=0, server_default="0"),
)

# ---- what was judged; who was told: journal.notify.tables

# The newest revision of (site, person, slot) counts; an older one is history.
marks = Table(
    "marks",
    metadata,
    _site(),
    Column("person", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("date", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("minutes_late", Integer, nullable=False),
    Column("minutes_missed", Integer, nullable=False),
    Column("complete", Integer, nullable=False),
    Column("gaps", Text, nullable=False, default="[]"),
    Column("final", Integer, nullable=False),
    Column("reason", Text),
    # office | teacher | gate
    Column("source", Text, nullable=False, default="gate"),
    Column("judged_at", BigInteger, nullable=False),
    Index("ix_marks_site_date", "site", "date"),
)
