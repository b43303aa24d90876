//! One request to an endpoint of a service, in a login or a refresh.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};

use crate::{
    Timestamp,
    consumer::error::{Error, Result},
    transport::{ErasedClient, NetworkError, Purpose},
};

/// The `User-Agent` of requests to services.
pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("quadrille/", env!("CARGO_PKG_VERSION")));

/// The limit of a response's body in bytes.
const ANSWER_LIMIT: usize = 256 * 1024;
/// The timeout of an endpoint.
const DEADLINE: Duration = Duration::from_secs(10);

/// Sends a request once and reads the whole response.
pub(crate) async fn ask_endpoint(
    http: &dyn ErasedClient,
    service: &Arc<str>,
    request: Request<Bytes>,
    purpose: Purpose,
) -> Result<Response<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let url = parts.uri.to_string();
    parts.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    let request = Request::from_parts(parts, body.into());
    let asking = async {
        let answer = http.send(request, purpose).await;
        let answer = answer.map_err(|error| Error::unanswered(service, error, &url))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect_decoded(&parts.headers, ANSWER_LIMIT).await;
        let body = body.map_err(|error| error.at(service, parts.status))?;
        Ok(Response::from_parts(parts, body))
    };
    tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap_or_else(|_| Err(Error::unanswered(service, NetworkError::TimedOut, &url)))
}

/// The delay that a service asks for (RFC 9110, section 10.2.3): in seconds, or until a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // A fraction, against the RFC.
    if value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Duration::try_from_secs_f64(value.parse::<f64>().ok()?.ceil()).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let date = Timestamp::from_seconds(i64::try_from(date.as_secs()).ok()?);
    Some(date.since(now))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_service_says_in_seconds_or_by_a_date_how_long_to_wait() {
        let now = Timestamp::from_seconds(784_111_777);
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 07:49:37 GMT", Some(0)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("-1", None),
            ("1.5", Some(2)),
            ("0.503", Some(1)),
            ("60.0", Some(60)),
            ("-0.5", None),
            ("1.5.1", None),
            (".", None),
            ("1e3", None),
            ("99999999999999999999", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = [(header::RETRY_AFTER, HeaderValue::from_static(value))];
            let read = retry_after(&headers.into_iter().collect(), now);
            assert_eq!(read, seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
