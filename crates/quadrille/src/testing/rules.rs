//! The failure of a contract's test: the rule that is broken, the value found and the value
//! required.

use std::fmt;

/// Fails with the rule unless the values are equal.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
#[expect(clippy::needless_pass_by_value, reason = "callers have values at hand, not references")]
pub(super) fn same<T: PartialEq + fmt::Debug>(rule: impl fmt::Display, found: T, must_be: T) {
    if found != must_be {
        panic!("a rule is broken: {rule}\n   found: {found:?}\n must be: {must_be:?}");
    }
}

/// Fails with the rule unless it holds.
#[track_caller]
pub(super) fn holds(rule: impl fmt::Display, holds: bool) {
    assert!(holds, "a rule is broken: {rule}");
}

/// The result of a verb that must succeed.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(super) fn worked<T, E: fmt::Display>(verb: &str, answer: Result<T, E>) -> T {
    answer.unwrap_or_else(|error| panic!("the verb `{verb}` failed: {error}"))
}
