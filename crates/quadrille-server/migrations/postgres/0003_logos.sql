-- Logos of clients, as they were fetched. `fingerprint` is that of the picture, which is its name on pages;
-- `fetched` is in seconds since 1970.
CREATE TABLE quadrille_program_logos (
    url TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fingerprint TEXT COLLATE "C" NOT NULL,
    picture BYTEA NOT NULL,
    fetched BIGINT NOT NULL
);
CREATE INDEX quadrille_program_logos_by_fingerprint ON quadrille_program_logos (fingerprint);
CREATE INDEX quadrille_program_logos_by_time ON quadrille_program_logos (fetched);
