-- name: append
-- One group of entries in one statement, so one commit and one sync; more rows are more tuples of values.
INSERT INTO entry (key, body, hash) VALUES (?, ?, ?)

-- name: begin_epoch
-- The next ledger.
INSERT INTO epoch (id, site, gateway) VALUES (:id, :site, :gateway) RETURNING number

-- name: running
-- The running epoch, how far it is settled, and its oldest and newest row; the newest row is never pruned.
SELECT epoch.number, epoch.id, epoch.site, epoch.gateway, epoch.through,
       (SELECT min(key) FROM entry WHERE key > epoch.number * 1000000000000) % 1000000000000 AS oldest,
       newest.key % 1000000000000 AS last, newest.hash AS head
FROM (SELECT key, hash FROM entry ORDER BY key DESC LIMIT 1) AS newest
JOIN epoch ON epoch.number = newest.key / 1000000000000

-- name: after
-- What comes after a row, in order.
SELECT key, body, hash FROM entry WHERE key > :key ORDER BY key LIMIT :limit

-- name: between
-- The same, no further than the end of its epoch.
SELECT key, body, hash FROM entry WHERE key > :after AND key < :before ORDER BY key LIMIT :limit

-- name: before
-- What comes before a row, newest first.
SELECT key, body FROM entry WHERE key < :key ORDER BY key DESC LIMIT :limit

-- name: of_terminals
-- The same, of what has a time that a terminal told; read at start only, so it needs no index.
SELECT key, body FROM entry WHERE key < :key AND instr(body, CAST('"boot":"terminal"' AS BLOB)) > 0
ORDER BY key DESC LIMIT :limit

-- name: hash
-- h(seq) of one row.
SELECT hash FROM entry WHERE key = :key

-- name: settle
-- The watermark of the journal; it goes back when the journal was restored from a backup.
UPDATE epoch SET through = :through WHERE number = :number

-- name: first_recorded
-- The first entry after a row that was recorded since: what comes before it is older.
SELECT key FROM entry
WHERE key > :after AND json_extract(CAST(body AS TEXT), '$.recordedtime') >= :since
ORDER BY key LIMIT 1

-- name: prune
-- Drops the oldest rows up to the first that must stay, :stop or recorded since, but for the one before it, whose hash
-- is its link. A time in the future tells that a clock is wrong, then or now: nobody knows how old that entry is, and it stays.
DELETE FROM entry WHERE key > :base AND key < coalesce((
    SELECT key FROM entry
    WHERE key > :base AND key < :stop
      AND json_extract(CAST(body AS TEXT), '$.recordedtime') >= :since
    ORDER BY key LIMIT 1
), :stop) - 1
RETURNING key

-- name: prune_epochs
-- The same for the epochs before the running one: what of them was not settled stands again in the running one.
DELETE FROM entry WHERE key IN (
    SELECT key FROM entry
    WHERE key < :base AND json_extract(CAST(body AS TEXT), '$.recordedtime') < :since
    ORDER BY key LIMIT :limit
)
RETURNING key

-- name: newest_epoch
-- The ledger that a database which was put aside had been writing.
SELECT number, id, site, gateway, through FROM epoch ORDER BY number DESC LIMIT 1

-- name: epochs
-- Every ledger that this database has held, oldest first.
SELECT number, id, site, gateway FROM epoch ORDER BY number
