DROP TABLE IF EXISTS quadrille_known_since;
DROP TABLE IF EXISTS quadrille_swept;
