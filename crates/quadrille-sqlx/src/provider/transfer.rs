//! The rows of the database, to be moved into another store.

use quadrille::provider::store::{
    IssuerId, KnownSince, RowId, StoreError, StoredColumn, StoredRow, StoredTable, StoredValue,
    Transfer,
};

use super::{
    database::Database,
    dialect::Dialect,
    known_since,
    reader::{Fields, Reader, target},
    store::SqlStore,
    values::{Value, Values, values},
};

pub(super) const BAD: StoreError = StoreError::Corrupt("a row of another store");

const SWAP_SECRET: &str = "UPDATE quadrille_token_credentials SET secret = $4
    WHERE \"row\" = $2 AND issuer = $1 AND secret = $3";

const RAISE: &str = "UPDATE quadrille_newest SET number = greatest(number, $1)";

impl<E: Dialect> Transfer for SqlStore<E> {
    async fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.run(|database| async move {
            let mut values = values![issuer.0, i64::from(limit)];
            if let Some(after) = &after {
                values.extend(key_values(&database, table, after)?);
            }
            let sql = select::<E>(table, after.is_some());
            database.all_of(&database.statement(&sql), &values, |row| read(table, row)).await
        })
        .await
    }

    async fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        self.run(|database| async move { E::put_rows(&database, issuer, table, rows).await }).await
    }

    async fn swap_secret(
        &self,
        issuer: IssuerId,
        grant: RowId,
        before: Vec<u8>,
        after: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.run(|database| async move {
            let values = values![issuer.0, database.key(grant), before, after];
            Ok(database.run(SWAP_SECRET, values).await? > 0)
        })
        .await
    }

    async fn raise_newest(&self, newest: RowId) -> Result<(), StoreError> {
        self.run(|database| async move { database.run(RAISE, values![newest.0]).await.map(drop) })
            .await
    }

    async fn raise_known_since(&self, since: KnownSince) -> Result<(), StoreError> {
        self.run(|database| async move { known_since::raise(&database, since).await }).await
    }
}

/// Whether the rows of a table have the number of their grant as their key.
pub(super) const fn is_by_grant(table: StoredTable) -> bool {
    matches!(table, StoredTable::Grants | StoredTable::Revoked | StoredTable::TokenCredentials)
}

/// The key of a table within an issuer.
fn key(table: StoredTable) -> Vec<&'static str> {
    match table {
        StoredTable::Consents => vec!["subject", "target"],
        table if is_by_grant(table) => vec!["\"row\""],
        table => columns(table).into_iter().take(table.key()).collect(),
    }
}

/// The columns of a row.
pub(super) fn columns(table: StoredTable) -> Vec<&'static str> {
    let names = table.columns().iter().map(|(name, _)| match *name {
        "row" => "\"row\"",
        // Here the key of the row is enough.
        "grant_id" if table == StoredTable::Revoked => "\"row\"",
        name => name,
    });
    names.collect()
}

fn select<E: Dialect>(table: StoredTable, goes_on: bool) -> String {
    let key = key(table);
    let places: Vec<_> = (3..).take(key.len()).map(|place| format!("${place}")).collect();
    let key = key.join(", ");
    let after = match goes_on {
        true => format!("AND ({key}) > ({})", places.join(", ")),
        false => String::new(),
    };
    let lives = if table == StoredTable::Consents { E::CONSENT_LIVES } else { "true" };
    format!(
        "SELECT {} FROM quadrille_{} c WHERE issuer = $1 AND {lives} {after} ORDER BY {key} LIMIT $2",
        columns(table).join(", "),
        table.name()
    )
}

/// The values of the key of a row.
fn key_values<E: Dialect>(
    database: &Database<E>,
    table: StoredTable,
    row: &StoredRow,
) -> Result<Values, StoreError> {
    if table == StoredTable::Consents {
        let (subject, target) = consent_key(row)?;
        return Ok(values![subject, target]);
    }
    let mut values = values![];
    let kinds = table.columns().iter().map(|(_, column)| *column);
    for (field, column) in row.0.iter().zip(kinds).take(table.key()) {
        values.0.push(match (column, field) {
            (StoredColumn::Number, StoredValue::Number(number)) if is_by_grant(table) => {
                database.key(RowId(*number)).into()
            }
            (StoredColumn::Row, StoredValue::Number(number)) => database.key(RowId(*number)).into(),
            (StoredColumn::Number, StoredValue::Number(number)) => (*number).into(),
            (StoredColumn::Text, StoredValue::Text(text)) => text.as_str().into(),
            (StoredColumn::Name, StoredValue::Text(text)) => {
                Value::Bytes(Some(text.clone().into_bytes()))
            }
            (StoredColumn::Bytes, StoredValue::Bytes(bytes)) => bytes.clone().into(),
            _ => return Err(BAD),
        });
    }
    Ok(values)
}

/// The subject of a consent, and the hash of client and resources.
pub(super) fn consent_key(row: &StoredRow) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    match row.0.as_slice() {
        [
            StoredValue::Text(subject),
            StoredValue::Text(client),
            StoredValue::Text(resources),
            ..,
        ] => Ok((subject.clone().into_bytes(), target(client, resources))),
        _ => Err(BAD),
    }
}

fn read<R: Fields>(table: StoredTable, row: &mut Reader<'_, R>) -> Result<StoredRow, StoreError> {
    let by_grant = table == StoredTable::Revoked;
    let field = |(name, kind): &(&str, StoredColumn)| {
        let number = |number: Option<i64>| number.map_or(StoredValue::Null, StoredValue::Number);
        Ok(match kind {
            StoredColumn::Row => number(row.optional_row()?),
            StoredColumn::Number if by_grant && *name == "grant_id" => number(row.optional_row()?),
            StoredColumn::Number => number(row.optional_number()?),
            StoredColumn::Flag => StoredValue::Number(i64::from(row.flag()?)),
            StoredColumn::Text | StoredColumn::Name => match row.optional_text()? {
                Some(text) => StoredValue::Text(text.to_owned()),
                None => StoredValue::Null,
            },
            StoredColumn::Bytes => match row.optional_bytes()? {
                Some(bytes) => StoredValue::Bytes(bytes.to_vec()),
                None => StoredValue::Null,
            },
        })
    };
    table.columns().iter().map(field).collect::<Result<_, StoreError>>().map(StoredRow)
}
