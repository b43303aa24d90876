-- One row: the greatest number of a client, or up to which something was revoked, whatever has become
-- of it. Of the other numbers the greatest are in the tables.
CREATE TABLE quadrille_newest (
    only   INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO quadrille_newest (only, number) VALUES (1, 0);
