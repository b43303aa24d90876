//! The key to which a token is bound.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
#[cfg(any(feature = "provider", feature = "http-client"))]
use serde_json::{Map, Value};

/// The key to which a token is bound (RFC 7800), by its SHA-256 thumbprint of 32 bytes: a request
/// with the token must prove that it has the key. A [`Guard`](crate::guard::Guard) reads no such
/// proof yet, and refuses bound tokens.
///
/// ```
/// use quadrille::Binding;
///
/// let binding = Binding::Jwk([7; 32]);
/// assert_ne!(binding, Binding::Certificate([7; 32]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Binding {
    /// The public key of DPoP proofs, by its JWK thumbprint (RFC 9449, section 6.1; RFC 7638).
    Jwk([u8; 32]),
    /// The client's TLS certificate, by its hash (RFC 8705, section 3.1).
    Certificate([u8; 32]),
}

impl Binding {
    /// The name and value of the confirmation method (RFC 7800, section 3.1).
    #[cfg(feature = "provider")]
    pub(crate) fn to_member(self) -> (&'static str, String) {
        let (name, thumbprint) = self.parts();
        (name, BASE64_URL_SAFE_NO_PAD.encode(thumbprint))
    }

    /// Reads a confirmation method; `None` if it is not known, or malformed.
    #[cfg(any(feature = "provider", feature = "http-client"))]
    pub(crate) fn read(name: &str, value: &str) -> Option<Self> {
        let thumbprint = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        match name {
            "jkt" => Some(Self::Jwk(thumbprint)),
            "x5t#S256" => Some(Self::Certificate(thumbprint)),
            _ => None,
        }
    }

    /// Reads the member `cnf` (RFC 7800, section 3.1), which holds one confirmation method; `None`
    /// if it is not known, or malformed.
    #[cfg(feature = "http-client")]
    pub(crate) fn of_confirmation(cnf: &Map<String, Value>) -> Option<Self> {
        let mut methods = cnf.iter();
        match (methods.next(), methods.next()) {
            (Some((name, Value::String(value))), None) => Self::read(name, value),
            _ => None,
        }
    }

    /// The member `cnf` of an introspection response (RFC 8705, section 3.2; RFC 9449, section
    /// 6.2).
    #[cfg(feature = "provider")]
    pub(crate) fn to_confirmation(self) -> Map<String, Value> {
        let (name, value) = self.to_member();
        Map::from_iter([(name.to_owned(), value.into())])
    }

    const fn parts(&self) -> (&'static str, &[u8; 32]) {
        match self {
            Self::Jwk(thumbprint) => ("jkt", thumbprint),
            Self::Certificate(thumbprint) => ("x5t#S256", thumbprint),
        }
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, thumbprint) = self.parts();
        write!(f, "{name}:{}", BASE64_URL_SAFE_NO_PAD.encode(thumbprint))
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_binding_is_read_as_it_was_written(thumbprint: [u8; 32], is_certificate: bool) {
            let binding = match is_certificate {
                true => Binding::Certificate(thumbprint),
                false => Binding::Jwk(thumbprint),
            };
            let (name, value) = binding.to_member();
            prop_assert_eq!(Binding::read(name, &value), Some(binding));
            prop_assert_eq!(Binding::read(name, &value[1..]), None);
            prop_assert_eq!(Binding::read("jku", &value), None);
        }
    }
}
