-- OAuth 1.0a. `identifier` is the hash of the identifier: of its secret part, or of all of it where
-- `is_foreign`. `secret` is sealed. The columns from `verifier` on are null until a person has
-- approved; `asked` is what was asked for. `state`: 0 pending, 1 approved, 2 redeemed, 3 denied.
CREATE TABLE quadrille_temporary_credentials (
    row        INTEGER PRIMARY KEY,
    issuer     INTEGER NOT NULL,
    identifier BLOB NOT NULL,
    is_foreign INTEGER NOT NULL,
    secret     BLOB NOT NULL,
    client     TEXT NOT NULL,
    callback   TEXT NOT NULL,
    asked      TEXT NOT NULL,
    expires    INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    verifier   BLOB,
    grant_id   INTEGER,
    actor      TEXT,
    scopes     TEXT,
    resources  TEXT,
    auth       TEXT
) STRICT;

CREATE UNIQUE INDEX quadrille_foreign_temporary_credentials
    ON quadrille_temporary_credentials (issuer, identifier) WHERE is_foreign;

-- The only tokens that may live for ever, so that they are removed when they are revoked. There is
-- one for a grant.
CREATE TABLE quadrille_token_credentials (
    grant_id   INTEGER PRIMARY KEY,
    issuer     INTEGER NOT NULL,
    client     TEXT NOT NULL,
    actor      TEXT,
    scopes     TEXT NOT NULL,
    resources  TEXT NOT NULL,
    auth       TEXT,
    hash       BLOB NOT NULL,
    is_foreign INTEGER NOT NULL,
    secret     BLOB NOT NULL,
    expires    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX quadrille_foreign_token_credentials
    ON quadrille_token_credentials (issuer, hash) WHERE is_foreign;
CREATE INDEX quadrille_token_credentials_of_actor ON quadrille_token_credentials (issuer, actor);
