-- `proof`, text sealed under the key ring, by which a process notices that it has another ring, and
-- the proofs of rings that were given up, whose keys no ring may have any more.
CREATE TABLE quadrille_program_sealed (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
