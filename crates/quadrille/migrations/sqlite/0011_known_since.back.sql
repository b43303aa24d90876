DROP TABLE quadrille_known_since;
