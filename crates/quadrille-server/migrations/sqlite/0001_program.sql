-- People who can sign in. `name` is as it was given, `key` as it is looked for; sessions from before
-- `password_set` are over.
CREATE TABLE quadrille_program_users (
    key          TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    subject      TEXT NOT NULL UNIQUE,
    password     TEXT NOT NULL,
    password_set INTEGER NOT NULL,
    created      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: what this data directory is called, and whether somebody said so.
CREATE TABLE quadrille_program_issuer (
    only   INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    issuer TEXT NOT NULL,
    given  INTEGER NOT NULL
) STRICT;
