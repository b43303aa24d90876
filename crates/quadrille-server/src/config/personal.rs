//! The settings of the personal access tokens that users make.

use std::time::Duration;

use quadrille::Scopes;
use toml::Value;

use super::{
    error::ConfigError,
    found::Found,
    shown,
    value::{self, Expected},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The settings of the personal access tokens that users make on the account page.
#[derive(Clone, Debug)]
pub struct PersonalTokenSettings {
    /// The scopes that such a token may have. `None` if users make none.
    pub scopes: Option<Scopes>,
    /// The longest lifetime of such a token.
    pub max_lifetime: Duration,
}

impl PersonalTokenSettings {
    /// Users make no tokens.
    pub const fn off() -> Self {
        Self { scopes: None, max_lifetime: Duration::ZERO }
    }

    /// The lifetimes to choose from, in days, the longest last.
    pub fn days(&self) -> Vec<u64> {
        let most = self.max_lifetime.as_secs() / DAY.as_secs();
        let usual = [7, 30, 90, 365].into_iter().filter(|days| *days < most);
        usual.chain((most > 0).then_some(most)).collect()
    }

    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        Ok(Self {
            scopes: found.optional(
                "personal_access_token_scopes",
                value::scope_names,
                |scopes| scopes.as_str().replace(' ', ","),
                "users make none",
            )?,
            max_lifetime: found.or(
                "personal_access_token_max_lifetime",
                days,
                |lifetime| shown::duration(*lifetime),
                90 * DAY,
            )?,
        })
    }
}

/// A duration of a day or more.
fn days(value: &Value) -> Result<Duration, Expected> {
    let lifetime = value::duration(value).map_err(|_| Expected::Days)?;
    if lifetime < DAY { Err(Expected::Days) } else { Ok(lifetime) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lifetime_is_the_last_one_to_choose() {
        for (most, days) in
            [(0, &[][..]), (1, &[1]), (7, &[7]), (45, &[7, 30, 45]), (400, &[7, 30, 90, 365, 400])]
        {
            let settings = PersonalTokenSettings { scopes: None, max_lifetime: most * DAY };
            assert_eq!(settings.days(), days);
        }
    }
}
