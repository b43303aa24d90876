-- All texts are bytes: they are compared exactly, in whichever character set. A change of a table is a
-- transaction by itself, so each statement may be run again.

-- Secrets of the processes, sealed under their key ring: `proof`, by which a process notices that it
-- has another ring, `signing_keys`, and the notes of moves.
CREATE TABLE IF NOT EXISTS quadrille_program_sealed (
    name VARBINARY(255) NOT NULL PRIMARY KEY,
    sealed MEDIUMBLOB NOT NULL
) ENGINE = InnoDB;
