-- Users of an application that logs people in with services.
CREATE TABLE quadrille_users (
    id BIGINT NOT NULL PRIMARY KEY,
    -- The number of their rows in quadrille_external_ids.
    ways BIGINT NOT NULL
);
CREATE TABLE quadrille_external_ids (
    service BLOB NOT NULL,
    subject BLOB NOT NULL,
    user_id BIGINT NOT NULL,
    -- Empty if there is none.
    verified_email BLOB NOT NULL,
    PRIMARY KEY (service, subject)
);
CREATE INDEX quadrille_external_ids_by_user ON quadrille_external_ids (user_id);
CREATE INDEX quadrille_external_ids_by_email ON quadrille_external_ids (verified_email);
