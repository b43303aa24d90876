//! The rows of the database, to be moved into another store.

use quadrille::provider::store::{
    IssuerId, KnownSince, RowId, StoreError, StoredColumn, StoredRow, StoredTable, StoredValue,
    Transfer,
};
use sqlx::{
    Arguments as _, PgPool,
    postgres::{PgArguments, PgRow},
};

use super::{
    columns::{epoch_now, number_now},
    database::Database,
    known_since,
    reader::{Reader, target},
    store::SqlStore,
    values::values,
};

const BAD: StoreError = StoreError::Corrupt("a row of another store");

/// The condition that the consent `c` has not ended.
const LIVES: &str = concat!(
    "c.number = ",
    number_now!("c.client"),
    " AND c.epoch = ",
    epoch_now!("c.client", "('u'::bytea || c.subject)")
);

/// The columns `number` and `epoch` of the new consent `n`.
const ERA: &str = concat!(
    number_now!("n.client"),
    ", ",
    epoch_now!("n.client", "('u'::bytea || n.subject)"),
    "::bigint"
);

const RAISE: &str = "UPDATE quadrille_newest SET number = greatest(number, $1)";

impl Transfer for SqlStore<PgPool> {
    async fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.run(|database| async move {
            let mut values = PgArguments::default();
            add(&mut values, issuer.0)?;
            add(&mut values, i64::from(limit))?;
            if let Some(after) = &after {
                add_key(&mut values, &database, table, after)?;
            }
            let rows = database.rows_of(&select(table, after.is_some()), values).await?;
            let row = |row| read(table, &mut Reader::of(row, database.keys()));
            rows.iter().map(row).collect()
        })
        .await
    }

    async fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        self.run(|database| async move {
            let mut values = PgArguments::default();
            add(&mut values, issuer.0)?;
            add_columns(&mut values, &database, table, rows)?;
            let new = database.rows_of(&insert(table), values).await?;
            Ok(u64::try_from(new.len()).unwrap_or(u64::MAX))
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
const fn is_by_grant(table: StoredTable) -> bool {
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
fn columns(table: StoredTable) -> Vec<&'static str> {
    let names = table.columns().iter().map(|(name, _)| match *name {
        "row" => "\"row\"",
        // Here the key of the row is enough.
        "grant_id" if table == StoredTable::Revoked => "\"row\"",
        name => name,
    });
    names.collect()
}

/// The columns that other stores have not, with their types.
const fn further(table: StoredTable) -> &'static [(&'static str, &'static str)] {
    match table {
        StoredTable::Consents => &[("target", "bytea")],
        StoredTable::Grants | StoredTable::TokenCredentials => &[("\"row\"", "bigint")],
        _ => &[],
    }
}

fn select(table: StoredTable, goes_on: bool) -> String {
    let key = key(table);
    let places: Vec<_> = (3..).take(key.len()).map(|place| format!("${place}")).collect();
    let key = key.join(", ");
    let after = match goes_on {
        true => format!("AND ({key}) > ({})", places.join(", ")),
        false => String::new(),
    };
    let lives = if table == StoredTable::Consents { LIVES } else { "true" };
    format!(
        "SELECT {} FROM quadrille_{} c WHERE issuer = $1 AND {lives} {after} ORDER BY {key} LIMIT $2",
        columns(table).join(", "),
        table.name()
    )
}

fn insert(table: StoredTable) -> String {
    let types = table.columns().iter().map(|(_, column)| match column {
        StoredColumn::Row | StoredColumn::Number => "bigint",
        StoredColumn::Flag => "boolean",
        StoredColumn::Text => "text",
        StoredColumn::Name | StoredColumn::Bytes => "bytea",
    });
    let further = further(table);
    let types = types.chain(further.iter().map(|(_, column)| *column));
    let names = columns(table).into_iter().chain(further.iter().map(|(name, _)| *name));
    let names = names.collect::<Vec<_>>().join(", ");
    let arrays: Vec<_> = (2..)
        .zip(types)
        .map(|(place, column): (usize, _)| format!("${place}::{column}[]"))
        .collect();
    let arrays = arrays.join(", ");
    let (more, their_values) = match table {
        StoredTable::Consents => (", number, epoch", format!(", {ERA}")),
        StoredTable::Cut => (", epoch", ", 1".to_owned()),
        _ => ("", String::new()),
    };
    format!(
        "INSERT INTO quadrille_{} (issuer, {names}{more})
        SELECT $1, {names}{their_values} FROM unnest({arrays}) AS n ({names})
        ON CONFLICT DO NOTHING RETURNING 1",
        table.name()
    )
}

/// The values of the key of a row.
fn add_key(
    values: &mut PgArguments,
    database: &Database<PgPool>,
    table: StoredTable,
    row: &StoredRow,
) -> Result<(), StoreError> {
    if table == StoredTable::Consents {
        let (subject, target) = consent_key(row)?;
        return add(values, subject).and_then(|()| add(values, target));
    }
    let kinds = table.columns().iter().map(|(_, column)| *column);
    for (field, column) in row.0.iter().zip(kinds).take(table.key()) {
        match (column, field) {
            (StoredColumn::Number, StoredValue::Number(number)) if is_by_grant(table) => {
                add(values, database.key(RowId(*number)))?;
            }
            (StoredColumn::Row, StoredValue::Number(number)) => {
                add(values, database.key(RowId(*number)))?;
            }
            (StoredColumn::Number, StoredValue::Number(number)) => add(values, *number)?,
            (StoredColumn::Text, StoredValue::Text(text)) => add(values, text.clone())?,
            (StoredColumn::Name, StoredValue::Text(text)) => {
                add(values, text.clone().into_bytes())?;
            }
            (StoredColumn::Bytes, StoredValue::Bytes(bytes)) => add(values, bytes.clone())?,
            _ => return Err(BAD),
        }
    }
    Ok(())
}

/// The subject of a consent, and the hash of client and resources.
fn consent_key(row: &StoredRow) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
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

/// The values of rows, an array for each column.
fn add_columns(
    values: &mut PgArguments,
    database: &Database<PgPool>,
    table: StoredTable,
    rows: Vec<StoredRow>,
) -> Result<(), StoreError> {
    let kinds = table.columns();
    if rows.iter().any(|row| row.0.len() != kinds.len()) {
        return Err(BAD);
    }
    let further: Vec<Vec<u8>> = match table {
        StoredTable::Consents => {
            rows.iter().map(|row| Ok(consent_key(row)?.1)).collect::<Result<_, StoreError>>()?
        }
        _ => Vec::new(),
    };
    let mut columns: Vec<Vec<StoredValue>> = kinds.iter().map(|_| Vec::new()).collect();
    for row in rows {
        for (column, field) in columns.iter_mut().zip(row.0) {
            column.push(field);
        }
    }
    let by_grant = is_by_grant(table);
    let keys = |column: Vec<Option<i64>>| -> Vec<Option<i64>> {
        column.into_iter().map(|number| Some(database.key(RowId(number?)))).collect()
    };
    let mut grants = Vec::new();
    for ((name, kind), column) in kinds.iter().zip(columns) {
        match kind {
            StoredColumn::Row => add(values, keys(all(column, |field| number(&field))?))?,
            StoredColumn::Number if by_grant && *name == "grant_id" => {
                let column = all(column, |field| number(&field))?;
                match table {
                    StoredTable::Revoked => add(values, keys(column))?,
                    _ => {
                        grants = keys(column.clone());
                        add(values, column)?;
                    }
                }
            }
            StoredColumn::Number => add(values, all(column, |field| number(&field))?)?,
            StoredColumn::Flag => {
                let flags = all(column, |field| number(&field))?.into_iter();
                add(values, flags.map(|flag| Some(flag? != 0)).collect::<Vec<_>>())?;
            }
            StoredColumn::Text => add(values, all(column, text)?)?,
            StoredColumn::Name => {
                let names = all(column, text)?.into_iter();
                add(values, names.map(|name| Some(name?.into_bytes())).collect::<Vec<_>>())?;
            }
            StoredColumn::Bytes => add(values, all(column, bytes)?)?,
        }
    }
    match table {
        StoredTable::Consents => add(values, further),
        StoredTable::Grants | StoredTable::TokenCredentials => add(values, grants),
        _ => Ok(()),
    }
}

/// A column, each value of which is null or of one type.
fn all<T>(
    column: Vec<StoredValue>,
    read: impl Fn(StoredValue) -> Option<T>,
) -> Result<Vec<Option<T>>, StoreError> {
    let value = |field| match field {
        StoredValue::Null => Ok(None),
        field => read(field).map(Some).ok_or(BAD),
    };
    column.into_iter().map(value).collect()
}

fn number(field: &StoredValue) -> Option<i64> {
    match field {
        StoredValue::Number(number) => Some(*number),
        _ => None,
    }
}

fn text(field: StoredValue) -> Option<String> {
    match field {
        StoredValue::Text(text) => Some(text),
        _ => None,
    }
}

fn bytes(field: StoredValue) -> Option<Vec<u8>> {
    match field {
        StoredValue::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn add<'v, T>(values: &mut PgArguments, value: T) -> Result<(), StoreError>
where
    T: sqlx::Encode<'v, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    values.add(value).map_err(StoreError::failed)
}

fn read(table: StoredTable, row: &mut Reader<'_, PgRow>) -> Result<StoredRow, StoreError> {
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
