//! The statements, as each database understands them.

use std::sync::Arc;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// The beginning of the names of all tables: 1 to 30 lower-case letters, digits and underscores,
/// the first a letter.
///
/// ```
/// use quadrille_sqlx::{Prefix, PrefixError};
///
/// assert!(Prefix::new("admin_login_").is_ok());
/// assert_eq!(Prefix::new("x; DROP TABLE users").unwrap_err(), PrefixError);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(Box<str>);

/// A prefix of tables has other characters than lower-case letters, digits and underscores, or is
/// too long.
///
/// ```
/// use quadrille_sqlx::Prefix;
///
/// assert!(Prefix::new("").unwrap_err().to_string().contains("1 to 30"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix of tables has 1 to 30 of a-z, 0-9 and '_', and begins with a letter")]
pub struct PrefixError;

/// The prefix in the files of `migrations/`.
const DEFAULT_PREFIX: &str = "quadrille_";

impl Prefix {
    /// Checks a prefix.
    ///
    /// # Errors
    /// [`PrefixError`].
    pub fn new(prefix: &str) -> Result<Self, PrefixError> {
        let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = prefix.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        // PostgreSQL cuts names at 63 bytes.
        if begins && prefix.len() <= 30 && prefix.bytes().all(fit) {
            Ok(Self(prefix.into()))
        } else {
            Err(PrefixError)
        }
    }

    /// SQL for this prefix.
    pub(crate) fn apply(&self, sql: &str) -> String {
        sql.replace(DEFAULT_PREFIX, &self.0)
    }
}

impl Default for Prefix {
    /// `quadrille_`.
    fn default() -> Self {
        Self(DEFAULT_PREFIX.into())
    }
}

/// The statements of one storage. Each is a transaction by itself, at any isolation level, so that
/// a verb holds no connection while it decides.
#[derive(Debug)]
pub(crate) struct Statements {
    /// By owner, service and subject.
    pub(crate) find: Arc<str>,
    /// By owner and service.
    pub(crate) find_current: Arc<str>,
    /// The order for an account that is linked now, by owner and service: MySQL only, which cannot
    /// read the table that it inserts into.
    pub(crate) next_order: Arc<str>,
    /// Owner, service, subject, token, version; then owner and service again, or the order.
    pub(crate) link: Arc<str>,
    /// Token, version, end; by owner, service, subject and version.
    pub(crate) replace: Arc<str>,
    /// Token; by owner, service, subject and version.
    pub(crate) reseal: Arc<str>,
    /// By owner, service and subject.
    pub(crate) unlink: Arc<str>,
    /// By service, and limit.
    pub(crate) first_accounts: Arc<str>,
    /// By service; owner, owner, subject; limit.
    pub(crate) next_accounts: Arc<str>,
    pub(crate) count: Arc<str>,
    /// Limit.
    pub(crate) first_of_all: Arc<str>,
    /// Owner, owner, service, service, subject; limit.
    pub(crate) next_of_all: Arc<str>,
    /// Owner, service, subject, holder, end; now. MySQL: holder, end; owner, service, subject;
    /// holder, now.
    pub(crate) lease: Arc<str>,
    /// Owner, service, subject, holder, end: MySQL only.
    pub(crate) insert_lease: Arc<str>,
    /// By owner, service, subject and holder.
    pub(crate) release: Arc<str>,
    /// By owner, service, subject and now.
    pub(crate) forget_lease: Arc<str>,
}

/// The columns of a [`Found`](crate::pool::Found), whose query knows owner and service.
const FOUND: &str = "subject, token, version, needs_linking_again";
/// The columns of a [`Listed`](crate::pool::Listed).
const LISTED: &str = "subject, token, version, needs_linking_again, owner, service";
const ACCOUNT: &str = "owner = ? AND service = ? AND subject = ?";
const INTO_ACCOUNTS: &str = "INSERT INTO quadrille_accounts
    (owner, service, subject, token, version, needs_linking_again, linked)";
const NEXT_ORDER: &str = "SELECT COALESCE(MAX(linked), 0) + 1 FROM quadrille_accounts
    WHERE owner = ? AND service = ?";
const INTO_LEASES: &str = "INSERT INTO quadrille_leases (owner, service, subject, holder, ends)
    VALUES (?, ?, ?, ?, ?)";

impl Statements {
    pub(crate) fn new(dialect: Dialect, prefix: &Prefix) -> Self {
        let sql = |sql: &str| -> Arc<str> {
            let sql = prefix.apply(sql);
            match dialect {
                Dialect::Sqlite | Dialect::MySql => sql.into(),
                Dialect::Postgres => numbered(&sql).into(),
            }
        };
        let select =
            |columns, rest: &str| sql(&format!("SELECT {columns} FROM quadrille_accounts {rest}"));
        let mysql = dialect == Dialect::MySql;
        Self {
            find: select(FOUND, &format!("WHERE {ACCOUNT}")),
            // The subject decides between two that were linked at the same moment.
            find_current: select(
                FOUND,
                "WHERE owner = ? AND service = ? ORDER BY linked DESC, subject DESC LIMIT 1",
            ),
            next_order: sql(NEXT_ORDER),
            link: sql(&if mysql {
                format!(
                    "{INTO_ACCOUNTS} VALUES (?, ?, ?, ?, ?, 0, ?) ON DUPLICATE KEY UPDATE
                     token = VALUES(token), version = VALUES(version),
                     needs_linking_again = 0, linked = VALUES(linked)"
                )
            } else {
                format!(
                    "{INTO_ACCOUNTS} VALUES (?, ?, ?, ?, ?, 0, ({NEXT_ORDER}))
                     ON CONFLICT (owner, service, subject) DO UPDATE SET
                     token = excluded.token, version = excluded.version,
                     needs_linking_again = 0, linked = excluded.linked"
                )
            }),
            replace: sql(&format!(
                "UPDATE quadrille_accounts SET token = ?, version = ?, needs_linking_again = ?
                 WHERE {ACCOUNT} AND version = ?"
            )),
            reseal: sql(&format!(
                "UPDATE quadrille_accounts SET token = ? WHERE {ACCOUNT} AND version = ?"
            )),
            unlink: sql(&format!("DELETE FROM quadrille_accounts WHERE {ACCOUNT}")),
            first_accounts: select(LISTED, "WHERE service = ? ORDER BY owner, subject LIMIT ?"),
            // In this form every database finds the page by the index.
            next_accounts: select(
                LISTED,
                "WHERE service = ? AND owner >= ? AND (owner > ? OR subject > ?)
                 ORDER BY owner, subject LIMIT ?",
            ),
            count: sql("SELECT COUNT(*) FROM quadrille_accounts"),
            first_of_all: select(LISTED, "ORDER BY owner, service, subject LIMIT ?"),
            next_of_all: select(
                LISTED,
                "WHERE owner >= ? AND (owner > ? OR service > ? OR (service = ? AND subject > ?))
                 ORDER BY owner, service, subject LIMIT ?",
            ),
            lease: sql(&if mysql {
                format!(
                    "UPDATE quadrille_leases SET holder = ?, ends = ?
                     WHERE {ACCOUNT} AND (holder = ? OR ends <= ?)"
                )
            } else {
                format!(
                    "{INTO_LEASES} ON CONFLICT (owner, service, subject) DO UPDATE
                     SET holder = excluded.holder, ends = excluded.ends
                     WHERE quadrille_leases.holder = excluded.holder
                     OR quadrille_leases.ends <= ?"
                )
            }),
            insert_lease: sql(INTO_LEASES),
            release: sql(&format!("DELETE FROM quadrille_leases WHERE {ACCOUNT} AND holder = ?")),
            forget_lease: sql(&format!(
                "DELETE FROM quadrille_leases WHERE {ACCOUNT} AND ends <= ?"
            )),
        }
    }
}

/// `$1`, `$2` for each `?`.
pub(crate) fn numbered(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut out = parts.next().unwrap_or("").to_owned();
    for (index, part) in parts.enumerate() {
        out.push_str(&format!("${}", index + 1));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresql_counts_its_values() {
        assert_eq!(numbered("a = ? AND b IN (?, ?)"), "a = $1 AND b IN ($2, $3)");
        assert_eq!(numbered("SELECT 1"), "SELECT 1");
    }

    #[test]
    fn a_prefix_can_hold_no_sql() {
        for good in ["q", "quadrille_", "a1_", &"a".repeat(30)] {
            assert!(Prefix::new(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "_a", "Quadrille_", "a-", "a.b", "a b", "a\"", "ä", &"a".repeat(31)]
        {
            assert_eq!(Prefix::new(bad), Err(PrefixError), "{bad}");
        }
    }
}
