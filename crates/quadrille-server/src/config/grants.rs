//! The grants that are on.

use quadrille::provider::GrantType;
use toml::Value;

use super::{
    device::DeviceSettings,
    error::ConfigError,
    exchange::ExchangeRules,
    found::Found,
    issuers::{Issuer, Purpose},
    value::{self, Expected},
};

/// The grants that the setting `grant_types` switches.
const SWITCHED: [GrantType; 3] =
    [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];

/// A grant, with the setting that switches it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The grant type.
    pub grant_type: GrantType,
    /// `true` if the server offers the grant.
    pub is_on: bool,
    /// The setting.
    pub setting: &'static str,
    /// The purpose.
    pub about: &'static str,
}

/// Finds the setting `grant_types`.
pub(super) fn of(found: &mut Found) -> Result<Vec<GrantType>, ConfigError> {
    let shown =
        |types: &Vec<GrantType>| types.iter().map(GrantType::as_str).collect::<Vec<_>>().join(",");
    found.or("grant_types", switched, shown, SWITCHED.to_vec())
}

fn switched(value: &Value) -> Result<Vec<GrantType>, Expected> {
    let names = value::list(value, Expected::SwitchedGrants)?;
    let known = |name: &String| SWITCHED.into_iter().find(|grant| grant.as_str() == name);
    names.iter().map(|name| known(name).ok_or(Expected::SwitchedGrants)).collect()
}

/// The grants for old clients, each with a switch that says what it gives up.
#[derive(Clone, Copy, Debug)]
pub(super) struct OldGrants {
    pub(super) implicit: bool,
    pub(super) password: bool,
}

/// All grants, on or off. The setting `grant_types` switches on those in `switched`.
pub(super) fn offers(
    switched: &[GrantType],
    old: OldGrants,
    device: DeviceSettings,
    issuers: &[Issuer],
    rules: &ExchangeRules,
) -> Vec<Offer> {
    let has = |grant_type| switched.contains(&grant_type);
    let offer = |grant_type, is_on, setting, about| Offer { grant_type, is_on, setting, about };
    vec![
        offer(
            GrantType::AuthorizationCode,
            has(GrantType::AuthorizationCode),
            "grant_types",
            "users let clients in on the consent page",
        ),
        offer(
            GrantType::RefreshToken,
            has(GrantType::RefreshToken),
            "grant_types",
            "clients refresh tokens without the user",
        ),
        offer(
            GrantType::ClientCredentials,
            has(GrantType::ClientCredentials),
            "grant_types",
            "clients act for themselves",
        ),
        offer(
            GrantType::DeviceCode,
            device.enabled,
            "device.enabled",
            "users let devices in by a code",
        ),
        offer(
            GrantType::JwtBearer,
            issuers.iter().any(|issuer| issuer.is_for(Purpose::JwtBearer)),
            "trusted_issuers",
            "JWTs of other issuers get tokens",
        ),
        offer(
            GrantType::TokenExchange,
            !rules.is_empty(),
            "token_exchange",
            "clients exchange tokens",
        ),
        offer(
            GrantType::Implicit,
            old.implicit,
            "send_access_tokens_in_redirects_so_that_they_can_leak",
            "clients get access tokens in their redirects",
        ),
        offer(
            GrantType::Password,
            old.password,
            "let_clients_see_passwords_of_users",
            "clients see the passwords of users",
        ),
    ]
}
