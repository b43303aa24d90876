-- At most one row: the moment, in milliseconds, at which the database was restored from a backup, and
-- since which it knows what was used once.
CREATE TABLE quadrille_known_since (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    lost INTEGER NOT NULL
) STRICT;

-- At most one row: marks of used keys that expired before this second may have been removed, by a clock
-- that may have been ahead.
CREATE TABLE quadrille_swept (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    expired INTEGER NOT NULL
) STRICT;
