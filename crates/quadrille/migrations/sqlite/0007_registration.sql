-- Clients that registered themselves and were never used: what each registration reads of them all.
-- The rest of a client is in its record.
CREATE TABLE quadrille_unused_clients (
    issuer  INTEGER NOT NULL,
    id      TEXT NOT NULL,
    number  INTEGER NOT NULL,
    address TEXT,
    expires INTEGER NOT NULL,
    PRIMARY KEY (issuer, id)
) STRICT, WITHOUT ROWID;

-- Initial access tokens: `uses` is what is left.
CREATE TABLE quadrille_initial_tokens (
    row     INTEGER PRIMARY KEY,
    issuer  INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    name    TEXT NOT NULL,
    uses    INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX quadrille_initial_tokens_of_hash ON quadrille_initial_tokens (issuer, hash);
