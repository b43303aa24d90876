-- Users, who can sign in. `name` is as it was given, `key` as it is compared. `password_number` rises
-- with each new password, which ends the sessions of the number before. `claims` is an object in JSON of
-- what is known about the user (OpenID Connect Core, section 5.1).
CREATE TABLE IF NOT EXISTS quadrille_program_users (
    `key` VARBINARY(1024) NOT NULL PRIMARY KEY,
    name BLOB NOT NULL,
    subject VARBINARY(1024) NOT NULL UNIQUE,
    password BLOB NOT NULL,
    password_number BIGINT NOT NULL,
    created BIGINT NOT NULL,
    claims MEDIUMBLOB NOT NULL
) ENGINE = InnoDB;

-- Browsers that are signed in. `id` is the SHA-256 of the secret in the cookie, which is sealed under
-- the key ring. `name` is the session as pages, commands and clients know it; a new sign-in of the same
-- user in the browser keeps it, with another `id`. `clients` is an array in JSON of those that learn of
-- its end. Times are seconds since 1970; that of the sign-in milliseconds.
CREATE TABLE IF NOT EXISTS quadrille_program_sessions (
    id VARBINARY(32) NOT NULL PRIMARY KEY,
    name VARBINARY(64) NOT NULL,
    subject VARBINARY(1024) NOT NULL,
    password_number BIGINT NOT NULL,
    signed_in BIGINT NOT NULL,
    used BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    browser BLOB NOT NULL,
    address BLOB NOT NULL,
    clients MEDIUMBLOB NOT NULL,
    KEY quadrille_program_sessions_by_subject (subject),
    KEY quadrille_program_sessions_by_expiry (expires)
) ENGINE = InnoDB;

-- Sessions that have ended, until a process that serves has told their clients. `leased` is until
-- when a process is at it, in seconds since 1970.
CREATE TABLE IF NOT EXISTS quadrille_program_ended (
    name VARBINARY(64) NOT NULL PRIMARY KEY,
    subject VARBINARY(1024) NOT NULL,
    signed_in BIGINT NOT NULL,
    clients MEDIUMBLOB NOT NULL,
    leased BIGINT NOT NULL,
    KEY quadrille_program_ended_by_lease (leased)
) ENGINE = InnoDB;

-- Failed sign-ins that still count. `key` is a keyed digest of the parties; `recovered` is when the
-- last of them is forgiven, in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS quadrille_program_failures (
    `key` VARBINARY(16) NOT NULL PRIMARY KEY,
    recovered BIGINT NOT NULL,
    KEY quadrille_program_failures_by_end (recovered)
) ENGINE = InnoDB;

-- One row: the issuer.
CREATE TABLE IF NOT EXISTS quadrille_program_issuer (
    id SMALLINT NOT NULL PRIMARY KEY,
    issuer BLOB NOT NULL,
    given TINYINT NOT NULL
) ENGINE = InnoDB;

-- One row: the settings on which clients depend, as `serve` had them last. `scopes` is an object in
-- JSON of names and descriptions, `resources` is separated by spaces, `grant_types` is an array in
-- JSON.
CREATE TABLE IF NOT EXISTS quadrille_program_served_with (
    id SMALLINT NOT NULL PRIMARY KEY,
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    grant_types MEDIUMBLOB NOT NULL,
    oauth1 TINYINT NOT NULL
) ENGINE = InnoDB;

-- One row: random text that separates the cookies and seals of this provider from those of another
-- one at the same host. `checks` counts how often a process found out whether the database is written.
CREATE TABLE IF NOT EXISTS quadrille_program_mark (
    id SMALLINT NOT NULL PRIMARY KEY,
    mark VARBINARY(32) NOT NULL,
    checks BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO quadrille_program_mark (id, mark, checks)
    VALUES (1, left(md5(concat(uuid(), rand(), now(6))), 10), 0);

-- One row, which is locked while a user is added, so that no two get names that look the same.
CREATE TABLE IF NOT EXISTS quadrille_program_adding (
    id SMALLINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO quadrille_program_adding (id) VALUES (1);

-- Logos of clients, as they were fetched. `hash` is the SHA-256 of the URL, `fingerprint` that of the picture,
-- which is its name on pages; `fetched` is in seconds since 1970.
CREATE TABLE IF NOT EXISTS quadrille_program_logos (
    hash VARBINARY(32) NOT NULL PRIMARY KEY,
    url MEDIUMBLOB NOT NULL,
    fingerprint VARBINARY(64) NOT NULL,
    picture MEDIUMBLOB NOT NULL,
    fetched BIGINT NOT NULL,
    KEY quadrille_program_logos_by_fingerprint (fingerprint),
    KEY quadrille_program_logos_by_time (fetched)
) ENGINE = InnoDB;
