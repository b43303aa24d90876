-- Users, who can sign in. `name` is as it was given, `key` as it is compared. `password_number` rises
-- with each new password, which ends the sessions of the number before.
CREATE TABLE quadrille_program_users (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL UNIQUE,
    password TEXT NOT NULL,
    password_number BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Browsers that are signed in. `id` is the SHA-256 of the secret in the cookie, which is sealed under
-- the key ring. Times are seconds since 1970.
CREATE TABLE quadrille_program_sessions (
    id BYTEA NOT NULL PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    password_number BIGINT NOT NULL,
    signed_in BIGINT NOT NULL,
    used BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX quadrille_program_sessions_by_subject ON quadrille_program_sessions (subject);
CREATE INDEX quadrille_program_sessions_by_expiry ON quadrille_program_sessions (expires);

-- Failed sign-ins that still count. `key` is a keyed digest of the parties; `recovered` is when the
-- last of them is forgiven, in milliseconds since 1970.
CREATE TABLE quadrille_program_failures (
    key BYTEA NOT NULL PRIMARY KEY,
    recovered BIGINT NOT NULL
);
CREATE INDEX quadrille_program_failures_by_end ON quadrille_program_failures (recovered);

-- One row: the issuer.
CREATE TABLE quadrille_program_issuer (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    issuer TEXT NOT NULL,
    given BOOLEAN NOT NULL
);

-- One row: the settings on which clients depend, as `serve` had them last. `scopes` is an object in
-- JSON of names and descriptions, `resources` is separated by spaces, `grant_types` is an array in
-- JSON.
CREATE TABLE quadrille_program_served_with (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    oauth1 BOOLEAN NOT NULL
);

-- One row: random text that separates the cookies and seals of this provider from those of another
-- one at the same host.
CREATE TABLE quadrille_program_mark (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    mark TEXT NOT NULL
);
INSERT INTO quadrille_program_mark (id, mark)
    VALUES (1, left(replace(gen_random_uuid()::text, '-', ''), 10));

-- Secrets of the processes, sealed under their key ring: `proof`, by which a process notices that it
-- has another ring, and `signing_keys`.
CREATE TABLE quadrille_program_sealed (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);
