CREATE TABLE IF NOT EXISTS quadrille_accounts (
    owner VARBINARY(512) NOT NULL,
    service VARBINARY(128) NOT NULL,
    subject VARBINARY(512) NOT NULL,
    -- Sealed under the key ring.
    token MEDIUMBLOB NOT NULL,
    -- Random, and another after every change.
    version BIGINT NOT NULL,
    -- The order in which an owner linked accounts of one service.
    linked BIGINT NOT NULL,
    needs_linking_again SMALLINT NOT NULL,
    PRIMARY KEY (owner, service, subject),
    KEY by_service (service, owner, subject),
    -- Finds the account that was linked last, without sorting.
    KEY by_order (owner, service, linked, subject)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS quadrille_leases (
    owner VARBINARY(512) NOT NULL,
    service VARBINARY(128) NOT NULL,
    subject VARBINARY(512) NOT NULL,
    holder BIGINT NOT NULL,
    -- Milliseconds since 1970.
    ends BIGINT NOT NULL,
    PRIMARY KEY (owner, service, subject)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
