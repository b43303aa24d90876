-- Logos of clients, as they were fetched. `fingerprint` is that of the picture, which is its name on pages;
-- `fetched` is in seconds since the Unix epoch.
CREATE TABLE quadrille_program_logos (
    url         TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    picture     BLOB NOT NULL,
    fetched     INTEGER NOT NULL
) STRICT;

CREATE INDEX quadrille_program_logos_by_fingerprint ON quadrille_program_logos (fingerprint);
CREATE INDEX quadrille_program_logos_by_time ON quadrille_program_logos (fetched);
