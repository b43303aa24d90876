//! Parts of statements.

use sqlx::{
    AssertSqlSafe, MySql, Row as _,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
};

/// A text in a column of bytes.
pub(super) fn text<'r>(row: &'r MySqlRow, column: &str) -> sqlx::Result<&'r str> {
    row.try_get_unchecked(column)
}

/// A statement about each of `any`, which there must be, with their places at `[any]`, and a value before
/// them. Their number is a power of two, so that few statements are prepared: the last one is repeated.
pub(super) fn about<T: AsRef<[u8]>>(
    sql: &str,
    before: Option<i64>,
    any: &[T],
) -> Query<'static, MySql, MySqlArguments> {
    let count = any.len().next_power_of_two();
    let all = any.iter().chain(any.last().into_iter().cycle()).take(count);
    let places = ["(", &vec!["?"; count].join(", "), ")"].concat();
    let query = sqlx::query(AssertSqlSafe(sql.replace("[any]", &places)));
    let query = match before {
        Some(value) => query.bind(value),
        None => query,
    };
    all.fold(query, |query, one| query.bind(one.as_ref().to_vec()))
}
