-- Rows are numbered by time (see RowId), so that inserts are appends and look-ups an integer key;
-- no token table has a second index. Secrets are there as SHA-256 only. Times are seconds since the
-- Unix epoch, except those of leases: milliseconds. Every table and index is named `quadrille_...`,
-- since an application may have its own tables in the same file.

CREATE TABLE quadrille_issuers (
    number INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE quadrille_workers (
    number  INTEGER PRIMARY KEY,
    holder  BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

-- What other processes must forget. The newest row is never removed, so that no position comes twice.
CREATE TABLE quadrille_changes (
    position INTEGER PRIMARY KEY,
    issuer   INTEGER NOT NULL,
    change   TEXT NOT NULL
) STRICT;

CREATE TABLE quadrille_clients (
    issuer INTEGER NOT NULL,
    id     TEXT NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (issuer, id)
) STRICT, WITHOUT ROWID;

-- `actor` is null for the client itself, `u` and the subject for a person, `c` and the id for
-- another client. `resources` are APIs (RFC 8707) with spaces between; empty for the server's own.
CREATE TABLE quadrille_codes (
    row          INTEGER PRIMARY KEY,
    issuer       INTEGER NOT NULL,
    grant_id     INTEGER NOT NULL,
    client       TEXT NOT NULL,
    actor        TEXT,
    scopes       TEXT NOT NULL,
    resources    TEXT NOT NULL,
    auth         TEXT,
    hash         BLOB NOT NULL,
    expires      INTEGER NOT NULL,
    redirect_uri TEXT,
    challenge    TEXT,
    redeemed     INTEGER NOT NULL
) STRICT;

CREATE TABLE quadrille_access_tokens (
    row       INTEGER PRIMARY KEY,
    issuer    INTEGER NOT NULL,
    grant_id  INTEGER NOT NULL,
    client    TEXT NOT NULL,
    actor     TEXT,
    scopes    TEXT NOT NULL,
    resources TEXT NOT NULL,
    auth      TEXT,
    hash      BLOB NOT NULL,
    expires   INTEGER NOT NULL
) STRICT;

CREATE TABLE quadrille_families (
    row               INTEGER PRIMARY KEY,
    issuer            INTEGER NOT NULL,
    grant_id          INTEGER NOT NULL,
    client            TEXT NOT NULL,
    actor             TEXT,
    scopes            TEXT NOT NULL,
    resources         TEXT NOT NULL,
    auth              TEXT,
    generation        INTEGER NOT NULL,
    current           BLOB NOT NULL,
    previous          BLOB,
    rotated           INTEGER NOT NULL,
    rotated_scopes    TEXT NOT NULL,
    rotated_resources TEXT NOT NULL,
    expires           INTEGER NOT NULL,
    ends              INTEGER NOT NULL
) STRICT;

-- Where tokens that others made are kept. The keys of this and the following begin with the issuer's
-- number in eight bytes.
CREATE TABLE quadrille_foreign_tokens (
    key     BLOB PRIMARY KEY,
    row     INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quadrille_tickets (
    key     BLOB PRIMARY KEY,
    code    INTEGER,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quadrille_once (
    key     BLOB PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quadrille_consents (
    issuer    INTEGER NOT NULL,
    subject   TEXT NOT NULL,
    client    TEXT NOT NULL,
    resources TEXT NOT NULL,
    scopes    TEXT NOT NULL,
    given     INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject, client, resources)
) STRICT, WITHOUT ROWID;

-- Tombstones, which also keep off what is not issued yet.
CREATE TABLE quadrille_revoked (
    grant_id INTEGER PRIMARY KEY,
    issuer   INTEGER NOT NULL,
    expires  INTEGER NOT NULL
) STRICT;

-- Grants of `actor` up to `last` are dead; to one client, or to all where it is empty.
CREATE TABLE quadrille_cut (
    issuer INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    client TEXT NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (issuer, actor, client)
) STRICT, WITHOUT ROWID;
