//! The time in which a refresh token may be repeated.

use std::time::Duration;

use quadrille::Policy;

use super::{database::ConnectionSettings, error::ConfigError, found::Found, shown};

/// The longest time: within it, the use of a stolen token may pass for a repeat.
const LONGEST: Duration = Duration::from_secs(300);

/// The setting `refresh_repeat_window`, which must be long enough for a client whose refresh failed in
/// a database with these settings, if it is on a server.
pub(super) fn window(
    found: &mut Found,
    connection: Option<&ConnectionSettings>,
    usual: Duration,
) -> Result<Duration, ConfigError> {
    let window = found.duration("refresh_repeat_window", usual)?;
    let longest = connection.map_or(Duration::ZERO, ConnectionSettings::longest_statement);
    let least = Policy::least_repeat_window(longest);
    if window < least {
        let statement = connection.map(|connection| shown::duration(connection.statement_timeout));
        return Err(ConfigError::RepeatWindowTooShort {
            window: shown::duration(window),
            least: shown::duration(least),
            statement,
        });
    }
    match window > LONGEST {
        true => Err(ConfigError::RepeatWindowTooLong { longest: shown::duration(LONGEST) }),
        false => Ok(window),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::error::Origin;

    fn with(window: Option<&str>, timeout: Option<u64>) -> Result<Duration, String> {
        let mut found = Found::default();
        if let Some(window) = window {
            let value = (Origin::Flag("--set"), toml::Value::String(window.into()));
            found.values.insert("refresh_repeat_window", value);
        }
        let connection = timeout.map(|seconds| ConnectionSettings {
            statement_timeout: Duration::from_secs(seconds),
            ..ConnectionSettings::default()
        });
        let usual = Policy::safe().refresh_repeat_window;
        self::window(&mut found, connection.as_ref(), usual).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_that_is_shorter_than_a_failed_refresh_is_refused_with_both_settings() {
        assert_eq!(with(None, None), Ok(Duration::from_secs(30)));
        assert_eq!(with(None, Some(10)), Ok(Duration::from_secs(30)), "the defaults fit");
        assert_eq!(with(None, Some(18)), Ok(Duration::from_secs(30)));
        assert_eq!(with(Some("22s"), Some(10)), Ok(Duration::from_secs(22)));
        assert_eq!(with(Some("10s"), None), Ok(Duration::from_secs(10)));
        for (window, timeout, least) in
            [(None, Some(19), "31s"), (Some("21s"), Some(10), "22s"), (Some("9s"), None, "10s")]
        {
            let error = with(window, timeout).unwrap_err();
            assert!(error.contains(&format!("must be at least {least}")), "{error}");
            let names_it = error.contains("database_statement_timeout");
            assert_eq!(names_it, timeout.is_some(), "{error}");
        }
    }

    #[test]
    fn a_window_in_which_theft_goes_unnoticed_is_refused() {
        assert_eq!(with(Some("5m"), Some(10)), Ok(LONGEST));
        let error = with(Some("301s"), Some(10)).unwrap_err();
        assert!(error.contains("must be at most 5m"), "{error}");
    }
}
