-- One row: what there was to ask for when this data directory was served last, for commands that are
-- not told. `scopes` is an object in JSON of names and descriptions, `resources` is separated by spaces.
CREATE TABLE quadrille_program_served_with (
    only      INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    scopes    TEXT NOT NULL,
    resources TEXT NOT NULL
) STRICT;
