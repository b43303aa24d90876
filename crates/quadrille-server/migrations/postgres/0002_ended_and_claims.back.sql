DROP TABLE quadrille_program_ended;
ALTER TABLE quadrille_program_sessions DROP COLUMN name;
ALTER TABLE quadrille_program_sessions DROP COLUMN clients;
ALTER TABLE quadrille_program_users DROP COLUMN claims;
UPDATE quadrille_program_sessions SET signed_in = signed_in / 1000;
