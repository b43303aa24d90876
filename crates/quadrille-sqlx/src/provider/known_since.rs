//! The moment since which the database knows what was used.

use quadrille::{
    Timestamp,
    provider::store::{KnownSince, StoreError},
};

use super::{database::Database, engine::Engine, values::values};

const LOST: &str = "SELECT lost FROM quadrille_known_since";

const RAISE: &str = "INSERT INTO quadrille_known_since (id, lost) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET lost = greatest(quadrille_known_since.lost, excluded.lost)";

pub(super) async fn known_since<E: Engine>(
    database: &Database<E>,
) -> Result<KnownSince, StoreError> {
    let now = database.env().steady();
    if let Some(since) = database.known_since().at(now) {
        return Ok(since);
    }
    let lost = database.one(LOST, values![], |row| Ok(Timestamp::from_millis(row.number()?)));
    let since = lost.await?.map_or(KnownSince::ALWAYS, KnownSince::moment);
    database.known_since().set(Some((now, since)));
    Ok(since)
}

pub(super) async fn raise<E: Engine>(
    database: &Database<E>,
    since: KnownSince,
) -> Result<(), StoreError> {
    let Some(lost) = since.lost() else { return Ok(()) };
    database.run(RAISE, values![lost.millis()]).await?;
    database.known_since().forget();
    Ok(())
}
