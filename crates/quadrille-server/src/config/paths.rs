//! The paths that the settings may move: that above the endpoints, and that of the device page.

use toml::Value;

use super::{error::ConfigError, found::Found, value::Expected};

const ENDPOINTS: &str = "endpoints_path";
const DEVICE: &str = "device.page";

const PATH: Expected = Expected::Other(
    "a path of letters, digits, -, ., _ and ~, without a slash at the end, such as /oauth or /oauth2/v1",
);

/// The first segments of the paths that the program uses itself.
pub const TAKEN: [&str; 13] = [
    ".well-known",
    "account",
    "api",
    "applications",
    "assets",
    "health",
    "password",
    "profile",
    "ready",
    "sessions",
    "sign-in",
    "sign-out",
    "tokens",
];

/// Paths below that of the issuer, each with a slash before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The path above all endpoints.
    pub endpoints: String,
    /// The path of the page on which users type the codes of their devices in.
    pub device: String,
}

impl Paths {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let mut one = |key, default: &str| found.or(key, path, Clone::clone, default.to_owned());
        let paths = Self { endpoints: one(ENDPOINTS, "/oauth")?, device: one(DEVICE, "/device")? };
        paths.check()?;
        Ok(paths)
    }

    /// Checks that no path is that of something else.
    fn check(&self) -> Result<(), ConfigError> {
        for (key, path) in [(ENDPOINTS, &self.endpoints), (DEVICE, &self.device)] {
            let first = path.split('/').nth(1);
            if let Some(taken) = TAKEN.iter().find(|taken| first == Some(taken)) {
                let (path, taken) = (path.clone(), format!("/{taken}"));
                return Err(ConfigError::PathTaken { key, path, taken });
            }
        }
        let below = self.device.strip_prefix(&self.endpoints);
        if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            let (path, taken) = (self.device.clone(), self.endpoints.clone());
            return Err(ConfigError::PathTaken { key: DEVICE, path, taken });
        }
        Ok(())
    }
}

/// A path whose segments need no escape in a URL, and have no meaning in a route.
fn path(value: &Value) -> Result<String, Expected> {
    let text = value.as_str().ok_or(PATH)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_segment =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
    match text.strip_prefix('/') {
        Some(rest) if rest.split('/').all(is_segment) => Ok(text.to_owned()),
        _ => Err(PATH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_in_a_url_and_is_no_root() {
        let read = |text: &str| path(&Value::String(text.to_owned()));
        for right in ["/oauth", "/oauth2/v1", "/a-b_c.d~e"] {
            assert_eq!(read(right), Ok(right.to_owned()));
        }
        for wrong in
            ["", "/", "oauth", "/oauth/", "//oauth", "/a/../b", "/a?b", "/{a}", "/a b", "/%61"]
        {
            assert_eq!(read(wrong), Err(PATH), "{wrong}");
        }
    }

    #[test]
    fn no_path_is_that_of_something_else() {
        let check = |endpoints: &str, device: &str| {
            let (endpoints, device) = (endpoints.to_owned(), device.to_owned());
            Paths { endpoints, device }.check().map_err(|error| error.to_string())
        };
        assert_eq!(check("/oauth", "/oauth-device"), Ok(()));
        assert_eq!(check("/a/b", "/a"), Ok(()));
        assert!(check("/tokens", "/device").unwrap_err().contains("endpoints_path: /tokens"));
        assert!(check("/oauth", "/api/x").unwrap_err().contains("device.page: /api/x"));
        for device in ["/oauth", "/oauth/token"] {
            assert!(check("/oauth", device).unwrap_err().contains("below /oauth"), "{device}");
        }
    }
}
