DROP TABLE quadrille_known_since;
DROP TABLE quadrille_swept;
