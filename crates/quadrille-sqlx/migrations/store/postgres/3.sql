-- A repeated refresh is not bound to the scopes and the audience of the one before.
ALTER TABLE quadrille_families DROP COLUMN rotated_scopes, DROP COLUMN rotated_resources;
