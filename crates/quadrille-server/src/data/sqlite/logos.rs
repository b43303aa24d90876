//! Logos of clients.

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::{OptionalExtension as _, params};

use crate::data::logos::{KEPT, LogoKey, MOST, StoredLogo};

pub(super) async fn find(
    store: &SqliteStore,
    which: LogoKey<'_>,
) -> Result<Option<StoredLogo>, StoreError> {
    store
        .read(|connection| {
            let sql = "SELECT url, fingerprint, picture, fetched FROM quadrille_program_logos
                WHERE url = ?1 OR fingerprint = ?2 LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_row(which.columns(), |row| {
                let (url, fingerprint) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
                Ok(StoredLogo {
                    url: url.into(),
                    fingerprint: fingerprint.into(),
                    picture: row.get::<_, Vec<u8>>(2)?.into(),
                    fetched: Timestamp::from_seconds(row.get(3)?),
                })
            });
            Ok(found.optional()?)
        })
        .await
}

pub(super) async fn put(store: &SqliteStore, logo: StoredLogo) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            let StoredLogo { url, fingerprint, picture, fetched } = &logo;
            let now = fetched.seconds();
            transaction.execute(
                "INSERT INTO quadrille_program_logos (url, fingerprint, picture, fetched)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (url)
                 DO UPDATE SET fingerprint = ?2, picture = ?3, fetched = ?4",
                params![url, fingerprint, &picture[..], now],
            )?;
            let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
            transaction.execute(
                "DELETE FROM quadrille_program_logos WHERE fetched < ?1 OR url IN
                 (SELECT url FROM quadrille_program_logos
                 ORDER BY fetched DESC, url LIMIT -1 OFFSET ?2)",
                params![now.saturating_sub(kept), MOST],
            )?;
            Ok(())
        })
        .await
}

pub(super) async fn forget(store: &SqliteStore, url: &str) -> Result<(), StoreError> {
    let url = url.to_owned();
    store
        .write(move |transaction| {
            transaction.execute("DELETE FROM quadrille_program_logos WHERE url = ?1", [&url])?;
            Ok(())
        })
        .await
}
