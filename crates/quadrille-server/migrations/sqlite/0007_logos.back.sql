DROP TABLE quadrille_program_logos;
