ALTER TABLE quadrille_changes DROP COLUMN mark;
DROP TABLE quadrille_known_since;
