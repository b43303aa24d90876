DROP TABLE IF EXISTS quadrille_external_ids;
DROP TABLE IF EXISTS quadrille_users;
