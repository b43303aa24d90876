//! The time by the clock of the server.

use quadrille::{Env, Timestamp, provider::store::StoreError};

use super::{
    database::Database, dialect::Dialect, engine::Engine, store::SqlStore, values::Values,
};

/// The milliseconds by which the server's clock is ahead of the steady clock of this process, or a
/// little less.
pub(super) async fn ahead<E: Engine>(database: &Database<E>) -> Result<i64, StoreError> {
    let (env, clock) = (Env::system(), database.server_clock());
    if let Some(ahead) = clock.at(env.steady()) {
        return Ok(ahead);
    }
    let server = database.one(E::NOW, Values::default(), |row| row.number()).await?;
    let server = server.ok_or(StoreError::Corrupt("the clock of the server"))?;
    // After the answer, so that a slow one lets statements end earlier, and not later.
    let now = env.steady();
    let ahead = server.saturating_sub(now.millis());
    *clock.reading() = Some((now, ahead));
    Ok(ahead)
}

impl<E: Dialect> SqlStore<E> {
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
