-- At most one row: the moment, in milliseconds, at which the database was restored from a backup, and
-- since which it knows what was used once.
CREATE TABLE IF NOT EXISTS quadrille_known_since (
    id SMALLINT NOT NULL PRIMARY KEY,
    lost BIGINT NOT NULL
) ENGINE = InnoDB;
