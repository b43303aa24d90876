//! Statements in the SQL of PostgreSQL, translated.

use super::super::engine::Statement;

/// The words that MySQL has other words for. A query without an index locks all rows that it reads,
/// which others must not skip.
const WORDS: [(&str, &str); 4] = [
    ("IS NOT DISTINCT FROM", "<=>"),
    ("FROM done", "FROM DUAL"),
    ("excluded.", "VALUES("),
    (" SKIP LOCKED", ""),
];

/// Identifiers are unique if they are foreign, which is a column of its own here: an index has all
/// rows of a table.
const FOREIGN: [(&str, &str); 2] = [
    ("t.hash = $2 AND t.is_foreign", "t.foreign_hash = $2"),
    ("identifier = $2 AND is_foreign", "foreign_hash = $2"),
];

/// What follows `INSERT` if a row with the key is there.
const NOTHING: &str = " ON CONFLICT DO NOTHING";
const UPSERT: &str = "DO UPDATE SET";

/// A statement with `?` for each value, and with MySQL's words for upserts and comparisons. Its
/// values are used in the order of their numbers in the text.
pub(super) fn translated(sql: &str) -> Statement {
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let (sql, may_meet_duplicates) = match sql.split_once(NOTHING) {
        Some((before, after)) => ([before, after].concat(), true),
        None => (sql, false),
    };
    let sql = upsert(&sql).replace('"', "`");
    let sql = FOREIGN.iter().fold(sql, |sql, (from, to)| sql.replace(from, to));
    let (mut text, mut order) = (String::with_capacity(sql.len()), Vec::new());
    let mut rest = &*sql;
    while let Some(next) = rest.chars().next() {
        if let Some((_, word, after)) = WORDS
            .iter()
            .find_map(|(from, to)| rest.strip_prefix(from).map(|after| (from, *to, after)))
        {
            text.push_str(word);
            rest = after;
            if word.ends_with('(') {
                let (column, after) = split(rest, |c| c == '_' || c == '`' || c.is_alphanumeric());
                text.push_str(column);
                text.push(')');
                rest = after;
            }
        } else if let Some(after) = rest.strip_prefix('$') {
            let (number, after) = split(after, |c| c.is_ascii_digit());
            order.extend(number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)));
            let (value, after) = typed(after);
            text.push_str(value);
            rest = after;
        } else {
            text.push(next);
            rest = rest.strip_prefix(next).unwrap_or("");
        }
    }
    Statement { sql: text.into(), order: Some(order), may_meet_duplicates }
}

/// A value of a type, and the rest of the text.
fn typed(rest: &str) -> (&'static str, &str) {
    for (name, value) in [("::bigint", "CAST(? AS SIGNED)"), ("::bytea", "CAST(? AS BINARY)")] {
        if let Some(rest) = rest.strip_prefix(name) {
            return (value, rest);
        }
    }
    ("?", rest)
}

/// MySQL does not name the key of an upsert.
fn upsert(sql: &str) -> String {
    let Some((before, after)) = sql.split_once(UPSERT) else { return sql.to_owned() };
    let insert = before.rsplit_once("ON CONFLICT").map_or(before, |(insert, _)| insert);
    format!("{insert}ON DUPLICATE KEY UPDATE{after}")
}

/// The longest beginning of such characters, and the rest.
fn split(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !is_in(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stands_where_its_number_was() {
        let statement =
            translated("SELECT \"row\" FROM t WHERE a = $2 AND b = $1 AND c = $12::bytea");
        assert_eq!(
            &*statement.sql,
            "SELECT `row` FROM t WHERE a = ? AND b = ? AND c = CAST(? AS BINARY)"
        );
        assert_eq!(statement.order, Some(vec![1, 0, 11]));
        assert!(!statement.may_meet_duplicates);
    }

    #[test]
    fn an_upsert_has_the_words_of_mysql() {
        let statement = translated(
            "INSERT INTO t (k, \"row\") SELECT $1, $2 FROM done WHERE x IS NOT DISTINCT FROM $3
                ON CONFLICT (k) DO UPDATE
                SET \"row\" = excluded.\"row\", n = greatest(t.n, excluded.n)",
        );
        assert_eq!(
            &*statement.sql,
            "INSERT INTO t (k, `row`) SELECT ?, ? FROM DUAL WHERE x <=> ? ON DUPLICATE KEY UPDATE \
             `row` = VALUES(`row`), n = greatest(t.n, VALUES(n))"
        );
    }

    #[test]
    fn an_insert_may_meet_a_row_with_its_key() {
        let statement = translated("INSERT INTO t (k) VALUES ($1) ON CONFLICT DO NOTHING");
        assert_eq!(&*statement.sql, "INSERT INTO t (k) VALUES (?)");
        assert!(statement.may_meet_duplicates);
    }
}
