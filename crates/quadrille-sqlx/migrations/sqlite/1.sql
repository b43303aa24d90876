CREATE TABLE quadrille_accounts (
    owner BLOB NOT NULL,
    service BLOB NOT NULL,
    subject BLOB NOT NULL,
    -- Sealed under the key ring.
    token BLOB NOT NULL,
    -- Random, and another after every change.
    version BIGINT NOT NULL,
    -- The order in which an owner linked accounts of one service.
    linked BIGINT NOT NULL,
    needs_linking_again SMALLINT NOT NULL,
    PRIMARY KEY (owner, service, subject)
);
CREATE INDEX quadrille_accounts_by_service ON quadrille_accounts (service, owner, subject);
-- Finds the account that was linked last, without sorting.
CREATE INDEX quadrille_accounts_by_order
    ON quadrille_accounts (owner, service, linked, subject);
CREATE TABLE quadrille_leases (
    owner BLOB NOT NULL,
    service BLOB NOT NULL,
    subject BLOB NOT NULL,
    holder BIGINT NOT NULL,
    -- Milliseconds since 1970.
    ends BIGINT NOT NULL,
    PRIMARY KEY (owner, service, subject)
);
