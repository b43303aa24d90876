//! The statements of a store, as its database understands them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    engine::{Engine, Script, Statement, Write},
    keys::Keys,
};
use crate::statements::Prefix;

/// The statements, each written once: with the prefix of the tables, and with the keys in place of
/// `mix(column)`.
#[derive(Debug)]
pub(super) struct Texts {
    prefix: Prefix,
    keys: Keys,
    /// By their places in memory, which differ from one constant to another.
    statements: RwLock<HashMap<(usize, usize), Arc<Statement>>>,
    scripts: RwLock<HashMap<usize, Arc<Script<Statement>>>>,
}

impl Texts {
    pub(super) fn new(prefix: Prefix, keys: Keys) -> Self {
        Self { prefix, keys, statements: RwLock::default(), scripts: RwLock::default() }
    }

    /// Those of another connection to the same tables.
    #[cfg(feature = "postgres")]
    pub(super) fn again(&self) -> Self {
        Self::new(self.prefix.clone(), self.keys)
    }

    pub(super) fn keys(&self) -> Keys {
        self.keys
    }

    /// The statement of a constant.
    pub(super) fn of<E: Engine>(&self, sql: &'static str) -> Arc<Statement> {
        let place = (sql.as_ptr().addr(), sql.len());
        known(&self.statements, place, || self.statement::<E>(sql))
    }

    /// The statements of a write.
    pub(super) fn script<E: Engine>(&self, write: &'static Write) -> Arc<Script<Statement>> {
        known(&self.scripts, std::ptr::from_ref(write).addr(), || {
            let Script { in_turn, then } = E::script(write);
            let all = |texts: Vec<String>| {
                texts.iter().map(|text| self.statement::<E>(text)).collect::<Vec<_>>()
            };
            Script { in_turn: all(in_turn), then: all(then) }
        })
    }

    /// Any other statement.
    pub(super) fn statement<E: Engine>(&self, sql: &str) -> Statement {
        let mut parts = sql.split("mix(");
        let mut text = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let (column, rest) = part.split_once(')').unwrap_or((part, ""));
            text.push_str(&self.keys.mixed(column));
            text.push_str(rest);
        }
        E::statement(&self.prefix.apply(&text))
    }
}

fn known<K: Eq + Hash, T>(
    all: &RwLock<HashMap<K, Arc<T>>>,
    key: K,
    write: impl FnOnce() -> T,
) -> Arc<T> {
    let known = all.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.get(&key) {
        return Arc::clone(text);
    }
    drop(known);
    let text = Arc::new(write());
    let mut known = all.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(key).or_insert(text))
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use sqlx::PgPool;

    use super::*;

    #[test]
    fn a_statement_has_the_keys_and_the_prefix_of_its_store() {
        let ordered = Texts::new(Prefix::new("one_").unwrap(), Keys::Ordered);
        assert_eq!(
            &*ordered.of::<PgPool>("quadrille_a WHERE x = mix(t.b) AND y").sql,
            "one_a WHERE x = t.b AND y"
        );
        let hashed = Texts::new(Prefix::default(), Keys::Hashed);
        assert!(hashed.of::<PgPool>("mix(t.b)").sql.contains("(t.b & 4194303)"));
    }
}
