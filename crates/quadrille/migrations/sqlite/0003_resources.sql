-- The APIs that something is good at (RFC 8707), with spaces between; empty for the server's own.

ALTER TABLE codes ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE access_tokens ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE families ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE families ADD COLUMN rotated_resources TEXT NOT NULL DEFAULT '';
ALTER TABLE temporary_credentials ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE token_credentials ADD COLUMN resources TEXT NOT NULL DEFAULT '';

ALTER TABLE consents RENAME TO consents_before;
CREATE TABLE consents (
    issuer    INTEGER NOT NULL,
    subject   TEXT NOT NULL,
    client    TEXT NOT NULL,
    resources TEXT NOT NULL,
    scopes    TEXT NOT NULL,
    given     INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject, client, resources)
) STRICT, WITHOUT ROWID;
INSERT INTO consents SELECT issuer, subject, client, '', scopes, given FROM consents_before;
DROP TABLE consents_before;
