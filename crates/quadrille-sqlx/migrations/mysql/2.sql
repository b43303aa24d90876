-- Users of an application that logs people in with services.
CREATE TABLE IF NOT EXISTS quadrille_users (
    id BIGINT NOT NULL PRIMARY KEY,
    -- The number of their rows in quadrille_external_ids.
    ways BIGINT NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS quadrille_external_ids (
    service VARBINARY(128) NOT NULL,
    subject VARBINARY(512) NOT NULL,
    user_id BIGINT NOT NULL,
    -- Empty if there is none.
    verified_email VARBINARY(320) NOT NULL,
    PRIMARY KEY (service, subject),
    KEY by_user (user_id),
    KEY by_email (verified_email)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
