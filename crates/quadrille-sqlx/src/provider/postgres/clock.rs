//! The clock of the server, by which it can tell that a statement arrived too late. A server that is
//! stopped for a while, or that the network kept apart, carries out afterwards what it had received, even
//! if nobody waits for it any more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{Env, Timestamp, provider::store::StoreError};
use sqlx::PgPool;

use super::super::{database::Database, store::SqlStore, values::Values};

/// The time for which a reading of the clock counts.
const FRESH: Duration = Duration::from_secs(10);

const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The last reading of the server's clock: when, by the steady clock of this process, and by how many
/// milliseconds the server's was ahead of that.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<(Timestamp, i64)>>);

impl ServerClock {
    fn at(&self, now: Timestamp) -> Option<i64> {
        self.reading().filter(|(read, _)| now.since(*read) < FRESH).map(|(_, ahead)| ahead)
    }

    /// Has the clock read again: after a failover it is another one, and it may be set.
    pub(super) fn forget(&self) {
        *self.reading() = None;
    }

    fn reading(&self) -> MutexGuard<'_, Option<(Timestamp, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The milliseconds by which the server's clock is ahead of the steady clock of this process, or a
/// little less.
pub(super) async fn ahead(database: &Database<PgPool>) -> Result<i64, StoreError> {
    let (env, clock) = (Env::system(), database.server_clock());
    if let Some(ahead) = clock.at(env.steady()) {
        return Ok(ahead);
    }
    let server = database.one(NOW, Values::default(), |row| row.number()).await?;
    let server = server.ok_or(StoreError::Corrupt("the clock of the server"))?;
    // After the answer, so that a slow one lets statements end earlier, and not later.
    let now = env.steady();
    let ahead = server.saturating_sub(now.millis());
    *clock.reading() = Some((now, ahead));
    Ok(ahead)
}

impl SqlStore<PgPool> {
    /// The time by the clock of the server, which all processes share. It is read every ten seconds, and in
    /// between counted by the steady clock of this process, so that a clock that is set changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn server_time(&self) -> Result<Timestamp, StoreError> {
        self.run(|database| async move {
            let ahead = ahead(&database).await?;
            Ok(Timestamp::from_millis(Env::system().steady().millis().saturating_add(ahead)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read_again_after_a_while_and_after_a_loss() {
        let (clock, read) = (ServerClock::default(), Timestamp::from_seconds(1000));
        assert_eq!(clock.at(read), None);
        *clock.reading() = Some((read, 7));
        assert_eq!(clock.at(read + Duration::from_secs(9)), Some(7));
        assert_eq!(clock.at(read + FRESH), None);
        clock.forget();
        assert_eq!(clock.at(read), None);
    }
}
