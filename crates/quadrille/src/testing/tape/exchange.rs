//! The exchanges of a tape, as they are written.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::transport::Purpose;

use super::{
    content::Content,
    names::{About, is_placeholder},
    secrets::{Secrets, clean_url},
};

/// The purposes, by the names that they have on a tape.
const PURPOSES: [(Purpose, &str); 13] = [
    (Purpose::TemporaryCredentials, "TemporaryCredentials"),
    (Purpose::RedeemCode, "RedeemCode"),
    (Purpose::DeviceAuthorization, "DeviceAuthorization"),
    (Purpose::PollDevice, "PollDevice"),
    (Purpose::Refresh, "Refresh"),
    (Purpose::Identity, "Identity"),
    (Purpose::Revoke, "Revoke"),
    (Purpose::Api, "Api"),
    (Purpose::Introspect, "Introspect"),
    (Purpose::IntrospectSigned, "IntrospectSigned"),
    (Purpose::Document, "Document"),
    (Purpose::Register, "Register"),
    (Purpose::Notify, "Notify"),
];

/// Headers that say nothing about the exchange, or that a replayed one has itself.
const LEFT_OUT: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "host",
    "set-cookie",
    "transfer-encoding",
    "user-agent",
];

/// The purpose of a request, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'static, str>", into = "&'static str")]
pub(super) struct Named(pub(super) Purpose);

impl From<Named> for &'static str {
    fn from(named: Named) -> Self {
        let found = PURPOSES.iter().find(|(purpose, _)| *purpose == named.0);
        found.map_or("Api", |(_, name)| name)
    }
}

impl TryFrom<Cow<'static, str>> for Named {
    type Error = &'static str;

    fn try_from(name: Cow<'static, str>) -> Result<Self, Self::Error> {
        let found = PURPOSES.iter().find(|(_, known)| *known == name);
        found.map(|(purpose, _)| Self(*purpose)).ok_or("no purpose has this name")
    }
}

/// A request and its response.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) purpose: Named,
    pub(super) request: Sent,
    pub(super) response: Received,
}

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Content>,
}

/// A response.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Received {
    #[serde(deserialize_with = "status")]
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Content>,
}

fn status<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(from)?;
    match StatusCode::from_u16(status) {
        Ok(_) => Ok(status),
        Err(_) => Err(serde::de::Error::custom("no status of HTTP")),
    }
}

impl Exchange {
    /// Replaces the secrets that became known after a part of it was read.
    pub(super) fn replace_known(&mut self, secrets: &Secrets) {
        let replaced = |text: &str| secrets.known_in(text);
        self.request.url = replaced(&self.request.url);
        self.request.headers.values_mut().for_each(|value| *value = replaced(value));
        if let Some(body) = &mut self.request.body {
            body.map_texts(&replaced);
        }
        self.response.map_texts(&replaced);
    }
}

impl Sent {
    /// A request without its secrets.
    pub(super) fn of(request: &Request<Bytes>, purpose: Purpose, secrets: &mut Secrets) -> Self {
        let about = About::of(purpose);
        let headers = headers(request.headers(), about, secrets);
        let body = Content::read(request.headers(), request.body(), about, secrets);
        let url = clean_url(secrets, &request.uri().to_string(), about);
        Self { method: request.method().to_string(), url, headers, body }
    }
}

/// Whether a request has the placeholder of a tape as its credentials, which no service accepts.
pub(super) fn has_placeholder(request: &Request<Bytes>) -> bool {
    let in_header = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split([' ', '=', ':', ',', ';', '"']).any(is_placeholder)
    };
    let in_pairs =
        |pairs: &[u8]| url::form_urlencoded::parse(pairs).any(|(_, value)| is_placeholder(&value));
    request.headers().values().any(in_header)
        || in_pairs(request.uri().query().unwrap_or_default().as_bytes())
        || in_pairs(request.body())
}

/// The method and the URL.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

impl Received {
    /// Changes the texts of the response, those of its body by their members.
    pub(super) fn map_texts(&mut self, change: &dyn Fn(&str) -> String) {
        self.headers.values_mut().for_each(|value| *value = change(value));
        if let Some(body) = &mut self.body {
            body.map_texts(change);
        }
    }

    /// A response without its secrets.
    pub(super) fn of(response: &Response<Bytes>, purpose: Purpose, secrets: &mut Secrets) -> Self {
        let about = About::of(purpose);
        let headers = headers(response.headers(), about, secrets);
        let body = Content::read(response.headers(), response.body(), about, secrets);
        Self { status: response.status().as_u16(), headers, body }
    }

    /// The response as an application receives it.
    pub(super) fn replayed(&self) -> Response<Bytes> {
        let mut response =
            Response::new(self.body.as_ref().map_or_else(Bytes::new, Content::bytes));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The headers of a message, without secrets and without those that say nothing.
fn headers(headers: &HeaderMap, about: About, secrets: &mut Secrets) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        // Not written, but a secret wherever it comes again.
        if *name == header::SET_COOKIE {
            let cookie = String::from_utf8_lossy(value.as_bytes());
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((_, value)) = pair {
                secrets.stand_in("cookie", value.trim());
            }
        }
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        let clean = match name.as_str() {
            "authorization" | "proxy-authorization" => authorization(&value, secrets),
            "cookie" => cookies(&value, secrets),
            "location" | "content-location" | "referer" => clean_url(secrets, &value, about),
            name if secrets.hides(name, About::Data) => secrets.stand_in_value(name, &value),
            "content-type" => boundary(&value),
            _ => secrets.clean(&value, about),
        };
        let all = all.entry(name.as_str().to_owned()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&clean);
    }
    all
}

/// A media type with the boundary that parts have on a tape.
fn boundary(value: &str) -> String {
    match value.split_once("boundary=") {
        Some((kind, _)) if kind.starts_with("multipart/") => {
            format!("{kind}boundary={}", super::content::BOUNDARY)
        }
        _ => value.to_owned(),
    }
}

/// Credentials in a header: of a bearer, of a client, or of a signed request.
fn authorization(value: &str, secrets: &mut Secrets) -> String {
    let Some((scheme, rest)) = value.split_once(' ') else {
        return secrets.stand_in("authorization", value);
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let Some(BasicClient { id, secret, encoded }) = client_of_basic(rest) else {
            return format!("{scheme} {}", secrets.stand_in("authorization", rest));
        };
        let placeholder = secrets.stand_in("client_secret", &secret);
        if encoded != secret {
            secrets.stand_in("client_secret", &encoded);
        }
        return format!("{scheme} {id}:{placeholder}");
    }
    if scheme.eq_ignore_ascii_case("oauth") && rest.contains('=') {
        let parts = rest.split(',').map(|part| {
            let (name, value) = part.trim().split_once('=').unwrap_or((part, ""));
            let value = value.trim_matches('"');
            let form = format!("v={value}");
            let mut pairs = url::form_urlencoded::parse(form.as_bytes());
            let value = pairs.next().map_or_else(String::new, |(_, value)| value.into_owned());
            let value = match secrets.hides(name, About::Credentials) {
                true => secrets.stand_in(name, &value),
                false => value,
            };
            format!("{name}=\"{value}\"")
        });
        return format!("{scheme} {}", parts.collect::<Vec<_>>().join(", "));
    }
    format!("{scheme} {}", secrets.stand_in("access_token", rest))
}

/// A client in a header of Basic authentication.
pub(super) struct BasicClient {
    /// The identifier, as it was sent.
    id: String,
    pub(super) secret: String,
    /// The secret, as it was sent.
    encoded: String,
}

/// The client in the credentials of Basic authentication.
pub(super) fn client_of_basic(credentials: &str) -> Option<BasicClient> {
    let decoded =
        BASE64_STANDARD.decode(credentials).or_else(|_| BASE64_URL_SAFE.decode(credentials));
    let decoded = String::from_utf8(decoded.ok()?).ok()?;
    let (id, encoded) = decoded.split_once(':')?;
    // RFC 6749, section 2.3.1: both are encoded as in a form.
    let form = format!("secret={encoded}");
    let secret = url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(|| encoded.to_owned(), |(_, value)| value.into_owned());
    Some(BasicClient { id: id.to_owned(), secret, encoded: encoded.to_owned() })
}

/// The cookies of a request: their names alone.
fn cookies(value: &str, secrets: &mut Secrets) -> String {
    let cookies = value.split(';').map(|pair| {
        let (name, value) = pair.trim().split_once('=').unwrap_or(("", pair.trim()));
        format!("{name}={}", secrets.stand_in("cookie", value))
    });
    cookies.collect::<Vec<_>>().join("; ")
}
