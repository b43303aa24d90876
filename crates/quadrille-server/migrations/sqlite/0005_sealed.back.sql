DROP TABLE quadrille_program_sealed;
