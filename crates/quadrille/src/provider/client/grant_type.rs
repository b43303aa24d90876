//! The names of grants (RFC 6749, section 4).

use std::{collections::BTreeSet, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::oauth2::ResponseType;

/// The grant type by which a client gets tokens (RFC 6749, section 4). JSON has its name on the
/// wire.
///
/// ```
/// use quadrille::provider::GrantType;
///
/// assert_eq!(GrantType::ClientCredentials.as_str(), "client_credentials");
/// let of_the_application: GrantType = "https://photos.example/grants/kiosk".parse()?;
/// assert_eq!(of_the_application.as_str(), "https://photos.example/grants/kiosk");
/// # Ok::<(), quadrille::provider::InvalidGrantType>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum GrantType {
    /// Authorization codes (RFC 6749, section 4.1).
    AuthorizationCode,
    /// Client credentials (RFC 6749, section 4.4).
    ClientCredentials,
    /// Refresh tokens (RFC 6749, section 6).
    RefreshToken,
    /// Device codes (RFC 8628, section 3.4).
    DeviceCode,
    /// JWTs of issuers that the server trusts (RFC 7523, section 2.1).
    JwtBearer,
    /// Token exchange (RFC 8693).
    TokenExchange,
    /// Access tokens in the redirect (RFC 6749, section 4.2), or ID tokens (OpenID Connect Core,
    /// sections 3.2 and 3.3). RFC 9700, section 2.1.2 advises against it; it is for clients that
    /// cannot use codes alone yet.
    Implicit,
    /// Passwords of users, which the client sees (RFC 6749, section 4.3). RFC 9700, section 2.4
    /// forbids it; it is for clients that cannot use another grant yet.
    Password,
    /// A grant of the application's own (RFC 6749, section 4.5).
    Extension(ExtensionGrantType),
}

impl GrantType {
    /// The grant types of this library.
    pub(crate) const KNOWN: [Self; 8] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::JwtBearer,
        Self::TokenExchange,
        Self::Implicit,
        Self::Password,
    ];

    /// The value of `grant_type`; for [`Implicit`](Self::Implicit), which has no token request, the
    /// name in metadata (RFC 7591, section 2).
    pub fn as_str(&self) -> &str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::Implicit => "implicit",
            Self::Password => "password",
            Self::Extension(name) => name.as_str(),
        }
    }
}

/// The grant types without which a client cannot use a response type (RFC 7591, section 2.1; OpenID
/// Connect Dynamic Client Registration, section 2).
pub(crate) fn needed_for(response_type: ResponseType) -> impl Iterator<Item = GrantType> {
    let code = response_type.has_code().then_some(GrantType::AuthorizationCode);
    let token = response_type.has_any_token().then_some(GrantType::Implicit);
    code.into_iter().chain(token)
}

/// `true` if a client with these grant types, and with these registered response types, uses this
/// one. Without registered ones it uses those of RFC 6749.
pub(crate) fn is_used(
    response_type: ResponseType,
    grant_types: &GrantTypes,
    registered: &[ResponseType],
) -> bool {
    let is_registered = match registered {
        [] => response_type.is_plain(),
        named => named.contains(&response_type),
    };
    is_registered && needed_for(response_type).all(|grant| grant_types.contains(&grant))
}

impl FromStr for GrantType {
    type Err = InvalidGrantType;

    fn from_str(name: &str) -> Result<Self, InvalidGrantType> {
        match Self::KNOWN.into_iter().find(|known| known.as_str() == name) {
            Some(known) => Ok(known),
            None => ExtensionGrantType::new(name).map(Self::Extension),
        }
    }
}

impl TryFrom<String> for GrantType {
    type Error = InvalidGrantType;

    fn try_from(name: String) -> Result<Self, InvalidGrantType> {
        name.parse()
    }
}

impl From<GrantType> for String {
    fn from(grant_type: GrantType) -> Self {
        grant_type.as_str().to_owned()
    }
}

/// The name of a grant type that is not one of this library's: an absolute URI or, as in older
/// installations, a plain name (RFC 6749, sections 4.5 and A.10). [`GrantType`] reads it.
///
/// ```
/// use quadrille::provider::GrantType;
///
/// let grant_type: GrantType = "urn:example:kiosk".parse()?;
/// let GrantType::Extension(name) = grant_type else { panic!("a grant type of this library") };
/// assert_eq!(name.as_str(), "urn:example:kiosk");
/// # Ok::<(), quadrille::provider::InvalidGrantType>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionGrantType(Arc<str>);

impl ExtensionGrantType {
    /// The longest name, in bytes.
    const LONGEST: usize = 255;

    fn new(name: &str) -> Result<Self, InvalidGrantType> {
        let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_uri =
            || name.bytes().all(|byte| byte.is_ascii_graphic()) && Url::parse(name).is_ok();
        let is_valid = !name.is_empty()
            && name.len() <= Self::LONGEST
            && (name.bytes().all(is_name_char) || is_uri());
        if is_valid { Ok(Self(name.into())) } else { Err(InvalidGrantType) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no name of a grant type.
///
/// ```
/// use quadrille::provider::{GrantType, InvalidGrantType};
///
/// assert_eq!("one of mine".parse::<GrantType>(), Err(InvalidGrantType));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a grant type is an absolute URI, or a name of letters, digits and -._, up to 255 bytes")]
pub struct InvalidGrantType;

/// The grant types that a client may use; JSON has their names on the wire.
///
/// ```
/// use quadrille::provider::{GrantType, GrantTypes};
///
/// let granted: GrantTypes = [GrantType::ClientCredentials].into();
/// ```
pub type GrantTypes = BTreeSet<GrantType>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_type_is_stored_by_its_name_on_the_wire() {
        for name in [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "implicit",
            "password",
            "urn:example:kiosk",
            "https://photos.example/kiosk",
            "legacy-sso",
        ] {
            let grant_type: GrantType = name.parse().unwrap();
            let json = serde_json::to_string(&grant_type).unwrap();
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(serde_json::from_str::<GrantType>(&json).unwrap(), grant_type);
            let is_known = GrantType::KNOWN.contains(&grant_type);
            assert_eq!(is_known, !matches!(grant_type, GrantType::Extension(_)), "{name}");
        }
        let long = "a".repeat(256);
        for name in ["", " ", "a b", "a\"b", "//host", "a/b", "urn:\u{e4}", "urn:a b", &long] {
            assert_eq!(name.parse::<GrantType>(), Err(InvalidGrantType), "{name:?}");
        }
    }
}
