-- For each tag, by a name that only the key gives, the highest counter that was accepted.
CREATE TABLE IF NOT EXISTS tag (name BLOB PRIMARY KEY, counter INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- A counter is accepted once, and none below it: a row comes back only then, after it is on the disk.
INSERT INTO tag (name, counter) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET counter = excluded.counter WHERE excluded.counter > tag.counter
RETURNING counter;
