ALTER TABLE quadrille_positions DROP COLUMN timeline;
ALTER TABLE quadrille_changes DROP COLUMN mark;
DROP TABLE quadrille_known_since;
DROP TABLE quadrille_swept;
