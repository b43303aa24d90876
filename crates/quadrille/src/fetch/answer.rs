//! The answer with a document.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};

use crate::transport::{Body, CollectError, NetworkError};

use super::{FetchError, Fetched};

/// The longest document, in bytes.
const LIMIT: usize = 64 * 1024;

/// The document in an answer, whatever its declared type.
pub(crate) async fn document(answer: Response<Body>) -> Result<Fetched, FetchError> {
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let max_age = max_age(answer.headers());
    let (parts, body) = answer.into_parts();
    let body = body.collect_decoded(&parts.headers, LIMIT).await.map_err(|error| match error {
        CollectError::TooLarge => FetchError::TooLarge,
        CollectError::Coding => FetchError::Compressed,
        CollectError::Network(error) => error.into(),
    })?;
    Ok(Fetched { body, max_age })
}

impl From<NetworkError> for FetchError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::AddressRefused => Self::NotPublic,
            NetworkError::TimedOut => Self::TimedOut,
            NetworkError::Connect
            | NetworkError::Name
            | NetworkError::Refused
            | NetworkError::Tls
            | NetworkError::Interrupted => Self::Unreachable,
        }
    }
}

/// `true` if an answer is `application/json`, or a type with its syntax (RFC 6839, section 3.1).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = declared.unwrap_or("").split(';').next().unwrap_or("").trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || essence.strip_prefix("application/").is_some_and(|name| name.ends_with("+json"))
}

/// The `max-age` of an answer, if it has one.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut age = None;
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    for directive in values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')) {
        let (name, value) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            age = value.trim_matches('"').parse().ok().map(Duration::from_secs);
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_tell_the_type_and_the_lifetime() {
        let headers = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
        };
        let json = |value: &str| is_json(&headers(header::CONTENT_TYPE, value));
        assert!(json("application/json") && json("Application/JSON; charset=utf-8"));
        assert!(json("application/cimd+json"));
        for other in ["text/html", "application/jsonp", "text/x+json", "application/", ""] {
            assert!(!json(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
        let age = |value: &str| max_age(&headers(header::CACHE_CONTROL, value));
        assert_eq!(age("public, Max-Age=600"), Some(Duration::from_secs(600)));
        assert_eq!(age("max-age=600, no-store"), Some(Duration::ZERO));
        assert_eq!(age("max-age=-1"), None);
        assert_eq!(age("s-maxage=5"), None);
    }
}
