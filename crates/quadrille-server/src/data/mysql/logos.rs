//! Logos of clients.

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{MySqlStore, store_error};
use sqlx::{Row as _, mysql::MySqlRow};

use crate::data::logos::{KEPT, LogoKey, MOST, StoredLogo};

use super::statements::{about, text};

const FIND: &str = "SELECT url, fingerprint, picture, fetched FROM quadrille_program_logos
    WHERE hash = unhex(sha2(?, 256)) OR fingerprint = ? LIMIT 1";

const PUT: &str = "INSERT INTO quadrille_program_logos (hash, url, fingerprint, picture, fetched)
    VALUES (unhex(sha2(?, 256)), ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
    fingerprint = VALUES(fingerprint), picture = VALUES(picture), fetched = VALUES(fetched)";

const OLD: &str = "DELETE FROM quadrille_program_logos WHERE fetched < ?";

/// Logos beyond the greatest number: one, unless several are stored at once.
const TOO_MANY: &str = "SELECT hash FROM quadrille_program_logos
    ORDER BY fetched DESC, hash LIMIT 64 OFFSET ?";
const REMOVE: &str = "DELETE FROM quadrille_program_logos WHERE hash IN [any]";

pub(super) async fn find(
    store: &MySqlStore,
    which: LogoKey<'_>,
) -> Result<Option<StoredLogo>, StoreError> {
    let (url, fingerprint) = which.columns();
    let rows = store.fetch(sqlx::query(FIND).bind(url).bind(fingerprint)).await?;
    rows.first().map(logo).transpose().map_err(store_error)
}

fn logo(row: &MySqlRow) -> sqlx::Result<StoredLogo> {
    Ok(StoredLogo {
        url: text(row, "url")?.into(),
        fingerprint: text(row, "fingerprint")?.into(),
        picture: row.try_get::<Vec<u8>, _>("picture")?.into(),
        fetched: Timestamp::from_seconds(row.try_get("fetched")?),
    })
}

pub(super) async fn put(store: &MySqlStore, logo: StoredLogo) -> Result<(), StoreError> {
    let StoredLogo { url, fingerprint, picture, fetched } = logo;
    let now = fetched.seconds();
    let put = sqlx::query(PUT).bind(&*url).bind(&*url).bind(&*fingerprint);
    store.execute(put.bind(picture.to_vec()).bind(now)).await?;
    let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
    store.execute(sqlx::query(OLD).bind(now.saturating_sub(kept))).await?;
    let many = store.fetch(sqlx::query(TOO_MANY).bind(MOST)).await?;
    let many: sqlx::Result<Vec<&[u8]>> = many.iter().map(|row| row.try_get(0)).collect();
    let many = many.map_err(store_error)?;
    if many.is_empty() {
        return Ok(());
    }
    store.execute(about(REMOVE, None, &many)).await.map(drop)
}

pub(super) async fn forget(store: &MySqlStore, url: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM quadrille_program_logos WHERE hash = unhex(sha2(?, 256))";
    store.execute(sqlx::query(sql).bind(url)).await.map(drop)
}
