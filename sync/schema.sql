-- The database of one gateway. Statements end in a semicolon at the end of a line.

-- One row for each ledger that this database has held; the newest is the running one.
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    -- Every seq up to this one is committed in the journal: one row to update, however many entries it settles.
    through INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every entry, for ever in the order of append: key = epoch number * 10^12 + seq, the twelve digits of the contract.
-- A row goes to the right end of one tree and there is no second index: half the flash wear of a random key.
CREATE TABLE entry (
    key INTEGER PRIMARY KEY,
    -- The exact bytes that are hashed, sent and archived.
    body BLOB NOT NULL,
    -- h(seq).
    hash BLOB NOT NULL
) STRICT;
