//! The accounts of a fake service.

use std::{cell::OnceCell, collections::BTreeMap};

use serde_json::{Value, json};

use crate::oauth2::member::MemberPath;

/// The accounts with claims of their own, by number. There is an account for any other number, too.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    own: BTreeMap<u64, Value>,
    /// The number of the first account that was made up.
    first: OnceCell<u64>,
}

impl Accounts {
    /// Adds an account whose identifier is the member at this path of its claims.
    pub(super) fn add(&mut self, member: &str, claims: Value) {
        let own = value_at(&claims, member).and_then(|id| match id {
            Value::String(id) => id.parse().ok(),
            id => id.as_u64(),
        });
        let number = own.or_else(|| (1..).find(|number| !self.own.contains_key(number)));
        self.own.extend(number.map(|number| (number, claims)));
    }

    /// The numbers of the accounts that a page offers.
    pub(super) fn numbers(&self) -> Vec<u64> {
        match self.own.is_empty() {
            true => vec![1],
            false => self.own.keys().copied().collect(),
        }
    }

    /// The claims of an account: those of its own, and the others from this template, in which
    /// `$ID` is the number. The names of accounts that are made up differ.
    pub(super) fn claims(&self, template: &str, member: &str, number: u64) -> Value {
        let own = self.own.get(&number);
        let is_usual = || self.own.is_empty() && *self.first.get_or_init(|| number) == number;
        let template = match own.is_some() || is_usual() {
            true => template.to_owned(),
            false => of_another(template),
        };
        let template = template.replace("$ID", &number.to_string());
        let mut claims = serde_json::from_str(&template).unwrap_or_else(|_| {
            let mut bare = json!({});
            put(&mut bare, member, json!(number));
            put(&mut bare, "login", json!(format!("user-{number}")));
            bare
        });
        if let Some(own) = own {
            lay_over(&mut claims, own);
        }
        claims
    }
}

/// The template with the number in the names and the address of Ada Lovelace.
fn of_another(template: &str) -> String {
    template
        .replace("\"ada\"", "\"ada-$ID\"")
        .replace("\"ada L.\"", "\"ada-$ID L.\"")
        .replace("\"ada@", "\"ada-$ID@")
        .replace("Ada Lovelace", "Ada Lovelace $ID")
}

/// The value at a path in claims.
pub(super) fn value_at<'c>(claims: &'c Value, path: &str) -> Option<&'c Value> {
    MemberPath::parse(path)?.value(claims)
}

/// Puts a member at a path below others, which may exist.
pub(super) fn put(all: &mut Value, path: &str, value: Value) {
    match (all, path.split_once('.')) {
        (Value::Object(members), Some((name, rest))) => {
            put(members.entry(name).or_insert_with(|| json!({})), rest, value);
        }
        (Value::Object(members), None) => {
            members.insert(path.to_owned(), value);
        }
        _ => {}
    }
}

/// Replaces members, and those of members, by others.
fn lay_over(all: &mut Value, others: &Value) {
    match (all, others) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, other) in others {
                lay_over(members.entry(name.as_str()).or_insert(Value::Null), other);
            }
        }
        (value, other) => *value = other.clone(),
    }
}
