-- `name` is the session as pages, commands and clients know it; a new sign-in of the same user in the
-- browser keeps it, with another `id`. `clients` is an array in JSON of those that learn of its end.
ALTER TABLE quadrille_program_sessions ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE quadrille_program_sessions ADD COLUMN clients TEXT NOT NULL DEFAULT '[]';
UPDATE quadrille_program_sessions SET name = substr(lower(hex(id)), 1, 16);

-- The time of a sign-in in milliseconds, not in seconds.
UPDATE quadrille_program_sessions SET signed_in = signed_in * 1000;

-- Sessions that have ended, until a process that serves has told their clients. `leased` is until
-- when a process is at it, in seconds since the Unix epoch.
CREATE TABLE quadrille_program_ended (
    name      TEXT NOT NULL PRIMARY KEY,
    subject   TEXT NOT NULL,
    signed_in INTEGER NOT NULL,
    clients   TEXT NOT NULL,
    leased    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An object in JSON of what is known about the user (OpenID Connect Core, section 5.1).
ALTER TABLE quadrille_program_users ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';
