//! The access token of a request (RFC 6750, section 2).

use std::borrow::Cow;

use http::{HeaderMap, Method, Uri, request::Parts};

use crate::{
    form::{Declared, Params},
    oauth2::bearer::{self, BearerError},
};

use super::{body::Seen, error::AccessError};

/// The ways besides the header in which a token may come (RFC 6750, section 2).
#[derive(Clone, Copy, Default)]
pub(crate) struct Ways {
    pub(crate) form: bool,
    pub(crate) query: bool,
}

/// The access token of a request (RFC 6750, section 2), which comes in one way.
pub(crate) fn presented<'a>(
    parts: &'a Parts,
    body: Seen<'_>,
    ways: Ways,
) -> Result<Option<Cow<'a, str>>, AccessError> {
    let in_header = bearer::from_headers(&parts.headers)?;
    if in_header.is_some() && in_query(&parts.uri) {
        return Err(BearerError::Several.into());
    }
    let mut token = in_header.map(Cow::Borrowed);
    if ways.query && in_query(&parts.uri) {
        let query = Params::parse(parts.uri.query().unwrap_or("").as_bytes());
        let query = query.map_err(|_| BearerError::Malformed)?;
        let found = bearer::from_query_which_leaks_tokens_into_logs(&query)?;
        token = found.map(|token| Cow::Owned(token.to_owned()));
    }
    if ways.form && is_form(&parts.method, &parts.headers) {
        let body = match (body, &token) {
            // The handler refuses what it cannot read.
            (None, _) | (Some(Err(_)), Some(_)) => return Ok(token),
            (Some(body), _) => body?,
        };
        // A form that cannot be read has no token.
        let Ok(form) = Params::parse(body) else { return Ok(token) };
        let Some(found) = bearer::from_form(&form)? else { return Ok(token) };
        if token.is_some() {
            return Err(BearerError::Several.into());
        }
        token = Some(Cow::Owned(found.to_owned()));
    }
    Ok(token)
}

/// `true` if a token may be in the body: a form, by a method that gives bodies a meaning (RFC 6750,
/// section 2.2).
pub(super) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let has_meaning = ![Method::GET, Method::HEAD, Method::DELETE].contains(method);
    has_meaning && Declared::of(headers) == Declared::Form
}

/// `true` if the query has a token.
pub(super) fn in_query(uri: &Uri) -> bool {
    let Some(query) = uri.query() else { return false };
    query.split('&').any(|pair| pair.split('=').next() == Some("access_token"))
}
