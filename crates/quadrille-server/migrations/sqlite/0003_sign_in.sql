-- `password_number` goes up with each new password: a session opens only under the number that its
-- password was checked against, and is over with the next.
ALTER TABLE quadrille_program_users ADD COLUMN password_number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE quadrille_program_users DROP COLUMN password_set;

-- Browsers that are signed in. `id` is the SHA-256 of what the cookie holds, sealed under the key
-- ring. Times are seconds since the Unix epoch.
CREATE TABLE quadrille_program_sessions (
    id              BLOB NOT NULL PRIMARY KEY,
    subject         TEXT NOT NULL,
    password_number INTEGER NOT NULL,
    signed_in       INTEGER NOT NULL,
    used            INTEGER NOT NULL,
    expires         INTEGER NOT NULL,
    browser         TEXT NOT NULL,
    address         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX quadrille_program_sessions_of_subject ON quadrille_program_sessions (subject);
CREATE INDEX quadrille_program_sessions_by_end ON quadrille_program_sessions (expires);

-- Failed sign-ins that still count. `key` is a keyed digest of whose they are; `recovered` is when
-- the last of them is forgiven, in milliseconds.
CREATE TABLE quadrille_program_failures (
    key       BLOB NOT NULL PRIMARY KEY,
    recovered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX quadrille_program_failures_by_end ON quadrille_program_failures (recovered);

-- One row: what tells this provider's cookies and seals from those of another one on the same host,
-- whatever it is called.
CREATE TABLE quadrille_program_mark (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    mark TEXT NOT NULL
) STRICT;

INSERT INTO quadrille_program_mark (only, mark) VALUES (1, lower(hex(randomblob(5))));
