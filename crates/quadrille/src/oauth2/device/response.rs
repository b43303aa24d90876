//! The device authorization response (RFC 8628, section 3.2).

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    Secret,
    form::Params,
    json::JsonObject,
    loopback::is_secure,
    oauth2::{ErrorResponse, answer, error::json_response},
    page::is_unseen,
};

/// A successful device authorization response: the code for the user, and the one for the client.
///
/// ```
/// use std::time::Duration;
/// use quadrille::oauth2::DeviceAuthorizationResponse;
///
/// let mut answer = DeviceAuthorizationResponse::new(
///     "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
///     "WDJB-MJHT",
///     "https://id.example/device",
///     Duration::from_secs(1800),
/// );
/// answer.interval = Some(Duration::from_secs(10));
/// let response = answer.to_response();
/// assert_eq!(response.headers()["cache-control"], "no-store");
/// assert_eq!(DeviceAuthorizationResponse::parse(&response)?, answer);
/// # Ok::<(), quadrille::oauth2::DeviceAuthorizationResponseError>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct DeviceAuthorizationResponse {
    /// The code for the client, a secret.
    pub device_code: Secret,
    /// The code for the user to type in. It has no control characters and no invisible ones.
    pub user_code: String,
    /// The URL at which the user types the code in: `https`, or `http` on this machine.
    pub verification_uri: String,
    /// The same URL with the code in it, if the server has one: for a QR code or a link.
    pub verification_uri_complete: Option<String>,
    /// The lifetime of both codes from the response on, in whole seconds on the wire.
    pub expires_in: Duration,
    /// The time between two token requests at least, in whole seconds on the wire; `None` means
    /// [`DEFAULT_INTERVAL`](Self::DEFAULT_INTERVAL).
    pub interval: Option<Duration>,
    /// All other members, as received.
    pub extra: Map<String, Value>,
}

impl DeviceAuthorizationResponse {
    /// The interval if the server names none (RFC 8628, section 3.2): 5 seconds.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

    /// A response without its optional members.
    pub fn new(
        device_code: impl Into<Secret>,
        user_code: impl Into<String>,
        verification_uri: impl Into<String>,
        expires_in: Duration,
    ) -> Self {
        Self {
            device_code: device_code.into(),
            user_code: user_code.into(),
            verification_uri: verification_uri.into(),
            verification_uri_complete: None,
            expires_in,
            interval: None,
            extra: Map::new(),
        }
    }

    /// The response of the device authorization endpoint, with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut object = JsonObject::with_capacity(320);
        object.string("device_code", self.device_code.expose());
        object.string("user_code", &self.user_code);
        object.string("verification_uri", &self.verification_uri);
        if let Some(uri) = &self.verification_uri_complete {
            object.string("verification_uri_complete", uri);
        }
        object.number("expires_in", self.expires_in.as_secs());
        if let Some(interval) = self.interval {
            object.number("interval", interval.as_secs());
        }
        for (name, value) in &self.extra {
            object.value(name, value);
        }
        json_response(StatusCode::OK, object.finish())
    }

    /// Reads the response of a device authorization endpoint in all shapes of real services: JSON
    /// or a form whatever the content type, errors with status 200, `verification_url` (Google's
    /// name, from a draft), numbers as texts or fractions, and bytes that are not UTF-8 in members
    /// that nobody reads. An invalid `verification_uri_complete` or `interval` counts as missing.
    ///
    /// # Errors
    /// [`DeviceAuthorizationResponseError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, DeviceAuthorizationResponseError> {
        use DeviceAuthorizationResponseError as E;
        let status = response.status();
        if let Some(error) = ErrorResponse::parse(response) {
            return Err(E::Refused { status, error });
        }
        if !status.is_success() {
            return Err(E::Status(status));
        }
        let mut members = members(response.body()).ok_or(E::Unreadable)?;
        let mut text = |name| match members.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            _ => None,
        };
        let device_code = text("device_code").ok_or(E::Missing("device_code"))?;
        let user_code = text("user_code").ok_or(E::Missing("user_code"))?;
        let (uri, url) = (text("verification_uri"), text("verification_url"));
        let verification_uri = uri.or(url).ok_or(E::Missing("verification_uri"))?;
        let complete = text("verification_uri_complete").or(text("verification_url_complete"));
        if device_code.contains(answer::UNREADABLE) {
            return Err(E::Malformed("device_code"));
        }
        // A terminal would obey control characters, and nobody types in an invisible one.
        if user_code.contains(is_unseen) || user_code.contains(answer::UNREADABLE) {
            return Err(E::Malformed("user_code"));
        }
        if !is_page(&verification_uri) {
            return Err(E::Malformed("verification_uri"));
        }
        let expires_in = members.remove("expires_in").and_then(|value| answer::number(&value));
        let expires_in = expires_in.and_then(|seconds| whole(seconds.floor()));
        Ok(Self {
            device_code: device_code.into(),
            user_code: user_code.trim().to_owned(),
            verification_uri,
            verification_uri_complete: complete.filter(|uri| is_page(uri)),
            expires_in: expires_in.ok_or(E::Missing("expires_in"))?,
            interval: interval(&mut members),
            extra: members,
        })
    }

    /// The interval that the token endpoint names with `slow_down`. RFC 8628, section 3.5 knows
    /// none there; GitHub sends it.
    #[cfg(feature = "consumer")]
    pub(crate) fn interval_of(body: &[u8]) -> Option<Duration> {
        interval(&mut members(body)?)
    }
}

/// Omits the codes and the values of `extra`.
impl fmt::Debug for DeviceAuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorizationResponse")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The reason why a response of a device authorization endpoint contains no codes. Always the
/// server's fault.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::oauth2::{DeviceAuthorizationResponse, DeviceAuthorizationResponseError};
///
/// let answer = Response::new(Bytes::from_static(br#"{"device_code":"a","user_code":"B"}"#));
/// assert_eq!(
///     DeviceAuthorizationResponse::parse(&answer),
///     Err(DeviceAuthorizationResponseError::Missing("verification_uri")),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceAuthorizationResponseError {
    /// The server refuses.
    #[error("the device authorization endpoint refused: {}", error.error)]
    Refused {
        /// The status, which may be 200.
        status: StatusCode,
        /// The error.
        error: ErrorResponse,
    },
    /// The server failed without an OAuth error, for example overloaded.
    #[error("the device authorization endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
    /// The status is a success, but the body is neither JSON nor a form: perhaps an HTML page.
    #[error("the device authorization endpoint's answer cannot be read")]
    Unreadable,
    /// This required member is missing or empty; for `expires_in`, or not a positive number.
    #[error("the device authorization endpoint's answer has no {0}")]
    Missing(&'static str),
    /// This member has a character that cannot be shown or sent, or is no URL that a browser may be
    /// sent to.
    #[error("the device authorization endpoint's {0} is malformed")]
    Malformed(&'static str),
}

/// The members of a JSON object, or the parameters of a form.
fn interval(members: &mut Map<String, Value>) -> Option<Duration> {
    let seconds = members.remove("interval").and_then(|value| answer::number(&value))?;
    whole(seconds.ceil())
}

fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let text = answer::text(body);
    answer::members(&text).or_else(|| {
        let params = Params::of_answer(&text)?;
        // Any single word reads as a form.
        params.iter().find(|(name, _)| matches!(*name, "device_code" | "error"))?;
        let mut members = Map::new();
        for (name, value) in params.iter() {
            answer::add(&mut members, name.to_owned(), value.into());
        }
        for name in params.broken_names() {
            answer::add(&mut members, name.to_owned(), answer::unreadable());
        }
        Some(members)
    })
}

/// Whether a browser may be sent to a URL that another party named.
fn is_page(uri: &str) -> bool {
    // The parser drops spaces and line breaks.
    uri.bytes().all(|byte| byte.is_ascii_graphic())
        && Url::parse(uri).is_ok_and(|url| {
            is_secure(&url) && url.username().is_empty() && url.password().is_none()
        })
}

/// A duration of whole seconds, unless it is zero, less, or too long for one.
fn whole(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth2::ErrorCode;

    fn read(
        status: u16,
        body: &str,
    ) -> Result<DeviceAuthorizationResponse, DeviceAuthorizationResponseError> {
        let mut response = Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        DeviceAuthorizationResponse::parse(&response)
    }

    /// A response with this JSON as a member's value.
    fn with(member: &str, value: &str) -> String {
        let usual = [
            ("device_code", r#""d""#),
            ("user_code", r#""U-1""#),
            ("verification_uri", r#""https://id.example/device""#),
            ("expires_in", "900"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| *name != member);
        let all = usual.chain([(member, value)]).map(|(name, value)| format!("{name:?}:{value}"));
        format!("{{{}}}", all.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn what_a_terminal_or_a_browser_would_obey_is_refused() {
        use DeviceAuthorizationResponseError::{Malformed, Missing};
        for (member, value, error) in [
            ("device_code", "null", Missing("device_code")),
            ("device_code", r#""""#, Missing("device_code")),
            ("device_code", r#""\ud800""#, Malformed("device_code")),
            ("user_code", "7", Missing("user_code")),
            ("user_code", r#"" ""#, Missing("user_code")),
            ("user_code", r#""\u001b[2J""#, Malformed("user_code")),
            ("user_code", r#""A\nopen evil.example""#, Malformed("user_code")),
            ("user_code", r#""A\u202eB""#, Malformed("user_code")),
            ("user_code", r#""A\u200bB""#, Malformed("user_code")),
            ("user_code", r#""A\u009b2J""#, Malformed("user_code")),
            ("verification_uri", "null", Missing("verification_uri")),
            ("verification_uri", r#""javascript:alert(1)""#, Malformed("verification_uri")),
            ("verification_uri", r#""file:///etc/passwd""#, Malformed("verification_uri")),
            ("verification_uri", r#""http://id.example/device""#, Malformed("verification_uri")),
            ("verification_uri", r#""https://a@id.example/""#, Malformed("verification_uri")),
            ("verification_uri", r#""https://id.example/ x""#, Malformed("verification_uri")),
            ("verification_uri", r#""/device""#, Malformed("verification_uri")),
            ("expires_in", "null", Missing("expires_in")),
            ("expires_in", "0", Missing("expires_in")),
            ("expires_in", "-5", Missing("expires_in")),
            ("expires_in", "1e999", Missing("expires_in")),
            ("expires_in", r#""soon""#, Missing("expires_in")),
        ] {
            let body = with(member, value);
            assert_eq!(read(200, &body), Err(error), "{body}");
        }
    }

    #[test]
    fn an_optional_member_that_is_wrong_costs_nothing_else() {
        let complete = |value| {
            read(200, &with("verification_uri_complete", value)).unwrap().verification_uri_complete
        };
        assert_eq!(complete(r#""https://id.example/?c=1""#).unwrap(), "https://id.example/?c=1");
        for wrong in [r#""javascript:x""#, "7", r#""""#] {
            assert_eq!(complete(wrong), None);
        }
        let interval = |value| read(200, &with("interval", value)).unwrap().interval;
        for (value, seconds) in [
            ("7", Some(7)),
            (r#""7""#, Some(7)),
            ("1.2", Some(2)),
            ("0", None),
            ("-1", None),
            (r#""x""#, None),
            ("[]", None),
        ] {
            assert_eq!(interval(value), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_an_outage_and_from_a_page() {
        use DeviceAuthorizationResponseError as E;
        let refused = |status, code: ErrorCode| {
            let error = ErrorResponse::new(code);
            Err(E::Refused { status: StatusCode::from_u16(status).unwrap(), error })
        };
        let disabled = r#"{"error":"device_flow_disabled"}"#;
        assert_eq!(read(200, disabled), refused(200, "device_flow_disabled".into()));
        assert_eq!(
            read(401, r#"{"error":"invalid_client"}"#),
            refused(401, ErrorCode::InvalidClient)
        );
        assert_eq!(read(503, "<html>"), Err(E::Status(StatusCode::SERVICE_UNAVAILABLE)));
        assert_eq!(read(404, ""), Err(E::Status(StatusCode::NOT_FOUND)));
        for body in ["<!doctype html><a href='?device_code=1'>", "", "[]", "word"] {
            assert_eq!(read(200, body), Err(E::Unreadable), "{body}");
        }
    }

    #[test]
    fn the_codes_do_not_show_in_debug_output() {
        let answer =
            DeviceAuthorizationResponse::new("canary", "CANARY", "https://a", Duration::ZERO);
        assert!(!format!("{answer:?}").to_lowercase().contains("canary"));
    }
}
