//! The grants that are on.

use quadrille::provider::GrantType;
use toml::Value;

use super::{
    Settings,
    error::ConfigError,
    found::Found,
    issuers::Purpose,
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

/// All grants, on or off.
pub(super) fn offers(settings: &Settings) -> Vec<Offer> {
    let has = |grant_type| settings.grant_types.contains(&grant_type);
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
            settings.device.enabled,
            "device.enabled",
            "users let devices in by a code",
        ),
        offer(
            GrantType::JwtBearer,
            settings.trusted_issuers.iter().any(|issuer| issuer.is_for(Purpose::JwtBearer)),
            "trusted_issuers",
            "JWTs of other issuers get tokens",
        ),
        offer(
            GrantType::TokenExchange,
            !settings.token_exchange.is_empty(),
            "token_exchange",
            "clients exchange tokens",
        ),
        offer(
            GrantType::Password,
            settings.let_clients_see_passwords_of_users,
            "let_clients_see_passwords_of_users",
            "clients see the passwords of users",
        ),
    ]
}
