-- A repeated refresh is not bound to the scopes and the audience of the one before. The columns may be
-- gone: a change of a table is a transaction by itself, so this script may have ended after it, or another
-- process have been faster.
DO get_lock(md5(concat(database(), '.quadrille_families')), 60);
SET @change = (SELECT IF(count(*) = 0, 'DO 0', 'ALTER TABLE quadrille_families
        DROP COLUMN rotated_scopes, DROP COLUMN rotated_resources')
    FROM information_schema.columns WHERE table_schema = database()
    AND table_name = 'quadrille_families' AND column_name = 'rotated_scopes');
PREPARE quadrille_change FROM @change;
EXECUTE quadrille_change;
DEALLOCATE PREPARE quadrille_change;
DO release_lock(md5(concat(database(), '.quadrille_families')));
