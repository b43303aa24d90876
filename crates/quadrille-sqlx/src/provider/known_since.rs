//! The moment since which the database knows what was used.

use quadrille::{
    Timestamp,
    provider::store::{KnownSince, StoreError},
};

use super::{database::Database, engine::Engine, remembered::Known, values::values};

const KNOWN: &str =
    "SELECT (SELECT lost FROM quadrille_known_since), (SELECT expired FROM quadrille_swept)";

const RAISE: &str = "INSERT INTO quadrille_known_since (id, lost) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET lost = greatest(quadrille_known_since.lost, excluded.lost)";

const TELL: &str = "INSERT INTO quadrille_swept (id, expired) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET expired = greatest(quadrille_swept.expired, excluded.expired)";

/// The seconds for which the removal of marks is told ahead, so that it is written seldom.
const TELL_AHEAD: i64 = 600;

/// The moment of the last restore.
pub(super) async fn uses<E: Engine>(database: &Database<E>) -> Result<KnownSince, StoreError> {
    Ok(known(database).await?.since)
}

/// The moment since which every key is known, by the clock of this process.
pub(super) async fn keys<E: Engine>(database: &Database<E>) -> Result<KnownSince, StoreError> {
    let Known { since, swept } = known(database).await?;
    Ok(since.after_sweep(swept, database.env().now()))
}

async fn known<E: Engine>(database: &Database<E>) -> Result<Known, StoreError> {
    let now = database.env().steady();
    if let Some(known) = database.remembered().known(now) {
        return Ok(known);
    }
    let known = database.one(KNOWN, values![], |row| {
        let lost = row.optional_number()?.map(Timestamp::from_millis);
        let since = lost.map_or(KnownSince::ALWAYS, KnownSince::moment);
        let swept = row.optional_number()?.map(Timestamp::from_seconds);
        Ok(Known { since, swept: swept.unwrap_or_default() })
    });
    let known = known.await?.ok_or(StoreError::Corrupt("the moment of the last loss"))?;
    let before = database.remembered().know(now, known);
    if known.swept > database.env().now() && before.is_none_or(|it| it.swept < known.swept) {
        tracing::warn!(
            until = known.swept.seconds(),
            "a process whose clock is ahead by hours has removed marks of used nonces and assertions: \
             they are refused by clocks that are behind that time, until it or a restore"
        );
    }
    Ok(known)
}

pub(super) async fn raise<E: Engine>(
    database: &Database<E>,
    since: KnownSince,
) -> Result<(), StoreError> {
    let Some(lost) = since.lost() else { return Ok(()) };
    database.run(RAISE, values![lost.millis()]).await?;
    database.remembered().forget();
    Ok(())
}

/// Tells that marks of keys which expired before `until` are removed. It returns the time before which they
/// may be removed now, since every process knows it: one that looked shortly before it was told does not.
pub(super) async fn tell_of_sweep<E: Engine>(
    database: &Database<E>,
    until: Timestamp,
) -> Result<Timestamp, StoreError> {
    let remembered = database.remembered();
    let known = remembered.told_before(database.env().steady());
    if remembered.told() < until.seconds() {
        let told = until.seconds() + TELL_AHEAD;
        database.run(TELL, values![told]).await?;
        remembered.tell(told, database.env().steady());
    }
    Ok(Timestamp::from_seconds(known).min(until))
}
