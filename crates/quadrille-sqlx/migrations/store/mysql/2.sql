-- At most one row: the moment, in milliseconds, at which the database was restored from a backup, and
-- since which it knows what was used once.
CREATE TABLE IF NOT EXISTS quadrille_known_since (
    id SMALLINT NOT NULL PRIMARY KEY,
    lost BIGINT NOT NULL
) ENGINE = InnoDB;

-- At most one row: marks of used keys that expired before this second may have been removed, by a clock
-- that may have been ahead.
CREATE TABLE IF NOT EXISTS quadrille_swept (
    id SMALLINT NOT NULL PRIMARY KEY,
    expired BIGINT NOT NULL
) ENGINE = InnoDB;
