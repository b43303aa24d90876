//! The settings of dynamic client registration.

use std::time::Duration;

use quadrille::{
    Scopes,
    provider::{DynamicRegistration, GrantType},
};
use toml::Value;

use crate::{grant::Grant, words::nearest};

use super::{
    Settings,
    error::ConfigError,
    found::Found,
    grants::Offer,
    issuers::{Issuer, Purpose},
    shown,
    value::{self, Expected},
};

/// The setting of the grant types.
const GRANT_TYPES: &str = "registration_grant_types";

/// The parties that may register clients (RFC 7591, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// The operator alone.
    Off,
    /// The operator, and developers with an initial access token.
    InitialAccessToken,
    /// Anybody.
    Open,
}

/// The settings of dynamic client registration.
#[derive(Clone, Debug)]
pub struct RegistrationSettings {
    /// The parties that may register clients.
    pub mode: RegistrationMode,
    /// The scopes that such clients may have. `None` means all scopes.
    pub scopes: Option<Scopes>,
    /// The grant types that such clients may have.
    pub grant_types: Vec<GrantType>,
    /// The lifetime of their secrets. `None` means that they do not expire.
    pub secret_lifetime: Option<Duration>,
    /// The time within which a client of a stranger must be used.
    pub unused_lifetime: Duration,
    /// The number of clients of strangers that nobody has used yet.
    pub most_unused: usize,
    /// The names that such clients may neither have nor pass for.
    pub reserved_names: Vec<String>,
    /// `true` if a client without a software statement is refused.
    pub requires_statement: bool,
}

impl RegistrationMode {
    const ALL: [Self; 3] = [Self::Off, Self::InitialAccessToken, Self::Open];

    /// The value of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::InitialAccessToken => "initial-access-token",
            Self::Open => "open-to-anybody-so-that-strangers-add-clients",
        }
    }
}

impl RegistrationSettings {
    /// The offer of the authorization server of a site with this name, which accepts software
    /// statements of `issuers` that are trusted for them. `None` if registration is off.
    pub fn offer(&self, site: &str, issuers: &[Issuer]) -> Option<DynamicRegistration> {
        let offer = match self.mode {
            RegistrationMode::Off => return None,
            RegistrationMode::InitialAccessToken => DynamicRegistration::by_initial_access_token(),
            RegistrationMode::Open => {
                DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
            }
        };
        let mut offer = offer
            .grant_types(self.grant_types.iter().cloned())
            .unused_lifetime(self.unused_lifetime)
            .most_unused(self.most_unused)
            .reserved_names([site])
            .reserved_names(&self.reserved_names);
        if let Some(scopes) = &self.scopes {
            offer = offer.scopes(scopes.clone());
        }
        if let Some(lifetime) = self.secret_lifetime {
            offer = offer.secret_lifetime(lifetime);
        }
        for issuer in issuers.iter().filter(|issuer| issuer.is_for(Purpose::SoftwareStatements)) {
            offer = offer.software_statements(issuer.trusted.clone());
        }
        if self.requires_statement {
            offer = offer.require_software_statement();
        }
        Some(offer)
    }

    /// Checks that clients can register: the server offers their grant types, and trusts an issuer
    /// of software statements if it requires them.
    ///
    /// # Errors
    /// [`ConfigError::GrantTypeOff`] or [`ConfigError::NoStatementIssuer`].
    pub fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        if self.mode == RegistrationMode::Off {
            return Ok(());
        }
        let mut issuers = settings.trusted_issuers.iter();
        if self.requires_statement
            && !issuers.any(|issuer| issuer.is_for(Purpose::SoftwareStatements))
        {
            return Err(ConfigError::NoStatementIssuer);
        }
        if settings.is_default(GRANT_TYPES) {
            return Ok(());
        }
        let mut grants = settings.grants().into_iter();
        let is_off = |offer: &Offer| !offer.is_on && self.grant_types.contains(&offer.grant_type);
        grants.find(is_off).map_or(Ok(()), |Offer { grant_type, setting: needed, .. }| {
            let name = grant_type.as_str().to_owned();
            Err(ConfigError::GrantTypeOff { key: GRANT_TYPES, name, needed })
        })
    }

    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        Ok(Self {
            mode: found.or(
                "registration",
                mode,
                |mode| mode.as_str().to_owned(),
                RegistrationMode::Off,
            )?,
            scopes: found.optional(
                "registration_scopes",
                value::scope_names,
                |scopes| scopes.as_str().replace(' ', ","),
                "all of scopes",
            )?,
            grant_types: found
                .or(
                    GRANT_TYPES,
                    grants,
                    |names| names.join(","),
                    ["authorization_code", "refresh_token"].map(str::to_owned).to_vec(),
                )?
                .iter()
                .map(|name| grant(name))
                .collect::<Result<_, _>>()?,
            secret_lifetime: found.optional(
                "registration_secret_lifetime",
                value::duration,
                |duration| shown::duration(*duration),
                "until they are rotated",
            )?,
            unused_lifetime: found
                .duration("registration_unused_lifetime", Duration::from_secs(24 * 60 * 60))?,
            most_unused: found.or(
                "registration_most_unused",
                value::count,
                ToString::to_string,
                1000,
            )?,
            reserved_names: found.or(
                "registration_reserved_names",
                |value| value::list(value, Expected::Names),
                |names| names.join(","),
                Vec::new(),
            )?,
            requires_statement: found.switch("registration_requires_software_statement")?,
        })
    }
}

fn mode(value: &Value) -> Result<RegistrationMode, Expected> {
    let text = value.as_str().ok_or(Expected::Registration)?;
    let mode = RegistrationMode::ALL.into_iter().find(|mode| mode.as_str() == text);
    mode.ok_or(Expected::Registration)
}

fn grants(value: &Value) -> Result<Vec<String>, Expected> {
    let names = value::list(value, Expected::GrantTypes)?;
    if names.is_empty() { Err(Expected::GrantTypes) } else { Ok(names) }
}

fn grant(name: &str) -> Result<GrantType, ConfigError> {
    Grant::parse(name).map(Grant::grant_type).ok_or_else(|| ConfigError::UnknownGrantType {
        key: GRANT_TYPES,
        name: name.to_owned(),
        nearest: nearest(name, Grant::names().iter().map(String::as_str)).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_is_opened_to_anybody_only_by_its_long_name() {
        let read = |text: &str| mode(&Value::String(text.to_owned()));
        for mode in RegistrationMode::ALL {
            assert_eq!(read(mode.as_str()), Ok(mode));
        }
        for wrong in ["", "on", "open", "true", "Off", "open-to-anybody"] {
            assert_eq!(read(wrong), Err(Expected::Registration), "{wrong}");
        }
    }
}
