ALTER TABLE quadrille_families ADD COLUMN rotated_scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE quadrille_families ADD COLUMN rotated_resources TEXT NOT NULL DEFAULT '';
UPDATE quadrille_families SET rotated_scopes = scopes, rotated_resources = resources;
