//! Records as rows, and back.

use std::sync::Arc;

use rusqlite::{Connection, Row, RowIndex};
use serde_json::{Map, Value};

use crate::{
    Binding, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        client::record::Client,
        store::{
            AccessRecord, CodeRecord, Consent, Exchange, FamilyRecord, Grant, GrantColumns,
            InitialTokenRecord, IssuerId, KnownSince, LiveGrant, RowId, SecretHash, StoreError,
            UnusedClient, read_binding, read_exchange, read_resources, read_scopes,
        },
    },
};

/// The place of a column in a list of columns, by its name. It is found at compile time, so reading
/// a row compares no names.
macro_rules! at {
    ($columns:ident, $name:literal) => {
        const { $crate::provider::store::sqlite::rows::place($columns!(), $name) }
    };
}
pub(super) use at;

/// For [`at`]. Columns are separated by `, `.
#[expect(clippy::indexing_slicing, reason = "it is called by the compiler, which says so")]
pub(super) const fn place(columns: &str, name: &str) -> usize {
    let (columns, name) = (columns.as_bytes(), name.as_bytes());
    let (mut place, mut start, mut end) = (0, 0, 0);
    loop {
        if end < columns.len() && columns[end] != b',' {
            end += 1;
            continue;
        }
        let mut same = 0;
        while same < name.len() && start + same < end && columns[start + same] == name[same] {
            same += 1;
        }
        if same == name.len() && start + same == end {
            return place;
        }
        assert!(end < columns.len(), "there is no such column");
        (place, start, end) = (place + 1, end + 2, end + 2);
    }
}

/// The columns of a grant, which are adjacent in every list.
macro_rules! grant_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth"
    };
}
pub(super) use grant_columns;

/// The condition that a row of `quadrille_clients` is a client of the store itself. Of clients that
/// are kept elsewhere the row has the number only.
macro_rules! kept_here {
    () => {
        "record <> ''"
    };
}
pub(super) use kept_here;

/// The condition that the grant of row `t` is alive: its client exists and is not younger, and the
/// grant is not revoked.
macro_rules! alive {
    () => {
        "EXISTS (SELECT 1 FROM quadrille_clients c
            WHERE c.issuer = t.issuer AND c.id = t.client AND c.number <= t.grant_id)
        AND NOT EXISTS (SELECT 1 FROM quadrille_revoked r
            WHERE r.grant_id = t.grant_id AND r.issuer = t.issuer)
        AND (t.actor IS NULL OR NOT EXISTS (SELECT 1 FROM quadrille_cut cut
            WHERE cut.issuer = t.issuer AND cut.actor = t.actor
            AND cut.client IN ('', t.client) AND cut.last >= t.grant_id))"
    };
}
pub(super) use alive;

/// The greatest number ever stored.
macro_rules! newest {
    () => {
        "max((SELECT number FROM quadrille_newest),
        coalesce((SELECT max(row) FROM quadrille_codes), 0),
        coalesce((SELECT max(row) FROM quadrille_access_tokens), 0),
        coalesce((SELECT max(row) FROM quadrille_families), 0),
        coalesce((SELECT max(grant_id) FROM quadrille_grants), 0),
        coalesce((SELECT max(row) FROM quadrille_pending), 0),
        coalesce((SELECT max(grant_id) FROM quadrille_token_credentials), 0))"
    };
}
pub(super) use newest;

pub(super) fn read_one<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// The moment since which the database knows what was used.
pub(super) fn known_since(connection: &Connection) -> Result<KnownSince, StoreError> {
    let sql = "SELECT lost FROM quadrille_known_since";
    let lost = read_one(connection, sql, [], |row| Ok(Timestamp::from_millis(row.get(0)?)))?;
    Ok(lost.map_or(KnownSince::ALWAYS, KnownSince::moment))
}

/// The moment since which it knows every key, by a clock that says `now`.
pub(super) fn keys_known_since(
    connection: &Connection,
    now: Timestamp,
) -> Result<KnownSince, StoreError> {
    let sql = "SELECT expired FROM quadrille_swept";
    let swept = read_one(connection, sql, [], |row| Ok(Timestamp::from_seconds(row.get(0)?)))?;
    let since = known_since(connection)?;
    Ok(swept.map_or(since, |swept| since.after_sweep(swept, now)))
}

pub(super) fn client(record: &str) -> Result<Arc<Client>, StoreError> {
    serde_json::from_str(record).map(Arc::new).map_err(|_| bad("a client"))
}

/// Reads a client that must be used until a certain time.
pub(super) fn unused_client(row: &Row<'_>) -> Result<UnusedClient, StoreError> {
    let from: Option<String> = row.get("address")?;
    Ok(UnusedClient {
        id: row.get("id")?,
        number: RowId(row.get("number")?),
        from: from.map(|text| text.parse()).transpose().map_err(|_| bad("an address"))?,
        until: seconds(row, "expires")?,
    })
}

/// Reads an initial access token.
pub(super) fn initial_token(row: &Row<'_>) -> Result<InitialTokenRecord, StoreError> {
    Ok(InitialTokenRecord {
        row: RowId(row.get("row")?),
        hash: row.get("hash")?,
        name: row.get("name")?,
        uses: row.get("uses")?,
        expires: seconds(row, "expires")?,
    })
}

/// The key of a row that is found by 16 or 32 random bytes.
pub(super) fn key(issuer: IssuerId, space: &str, id: &[u8]) -> Vec<u8> {
    [&issuer.0.to_be_bytes(), space.as_bytes(), id].concat()
}

/// Reads the columns of [`grant_columns`], of which `grant_id` is the first.
pub(super) fn grant(row: &Row<'_>, grant_id: usize) -> Result<Grant, StoreError> {
    let actor = row.get_ref(grant_id + at!(grant_columns, "actor"))?.as_str_or_null();
    let auth = row.get_ref(grant_id + at!(grant_columns, "auth"))?.as_str_or_null();
    let columns = GrantColumns {
        id: row.get(grant_id)?,
        client: text(row, grant_id + at!(grant_columns, "client"), "a client")?.into(),
        actor: actor.map_err(|_| bad("an actor"))?.map(Into::into),
        scopes: text(row, grant_id + at!(grant_columns, "scopes"), "scopes")?.into(),
        resources: text(row, grant_id + at!(grant_columns, "resources"), "resources")?.into(),
        auth: auth.map_err(|_| bad("an authentication"))?.map(Into::into),
    };
    columns.read()
}

fn text<'r>(
    row: &'r Row<'_>,
    column: impl RowIndex,
    what: &'static str,
) -> Result<&'r str, StoreError> {
    row.get_ref(column)?.as_str().map_err(|_| bad(what))
}

/// The columns that [`code`] reads.
macro_rules! code_columns {
    () => {
        concat!("row, ", grant_columns!(), ", hash, expires, redirect_uri, challenge, redeemed")
    };
}
pub(super) use code_columns;

pub(super) fn code(row: &Row<'_>) -> Result<CodeRecord, StoreError> {
    Ok(CodeRecord {
        row: RowId(row.get(at!(code_columns, "row"))?),
        grant: grant(row, at!(code_columns, "grant_id"))?,
        hash: row.get(at!(code_columns, "hash"))?,
        expires: seconds(row, at!(code_columns, "expires"))?,
        redirect_uri: row.get(at!(code_columns, "redirect_uri"))?,
        challenge: row.get(at!(code_columns, "challenge"))?,
        redeemed: row.get(at!(code_columns, "redeemed"))?,
    })
}

/// The columns that [`access`] reads.
macro_rules! access_columns {
    () => {
        concat!("row, ", grant_columns!(), ", hash, expires, binding, exchange")
    };
}
pub(super) use access_columns;

pub(super) fn access(row: &Row<'_>) -> Result<AccessRecord, StoreError> {
    Ok(AccessRecord {
        row: RowId(row.get(at!(access_columns, "row"))?),
        grant: grant(row, at!(access_columns, "grant_id"))?,
        hash: row.get(at!(access_columns, "hash"))?,
        expires: seconds(row, at!(access_columns, "expires"))?,
        binding: binding(row, at!(access_columns, "binding"))?,
        exchange: exchange(row, at!(access_columns, "exchange"))?,
    })
}

/// The columns that [`consent`] reads.
macro_rules! consent_columns {
    () => {
        "client, resources, scopes, given, data"
    };
}
pub(super) use consent_columns;

/// The consent of this user.
pub(super) fn consent(row: &Row<'_>, subject: &str) -> Result<Consent, StoreError> {
    let data = row.get_ref(at!(consent_columns, "data"))?;
    let data = data.as_str_or_null().map_err(|_| bad("a consent"))?;
    let data = data.map(serde_json::from_str).transpose().map_err(|_| bad("a consent"))?;
    Ok(Consent {
        subject: subject.into(),
        client: row.get(at!(consent_columns, "client"))?,
        resources: resources(row, at!(consent_columns, "resources"))?,
        scopes: scopes(row, at!(consent_columns, "scopes"))?,
        given: seconds(row, at!(consent_columns, "given"))?,
        data: data.unwrap_or_default(),
    })
}

/// The `data` column of a consent.
pub(super) fn data_text(data: &Map<String, Value>) -> Result<Option<String>, StoreError> {
    if data.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(data).map(Some).map_err(|_| bad("a consent"))
}

/// The columns that [`listed`] reads, before the row of the refresh tokens and the time of their
/// last rotation.
macro_rules! listed_columns {
    () => {
        concat!(grant_columns!(), ", expires")
    };
}
pub(super) use listed_columns;

pub(super) fn listed(row: &Row<'_>) -> Result<LiveGrant, StoreError> {
    const EXPIRES: usize = at!(listed_columns, "expires");
    let family: Option<i64> = row.get(EXPIRES + 1)?;
    let rotated: Option<i64> = row.get(EXPIRES + 2)?;
    let rotated = rotated.map(Timestamp::from_seconds);
    let refreshed = family.zip(rotated);
    Ok(LiveGrant {
        grant: grant(row, at!(listed_columns, "grant_id"))?,
        refreshed: refreshed.and_then(|(row, rotated)| LiveGrant::refreshed(RowId(row), rotated)),
        expires: seconds(row, EXPIRES)?,
    })
}

/// The columns that [`family`] reads.
macro_rules! family_columns {
    () => {
        concat!(
            "row, ",
            grant_columns!(),
            ", generation, current, previous, rotated, expires, ends"
        )
    };
}
pub(super) use family_columns;

pub(super) fn family(row: &Row<'_>) -> Result<FamilyRecord, StoreError> {
    Ok(FamilyRecord {
        row: RowId(row.get(at!(family_columns, "row"))?),
        grant: grant(row, at!(family_columns, "grant_id"))?,
        generation: row.get(at!(family_columns, "generation"))?,
        current: row.get(at!(family_columns, "current"))?,
        previous: row.get::<_, Option<SecretHash>>(at!(family_columns, "previous"))?,
        rotated: seconds(row, at!(family_columns, "rotated"))?,
        expires: seconds(row, at!(family_columns, "expires"))?,
        ends: seconds(row, at!(family_columns, "ends"))?,
    })
}

pub(super) fn seconds(row: &Row<'_>, column: impl RowIndex) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_seconds(row.get(column)?))
}

/// Reads a column of [`binding_column`](crate::provider::store::binding_column).
pub(super) fn binding(row: &Row<'_>, column: impl RowIndex) -> Result<Option<Binding>, StoreError> {
    read_binding(row.get_ref(column)?.as_str_or_null().map_err(|_| bad("a binding"))?)
}

fn exchange(row: &Row<'_>, column: impl RowIndex) -> Result<Option<Arc<Exchange>>, StoreError> {
    read_exchange(row.get_ref(column)?.as_str_or_null().map_err(|_| bad("an exchange"))?)
}

pub(super) fn scopes(row: &Row<'_>, column: impl RowIndex) -> Result<Scopes, StoreError> {
    read_scopes(text(row, column, "scopes")?)
}

pub(super) fn resources(row: &Row<'_>, column: impl RowIndex) -> Result<Resources, StoreError> {
    read_resources(text(row, column, "resources")?)
}

pub(super) fn bad(what: &'static str) -> StoreError {
    StoreError::Corrupt(what)
}
