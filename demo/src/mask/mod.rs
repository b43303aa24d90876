//! The masking of secrets in messages.
//!
//! The rule is the reverse of a filter: a value is masked unless its name is known to be harmless,
//! and a header is left out unless it is known to matter. A masked value keeps an identity, so the
//! reader sees the same `state` come back.

mod names;
mod oauth1;

use std::collections::HashMap;

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderMap;
use quadrille::Env;
use url::form_urlencoded;

use super::{
    message::{Body, Field, Piece},
    value::{Kind, Value, ValueId},
};
#[cfg(test)]
pub(crate) use names::is_known;
use names::{HARMLESS, TELLING, URLS, kind, shown, token_kind};

/// The greatest length of a text in a message, in characters. The rest is cut off.
const LONGEST: usize = 600;

/// The encoding of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Urlencoded,
    /// Form-encoded token credentials of OAuth 1.0a: a token and its secret.
    TokenCredentials,
    Json,
    Html,
    Other(String),
}

impl Form {
    pub(super) fn of(content_type: Option<String>) -> Self {
        let whole = content_type.unwrap_or_default();
        let essence = whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "application/json" => Self::Json,
            "text/html" => Self::Html,
            _ => Self::Other(essence),
        }
    }

    /// The same encoding for a body that has token credentials of OAuth 1.0a.
    pub(super) fn of_token_credentials(self) -> Self {
        if self == Self::Urlencoded { Self::TokenCredentials } else { self }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Masker {
    key: hmac::Key,
    known: HashMap<[u8; 32], ValueId>,
    values: Vec<Value>,
    /// The secret that each client signs with, by the client's identifier.
    client_secrets: HashMap<String, ValueId>,
    /// The secret of each token of OAuth 1.0a.
    token_secrets: HashMap<ValueId, ValueId>,
}

impl Masker {
    pub(super) fn new(env: &Env) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &env.random::<32>()),
            known: HashMap::new(),
            values: Vec::new(),
            client_secrets: HashMap::new(),
            token_secrets: HashMap::new(),
        }
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn knows(&self, secret: &str) -> bool {
        self.known.contains_key(&self.fingerprint(secret))
    }

    /// Numbers the values of each kind anew, in this order.
    pub(super) fn number_again(&mut self, order: &[ValueId]) {
        let mut counted: Vec<(ValueId, Kind)> = Vec::new();
        for id in order {
            if let Some(value) = self.values.get_mut(id.0)
                && !counted.iter().any(|(known, _)| known == id)
            {
                counted.push((*id, value.kind));
                value.ordinal = counted.iter().filter(|(_, kind)| *kind == value.kind).count();
            }
        }
    }

    /// The parameters of a query or a form.
    pub(super) fn parameters(&mut self, text: &str) -> Vec<Field> {
        self.form(text, kind)
    }

    fn form(&mut self, text: &str, kind: fn(&str) -> Kind) -> Vec<Field> {
        form_urlencoded::parse(text.as_bytes())
            .map(|(name, value)| self.field(&name, &value, kind(&name)))
            .collect()
    }

    /// The headers that matter, and the names of the others.
    pub(super) fn headers(&mut self, headers: &HeaderMap) -> (Vec<Field>, Vec<String>) {
        let mut telling = Vec::new();
        let mut further = Vec::new();
        for name in TELLING {
            for value in headers.get_all(*name) {
                let text = String::from_utf8_lossy(value.as_bytes());
                telling.push(self.header(name, &text));
            }
        }
        for name in headers.keys() {
            if !TELLING.contains(&name.as_str()) {
                further.push(name.as_str().to_owned());
            }
        }
        (telling, further)
    }

    pub(super) fn body(&mut self, form: Form, body: &[u8]) -> Body {
        if body.is_empty() {
            return Body::Empty;
        }
        let text = String::from_utf8_lossy(body);
        match form {
            Form::Urlencoded => Body::Form(self.credentials(&text, kind)),
            Form::TokenCredentials => Body::Form(self.credentials(&text, token_kind)),
            Form::Json => match serde_json::from_slice::<serde_json::Map<_, _>>(body) {
                Ok(members) => {
                    let member = |(name, value): (&String, &serde_json::Value)| match value {
                        serde_json::Value::String(text) => self.named(name, text),
                        other => self.named(name, &other.to_string()),
                    };
                    Body::Json(members.iter().map(member).collect())
                }
                Err(_) => {
                    Body::Opaque { content_type: "application/json".into(), bytes: body.len() }
                }
            },
            Form::Html => Body::Page { title: title(&text), bytes: body.len() },
            Form::Other(content_type) => Body::Opaque { content_type, bytes: body.len() },
        }
    }

    fn header(&mut self, name: &str, text: &str) -> Field {
        let (value, within) = match name {
            "authorization" => match text.split_once(' ') {
                Some((scheme, parameters)) if scheme.eq_ignore_ascii_case("oauth") => {
                    (vec![plain(scheme)], self.quoted(parameters))
                }
                _ => (self.authorization(text), Vec::new()),
            },
            "cookie" => {
                let cookies = text.split(';').filter_map(|cookie| cookie.trim().split_once('='));
                (Vec::new(), cookies.map(|(name, value)| self.cookie(name, value, "")).collect())
            }
            "set-cookie" => {
                let (cookie, attributes) = text.split_once(';').unwrap_or((text, ""));
                let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
                (Vec::new(), vec![self.cookie(name.trim(), value, attributes)])
            }
            "location" | "refresh" => self.url(text),
            // The origin is enough: the rest is the previous request.
            "referer" => (self.url(text).0, Vec::new()),
            _ => (vec![plain(text)], Vec::new()),
        };
        Field { name: name.to_owned(), value, within }
    }

    fn cookie(&mut self, name: &str, value: &str, attributes: &str) -> Field {
        let begun = name.contains("-try-") || name.contains("-try1-");
        let kind = if begun { Kind::LoginCookie } else { Kind::Session };
        let mut pieces = Vec::new();
        if !value.is_empty() {
            pieces.push(self.masked(kind, value));
        }
        if !attributes.is_empty() {
            pieces.push(plain(&format!(";{attributes}")));
        }
        Field { name: name.to_owned(), value: pieces, within: Vec::new() }
    }

    /// The value of an `Authorization` header (RFC 6750, section 2.1; RFC 6749, section 2.3.1).
    fn authorization(&mut self, text: &str) -> Vec<Piece> {
        let (scheme, credentials) = text.split_once(' ').unwrap_or(("", text));
        let basic = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| BASE64_STANDARD.decode(credentials.trim()).ok())
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        match basic.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((id, secret)) => vec![
                plain(&format!("{scheme} base64({id}:")),
                self.masked(Kind::ClientSecret, secret),
                plain(")"),
            ],
            None => vec![
                plain(&format!("{scheme} ")),
                self.masked(Kind::AccessToken, credentials.trim()),
            ],
        }
    }

    /// A URL and its parameters.
    fn url(&mut self, text: &str) -> (Vec<Piece>, Vec<Field>) {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let base = base.split('#').next().unwrap_or_default();
        (vec![plain(base)], self.parameters(query))
    }

    fn named(&mut self, name: &str, value: &str) -> Field {
        self.field(name, value, kind(name))
    }

    fn field(&mut self, name: &str, value: &str, kind: Kind) -> Field {
        let (value, within) = match name {
            _ if value.is_empty() => (Vec::new(), Vec::new()),
            _ if HARMLESS.contains(&name) => (vec![plain(value)], Vec::new()),
            _ if URLS.contains(&name) => {
                let (mut base, parameters) = self.url(value);
                for (index, parameter) in parameters.into_iter().enumerate() {
                    let mark = if index == 0 { '?' } else { '&' };
                    base.push(plain(&format!("{mark}{}=", parameter.name)));
                    base.extend(parameter.value);
                }
                (base, Vec::new())
            }
            _ => (vec![self.masked(kind, value)], Vec::new()),
        };
        Field { name: name.chars().take(80).collect(), value, within }
    }

    /// The first kind of a value stays: a `token` that is revoked is still a refresh token.
    fn masked(&mut self, kind: Kind, secret: &str) -> Piece {
        let fingerprint = self.fingerprint(secret);
        if let Some(id) = self.known.get(&fingerprint) {
            return Piece::Masked(*id);
        }
        let id = ValueId(self.values.len());
        let ordinal = 1 + self.values.iter().filter(|value| value.kind == kind).count();
        let length = secret.chars().count();
        self.values.push(Value { kind, shown: shown(kind, secret, length), length, ordinal });
        self.known.insert(fingerprint, id);
        Piece::Masked(id)
    }

    fn fingerprint(&self, secret: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.key, secret.as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(tag.as_ref());
        fingerprint
    }
}

fn plain(text: &str) -> Piece {
    let mut kept: String = text.chars().take(LONGEST).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    Piece::Plain(kept)
}

fn title(html: &str) -> String {
    html.split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title.trim().chars().take(80).collect())
        .unwrap_or_default()
}
