//! The members of a line.

use serde_json::Value;

/// The members whose names on a line are those of RFC 7591, with their names in the record.
pub(super) const NAMES: [(&str, &str); 5] = [
    ("client_id", "id"),
    ("client_name", "name"),
    ("scope", "scopes"),
    ("default_scope", "default_scopes"),
    ("redirect_uri_patterns", "redirect_patterns"),
];

/// All members of a line.
pub(super) const MEMBERS: &[&str] = &[
    "access_token_format",
    "auth",
    "client_id",
    "client_name",
    "client_secret",
    "client_type",
    "created",
    "default_scope",
    "first_party",
    "grant_types",
    "lifetimes",
    "longest_use_before",
    "oauth1",
    "oauth1_secret",
    "openid",
    "redirect_uri_patterns",
    "redirect_uris",
    "registration",
    "requires_pkce",
    "resource_server",
    "scope",
    "secrets",
    "without_pkce",
    "without_rotation",
];

/// The elements of an array; none of another value.
pub(super) fn array(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}
