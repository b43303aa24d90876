-- The key to which a token is bound: a confirmation method of RFC 7800, `jkt` or `x5t#S256`, a colon,
-- and the thumbprint in base64url. Null for a bearer token.
ALTER TABLE quadrille_access_tokens ADD COLUMN binding TEXT;
ALTER TABLE quadrille_token_credentials ADD COLUMN binding TEXT;
