//! Room in the write-ahead log.
//!
//! A sync of a file that grew must also store its new length and the places of its new blocks, one
//! write of the disk after the other. A sync of a file that is overwritten in place is one write. So
//! a log that grows is extended by many frames at a time, with zeros, which SQLite then overwrites.
//! A recovery ends at them as at the remains of an earlier log: zeros are no frame.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
};

use rusqlite::Connection;

/// The bytes by which the log is extended, some 250 frames.
const STEP: usize = 1 << 20;

/// The length from which the log is not extended, in bytes: about that of the log at a checkpoint.
const LONG: u64 = 16 << 20;

/// The file of the log.
pub(super) struct Room {
    log: Option<File>,
    /// The length when it was last seen, in bytes.
    length: Option<u64>,
}

impl Room {
    /// The log of a connection. Without a file of its own, it is left to SQLite.
    pub(super) fn of(connection: &Connection) -> Self {
        let path = connection.path().map(|database| format!("{database}-wal"));
        let log = path.and_then(|path| OpenOptions::new().append(true).open(path).ok());
        Self { log, length: None }
    }

    /// Extends the log if SQLite has done so since the last call. Call it within a transaction that
    /// writes: its lock keeps other processes from the log.
    pub(super) fn make(&mut self) -> io::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let length = log.metadata()?.len();
        let has_grown = self.length.is_some_and(|known| known < length);
        self.length = Some(length);
        if has_grown && length < LONG {
            log.write_all(&vec![0; STEP])?;
            self.length = Some(length + STEP as u64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_with_room_is_recovered_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let connection = Connection::open(at("a.db")).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER);").unwrap();
        let mut room = Room::of(&connection);
        let mut lengths = Vec::new();
        for number in 0..600 {
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            connection.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
            room.make().unwrap();
            connection.execute_batch("COMMIT").unwrap();
            lengths.push(fs::metadata(at("a.db-wal")).unwrap().len());
        }
        lengths.dedup();
        assert!((4..12).contains(&lengths.len()), "it grows in steps: {lengths:?}");
        // What a crash leaves.
        fs::copy(at("a.db"), at("b.db")).unwrap();
        fs::copy(at("a.db-wal"), at("b.db-wal")).unwrap();
        let copy = Connection::open(at("b.db")).unwrap();
        let all = "SELECT count(*), sum(n), (SELECT * FROM pragma_integrity_check) FROM t";
        let found: (i64, i64, String) =
            copy.query_row(all, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        assert_eq!(found, (600, 599 * 300, "ok".to_owned()));
    }
}
