//! Logos of clients.

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{PgStore, store_error};
use sqlx::{Row as _, postgres::PgRow};

use crate::data::logos::{KEPT, LogoKey, MOST, StoredLogo};

const FIND: &str = "SELECT url, fingerprint, picture, fetched FROM quadrille_program_logos
    WHERE url = $1 OR fingerprint = $2 LIMIT 1";

const PUT: &str = "INSERT INTO quadrille_program_logos (url, fingerprint, picture, fetched)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (url) DO UPDATE SET fingerprint = $2, picture = $3, fetched = $4";

const MAKE_ROOM: &str = "DELETE FROM quadrille_program_logos WHERE fetched < $1 OR url IN
    (SELECT url FROM quadrille_program_logos ORDER BY fetched DESC, url OFFSET $2)";

pub(super) async fn find(
    store: &PgStore,
    which: LogoKey<'_>,
) -> Result<Option<StoredLogo>, StoreError> {
    let (url, fingerprint) = which.columns();
    let (url, fingerprint) = (url.map(str::to_owned), fingerprint.map(str::to_owned));
    let rows = store.fetch(sqlx::query(FIND).bind(url).bind(fingerprint)).await?;
    rows.first().map(logo).transpose().map_err(store_error)
}

fn logo(row: &PgRow) -> sqlx::Result<StoredLogo> {
    let (url, fingerprint): (&str, &str) = (row.try_get("url")?, row.try_get("fingerprint")?);
    Ok(StoredLogo {
        url: url.into(),
        fingerprint: fingerprint.into(),
        picture: row.try_get::<Vec<u8>, _>("picture")?.into(),
        fetched: Timestamp::from_seconds(row.try_get("fetched")?),
    })
}

pub(super) async fn put(store: &PgStore, logo: StoredLogo) -> Result<(), StoreError> {
    let StoredLogo { url, fingerprint, picture, fetched } = logo;
    let now = fetched.seconds();
    let put = sqlx::query(PUT).bind(url.to_string()).bind(fingerprint.to_string());
    store.execute(put.bind(picture.to_vec()).bind(now)).await?;
    let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
    let make_room = sqlx::query(MAKE_ROOM).bind(now.saturating_sub(kept)).bind(MOST);
    store.execute(make_room).await.map(drop)
}

pub(super) async fn forget(store: &PgStore, url: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM quadrille_program_logos WHERE url = $1";
    store.execute(sqlx::query(sql).bind(url.to_owned())).await.map(drop)
}
