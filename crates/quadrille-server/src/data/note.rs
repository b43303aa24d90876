//! The note that data leaves behind when it is moved into another database.
//!
//! The note is a row of the database that is moved: each process that opens it finds the note, on any
//! machine, and behind a pooler, too. While a move goes on, the row counts. A process that finds the
//! same number for some seconds knows that the move was killed, by no clock but its own. When all rows
//! are in the new database and no process holds a lease of the old one, one statement says so in the
//! row. From then on the old database is neither served nor changed; the new one is served once it has
//! lost its own mark, which is later.
//!
//! | note | `serve`, commands that change data | a move |
//! |---|---|---|
//! | none | go on; `serve` looks again with its lease | begins |
//! | moving | wait; go on if the move was killed | is refused; begins anew if the other one was killed |
//! | copied | are refused | goes on, into the database of the mark alone |
//! | moved | are refused | is refused |

use std::{sync::Arc, time::Duration};

use quadrille::provider::AuthorizationServer;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::{Backend, Data, DataError, Place, sealed::Sealed, sqlite};
use crate::config::Settings;

/// The time between two numbers of a move.
const BEAT: Duration = Duration::from_secs(1);

/// The number of beats after which a move that does not count was killed.
const PATIENCE: u32 = 5;

/// The note of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The new place for the operator: a URL without a password, or a path that is absolute.
    pub(super) to: String,
    /// The state of the move.
    pub(super) state: State,
}

/// The state of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Rows are copied, or the move was killed.
    Moving {
        /// The random name of the move.
        name: String,
        /// The number that the move counts.
        beat: u64,
    },
    /// All rows are in the database of this mark, which may be complete.
    Copied {
        /// The mark.
        mark: String,
    },
    /// The new database is complete.
    Moved,
}

impl Note {
    /// The note in a row. A row of another form stands for a complete move.
    fn read(row: &[u8]) -> Self {
        serde_json::from_slice(row).unwrap_or_else(|_| Self {
            to: String::from_utf8_lossy(row).into_owned(),
            state: State::Moved,
        })
    }

    fn row(&self) -> Vec<u8> {
        // Texts and numbers have no value that JSON lacks.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The row after the next beat, if it is of this move.
    fn next_beat(row: &[u8], move_name: &str) -> Option<Vec<u8>> {
        match Self::read(row) {
            Self { to, state: State::Moving { name, beat } } if name == move_name => {
                let state = State::Moving { name, beat: beat.wrapping_add(1) };
                Some(Self { to, state }.row())
            }
            _ => None,
        }
    }

    fn is_moving(&self) -> bool {
        matches!(self.state, State::Moving { .. })
    }
}

/// The begin of a move.
pub(super) enum Begun {
    /// It begins, or begins anew.
    Now(Moving),
    /// All rows are in the database of this mark.
    Copied(String),
}

/// A move that goes on. It stops counting when this is dropped.
pub(super) struct Moving {
    name: String,
    to: String,
    beats: JoinHandle<()>,
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

impl Moving {
    fn new(backend: Arc<dyn Backend>, name: String, to: String) -> Self {
        let own = name.clone();
        let beats = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                // A database that does not answer for a while is asked again.
                let Ok(row) = backend.sealed(Sealed::Moved).await else { continue };
                let Some(row) = row else { return };
                let Some(next) = Note::next_beat(&row, &own) else { return };
                let _ = backend.replace_sealed(Sealed::Moved, Some(row), next).await;
            }
        });
        Self { name, to, beats }
    }

    /// Makes sure that no other process took this move for one that was killed: its rows must not come into
    /// a database that another move has completed.
    ///
    /// # Errors
    /// [`DataError::MovedWhileUsed`] if another process did, and those of the database.
    pub(super) async fn goes_on(&self, data: &Data) -> Result<(), DataError> {
        self.row(data).await.map(drop)
    }

    /// The row of the note.
    async fn row(&self, data: &Data) -> Result<Vec<u8>, DataError> {
        let row = data.sealed(Sealed::Moved).await?;
        let own = row.filter(|row| Note::next_beat(row, &self.name).is_some());
        own.ok_or_else(|| DataError::MovedWhileUsed { from: data.shown(), to: self.to.clone() })
    }

    /// Records that all rows are in the database of this mark, if no process holds a lease of the old one.
    ///
    /// # Errors
    /// [`DataError::InUse`], and [`DataError::MovedWhileUsed`] if another process took this move for one
    /// that was killed.
    pub(super) async fn copied(&self, data: &Data, mark: &str) -> Result<(), DataError> {
        self.beats.abort();
        let state = State::Copied { mark: mark.to_owned() };
        let after = Note { to: self.to.clone(), state }.row();
        loop {
            let before = self.row(data).await?;
            if data.replace_unless_leased(before, after.clone()).await? {
                return Ok(());
            }
            data.not_leased().await?;
        }
    }

    /// Removes the note of a move that has failed, so that the old database can be served.
    pub(super) async fn withdraw(self, data: &Data) {
        self.beats.abort();
        // A beat on its way may come between.
        for _ in 0..2 {
            let Ok(Some(row)) = data.sealed(Sealed::Moved).await else { return };
            if Note::next_beat(&row, &self.name).is_none()
                || data.backend.forget_sealed(Sealed::Moved, row).await.unwrap_or(true)
            {
                return;
            }
        }
    }
}

impl Data {
    /// Begins a move, or goes on with one that has copied all rows. `is_alone` if a lock of the system
    /// keeps other moves away.
    ///
    /// # Errors
    /// [`DataError::BeingMoved`], and [`DataError::MovedAway`] after a complete move.
    pub(super) async fn begin_move(&self, to: &str, is_alone: bool) -> Result<Begun, DataError> {
        let name = self.env.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let name: String = name;
        let mut was_ended = is_alone;
        loop {
            let found = self.note().await?;
            let before = match found {
                None => None,
                Some((_, Note { state: State::Copied { mark }, .. })) => {
                    return Ok(Begun::Copied(mark));
                }
                Some((_, note @ Note { state: State::Moved, .. })) => {
                    return Err(self.moved_away(note));
                }
                Some((row, _)) if was_ended => Some(row),
                Some((row, note)) => {
                    was_ended = self.is_ended(&row).await?;
                    match was_ended || self.sealed(Sealed::Moved).await?.is_none() {
                        true => continue,
                        false => {
                            return Err(DataError::BeingMoved { from: self.shown(), to: note.to });
                        }
                    }
                }
            };
            let state = State::Moving { name: name.clone(), beat: 0 };
            let first = Note { to: to.to_owned(), state }.row();
            let begun = self.backend.replace_sealed(Sealed::Moved, before, first).await;
            if begun.map_err(|error| self.failure(error))? {
                let backend = Arc::clone(&self.backend);
                return Ok(Begun::Now(Moving::new(backend, name, to.to_owned())));
            }
            was_ended = is_alone;
        }
    }

    /// Records that the new database is complete.
    pub(super) async fn move_is_complete(&self, to: &str) -> Result<(), DataError> {
        let after = Note { to: to.to_owned(), state: State::Moved }.row();
        loop {
            let before = self.sealed(Sealed::Moved).await?;
            let recorded = self.backend.replace_sealed(Sealed::Moved, before, after.clone()).await;
            if recorded.map_err(|error| self.failure(error))? {
                return Ok(());
            }
        }
    }

    /// Refuses to serve data that was moved into another database. If it is to be served nevertheless,
    /// that it was moved is forgotten. Waits while it is being moved.
    ///
    /// # Errors
    /// [`DataError::MovedAway`], [`DataError::MoveNotComplete`], and those of the database.
    pub async fn refuse_moved(&self, nevertheless: bool) -> Result<(), DataError> {
        loop {
            let Some((row, note)) = self.moved().await? else { return Ok(()) };
            if !nevertheless {
                return Err(self.moved_away(note));
            }
            tracing::warn!("the data that was moved to {} is served again here", note.to);
            self.forget_note(row).await?;
        }
    }

    /// Looks at the notes again when this process holds its lease or its lock, which a move that begins later
    /// sees.
    ///
    /// # Errors
    /// As for [`refuse_moved`](Self::refuse_moved), and [`DataError::Unfinished`].
    pub async fn still_to_serve(&self) -> Result<(), DataError> {
        self.refuse_moved(false).await?;
        self.refuse_unfinished().await
    }

    /// The data for a command that changes it. Waits while it is being moved.
    ///
    /// # Errors
    /// [`DataError::MovedAway`], [`DataError::MoveNotComplete`], and those of the database.
    pub async fn to_change(mut self) -> Result<Self, DataError> {
        self.refuse_moved(false).await?;
        self.is_changed = true;
        Ok(self)
    }

    /// The result of a command. A command that changed data which was moved meanwhile has failed: what it
    /// changed may be in the old database alone.
    ///
    /// # Errors
    /// As for [`to_change`](Self::to_change), and that of the command.
    pub async fn finish<T, E: From<DataError>>(&self, result: Result<T, E>) -> Result<T, E> {
        if self.is_changed && result.is_ok() {
            self.refuse_moved(false).await?;
        }
        result
    }

    /// The place to which the data was moved, for commands that only read it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn moved_to(&self) -> Result<Option<String>, DataError> {
        let note = self.note().await?.map(|(_, note)| note);
        Ok(note.filter(|note| !note.is_moving()).map(|note| note.to))
    }

    /// The place to which the data of the folder in the settings was moved, for a command that must not
    /// migrate it. `None` also if it cannot be read.
    pub fn of_folder_moved_to(settings: &Settings) -> Option<String> {
        let row = sqlite::sealed_in(&super::database(&settings.data_dir), Sealed::Moved)?;
        Some(Note::read(&row)).filter(|note| !note.is_moving()).map(|note| note.to)
    }

    /// The error of a process that serves data which was moved away. A database that does not answer has not
    /// been moved by that.
    pub(super) async fn error_if_moved_away(&self) -> Option<DataError> {
        let (_, note) = self.note().await.ok().flatten()?;
        (!note.is_moving()).then(|| self.moved_away(note))
    }

    /// The same of a process with a lease. It renews the lease before: if it was paused until the lease was
    /// over, it may have missed the move, or the move sees it.
    pub(super) async fn moved_while_served(
        &self,
        server: &AuthorizationServer,
    ) -> Option<DataError> {
        let _ = server.check_lease().await;
        self.error_if_moved_away().await
    }

    /// Makes sure that no process holds a lease of a database on a server.
    pub(super) async fn not_leased(&self) -> Result<(), DataError> {
        let Place::Shared(backend, _) = &self.place else { return Ok(()) };
        match backend.leases(self.env.now()).await.map_err(|error| self.failure(error))? {
            0 => Ok(()),
            _ => Err(DataError::InUse { place: self.shown() }),
        }
    }

    /// Replaces the note, unless a process holds a lease of a database on a server.
    async fn replace_unless_leased(
        &self,
        before: Vec<u8>,
        after: Vec<u8>,
    ) -> Result<bool, DataError> {
        let replaced = match &self.place {
            Place::Embedded(_) => {
                self.backend.replace_sealed(Sealed::Moved, Some(before), after).await
            }
            Place::Shared(backend, _) => {
                backend.replace_unless_leased(Sealed::Moved, before, after, self.env.now()).await
            }
        };
        replaced.map_err(|error| self.failure(error))
    }

    /// The note of data that was moved. Waits while a move goes on, and forgets one that was killed.
    async fn moved(&self) -> Result<Option<(Vec<u8>, Note)>, DataError> {
        let mut is_said = false;
        loop {
            let Some((row, note)) = self.note().await? else { return Ok(None) };
            if !note.is_moving() {
                // Between the last two states is a moment.
                let is_at_its_end = is_said && note.state != State::Moved;
                if is_at_its_end {
                    tokio::time::sleep(BEAT).await;
                }
                return if is_at_its_end { self.note().await } else { Ok(Some((row, note))) };
            }
            if !is_said {
                tracing::warn!("waiting: {} is being moved to {}", self.shown(), note.to);
                is_said = true;
            }
            if self.is_ended(&row).await? {
                self.forget_note(row).await?;
            }
        }
    }

    /// Whether the move of this row was killed: it does not count on.
    async fn is_ended(&self, row: &[u8]) -> Result<bool, DataError> {
        for _ in 0..PATIENCE {
            tokio::time::sleep(BEAT).await;
            if self.sealed(Sealed::Moved).await?.as_deref() != Some(row) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The row and the note in it, if there is one.
    async fn note(&self) -> Result<Option<(Vec<u8>, Note)>, DataError> {
        let row = self.sealed(Sealed::Moved).await?;
        Ok(row.map(|row| (row.clone(), Note::read(&row))))
    }

    /// Forgets the note, if it is still this one.
    async fn forget_note(&self, row: Vec<u8>) -> Result<(), DataError> {
        let forgotten = self.backend.forget_sealed(Sealed::Moved, row).await;
        forgotten.map(drop).map_err(|error| self.failure(error))
    }

    /// The refusal of data with this note.
    pub(super) fn moved_away(&self, Note { to, state }: Note) -> DataError {
        let from = self.shown();
        match state {
            State::Copied { .. } => DataError::MoveNotComplete { from, to },
            State::Moving { .. } | State::Moved => DataError::MovedAway { from, to },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_counts_in_its_own_note_alone() {
        let to = "postgres://id@db/id".to_owned();
        let moving = |beat| State::Moving { name: "a".to_owned(), beat };
        let row = |state| Note { to: to.clone(), state }.row();
        assert_eq!(Note::next_beat(&row(moving(3)), "a"), Some(row(moving(4))));
        assert_eq!(Note::next_beat(&row(moving(3)), "b"), None);
        for state in [State::Copied { mark: "a".to_owned() }, State::Moved] {
            assert_eq!(Note::next_beat(&row(state), "a"), None);
        }
    }

    #[test]
    fn a_note_of_another_form_is_that_of_a_complete_move() {
        for row in [&b"postgres://id@db/id"[..], b"", b"{}", b"\xff"] {
            assert_eq!(Note::read(row).state, State::Moved);
        }
        assert_eq!(Note::read(b"/var/lib/new").to, "/var/lib/new");
    }
}
