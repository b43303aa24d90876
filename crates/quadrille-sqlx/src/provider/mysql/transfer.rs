//! Rows of another store, one after the other in a transaction.

use quadrille::provider::store::{
    IssuerId, StoreError, StoredColumn, StoredRow, StoredTable, StoredValue,
};
use sqlx::MySqlPool;

use super::super::{
    columns::{epoch_now, number_now},
    database::Database,
    fault::run,
    transfer::{BAD, columns, consent_key},
    values::{Value, Values, values},
};

/// The columns `number` and `epoch` of a new consent, whose subject and client are the first values.
const ERA: &str =
    concat!(number_now!("$3"), ", CAST(", epoch_now!("$3", "CONCAT('u', $2)"), " AS SIGNED)");

/// Stores rows whose keys are new, and returns their number.
pub(super) async fn put_rows(
    database: &Database<MySqlPool>,
    issuer: IssuerId,
    table: StoredTable,
    rows: Vec<StoredRow>,
) -> Result<u64, StoreError> {
    let statement = database.statement(&insert(table));
    let rows = rows.into_iter().map(|row| values_of(issuer, table, row));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    run(|| async {
        let mut steps = database.begin().await?;
        let mut new = 0;
        for values in &rows {
            new += steps.execute(&statement, values).await?;
        }
        steps.commit().await?;
        Ok(new)
    })
    .await
}

fn insert(table: StoredTable) -> String {
    let mut names = columns(table);
    let places: Vec<_> = (2..).take(names.len()).map(|place| format!("${place}")).collect();
    let mut values = places.join(", ");
    match table {
        StoredTable::Consents => {
            names.extend(["number", "epoch", "target"]);
            values = format!("{values}, {ERA}, ${}", names.len() - 1);
        }
        StoredTable::Cut => {
            names.push("epoch");
            values.push_str(", 1");
        }
        // The number of the grant is the key, too.
        StoredTable::Grants | StoredTable::TokenCredentials => {
            names.push("\"row\"");
            values.push_str(", $2");
        }
        _ => {}
    }
    format!(
        "INSERT INTO quadrille_{} (issuer, {}) SELECT $1, {values} FROM done ON CONFLICT DO NOTHING",
        table.name(),
        names.join(", ")
    )
}

/// The values of a row.
fn values_of(issuer: IssuerId, table: StoredTable, row: StoredRow) -> Result<Values, StoreError> {
    let kinds = table.columns();
    if row.0.len() != kinds.len() {
        return Err(BAD);
    }
    let target = match table {
        StoredTable::Consents => Some(consent_key(&row)?.1),
        _ => None,
    };
    let mut values = values![issuer.0];
    for ((name, kind), field) in kinds.iter().zip(row.0) {
        values.0.push(value(name, *kind, field)?);
    }
    if let Some(target) = target {
        values.push(target);
    }
    Ok(values)
}

fn value(name: &str, kind: StoredColumn, field: StoredValue) -> Result<Value, StoreError> {
    Ok(match (kind, field) {
        (StoredColumn::Row | StoredColumn::Number, StoredValue::Null) => Value::Number(None),
        (StoredColumn::Row | StoredColumn::Number, StoredValue::Number(number)) => number.into(),
        (StoredColumn::Flag, StoredValue::Number(number)) => (number != 0).into(),
        (StoredColumn::Text, StoredValue::Null) => Value::Text(None),
        (StoredColumn::Text, StoredValue::Text(text)) => text.into(),
        (StoredColumn::Name | StoredColumn::Bytes, StoredValue::Null) => Value::Bytes(None),
        (StoredColumn::Name, StoredValue::Text(text)) => match name {
            "actor" => Value::actor(text),
            "id" | "client" | "subject" => Value::key(&text),
            _ => text.into_bytes().into(),
        },
        (StoredColumn::Bytes, StoredValue::Bytes(bytes)) => bytes.into(),
        _ => return Err(BAD),
    })
}
