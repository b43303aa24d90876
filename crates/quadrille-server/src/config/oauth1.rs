//! The settings of OAuth 1.0a.

use std::time::Duration;

use quadrille::{oauth1::SignatureMethod, provider::oauth1::OAuth1};
use toml::Value;

use super::{
    error::ConfigError,
    found::Found,
    shown,
    value::{self, Expected},
};

/// The settings of OAuth 1.0a.
#[derive(Clone, Debug)]
pub struct OAuth1Settings {
    /// Whether the server offers OAuth 1.0a.
    pub enabled: bool,
    /// The accepted signature methods.
    pub methods: Vec<SignatureMethod>,
    /// The greatest difference between a timestamp and the clock of the server.
    pub timestamp_window: Duration,
    /// The lifetime of temporary credentials.
    pub temporary_lifetime: Duration,
    /// The lifetime of token credentials. `None` means until they are revoked.
    pub token_lifetime: Option<Duration>,
    /// Whether several processes serve the same data directory. They must then share the nonces
    /// that they have seen.
    pub several_processes: bool,
}

impl OAuth1Settings {
    /// The offer of the authorization server. `None` if OAuth 1.0a is off.
    pub fn offer(&self) -> Option<OAuth1> {
        if !self.enabled {
            return None;
        }
        let mut oauth1 = OAuth1::new()
            .allow_hmac_sha1_as_most_clients_sign()
            .allow_rsa_sha1_with_its_broken_digest_as_old_clients_sign()
            .allow_plaintext_which_carries_the_secrets_themselves()
            .only(self.methods.iter().copied())
            .timestamp_window(self.timestamp_window)
            .temporary_lifetime(self.temporary_lifetime);
        if let Some(lifetime) = self.token_lifetime {
            oauth1 = oauth1.token_lifetime(lifetime);
        }
        if self.several_processes {
            oauth1 = oauth1.remember_nonces_in_the_store();
        }
        Some(oauth1)
    }
}

const SAFE: [SignatureMethod; 4] = [
    SignatureMethod::HmacSha256,
    SignatureMethod::HmacSha512,
    SignatureMethod::RsaSha256,
    SignatureMethod::RsaSha512,
];

/// Methods whose names in the settings say what they give up.
const UNSAFE: [(SignatureMethod, &str); 3] = [
    (SignatureMethod::HmacSha1, "HMAC-SHA1-as-most-clients-sign"),
    (SignatureMethod::RsaSha1, "RSA-SHA1-with-its-broken-digest"),
    (SignatureMethod::Plaintext, "PLAINTEXT-which-carries-the-secrets"),
];

/// The name of a signature method in settings and arguments.
pub(crate) fn method_name(method: SignatureMethod) -> &'static str {
    let long = UNSAFE.iter().find(|(known, _)| *known == method).map(|(_, name)| *name);
    long.unwrap_or(method.as_str())
}

/// The signature method with this name in settings and arguments.
pub(crate) fn parse_method(text: &str) -> Option<SignatureMethod> {
    let mut known = SAFE.into_iter().chain(UNSAFE.map(|(method, _)| method));
    known.find(|method| method_name(*method) == text)
}

impl OAuth1Settings {
    /// Builds the settings from the found values. Processes with a `shared` database are several.
    pub(super) fn of(found: &mut Found, shared: bool) -> Result<Self, ConfigError> {
        let several = "oauth1.several_processes";
        let several_processes = found.or(several, value::switch, ToString::to_string, shared)?;
        if shared && !several_processes {
            return Err(ConfigError::Embedded(several, "its processes always share their nonces"));
        }
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Ok(Self {
            enabled: found.switch("oauth1.enabled")?,
            methods: found.or("oauth1.signature_methods", methods, show_methods, SAFE.to_vec())?,
            timestamp_window: found.duration("oauth1.timestamp_window", minutes(5))?,
            temporary_lifetime: found.duration("oauth1.temporary_lifetime", minutes(30))?,
            token_lifetime: found.optional(
                "oauth1.token_lifetime",
                value::duration,
                |duration| shown::duration(*duration),
                "until they are revoked",
            )?,
            several_processes,
        })
    }
}

fn methods(list: &Value) -> Result<Vec<SignatureMethod>, Expected> {
    let names = value::list(list, Expected::SignatureMethods)?;
    let methods = names.iter().map(|name| parse_method(name)).collect::<Option<Vec<_>>>();
    methods.filter(|methods| !methods.is_empty()).ok_or(Expected::SignatureMethods)
}

#[expect(clippy::ptr_arg, reason = "has the shape of the other show functions")]
fn show_methods(methods: &Vec<SignatureMethod>) -> String {
    methods.iter().map(|method| method_name(*method)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_something_up_is_only_allowed_by_its_long_name() {
        let read = |text: &str| methods(&Value::String(text.to_owned()));
        assert_eq!(
            read("RSA-SHA512, HMAC-SHA256"),
            Ok(vec![SignatureMethod::RsaSha512, SignatureMethod::HmacSha256])
        );
        for method in SAFE.into_iter().chain(UNSAFE.map(|(method, _)| method)) {
            assert_eq!(read(method_name(method)), Ok(vec![method]));
        }
        for wrong in ["HMAC-SHA1", "RSA-SHA1", "PLAINTEXT", "", "hmac-sha256", "HMAC-SHA256,x"] {
            assert_eq!(read(wrong), Err(Expected::SignatureMethods), "{wrong}");
        }
    }
}
