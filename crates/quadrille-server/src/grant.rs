//! The names of grant types, on the command line and in settings.

use clap::{ValueEnum, builder::PossibleValue};
use quadrille::provider::GrantType;

use crate::words::nearest;

/// A grant type by its short name.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "snake_case")]
pub(crate) enum Grant {
    /// Users sign in and return to the client with a code
    AuthorizationCode,
    /// The client refreshes tokens without the user
    RefreshToken,
    /// The client acts for itself
    ClientCredentials,
    /// The client is on a device without a browser: its user types a code in elsewhere
    DeviceCode,
    /// The client has JWTs of an issuer in the setting trusted_issuers
    JwtBearer,
    /// The client exchanges tokens, as the setting token_exchange allows
    TokenExchange,
    /// The client gets access tokens in its redirect: for old clients that cannot use codes yet
    Implicit,
    /// The client sees the passwords of users: for old clients that cannot use another grant yet
    Password,
}

impl Grant {
    /// The grant type with this short name, or with this value of `grant_type`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let is_named = |grant: &&Self| grant.grant_type().as_str() == name;
        let by_wire = || Self::value_variants().iter().find(is_named).copied();
        Self::from_str(name, false).ok().or_else(by_wire)
    }

    /// The short names.
    pub(crate) fn names() -> Vec<String> {
        let values = Self::value_variants().iter().filter_map(Self::to_possible_value);
        values.map(|value: PossibleValue| value.get_name().to_owned()).collect()
    }

    /// The grant type whose name, short or in full, is closest to `name`.
    pub(crate) fn nearest(name: &str) -> Option<GrantType> {
        let (short, all) = (Self::names(), Self::value_variants().iter().copied());
        let all: Vec<GrantType> = all.map(Self::grant_type).collect();
        let names = short.iter().map(String::as_str).chain(all.iter().map(GrantType::as_str));
        nearest(name, names).and_then(Self::parse).map(Self::grant_type)
    }

    /// The grant type of the library.
    pub(crate) const fn grant_type(self) -> GrantType {
        match self {
            Self::AuthorizationCode => GrantType::AuthorizationCode,
            Self::RefreshToken => GrantType::RefreshToken,
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::DeviceCode => GrantType::DeviceCode,
            Self::JwtBearer => GrantType::JwtBearer,
            Self::TokenExchange => GrantType::TokenExchange,
            Self::Implicit => GrantType::Implicit,
            Self::Password => GrantType::Password,
        }
    }
}
