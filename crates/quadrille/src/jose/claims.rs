//! The claims of a JWT (RFC 7519, section 4).

use std::{borrow::Cow, fmt};

use serde_json::{Map, Value};

use super::ClaimsError;
use crate::{
    Timestamp,
    json::{JsonObject, ObjectError, insert, read_members},
};

/// The claims of a JWT. All are optional; a [`ClaimsPolicy`](super::ClaimsPolicy) says which are
/// required. Times are written as whole seconds.
///
/// ```
/// use quadrille::{Timestamp, jose::Claims};
///
/// let mut claims = Claims::default();
/// claims.sub = Some("ada".into());
/// claims.aud = vec!["https://api.example".into()];
/// claims.exp = Some(Timestamp::from_seconds(1_800_000_000));
/// claims.extra.insert("scope".into(), "photos:read".into());
/// let json = claims.to_json();
/// assert_eq!(
///     String::from_utf8(json.clone())?,
///     r#"{"sub":"ada","aud":"https://api.example","exp":1800000000,"scope":"photos:read"}"#,
/// );
/// assert_eq!(Claims::parse(&json)?, claims);
/// assert_eq!(claims.text("scope"), Some("photos:read"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// The issuer (section 4.1.1).
    pub iss: Option<String>,
    /// The subject (section 4.1.2).
    pub sub: Option<String>,
    /// The recipients (section 4.1.3), written as a text if there is one.
    pub aud: Vec<String>,
    /// The time from which on the token is invalid (section 4.1.4).
    pub exp: Option<Timestamp>,
    /// The time before which the token is invalid (section 4.1.5).
    pub nbf: Option<Timestamp>,
    /// The time of issue (section 4.1.6).
    pub iat: Option<Timestamp>,
    /// The identifier of the token (section 4.1.7).
    pub jti: Option<String>,
    /// All other claims. Those above are not written from here.
    pub extra: Map<String, Value>,
}

/// The claims that have a field.
pub(crate) const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

impl Claims {
    /// Reads the payload of a JWT. No member may be repeated, at any depth; times may have
    /// fractions; a registered claim of the wrong type is an error, `null` and an empty `aud` included,
    /// but for an `nbf` that is `null`: it restricts nothing.
    ///
    /// # Errors
    /// [`ClaimsError::NotJson`], [`ClaimsError::Repeated`] or [`ClaimsError::Malformed`].
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let mut extra = Map::new();
        let claims = Self::read(payload, |name, value| insert(&mut extra, name, value))?;
        Ok(Self { extra, ..claims })
    }

    /// [`parse`](Self::parse) for a reader that has places of its own for the other claims: `further`
    /// gets each of them, and returns whether it is new.
    pub(crate) fn read(
        payload: &[u8],
        mut further: impl FnMut(Cow<'_, str>, Value) -> bool,
    ) -> Result<Self, ClaimsError> {
        let mut claims = Self::default();
        let mut times = [None, None];
        let [exp, iat] = &mut times;
        let (mut aud, mut nbf) = (None, None);
        let mut malformed = None;
        let read = read_members(payload, |name, value| {
            let place = match &*name {
                "iss" => text("iss", value, &mut claims.iss),
                "sub" => text("sub", value, &mut claims.sub),
                "jti" => text("jti", value, &mut claims.jti),
                "aud" => audience(value).map(|all| is_new(&mut aud, all)),
                "exp" => timestamp("exp", &value).map(|time| is_new(exp, time)),
                "nbf" if value.is_null() => Ok(is_new(&mut nbf, None)),
                "nbf" => timestamp("nbf", &value).map(|time| is_new(&mut nbf, Some(time))),
                "iat" => timestamp("iat", &value).map(|time| is_new(iat, time)),
                _ => Ok(further(name, value)),
            };
            place.unwrap_or_else(|error| {
                malformed.get_or_insert(error);
                true
            })
        });
        read.map_err(|error| match error {
            ObjectError::Malformed { .. } => ClaimsError::NotJson,
            ObjectError::Repeated(_) => ClaimsError::Repeated,
        })?;
        if let Some(malformed) = malformed {
            return Err(malformed);
        }
        [claims.exp, claims.iat] = times;
        (claims.aud, claims.nbf) = (aud.unwrap_or_default(), nbf.flatten());
        Ok(claims)
    }

    /// The claims as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut object = JsonObject::with_capacity(512);
        let mut string = |name, value: &Option<String>| {
            if let Some(value) = value {
                object.string(name, value);
            }
        };
        string("iss", &self.iss);
        string("sub", &self.sub);
        object.strings("aud", &self.aud);
        for (name, time) in [("exp", self.exp), ("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(time) = time {
                object.number(name, time.seconds());
            }
        }
        if let Some(jti) = &self.jti {
            object.string("jti", jti);
        }
        for (name, value) in &self.extra {
            if !REGISTERED.contains(&name.as_str()) {
                object.value(name, value);
            }
        }
        object.finish()
    }

    /// Whether a claim is there, not `null` and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        let is_text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        match name {
            "iss" => is_text(&self.iss),
            "sub" => is_text(&self.sub),
            "aud" => !self.aud.is_empty(),
            "exp" => self.exp.is_some(),
            "nbf" => self.nbf.is_some(),
            "iat" => self.iat.is_some(),
            "jti" => is_text(&self.jti),
            other => match self.extra.get(other) {
                None | Some(Value::Null) => false,
                Some(Value::String(text)) => !text.is_empty(),
                Some(_) => true,
            },
        }
    }

    /// Another claim, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.extra.get(name).and_then(Value::as_str)
    }

    /// Another claim that is a time, such as `auth_time`.
    ///
    /// # Errors
    /// [`ClaimsError::Malformed`] if it is not a time.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, ClaimsError> {
        self.extra.get(name).map(|value| timestamp(name, value)).transpose()
    }
}

/// Omits the user's identity and further claims.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss)
            .field("aud", &self.aud)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

/// Fills a place, and returns whether it was empty.
fn is_new<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

fn text(name: &'static str, value: Value, place: &mut Option<String>) -> Result<bool, ClaimsError> {
    match value {
        Value::String(text) => Ok(is_new(place, text)),
        _ => Err(ClaimsError::Malformed(name)),
    }
}

fn audience(value: Value) -> Result<Vec<String>, ClaimsError> {
    let one = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(ClaimsError::Malformed("aud")),
    };
    match value {
        // A token for nobody is for nobody (section 4.1.3).
        Value::Array(several) if several.is_empty() => Err(ClaimsError::Malformed("aud")),
        Value::Array(several) => several.into_iter().map(one).collect(),
        value => one(value).map(|one| vec![one]),
    }
}

/// A `NumericDate` (RFC 7519, section 2): seconds, perhaps with a fraction.
pub(crate) fn timestamp(name: &'static str, value: &Value) -> Result<Timestamp, ClaimsError> {
    const LIMIT: i64 = i64::MAX / 1000;
    if let Some(seconds) = value.as_i64().filter(|seconds| (-LIMIT..=LIMIT).contains(seconds)) {
        return Ok(Timestamp::from_seconds(seconds));
    }
    // Greater integers are rejected, since no clock tells them from each other.
    match value.as_f64() {
        Some(seconds) if value.is_f64() && seconds.abs() < 1e14 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "it is far below the limit")]
            Ok(Timestamp::from_millis((seconds * 1000.0).floor() as i64))
        }
        _ => Err(ClaimsError::Malformed(name)),
    }
}
