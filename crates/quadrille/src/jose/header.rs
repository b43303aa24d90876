//! The protected header of a JWS (RFC 7515, section 4).

use std::fmt;

use serde_json::{Map, Value};

use super::{Algorithm, KeyError, TokenError, VerifyingKey};
use crate::json::{JsonObject, ObjectError, insert, read_members};

/// The header of a token. Only `alg` is checked when it is read; nothing in it is true before the
/// signature was verified.
///
/// ```
/// use quadrille::jose::{Algorithm, Protected, SigningKey, Unverified};
///
/// let key = SigningKey::generate(Algorithm::Es256)?.with_kid("2026-11");
/// let token = key.sign(&Protected::typ("at+jwt"), b"{}")?;
/// let token = Unverified::parse(&token)?;
/// assert_eq!(token.header().kid(), Some("2026-11"));
/// assert_eq!(token.header().typ(), Some("at+jwt"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Header {
    algorithm: Algorithm,
    typ: Option<String>,
    cty: Option<String>,
    kid: Option<String>,
    others: Map<String, Value>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let read = Read::of(json)?;
        let algorithm = match read.alg.as_deref() {
            None => return Err(TokenError::HeaderMalformed("alg")),
            Some("none") => return Err(TokenError::Unsecured),
            Some(name) => Algorithm::parse(name).ok_or(TokenError::AlgorithmUnknown)?,
        };
        let (typ, cty, kid, others) = read.others()?;
        Ok(Self { algorithm, typ, cty, kid, others })
    }

    /// The type in the header of an unsecured token (RFC 7515, section 6).
    #[cfg(feature = "provider")]
    pub(super) fn type_of_unsecured(json: &[u8]) -> Result<Option<String>, TokenError> {
        let read = Read::of(json)?;
        if read.alg.as_deref() != Some("none") {
            return Err(TokenError::AlgorithmNotAccepted);
        }
        read.others().map(|(typ, ..)| typ)
    }

    /// Whether there are no other members than those of each token.
    pub(super) fn is_plain(&self) -> bool {
        self.others.is_empty()
    }

    /// The algorithm of the signature (RFC 7515, section 4.1.1).
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The identifier of the key (RFC 7515, section 4.1.4).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The type of the token (RFC 7515, section 4.1.9).
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The type of the payload (RFC 7515, section 4.1.10).
    pub fn cty(&self) -> Option<&str> {
        self.cty.as_deref()
    }

    /// The public key in the header (RFC 7515, section 4.1.3), which proves nothing by itself: a
    /// DPoP proof is signed by it, and the token names its thumbprint.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Missing`] without the member.
    pub fn jwk(&self) -> Result<VerifyingKey, KeyError> {
        match self.others.get("jwk") {
            None => Err(KeyError::Missing("jwk")),
            Some(Value::Object(jwk)) => VerifyingKey::from_members(jwk),
            Some(_) => Err(KeyError::Malformed("jwk")),
        }
    }

    /// Any other member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.others.get(name)
    }
}

/// Shows the algorithm alone: the other members are another party's text.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?})", self.algorithm)
    }
}

/// The members of a header, not checked.
struct Read {
    alg: Option<String>,
    typ: Option<Value>,
    cty: Option<Value>,
    kid: Option<Value>,
    others: Map<String, Value>,
}

/// `typ`, `cty`, `kid`, and the other members.
type Others = (Option<String>, Option<String>, Option<String>, Map<String, Value>);

impl Read {
    fn of(json: &[u8]) -> Result<Self, TokenError> {
        let (mut alg, mut typ, mut cty, mut kid) = (None, None, None, None);
        let mut others = Map::new();
        read_members(json, |name, value| match &*name {
            "alg" => alg.replace(value).is_none(),
            "typ" => typ.replace(value).is_none(),
            "cty" => cty.replace(value).is_none(),
            "kid" => kid.replace(value).is_none(),
            _ => insert(&mut others, name, value),
        })
        .map_err(|error| match error {
            ObjectError::Malformed { .. } => TokenError::HeaderMalformed("the JSON"),
            ObjectError::Repeated(_) => TokenError::Repeated,
        })?;
        Ok(Self { alg: text("alg", alg)?, typ, cty, kid, others })
    }

    /// The members beside `alg`.
    fn others(self) -> Result<Others, TokenError> {
        // Without `crit` it would be ignored, and the payload read as another text.
        if self.others.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
            return Err(TokenError::NotEncoded);
        }
        // No extension is understood (RFC 7515, section 4.1.11).
        if self.others.contains_key("crit") {
            return Err(TokenError::Critical);
        }
        let (typ, cty) = (text("typ", self.typ)?, text("cty", self.cty)?);
        Ok((typ, cty, text("kid", self.kid)?, self.others))
    }
}

fn text(name: &'static str, value: Option<Value>) -> Result<Option<String>, TokenError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::HeaderMalformed(name)),
    }
}

/// The header of a token to sign, besides `alg` and `kid`, which the key adds.
///
/// ```
/// use quadrille::jose::{Algorithm, Protected, SigningKey, Unverified};
///
/// // The header of a DPoP proof (RFC 9449, section 4.2).
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let token = key.sign(&Protected::typ("dpop+jwt").with_jwk(), b"{}")?;
/// let token = Unverified::parse(&token)?;
/// assert_eq!(token.header().jwk()?.thumbprint(), key.verifying_key().thumbprint());
/// assert_eq!(token.header().kid(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protected<'a> {
    typ: Option<&'a str>,
    cty: Option<&'a str>,
    jwk: bool,
}

impl<'a> Protected<'a> {
    /// A header without a type, as most assertions and ID tokens have it.
    pub const fn plain() -> Self {
        Self { typ: None, cty: None, jwk: false }
    }

    /// A header with a type, such as `at+jwt`, without `application/`.
    pub const fn typ(typ: &'a str) -> Self {
        Self { typ: Some(typ), cty: None, jwk: false }
    }

    /// The type of the payload: `JWT` for a nested token.
    #[must_use]
    pub const fn cty(self, cty: &'a str) -> Self {
        Self { cty: Some(cty), ..self }
    }

    /// The public key itself stands in the header, instead of `kid`. A shared key has none.
    #[must_use]
    pub const fn with_jwk(self) -> Self {
        Self { jwk: true, ..self }
    }

    /// The header as JSON. `None` if a shared key should stand in it.
    pub(super) fn write(&self, key: &VerifyingKey, algorithm: Algorithm) -> Option<Vec<u8>> {
        let mut object = JsonObject::with_capacity(128);
        object.string("alg", algorithm.as_str());
        self.write_types(&mut object);
        if self.jwk {
            object.raw("jwk", &key.bare_jwk()?);
        } else if let Some(kid) = key.kid() {
            object.string("kid", kid);
        }
        Some(object.finish())
    }

    /// The header of an unsecured token (RFC 7515, section 6).
    #[cfg(feature = "consumer")]
    pub(super) fn write_unsecured(&self) -> Vec<u8> {
        let mut object = JsonObject::with_capacity(64);
        object.string("alg", "none");
        self.write_types(&mut object);
        object.finish()
    }

    pub(super) fn write_types(&self, object: &mut JsonObject) {
        if let Some(typ) = self.typ {
            object.string("typ", typ);
        }
        if let Some(cty) = self.cty {
            object.string("cty", cty);
        }
    }
}
