-- Rows are numbered by time (RowId), so that inserts are appends. All texts are bytes: they are
-- compared exactly, in whichever character set. Secrets are SHA-256 hashes. Times are seconds since
-- 1970, but for those of leases: milliseconds.

CREATE TABLE IF NOT EXISTS quadrille_issuers (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    issuer VARBINARY(1024) NOT NULL UNIQUE
) ENGINE = InnoDB;

-- All worker numbers, leased or not.
CREATE TABLE IF NOT EXISTS quadrille_workers (
    number BIGINT NOT NULL PRIMARY KEY,
    holder VARBINARY(32) NOT NULL,
    expires BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO quadrille_workers (number, holder, expires)
    SELECT a.n * 256 + b.n * 64 + c.n * 16 + d.n * 4 + e.n, '', 0 FROM
    (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) a,
    (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) b,
    (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) c,
    (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) d,
    (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) e;

-- One row: the greatest number of a client or an initial token, or up to which something was
-- revoked. Of the other numbers the greatest are in their tables.
CREATE TABLE IF NOT EXISTS quadrille_newest (
    id SMALLINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO quadrille_newest (id, number) VALUES (1, 0);

-- What other processes must forget. A position is the next number of the one row below, whose lock
-- ends with the commit: positions become visible in their order.
CREATE TABLE IF NOT EXISTS quadrille_changes (
    position BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    told BLOB NOT NULL
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS quadrille_positions (
    id SMALLINT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO quadrille_positions (id, last) VALUES (1, 0);

-- `record` is JSON, or empty for a client that is kept elsewhere.
CREATE TABLE IF NOT EXISTS quadrille_clients (
    issuer BIGINT NOT NULL,
    id VARBINARY(1024) NOT NULL,
    number BIGINT NOT NULL,
    record MEDIUMBLOB NOT NULL,
    PRIMARY KEY (issuer, id)
) ENGINE = InnoDB;

-- Clients that must be used until `expires`.
CREATE TABLE IF NOT EXISTS quadrille_unused_clients (
    issuer BIGINT NOT NULL,
    id VARBINARY(1024) NOT NULL,
    number BIGINT NOT NULL,
    address MEDIUMBLOB,
    expires BIGINT NOT NULL,
    PRIMARY KEY (issuer, id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_initial_tokens (
    `row` BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    name BLOB NOT NULL,
    uses BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    UNIQUE (issuer, hash),
    KEY quadrille_initial_tokens_by_expiry (expires)
) ENGINE = InnoDB;

-- `actor` is null for the client itself, `u` and the subject for a user, `c` and the id for another
-- client. `auth` is JSON.
CREATE TABLE IF NOT EXISTS quadrille_codes (
    `row` BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025),
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    auth MEDIUMBLOB,
    hash VARBINARY(32) NOT NULL,
    expires BIGINT NOT NULL,
    redirect_uri BLOB,
    challenge BLOB,
    redeemed TINYINT NOT NULL,
    KEY quadrille_codes_by_expiry (expires)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_access_tokens (
    `row` BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025),
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    auth MEDIUMBLOB,
    hash VARBINARY(32) NOT NULL,
    expires BIGINT NOT NULL,
    binding MEDIUMBLOB,
    exchange MEDIUMBLOB,
    KEY quadrille_access_tokens_by_expiry (expires)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_families (
    `row` BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025),
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    auth MEDIUMBLOB,
    generation BIGINT NOT NULL,
    current VARBINARY(32) NOT NULL,
    previous VARBINARY(32),
    rotated BIGINT NOT NULL,
    rotated_scopes MEDIUMBLOB NOT NULL,
    rotated_resources MEDIUMBLOB NOT NULL,
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    KEY quadrille_families_by_expiry (expires)
) ENGINE = InnoDB;

-- The grants of users that have tokens, to be listed. `row` here and in the tables of revocations and
-- token credentials is the number of the grant.
CREATE TABLE IF NOT EXISTS quadrille_grants (
    `row` BIGINT NOT NULL PRIMARY KEY,
    grant_id BIGINT NOT NULL,
    issuer BIGINT NOT NULL,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025) NOT NULL,
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    auth MEDIUMBLOB,
    family BIGINT,
    expires BIGINT NOT NULL,
    KEY quadrille_grants_by_actor (issuer, actor),
    KEY quadrille_grants_by_expiry (expires)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_foreign_tokens (
    issuer BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    `row` BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (hash, issuer),
    KEY quadrille_foreign_tokens_by_expiry (expires)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_tickets (
    issuer BIGINT NOT NULL,
    ticket VARBINARY(32) NOT NULL,
    code BIGINT,
    expires BIGINT NOT NULL,
    PRIMARY KEY (ticket, issuer),
    KEY quadrille_tickets_by_expiry (expires)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS quadrille_once (
    issuer BIGINT NOT NULL,
    space VARBINARY(255) NOT NULL,
    hash VARBINARY(32) NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (hash, space, issuer),
    KEY quadrille_once_by_expiry (expires)
) ENGINE = InnoDB;

-- `number` is that of the client, and `epoch` the sum of those of the user in quadrille_cut, when the
-- consent was given: another number or a greater epoch has ended it, also if it was stored later.
-- `target` is the hash of client and resources.
CREATE TABLE IF NOT EXISTS quadrille_consents (
    issuer BIGINT NOT NULL,
    subject VARBINARY(1024) NOT NULL,
    target VARBINARY(32) NOT NULL,
    client VARBINARY(1024) NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    scopes MEDIUMBLOB NOT NULL,
    given BIGINT NOT NULL,
    data MEDIUMBLOB,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject, target),
    KEY quadrille_consents_by_client (issuer, client)
) ENGINE = InnoDB;

-- Tombstones, which also keep off what is not issued yet.
CREATE TABLE IF NOT EXISTS quadrille_revoked (
    `row` BIGINT NOT NULL,
    issuer BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (`row`, issuer),
    KEY quadrille_revoked_by_expiry (expires)
) ENGINE = InnoDB;

-- Grants of `actor` up to `last` are dead; to one client, or to all where it is empty. `epoch` counts
-- the changes of the row.
CREATE TABLE IF NOT EXISTS quadrille_cut (
    issuer BIGINT NOT NULL,
    actor VARBINARY(1025) NOT NULL,
    client VARBINARY(1024) NOT NULL,
    last BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (issuer, actor, client)
) ENGINE = InnoDB;

-- The subjects of users who were removed: grants with numbers up to `last`, and sign-ins from before
-- it, are those of an earlier user.
CREATE TABLE IF NOT EXISTS quadrille_removed (
    issuer BIGINT NOT NULL,
    subject VARBINARY(1024) NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
) ENGINE = InnoDB;

-- Requests that wait for a user. `asked` and `asked_resources` are what was requested; the columns
-- from `proof` on, but for `client`, are null until a user has approved. `state`: 0 pending, 1
-- approved, 2 redeemed, 3 denied.
CREATE TABLE IF NOT EXISTS quadrille_pending (
    `row` BIGINT NOT NULL PRIMARY KEY,
    issuer BIGINT NOT NULL,
    identifier VARBINARY(32) NOT NULL,
    is_foreign TINYINT NOT NULL,
    user_code VARBINARY(32),
    asked MEDIUMBLOB NOT NULL,
    asked_resources MEDIUMBLOB NOT NULL,
    expires BIGINT NOT NULL,
    state BIGINT NOT NULL,
    kind MEDIUMBLOB NOT NULL,
    proof VARBINARY(32),
    grant_id BIGINT,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025),
    scopes MEDIUMBLOB,
    resources MEDIUMBLOB,
    auth MEDIUMBLOB,
    foreign_hash VARBINARY(32) AS (IF(is_foreign, identifier, NULL)) STORED,
    UNIQUE KEY quadrille_pending_by_identifier (foreign_hash, issuer),
    UNIQUE KEY quadrille_pending_by_user_code (user_code, issuer),
    KEY quadrille_pending_by_expiry (expires)
) ENGINE = InnoDB;

-- Token credentials of OAuth 1.0a, one for a grant.
CREATE TABLE IF NOT EXISTS quadrille_token_credentials (
    `row` BIGINT NOT NULL PRIMARY KEY,
    grant_id BIGINT NOT NULL,
    issuer BIGINT NOT NULL,
    client VARBINARY(1024) NOT NULL,
    actor VARBINARY(1025),
    scopes MEDIUMBLOB NOT NULL,
    resources MEDIUMBLOB NOT NULL,
    auth MEDIUMBLOB,
    hash VARBINARY(32) NOT NULL,
    is_foreign TINYINT NOT NULL,
    secret BLOB NOT NULL,
    expires BIGINT NOT NULL,
    binding MEDIUMBLOB,
    foreign_hash VARBINARY(32) AS (IF(is_foreign, hash, NULL)) STORED,
    UNIQUE KEY quadrille_token_credentials_by_identifier (foreign_hash, issuer),
    KEY quadrille_token_credentials_by_actor (issuer, actor),
    KEY quadrille_token_credentials_by_client (issuer, client),
    KEY quadrille_token_credentials_by_expiry (expires)
) ENGINE = InnoDB;
