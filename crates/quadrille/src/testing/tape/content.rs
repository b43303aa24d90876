//! The bodies of a tape, as people read them.

use bytes::Bytes;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

use crate::form::FormWriter;

use super::{
    json::{clean_json, map_in},
    names::About,
    secrets::{Secrets, is_alike},
    signed::{ID_TOKEN, Unsigned},
};

/// The boundary of parts on a tape, in place of one that is another in each request.
pub(super) const BOUNDARY: &str = "tape-boundary";

/// The most characters of a value in a message.
const LONGEST: usize = 120;

/// A body without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Content {
    /// JSON.
    Json(Value),
    /// A form: a text `name=value` for each field.
    Form(Vec<String>),
    /// Signed claims, such as those of a userinfo endpoint.
    Jwt(Unsigned),
    /// Any other text.
    Text(String),
    /// Bytes that are no text.
    #[serde(with = "base64_text")]
    Base64(Bytes),
}

/// Bytes as Base64.
mod base64_text {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use bytes::Bytes;
    use serde::Deserialize as _;

    pub(super) fn serialize<S: serde::Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map(Bytes::from).map_err(|_| serde::de::Error::custom("no Base64"))
    }
}

impl Content {
    /// The body of a message without its secrets; `None` if it is empty.
    pub(super) fn read(
        headers: &HeaderMap,
        body: &Bytes,
        about: About,
        secrets: &mut Secrets,
    ) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default();
        if let Some((start, boundary)) = kind.split_once("boundary=")
            && start.starts_with("multipart/")
        {
            let boundary = boundary.split(';').next().unwrap_or(boundary).trim_matches('"');
            return Some(parts(body, boundary, about, secrets));
        }
        let Ok(text) = std::str::from_utf8(body) else { return Some(Self::Base64(body.clone())) };
        if let Ok(json) = serde_json::from_str::<Value>(text)
            && (json.is_object() || json.is_array())
        {
            return Some(Self::Json(clean_body(json, about, secrets)));
        }
        if kind.starts_with("application/jwt")
            && let Some(unsigned) = Unsigned::of(text.trim(), secrets)
        {
            return Some(Self::Jwt(clean_claims(unsigned, about, secrets)));
        }
        // Services of OAuth 1 answer with a form under any type.
        let is_form = kind.contains("x-www-form-urlencoded")
            || (about == About::Credentials
                && text.contains('=')
                && !text.contains(|char: char| char.is_whitespace() || char == '<'));
        if is_form {
            let fields = form_urlencoded::parse(body).map(|(name, value)| {
                let value = match secrets.hides(&name, about) {
                    true => secrets.stand_in(&name, &value),
                    false => secrets.clean(&value, about),
                };
                format!("{}={value}", name.replace('=', "%3D"))
            });
            return Some(Self::Form(fields.collect()));
        }
        Some(Self::Text(secrets.clean(text, about)))
    }

    /// The body as it is sent.
    pub(super) fn bytes(&self) -> Bytes {
        match self {
            Self::Json(json) => json.to_string().into(),
            Self::Form(lines) => {
                let mut form = FormWriter::new();
                for line in lines {
                    let (name, value) = line.split_once('=').unwrap_or((line, ""));
                    form.append(&name.replace("%3D", "="), value);
                }
                form.finish().into()
            }
            Self::Text(text) => text.clone().into(),
            // Signed again before it is sent; no request has one.
            Self::Jwt(_) => Bytes::new(),
            Self::Base64(bytes) => bytes.clone(),
        }
    }

    /// The bytes of a body that is no text.
    pub(super) fn binary(&self) -> Option<Bytes> {
        match self {
            Self::Base64(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Changes the texts of the content: members with their names, lines of forms.
    pub(super) fn map_texts(&mut self, change: &dyn Fn(&str) -> String) {
        match self {
            Self::Json(json) => map_in(json, change),
            Self::Form(lines) => lines.iter_mut().for_each(|line| *line = change(line)),
            Self::Text(text) => *text = change(text),
            Self::Jwt(unsigned) => {
                unsigned.claims.values_mut().for_each(|value| map_in(value, change));
            }
            Self::Base64(_) => {}
        }
    }

    /// The difference between a body on a tape and one of a request; `None` if there is none but in
    /// secrets.
    pub(super) fn difference(on_tape: Option<&Self>, sent: Option<&Self>) -> Option<String> {
        match (on_tape, sent) {
            (None, None) => None,
            (Some(Self::Json(one)), Some(Self::Json(other))) => json_difference(one, other, ""),
            (Some(Self::Form(one)), Some(Self::Form(other))) => form_difference(one, other),
            (Some(Self::Text(one)), Some(Self::Text(other))) => text_difference(one, other),
            (Some(one), Some(other)) if one == other => None,
            (one, other) => Some(format!(
                "the body is {} on the tape, and {} was sent",
                one.map_or("empty", Self::kind),
                other.map_or("an empty one", Self::kind),
            )),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "JSON",
            Self::Form(_) => "a form",
            Self::Text(_) => "text",
            Self::Jwt(_) => "a signed token",
            Self::Base64(_) => "binary data",
        }
    }
}

/// A body of JSON without its secrets. Of the ID token in a token response the claims are left.
fn clean_body(json: Value, about: About, secrets: &mut Secrets) -> Value {
    let token = json.get(ID_TOKEN).and_then(Value::as_str);
    let token = token.filter(|_| about == About::Credentials);
    let unsigned = token.and_then(|token| Unsigned::of(token, secrets));
    let mut clean = clean_json(json, None, about, secrets);
    if let (Some(unsigned), Some(members)) = (unsigned, clean.as_object_mut()) {
        let unsigned = clean_claims(unsigned, about, secrets);
        members.insert(ID_TOKEN.to_owned(), serde_json::to_value(unsigned).unwrap_or_default());
    }
    clean
}

fn clean_claims(unsigned: Unsigned, about: About, secrets: &mut Secrets) -> Unsigned {
    let claims = match clean_json(Value::Object(unsigned.claims), None, about, secrets) {
        Value::Object(claims) => claims,
        _ => serde_json::Map::new(),
    };
    Unsigned { claims, ..unsigned }
}

/// A body of parts (RFC 7578) without its secrets, with the boundary of tapes.
fn parts(body: &Bytes, boundary: &str, about: About, secrets: &mut Secrets) -> Content {
    let Ok(text) = std::str::from_utf8(body) else {
        let mut clean = Vec::with_capacity(body.len());
        let mut rest = &body[..];
        while let Some(at) = rest.windows(boundary.len()).position(|at| at == boundary.as_bytes()) {
            let (before, from) = rest.split_at(at);
            clean.extend_from_slice(before);
            clean.extend_from_slice(BOUNDARY.as_bytes());
            rest = from.get(boundary.len()..).unwrap_or_default();
        }
        clean.extend_from_slice(rest);
        return Content::Base64(clean.into());
    };
    let delimiter = format!("--{boundary}");
    let parts = text.split(&delimiter).map(|part| {
        let Some((head, value)) = part.split_once("\r\n\r\n") else { return part.to_owned() };
        let name = head.split_once(" name=\"").and_then(|(_, rest)| rest.split('"').next());
        let (value, end) = value.strip_suffix("\r\n").map_or((value, ""), |value| (value, "\r\n"));
        let value = match name {
            Some(name) if secrets.hides(name, about) => secrets.stand_in(name, value),
            _ => secrets.clean(value, about),
        };
        format!("{head}\r\n\r\n{value}{end}")
    });
    Content::Text(parts.collect::<Vec<_>>().join(&format!("--{BOUNDARY}")))
}

fn json_difference(one: &Value, other: &Value, path: &str) -> Option<String> {
    let at = |name: &str| match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}.{name}"),
    };
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let missing = one.iter().find(|(name, _)| !other.contains_key(*name));
            let added = other.iter().find(|(name, _)| !one.contains_key(*name));
            match (missing, added) {
                (Some((name, _)), _) => Some(format!("the member {:?} was not sent", at(name))),
                (_, Some((name, _))) => {
                    Some(format!("the member {:?} is not on the tape", at(name)))
                }
                _ => one
                    .iter()
                    .find_map(|(name, value)| json_difference(value, other.get(name)?, &at(name))),
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).enumerate().find_map(|(number, (one, other))| {
                json_difference(one, other, &at(&number.to_string()))
            })
        }
        (Value::String(one), Value::String(other)) if is_alike(one, other) => None,
        (one, other) if one == other => None,
        (one, other) => Some(format!(
            "the member {path:?} is {} on the tape, and {} was sent",
            short(&one.to_string()),
            short(&other.to_string()),
        )),
    }
}

fn form_difference(one: &[String], other: &[String]) -> Option<String> {
    fn fields(lines: &[String]) -> Vec<(&str, &str)> {
        let fields = lines.iter().map(|line| line.split_once('=').unwrap_or((line, "")));
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by_key(|(name, _)| *name);
        fields
    }
    pairs_difference(&fields(one), &fields(other), "field")
}

/// The difference between pairs, in the order of their names.
pub(super) fn pairs_difference(
    one: &[(&str, &str)],
    other: &[(&str, &str)],
    what: &str,
) -> Option<String> {
    let lacks = |pairs: &[(&str, &str)], name: &str| !pairs.iter().any(|(known, _)| *known == name);
    if let Some((name, _)) = one.iter().find(|(name, _)| lacks(other, name)) {
        return Some(format!("the {what} {name:?} was not sent"));
    }
    if let Some((name, _)) = other.iter().find(|(name, _)| lacks(one, name)) {
        return Some(format!("the {what} {name:?} is not on the tape"));
    }
    if one.len() != other.len() {
        return Some(format!("a {what} is repeated another number of times"));
    }
    one.iter().zip(other).find(|((_, one), (_, other))| !is_alike(one, other)).map(
        |((name, one), (_, other))| {
            format!(
                "the {what} {name:?} is {:?} on the tape, and {:?} was sent",
                short(one),
                short(other)
            )
        },
    )
}

fn text_difference(one: &str, other: &str) -> Option<String> {
    if is_alike(one, other) {
        return None;
    }
    let mut lines = one.lines().zip(other.lines()).enumerate();
    let differing = lines.find(|(_, (one, other))| !is_alike(one, other));
    Some(match differing {
        Some((number, (one, other))) => format!(
            "line {} of the body is {:?} on the tape, and {:?} was sent",
            number + 1,
            short(one),
            short(other),
        ),
        None => "the bodies have different numbers of lines".to_owned(),
    })
}

/// The beginning of a long value.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST).and_then(|(at, _)| text.get(..at)) {
        Some(start) => format!("{start}..."),
        None => text.to_owned(),
    }
}
