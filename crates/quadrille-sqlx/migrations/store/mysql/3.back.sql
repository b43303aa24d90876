DO get_lock(md5(concat(database(), '.quadrille_families')), 60);
SET @change = (SELECT IF(count(*) > 0, 'DO 0', 'ALTER TABLE quadrille_families
        ADD COLUMN rotated_scopes MEDIUMBLOB NOT NULL, ADD COLUMN rotated_resources MEDIUMBLOB NOT NULL')
    FROM information_schema.columns WHERE table_schema = database()
    AND table_name = 'quadrille_families' AND column_name = 'rotated_scopes');
PREPARE quadrille_change FROM @change;
EXECUTE quadrille_change;
DEALLOCATE PREPARE quadrille_change;
DO release_lock(md5(concat(database(), '.quadrille_families')));
UPDATE quadrille_families SET rotated_scopes = scopes, rotated_resources = resources;
