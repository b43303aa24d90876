ALTER TABLE quadrille_families ADD COLUMN rotated_scopes TEXT NOT NULL DEFAULT '',
    ADD COLUMN rotated_resources TEXT NOT NULL DEFAULT '';
UPDATE quadrille_families SET rotated_scopes = scopes, rotated_resources = resources;
ALTER TABLE quadrille_families ALTER COLUMN rotated_scopes DROP DEFAULT,
    ALTER COLUMN rotated_resources DROP DEFAULT;
