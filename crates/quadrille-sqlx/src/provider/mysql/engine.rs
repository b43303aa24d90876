//! MySQL and MariaDB: their driver and their SQL.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use quadrille::provider::store::StoreError;
use sqlx::{
    Arguments as _, MySql, MySqlConnection, MySqlPool, Row as _, SqlSafeStr as _,
    mysql::{MySqlArguments, MySqlRow},
};

use super::{
    super::{
        engine::{Engine, Script, Statement, Way, Write, driver},
        fault::reason,
        held::Held,
        reader::Fields,
        values::{Value, Values},
    },
    translation::translated,
};

/// The bytes of a text that is a key; the server may cut what is longer, instead of refusing it.
const LONGEST: usize = 1024;

impl Fields for MySqlRow {
    fn number(&self, place: usize) -> Result<Option<i64>, StoreError> {
        self.try_get(place).map_err(reason)
    }

    fn flag(&self, place: usize) -> Result<Option<bool>, StoreError> {
        Ok(self.number(place)?.map(|number| number != 0))
    }

    fn bytes(&self, place: usize) -> Result<Option<&[u8]>, StoreError> {
        self.try_get_unchecked(place).map_err(reason)
    }
}

impl Engine for MySqlPool {
    type Driver = MySql;
    type Row = MySqlRow;
    type Arguments = MySqlArguments;
    /// The earliest second at which expired rows are removed again.
    type Sweeping = AtomicI64;
    type Replicas = ();

    const HASHED_KEYS: Option<&str> = None;
    // In whichever time zone a session is.
    const NOW: &str = "SELECT CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))
        DIV 1000 AS SIGNED)";

    fn statement(sql: &str) -> Statement {
        translated(sql)
    }

    fn script(write: &Write) -> Script<String> {
        let Write { first, in_turn, then, tells, .. } = write;
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let in_turn = if in_turn.is_empty() { owned(&[first]) } else { owned(in_turn) };
        let mut then = owned(then);
        if let Some(change) = tells {
            // The row of the last position stays locked until the commit.
            then.extend([
                "UPDATE quadrille_positions SET last = last + 1 WHERE id = 1".to_owned(),
                format!(
                    "INSERT INTO quadrille_changes (position, issuer, told)
                    SELECT last, $1, ${change} FROM quadrille_positions WHERE id = 1"
                ),
                "DELETE FROM quadrille_changes WHERE position =
                (SELECT last - 10000 FROM quadrille_positions WHERE id = 1)"
                    .to_owned(),
            ]);
        }
        Script { in_turn, then }
    }

    fn arguments(values: &Values, order: Option<&[usize]>) -> Result<MySqlArguments, StoreError> {
        let mut arguments = MySqlArguments::default();
        let mut add = |value: &Value| match value {
            Value::Number(number) => arguments.add(number).map_err(StoreError::failed),
            Value::Flag(flag) => arguments.add(flag).map_err(StoreError::failed),
            Value::Bytes(bytes) => arguments.add(bytes).map_err(StoreError::failed),
            Value::Text(text) => {
                arguments.add(text.as_ref().map(String::as_bytes)).map_err(StoreError::failed)
            }
            Value::Key(key) | Value::Actor(key) => {
                let longest = LONGEST + usize::from(matches!(value, Value::Actor(_)));
                if key.as_ref().is_some_and(|key| key.len() > longest) {
                    let reason = "an id, a subject or an issuer has more than 1024 bytes";
                    return Err(StoreError::failed(reason));
                }
                arguments.add(key).map_err(StoreError::failed)
            }
        };
        match order {
            Some(order) => {
                order.iter().filter_map(|&place| values.0.get(place)).try_for_each(&mut add)?;
            }
            None => values.0.iter().try_for_each(&mut add)?,
        }
        Ok(arguments)
    }

    async fn begin(held: &mut Held<MySql>, _: &str, limit: Duration) -> sqlx::Result<()> {
        // One message with both, which is one round trip.
        let begin = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN".into_sql_str();
        held.begin(begin, limit).await
    }

    driver!(MySqlConnection);
}
