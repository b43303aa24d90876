-- A repeated refresh is not bound to the scopes and the audience of the one before. The rows move: to drop a
-- column, SQLite reads the views and triggers of an application, too, of which one may be broken.
CREATE TABLE quadrille_families_before AS
SELECT row, issuer, grant_id, client, actor, scopes, resources, auth, generation, current, previous,
    rotated, expires, ends
FROM quadrille_families;
DROP TABLE quadrille_families;
CREATE TABLE quadrille_families (
    row        INTEGER PRIMARY KEY,
    issuer     INTEGER NOT NULL,
    grant_id   INTEGER NOT NULL,
    client     TEXT NOT NULL,
    actor      TEXT,
    scopes     TEXT NOT NULL,
    resources  TEXT NOT NULL,
    auth       TEXT,
    generation INTEGER NOT NULL,
    current    BLOB NOT NULL,
    previous   BLOB,
    rotated    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    ends       INTEGER NOT NULL
) STRICT;
INSERT INTO quadrille_families SELECT * FROM quadrille_families_before;
DROP TABLE quadrille_families_before;
