-- At most one row: the moment, in milliseconds, at which the database was restored from a backup, and
-- since which it knows what was used once.
CREATE TABLE quadrille_known_since (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    lost BIGINT NOT NULL
);

-- At most one row: marks of used keys that expired before this second may have been removed, by a clock
-- that may have been ahead.
CREATE TABLE quadrille_swept (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    expired BIGINT NOT NULL
);

-- Random: a standby that has a change with another mark follows another primary.
ALTER TABLE quadrille_changes
    ADD COLUMN mark BIGINT NOT NULL DEFAULT floor(random() * 9007199254740992)::bigint;

-- The timeline of the primary that told its promotion as a change.
ALTER TABLE quadrille_positions ADD COLUMN timeline TEXT;
