//! The public numbers of keys, as JWKs have them (RFC 7518, section 6; RFC 8037, section 2).

use super::{
    KeyError, base64url,
    curve::Curve,
    jwk::{Jwk, Writer},
};
use crate::{der, digest::sha256};

/// The public numbers of a key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Public {
    Ec {
        curve: Curve,
        x: Box<[u8]>,
        y: Box<[u8]>,
    },
    Ed25519(Box<[u8]>),
    X25519(Box<[u8]>),
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    /// A shared key has none.
    Shared,
}

impl Public {
    pub(super) fn read(jwk: &Jwk) -> Result<Self, KeyError> {
        let curve = || jwk.text("crv")?.ok_or(KeyError::Missing("crv"));
        match jwk.kty()? {
            "EC" => {
                let curve = Curve::parse(curve()?).ok_or(KeyError::UnknownCurve)?;
                let coordinate = |name| jwk.exactly(name, curve.bytes());
                Ok(Self::Ec { curve, x: boxed(&coordinate("x")?), y: boxed(&coordinate("y")?) })
            }
            "OKP" => match curve()? {
                "Ed25519" => Ok(Self::Ed25519(boxed(&jwk.exactly("x", 32)?))),
                "X25519" => Ok(Self::X25519(boxed(&jwk.exactly("x", 32)?))),
                _ => Err(KeyError::UnknownCurve),
            },
            "RSA" => Ok(Self::Rsa { n: boxed(&jwk.number("n")?), e: boxed(&jwk.number("e")?) }),
            _ => Err(KeyError::UnknownType),
        }
    }

    /// The numbers of a point on one of the curves of RFC 7518, or of X25519, as the library of
    /// algorithms writes it.
    pub(super) fn of_point(point: &[u8]) -> Option<Self> {
        if point.len() == 32 {
            return Some(Self::X25519(boxed(point)));
        }
        let (_, numbers) = point.split_first()?;
        let curve = Curve::ALL.into_iter().find(|curve| numbers.len() == 2 * curve.bytes())?;
        let (x, y) = numbers.split_at_checked(curve.bytes())?;
        Some(Self::Ec { curve, x: boxed(x), y: boxed(y) })
    }

    /// The numbers of an RSA key, from its public key in DER.
    pub(super) fn of_rsa(der: &[u8]) -> Option<Self> {
        match *der::integers(der)?.as_slice() {
            [n, e] => Some(Self::Rsa { n: boxed(n), e: boxed(e) }),
            _ => None,
        }
    }

    /// The numbers of an RSA key, from its private key in the form of PKCS#8.
    pub(super) fn of_rsa_pkcs8(der: &[u8]) -> Option<Self> {
        match *der::integers(der::key_of_pkcs8(der)?)?.as_slice() {
            [_version, n, e, ..] => Some(Self::Rsa { n: boxed(n), e: boxed(e) }),
            _ => None,
        }
    }

    /// Writes the required members in the order of RFC 7638, section 3.3. `None` for a shared key.
    pub(super) fn write(&self, jwk: &mut Writer) -> Option<()> {
        match self {
            Self::Ec { curve, x, y } => {
                jwk.text("crv", curve.as_str());
                jwk.text("kty", "EC");
                jwk.bytes("x", x);
                jwk.bytes("y", y);
            }
            Self::Ed25519(x) | Self::X25519(x) => {
                let is_signing = matches!(self, Self::Ed25519(_));
                jwk.text("crv", if is_signing { "Ed25519" } else { "X25519" });
                jwk.text("kty", "OKP");
                jwk.bytes("x", x);
            }
            Self::Rsa { n, e } => {
                jwk.bytes("e", e);
                jwk.text("kty", "RSA");
                jwk.bytes("n", n);
            }
            Self::Shared => return None,
        }
        Some(())
    }

    /// The required members alone, as text. `None` for a shared key.
    pub(super) fn bare_jwk(&self) -> Option<String> {
        let mut jwk = Writer::public();
        self.write(&mut jwk)?;
        jwk.finish()
    }

    pub(super) fn thumbprint(&self) -> Option<String> {
        Some(base64url::encode(sha256(self.bare_jwk()?.as_bytes())))
    }
}

pub(super) fn boxed(bytes: &[u8]) -> Box<[u8]> {
    bytes.into()
}
