DROP TABLE quadrille_external_ids;
DROP TABLE quadrille_users;
