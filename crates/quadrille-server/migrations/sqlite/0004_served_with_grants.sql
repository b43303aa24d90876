-- The grants that this data directory was served with last: an array in JSON of their names on the
-- wire; and whether it was served with OAuth 1.0a. A directory that an older version served has the
-- defaults until it is served again.
ALTER TABLE quadrille_program_served_with ADD COLUMN grant_types TEXT NOT NULL
    DEFAULT '["authorization_code","client_credentials","refresh_token"]';
ALTER TABLE quadrille_program_served_with ADD COLUMN oauth1 INTEGER NOT NULL DEFAULT 0;
