DROP TABLE IF EXISTS quadrille_known_since;
