-- The grants of users that have tokens, to be listed: one row for a grant, written when its first
-- tokens are issued and not when they are refreshed. `family` is the row of its refresh tokens, if
-- there are any. `expires` is the expiry of its last token. Token credentials have their own table.
CREATE TABLE quadrille_grants (
    grant_id  INTEGER PRIMARY KEY,
    issuer    INTEGER NOT NULL,
    client    TEXT NOT NULL,
    actor     TEXT NOT NULL,
    scopes    TEXT NOT NULL,
    resources TEXT NOT NULL,
    auth      TEXT,
    family    INTEGER,
    expires   INTEGER NOT NULL
) STRICT;

INSERT INTO quadrille_grants
    (grant_id, issuer, client, actor, scopes, resources, auth, family, expires)
SELECT grant_id, issuer, client, actor, scopes, resources, auth, row, ends
FROM quadrille_families WHERE actor LIKE 'u%' AND true
ON CONFLICT DO NOTHING;

CREATE INDEX quadrille_grants_of_actor ON quadrille_grants (issuer, actor);

-- The data of the application's own that goes with a consent, as JSON.
ALTER TABLE quadrille_consents ADD COLUMN data TEXT;
