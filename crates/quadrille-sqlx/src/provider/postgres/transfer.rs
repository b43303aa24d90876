//! Rows of another store, as arrays.

use quadrille::provider::store::{
    IssuerId, RowId, StoreError, StoredColumn, StoredRow, StoredTable, StoredValue,
};
use sqlx::{Arguments as _, PgPool, postgres::PgArguments};

use super::super::{
    columns::{epoch_now, number_now},
    database::Database,
    transfer::{BAD, columns, consent_key, is_by_grant},
};

/// The columns `number` and `epoch` of the new consent `n`.
const ERA: &str = concat!(
    number_now!("n.client"),
    ", ",
    epoch_now!("n.client", "('u'::bytea || n.subject)"),
    "::bigint"
);

/// Stores rows whose keys are new, and returns their number.
pub(super) async fn put_rows(
    database: &Database<PgPool>,
    issuer: IssuerId,
    table: StoredTable,
    rows: Vec<StoredRow>,
) -> Result<u64, StoreError> {
    let mut values = PgArguments::default();
    add(&mut values, issuer.0)?;
    add_columns(&mut values, database, table, rows)?;
    let new = database.rows(&database.statement(&insert(table)).sql, values).await?;
    Ok(u64::try_from(new.len()).unwrap_or(u64::MAX))
}

/// The columns that other stores have not, with their types.
const fn further(table: StoredTable) -> &'static [(&'static str, &'static str)] {
    match table {
        StoredTable::Consents => &[("target", "bytea")],
        StoredTable::Grants | StoredTable::TokenCredentials => &[("\"row\"", "bigint")],
        _ => &[],
    }
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
