//! The parameters of a callback.

use crate::{
    consumer::error::BrowserError,
    form::{Limits, Params},
};

/// Limits of a callback. Most parameters are never read, so only the length is limited.
pub(crate) const CALLBACK: Limits = Limits { parameters: usize::MAX, ..Limits::DEFAULT };
/// The parameters of a callback that the login reads.
pub(crate) const READ: [&str; 12] = [
    "code",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "oauth_token",
    "oauth_verifier",
];
/// The number of further parameters of a callback.
const MOST_FURTHER: usize = 32;
/// The bytes of all further parameters of a callback.
const LONGEST_FURTHER: usize = 4096;

/// Reads the parameters of a callback.
pub(super) fn callback_in(query: &str) -> Result<Params<'_>, BrowserError> {
    let params = Params::parse_within(query.as_bytes(), CALLBACK);
    params.map_err(|_| BrowserError::CallbackMalformed)
}

/// The parameters of a callback that the login does not read itself, as far as they are within the
/// limits. A repeated one has no value.
pub(crate) fn further(params: &Params<'_>, read: &[&str]) -> Vec<(String, String)> {
    let mut further = Vec::new();
    let mut bytes = 0;
    for (name, value) in params.iter().take(2 * MOST_FURTHER) {
        let is_other = !read.contains(&name) && !value.is_empty();
        if !is_other || params.many(name).count() > 1 {
            continue;
        }
        bytes += name.len() + value.len();
        if further.len() == MOST_FURTHER || bytes > LONGEST_FURTHER {
            break;
        }
        further.push((name.to_owned(), value.to_owned()));
    }
    further
}
