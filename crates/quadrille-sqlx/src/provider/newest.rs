//! The greatest number in the store.

use quadrille::provider::store::{RowId, StoreError};

use super::{
    batches::{Entry, Turn},
    database::Database,
    dialect::Dialect,
    engine::Engine,
};

/// The tables whose rows are numbered, but for those that count as `quadrille_newest`.
const NUMBERED: [&str; 6] =
    ["codes", "access_tokens", "families", "grants", "pending", "token_credentials"];

/// A look-up of the greatest number. Requests that wait at the same time share one.
pub(super) struct Newest;

impl<E: Dialect> Entry<E> for Newest {
    type Answer = RowId;
    const WRITES: bool = false;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<RowId>>, StoreError> {
        let newest = newest(database).await?;
        Ok(entries.iter().map(|_| Turn::Done(newest)).collect())
    }
}

async fn newest<E: Engine>(database: &Database<E>) -> Result<RowId, StoreError> {
    let keys = database.keys();
    let sql = || {
        let ranges = keys.ranges();
        let greatest = |table: &&str| {
            // The end of an index. PostgreSQL may read all of it for `max`: if it has made its plan
            // when the table was empty.
            let greatest = |(first, last): &(i64, i64)| {
                format!(
                    " UNION ALL SELECT true, (SELECT \"row\" FROM quadrille_{table} \
                     WHERE \"row\" BETWEEN {first} AND {last} ORDER BY \"row\" DESC LIMIT 1)"
                )
            };
            ranges.iter().map(greatest).collect::<String>()
        };
        let all: String = NUMBERED.iter().map(greatest).collect();
        format!("SELECT false, number FROM quadrille_newest{all}")
    };
    let numbers = database.newest(sql, |row| {
        let (is_key, number) = (row.flag()?, row.optional_number()?.unwrap_or(0));
        Ok(if is_key { keys.unmix(number) } else { number })
    });
    Ok(RowId(numbers.await?.into_iter().max().unwrap_or(0)))
}
