-- At most one row: the moment, in milliseconds, at which the database was restored from a backup, and
-- since which it knows what was used once.
CREATE TABLE quadrille_known_since (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    lost BIGINT NOT NULL
);

-- Random: a standby that has a change with another mark follows another primary.
ALTER TABLE quadrille_changes
    ADD COLUMN mark BIGINT NOT NULL DEFAULT floor(random() * 9007199254740992)::bigint;
