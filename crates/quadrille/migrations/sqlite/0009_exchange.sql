-- The exchange that an access token comes from (RFC 8693): its subject token and its actors, as JSON.
-- Null for all other tokens.
ALTER TABLE quadrille_access_tokens ADD COLUMN exchange TEXT;
