//! The response to a signed request that is invalid (RFC 5849, section 3.2).

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
};

use crate::form::FormWriter;

use super::{Problem, header, percent_encode};

/// `WWW-Authenticate: OAuth` (RFC 5849, section 3.5.1) with a problem of the OAuth Problem
/// Reporting extension.
///
/// ```
/// use quadrille::oauth1::{Challenge, Problem};
///
/// let challenge = Challenge::new("https://photos.example").problem(Problem::NonceUsed);
/// assert_eq!(challenge.status(), 401);
/// assert_eq!(
///     challenge.to_string(),
///     r#"OAuth realm="https://photos.example", oauth_problem="nonce_used""#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The realm. Left out of the header unless it is printable ASCII.
    pub realm: Box<str>,
    /// The problem with the credentials; `None` if the request has none.
    pub problem: Option<Problem>,
    /// Further members: `oauth_parameters_absent`, `oauth_acceptable_timestamps`.
    pub extra: Vec<(&'static str, Box<str>)>,
}

impl Challenge {
    /// A challenge for this realm.
    pub fn new(realm: &str) -> Self {
        Self { realm: realm.into(), problem: None, extra: Vec::new() }
    }

    /// Sets the problem.
    #[must_use]
    pub fn problem(mut self, problem: Problem) -> Self {
        self.problem = Some(problem);
        self
    }

    /// Adds a member that the extension defines.
    #[must_use]
    pub fn extra(mut self, name: &'static str, value: &str) -> Self {
        self.extra.push((name, value.into()));
        self
    }

    /// The status of the problem; 401 without one.
    pub fn status(&self) -> StatusCode {
        self.problem.map_or(StatusCode::UNAUTHORIZED, Problem::status)
    }

    /// The value of a `WWW-Authenticate` header, for a response with a body of its own.
    pub fn to_header_value(&self) -> HeaderValue {
        // Only printable ASCII is displayed.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("OAuth"))
    }

    /// The response: status, challenge, and the problem as a form, for clients that read only
    /// bodies.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut body = FormWriter::new();
        body.append_some("oauth_problem", self.problem.map(Problem::as_str));
        for (name, value) in &self.extra {
            body.append(name, value);
        }
        let mut response = Response::new(Bytes::from(body.finish()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, self.to_header_value());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        response
    }
}

/// The value of the header.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = "OAuth ".to_owned();
        let mut separator = if header::append_realm(&mut text, &self.realm) { ", " } else { "" };
        let problem = self.problem.map(|problem| ("oauth_problem", problem.as_str()));
        let extra = self.extra.iter().map(|(name, value)| (*name, &**value));
        for (name, value) in problem.into_iter().chain(extra) {
            text.push_str(separator);
            separator = ", ";
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(&percent_encode(value));
            text.push('"');
        }
        f.write_str(&text)
    }
}
