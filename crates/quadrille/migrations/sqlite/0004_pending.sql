-- Requests that wait for a user, of every protocol. `identifier` is the hash of the identifier that
-- the client was given: of its secret part, or of all of it where `is_foreign`. `user_code` is the
-- hash of the code by which the user finds the request, if there is one. `kind` is JSON: what only
-- one protocol knows. `asked` and `asked_resources` are what was requested; the columns from `proof`
-- on, but for `client`, are null until a user has approved. `state`: 0 pending, 1 approved, 2
-- redeemed, 3 denied.
CREATE TABLE quadrille_pending (
    row             INTEGER PRIMARY KEY,
    issuer          INTEGER NOT NULL,
    identifier      BLOB NOT NULL,
    is_foreign      INTEGER NOT NULL,
    user_code       BLOB,
    asked           TEXT NOT NULL,
    asked_resources TEXT NOT NULL,
    expires         INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    proof           BLOB,
    grant_id        INTEGER,
    client          TEXT NOT NULL,
    actor           TEXT,
    scopes          TEXT,
    resources       TEXT,
    auth            TEXT
) STRICT;

INSERT INTO quadrille_pending
    (row, issuer, identifier, is_foreign, asked, asked_resources, expires, state, kind, proof,
    grant_id, client, actor, scopes, resources, auth)
SELECT row, issuer, identifier, is_foreign, asked, '', expires, state,
    json_object('temporary', json_object(
        'secret', lower(hex(secret)),
        'callback', CASE callback WHEN 'oob' THEN NULL ELSE callback END)),
    verifier, grant_id, client, actor, scopes, resources, auth
FROM quadrille_temporary_credentials;

DROP TABLE quadrille_temporary_credentials;

CREATE UNIQUE INDEX quadrille_pending_of_foreign_identifier
    ON quadrille_pending (issuer, identifier) WHERE is_foreign;
CREATE UNIQUE INDEX quadrille_pending_of_user_code
    ON quadrille_pending (issuer, user_code) WHERE user_code IS NOT NULL;
