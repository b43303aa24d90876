-- The subjects of users who were removed: grants with numbers up to `last`, and sign-ins from before it, are
-- those of an earlier user.
CREATE TABLE quadrille_removed (
    issuer  INTEGER NOT NULL,
    subject TEXT NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
