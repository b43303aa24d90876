//! The rows of the file, to be moved into another store.

use rusqlite::{Row, params, params_from_iter, types::Value, types::ValueRef};

use crate::provider::store::{
    IssuerId, KnownSince, RowId, StoreError, StoredRow, StoredTable, StoredValue, Transfer,
};

use super::{SqliteStore, rows::key};

/// The bytes of the issuer's number in a key of [`key`], and those of a hash.
const ISSUER: usize = 8;
const HASH: usize = 32;

impl Transfer for SqliteStore {
    async fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let (sql, mut values) = match key_column(table) {
            None => (select(table, after.is_some()), vec![Value::Integer(issuer.0)]),
            Some(others) => {
                let sql = format!(
                    "SELECT key, {others} FROM quadrille_{} WHERE substr(key, 1, 8) = ?1
                    AND key > ?2 ORDER BY key LIMIT {limit}",
                    table.name()
                );
                let number = issuer.0.to_be_bytes().to_vec();
                (sql, vec![Value::Blob(number.clone()), Value::Blob(number)])
            }
        };
        if let Some(after) = after {
            let parts = after.0.into_iter().take(table.key()).map(value);
            match key_column(table) {
                None => values.extend(parts),
                Some(_) => {
                    values.pop();
                    values.push(joined(issuer, parts)?);
                }
            }
        }
        let sql = sql.replace("{limit}", &limit.to_string());
        self.look(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params_from_iter(&values))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(read(table, row)?);
            }
            Ok(rows)
        })
        .await
    }

    async fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        let of_key = key_column(table).is_some();
        self.write(move |transaction| {
            let columns: Vec<_> = table.columns().iter().map(|(name, _)| *name).collect();
            let columns = match of_key {
                true => columns.get(table.key()..).map(|rest| [&["key"], rest].concat()),
                false => Some([&["issuer"], &columns[..]].concat()),
            };
            let columns = columns.ok_or(BAD)?;
            let sql = format!(
                "INSERT OR IGNORE INTO quadrille_{} ({}) VALUES ({})",
                table.name(),
                columns.join(", "),
                vec!["?"; columns.len()].join(", ")
            );
            let mut insert = transaction.prepare_cached(&sql)?;
            let mut new = 0;
            for row in rows {
                if row.0.len() != table.columns().len() {
                    return Err(BAD);
                }
                let mut fields = row.0.into_iter().map(value);
                let first = match of_key {
                    true => joined(issuer, fields.by_ref().take(table.key()))?,
                    false => Value::Integer(issuer.0),
                };
                new += insert.execute(params_from_iter(std::iter::once(first).chain(fields)))?;
            }
            Ok(u64::try_from(new).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn swap_secret(
        &self,
        issuer: IssuerId,
        grant: RowId,
        before: Vec<u8>,
        after: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let sql = "UPDATE quadrille_token_credentials SET secret = ?4
                WHERE grant_id = ?2 AND issuer = ?1 AND secret = ?3";
            Ok(transaction.execute(sql, params![issuer.0, grant.0, before, after])? > 0)
        })
        .await
    }

    async fn raise_newest(&self, newest: RowId) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let sql = "UPDATE quadrille_newest SET number = max(number, ?1)";
            transaction.execute(sql, [newest.0])?;
            Ok(())
        })
        .await
    }

    async fn raise_known_since(&self, since: KnownSince) -> Result<(), StoreError> {
        let Some(lost) = since.lost() else { return Ok(()) };
        self.write(move |transaction| {
            let sql = "INSERT INTO quadrille_known_since (only, lost) VALUES (1, ?1)
                ON CONFLICT (only) DO UPDATE SET lost = max(lost, ?1)";
            transaction.execute(sql, [lost.millis()])?;
            Ok(())
        })
        .await
    }
}

const BAD: StoreError = StoreError::Corrupt("a row of another store");

/// The other columns of a table whose `key` has the issuer's number in it.
const fn key_column(table: StoredTable) -> Option<&'static str> {
    match table {
        StoredTable::ForeignTokens => Some("row, expires"),
        StoredTable::Tickets => Some("code, expires"),
        StoredTable::Once => Some("expires"),
        _ => None,
    }
}

/// The query of a page of a table with a column `issuer`.
fn select(table: StoredTable, goes_on: bool) -> String {
    let columns: Vec<_> = table.columns().iter().map(|(name, _)| *name).collect();
    let key: Vec<_> = columns.iter().take(table.key()).copied().collect();
    let places: Vec<_> = (2..).take(key.len()).map(|place| format!("?{place}")).collect();
    let key = key.join(", ");
    let after = match goes_on {
        true => format!("AND ({key}) > ({})", places.join(", ")),
        false => String::new(),
    };
    format!(
        "SELECT {} FROM quadrille_{} WHERE issuer = ?1 {after} ORDER BY {key} LIMIT {{limit}}",
        columns.join(", "),
        table.name()
    )
}

/// A row of a page. A key with the issuer's number is taken apart.
fn read(table: StoredTable, row: &Row<'_>) -> Result<StoredRow, StoreError> {
    let others = row.as_ref().column_count();
    let mut fields = Vec::with_capacity(table.columns().len());
    let skipped = match key_column(table) {
        None => 0,
        Some(_) => {
            let whole = row.get_ref(0)?.as_blob().map_err(|_| BAD)?;
            let rest = whole.get(ISSUER..).ok_or(BAD)?;
            if table.key() == 2 {
                let (space, hash) =
                    rest.split_at_checked(rest.len() - HASH.min(rest.len())).ok_or(BAD)?;
                let space = std::str::from_utf8(space).map_err(|_| BAD)?;
                fields.push(StoredValue::Text(space.to_owned()));
                fields.push(StoredValue::Bytes(hash.to_vec()));
            } else {
                fields.push(StoredValue::Bytes(rest.to_vec()));
            }
            1
        }
    };
    for place in skipped..others {
        fields.push(match row.get_ref(place)? {
            ValueRef::Null => StoredValue::Null,
            ValueRef::Integer(number) => StoredValue::Number(number),
            ValueRef::Text(text) => {
                StoredValue::Text(std::str::from_utf8(text).map_err(|_| BAD)?.to_owned())
            }
            ValueRef::Blob(bytes) => StoredValue::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(BAD),
        });
    }
    Ok(StoredRow(fields))
}

fn value(field: StoredValue) -> Value {
    match field {
        StoredValue::Null => Value::Null,
        StoredValue::Number(number) => Value::Integer(number),
        StoredValue::Text(text) => Value::Text(text),
        StoredValue::Bytes(bytes) => Value::Blob(bytes),
    }
}

/// The key of a row from its parts.
fn joined(issuer: IssuerId, parts: impl Iterator<Item = Value>) -> Result<Value, StoreError> {
    let (mut space, mut hash) = (String::new(), Vec::new());
    for part in parts {
        match part {
            Value::Text(text) => space = text,
            Value::Blob(bytes) => hash = bytes,
            _ => return Err(BAD),
        }
    }
    Ok(Value::Blob(key(issuer, &space, &hash)))
}
