//! The response to a call.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::de::{
    DeserializeOwned,
    value::{Error as TextError, StrDeserializer},
};
use url::Url;

use crate::{
    consumer::{
        error::{Error, Result, ServiceError},
        exchange::retry_after,
        refresh::held::Held,
    },
    oauth2::answer,
    transport::{Body, NetworkError},
};

/// The limit in bytes of a body that is read whole.
const WHOLE_LIMIT: usize = 16 * 1024 * 1024;
/// The limit in bytes of an error's body; the rest is dropped.
const ERROR_LIMIT: usize = 64 * 1024;
/// Windows writes this before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A response of an API with an unread body.
///
/// ```
/// use http::Method;
/// use quadrille::{Result, consumer::{Answer, Api}};
///
/// async fn archive(github: &Api) -> Result<Answer> {
///     let answer = github.request(Method::GET, "repos/ada/engine/tarball").send().await?;
///     println!("{:?}", answer.headers.get("content-length"));
///     Ok(answer)
/// }
/// ```
#[non_exhaustive]
pub struct Answer {
    /// The status; no error, except after [`Call::any_status`](super::Call::any_status).
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: a [`Stream`](futures_core::Stream) of bytes.
    pub body: Body,
    /// The URL of the resource, after redirects.
    pub url: Url,
    pub(super) held: Held,
    /// The timeout of the body, if it is read whole.
    pub(super) deadline: Duration,
    /// Whether the body may say that the call failed.
    pub(super) is_checked: bool,
}

impl Answer {
    /// The whole body, decompressed (gzip and deflate), at most 16 MiB.
    ///
    /// # Errors
    /// [`Error::Service`] if the body is too large or its coding is malformed, [`Error::Network`]
    /// if it does not arrive in the time of [`Call::deadline`](super::Call::deadline),
    /// [`Error::Api`] if it says that the call failed
    /// ([`Spec::failure_flag`](crate::Spec::failure_flag)).
    pub async fn bytes(self) -> Result<Bytes> {
        let Self { status, headers, body, url, held, deadline, is_checked } = self;
        let registered = held.registered();
        let reading = body.collect_decoded(&headers, WHOLE_LIMIT);
        let bytes = match tokio::time::timeout(deadline, reading).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(error.at(&registered.name, status)),
            Err(_) => return Err(Error::network(&registered.name, NetworkError::TimedOut)),
        };
        let says_no = |flag: &str| {
            let members = answer::members(&answer::text(&bytes));
            members.is_some_and(|members| members.get(flag) == Some(&false.into()))
        };
        if is_checked && registered.spec.failure_flag.as_deref().is_some_and(says_no) {
            let (answer, stored) = (whole(status, headers, bytes), held.stored());
            let api = registered.api_of(&stored.token);
            let is_its_own = held.is_kept()
                && stored.token.refresh_token.is_none()
                && !held.is_young(&stored)
                && api.is_ok_and(|api| api.origin() == url.origin());
            if is_its_own && registered.says_dead(&answer) {
                held.is_revoked(&stored).await?;
            }
            return Err(failure(&held, answer));
        }
        Ok(bytes)
    }

    /// The whole body. One that is not UTF-8, as JSON must be, and says that it is Latin-1 is rewritten.
    pub(crate) async fn bytes_in_utf8(self) -> Result<Bytes> {
        let charset = charset(&self.headers).filter(|charset| is_latin(charset));
        let bytes = self.bytes().await?;
        match (std::str::from_utf8(&bytes), charset) {
            (Err(_), Some(_)) => Ok(latin(&bytes).into()),
            _ => Ok(bytes),
        }
    }

    /// The body's JSON, whatever the `Content-Type`. An empty body reads as `null`.
    ///
    /// # Errors
    /// See [`Answer::bytes`]; [`ServiceError::Malformed`] if the body is not the JSON of a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let (service, status) = (Arc::clone(self.service()), self.status);
        let bytes = self.bytes_in_utf8().await?;
        from_json(&bytes).ok_or_else(|| malformed(&service, status))
    }

    /// The body's text: UTF-8 without its byte order mark, or Latin-1 if the `Content-Type` says so
    /// (`charset=iso-8859-1`, `latin1` or `windows-1252`).
    ///
    /// ```
    /// use http::Method;
    /// use quadrille::{Result, consumer::Api};
    ///
    /// async fn zen(github: &Api) -> Result<String> {
    ///     github.request(Method::GET, "zen").header("accept", "text/plain").send().await?.text().await
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`Answer::bytes`]; [`ServiceError::Malformed`] if the text has another encoding.
    pub async fn text(self) -> Result<String> {
        let (service, status) = (Arc::clone(self.service()), self.status);
        let charset = charset(&self.headers);
        let bytes = self.bytes().await?;
        text(&bytes, charset.as_deref()).ok_or_else(|| malformed(&service, status))
    }

    /// The body as its `Content-Type` says: JSON (also if there is no `Content-Type`), a form, XML
    /// with the feature `xml`, or plain text. A [`serde_json::Value`] takes any of them.
    ///
    /// ```
    /// use http::Method;
    /// use quadrille::{Result, consumer::Api};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Quota { used: u64, limit: u64 } // {"used":1,"limit":2} or used=1&limit=2
    ///
    /// async fn quota(old_service: &Api) -> Result<Quota> {
    ///     old_service.request(Method::GET, "quota").send().await?.decode().await
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`Answer::bytes`]; [`ServiceError::Malformed`] if the body is not a `T` of that type, or
    /// the type is another.
    pub async fn decode<T: DeserializeOwned>(self) -> Result<T> {
        let (service, status) = (Arc::clone(self.service()), self.status);
        let (kind, charset) = (Kind::of(&self.headers), charset(&self.headers));
        let bytes = match kind {
            Kind::Json => self.bytes_in_utf8().await?,
            _ => self.bytes().await?,
        };
        let text = || text(&bytes, charset.as_deref());
        let decoded = match kind {
            Kind::Json => from_json(&bytes),
            Kind::Form => serde_html_form::from_bytes(&bytes).ok(),
            Kind::Text => text()
                .and_then(|text| T::deserialize(StrDeserializer::<TextError>::new(&text)).ok()),
            #[cfg(feature = "xml")]
            Kind::Xml => text().and_then(|text| super::xml::read(&text)),
            Kind::Other => None,
        };
        decoded.ok_or_else(|| malformed(&service, status))
    }

    /// The response with the beginning of its body.
    pub(super) async fn beginning(self) -> Response<Bytes> {
        let Self { status, headers, body, deadline, .. } = self;
        let body = tokio::time::timeout(deadline, body.head_decoded(&headers, ERROR_LIMIT)).await;
        whole(status, headers, body.unwrap_or_default())
    }

    /// The response, whatever its body says.
    pub(super) fn unchecked(self) -> Self {
        Self { is_checked: false, ..self }
    }

    pub(super) fn service(&self) -> &Arc<str> {
        &self.held.registered().name
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

fn whole(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut whole = Response::new(body);
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    whole
}

/// The error for a response that is an error.
pub(super) fn failure(held: &Held, answer: Response<Bytes>) -> Error {
    Error::Api {
        service: Arc::clone(&held.registered().name),
        status: answer.status(),
        retry_after: retry_after(answer.headers(), held.login().0.env.now()),
        body: answer.into_body(),
    }
}

/// The formats of bodies.
enum Kind {
    Json,
    Form,
    Text,
    #[cfg(feature = "xml")]
    Xml,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Self::Json };
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        match value.split(';').next().unwrap_or("").trim() {
            "application/json" | "text/json" | "text/javascript" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            #[cfg(feature = "xml")]
            "application/xml" | "text/xml" => Self::Xml,
            #[cfg(not(feature = "xml"))]
            "text/xml" => Self::Other,
            other if other.ends_with("+json") => Self::Json,
            #[cfg(feature = "xml")]
            other if other.ends_with("+xml") => Self::Xml,
            other if other.starts_with("text/") => Self::Text,
            _ => Self::Other,
        }
    }
}

/// The `charset` of the content type (RFC 9110, section 8.3.2), in lower case.
fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim() == "charset");
    charsets.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

fn text(bytes: &[u8], charset: Option<&str>) -> Option<String> {
    match charset {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
            String::from_utf8(bytes.to_vec()).ok()
        }
        Some(charset) => is_latin(charset).then(|| latin(bytes)),
    }
}

fn is_latin(charset: &str) -> bool {
    matches!(charset, "iso-8859-1" | "latin1" | "windows-1252")
}

/// The characters of windows-1252 in place of the control characters of Latin-1, from 0x80 on.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of bytes in Latin-1, which is read as windows-1252, as browsers do (WHATWG Encoding).
fn latin(bytes: &[u8]) -> String {
    let one = |byte: u8| {
        let place = byte.checked_sub(0x80).map(usize::from);
        place.and_then(|place| WINDOWS.get(place).copied()).unwrap_or(char::from(byte))
    };
    bytes.iter().copied().map(one).collect()
}

/// Reads JSON; an empty body is `null`.
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = match bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes) {
        b"" => b"null",
        text => text,
    };
    serde_json::from_slice(text).ok()
}

pub(super) fn malformed(service: &Arc<str>, status: StatusCode) -> Error {
    Error::service(service, ServiceError::Malformed { status })
}
