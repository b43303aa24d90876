//! The settings of OpenID Connect.

use std::{borrow::Cow, collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use quadrille::oauth2::ResponseType;
use toml::Value;

use crate::issuer::Issuer;

use super::{
    Settings,
    claims::ClaimSettings,
    error::ConfigError,
    found::Found,
    shown,
    value::{self, Expected},
};

/// The scopes that the program offers with OpenID Connect, as the consent page says them.
const SCOPES: [(&str, &str); 5] = [
    ("openid", "Know who you are"),
    ("profile", "See your user name and profile"),
    ("email", "See your e-mail address"),
    ("address", "See your postal address"),
    ("phone", "See your phone number"),
];

/// The scope of offline access, likewise.
const OFFLINE: (&str, &str) = ("offline_access", "Act for you while you are away");

/// The value of the secret.
const HEXADECIMAL: Expected =
    Expected::Other("64 random hexadecimal digits, as `openssl rand -hex 32` prints them");

/// The setting that lets anybody write request objects.
pub(super) const UNSIGNED: &str =
    "openid_accept_unsigned_request_objects_that_anybody_can_have_written";

/// The settings of OpenID Connect.
#[derive(Clone, Debug)]
pub struct OpenIdSettings {
    /// `true` if clients can learn who their users are.
    pub enabled: bool,
    /// The response types beside `code`.
    pub response_types: Vec<ResponseType>,
    /// The claims about users.
    pub claims: ClaimSettings,
    /// `true` if clients can send request objects.
    pub request_objects: bool,
    /// `true` if these need no signature.
    pub unsigned_request_objects: bool,
    /// The files with keys to which they may be encrypted, beside those of the key ring.
    pub request_object_keys: Vec<PathBuf>,
    /// `true` if answers are encrypted for clients that are registered so.
    pub encrypted_responses: bool,
    /// `true` if clients find the issuer by the address of a user.
    pub webfinger: bool,
    /// `true` if pages of clients notice that a user signs in or out.
    pub session_management: bool,
    /// `true` if refresh tokens need the scope `offline_access`.
    pub offline_access: bool,
    /// The secret of pairwise subjects; `None` if they are not offered.
    pub pairwise_secret: Option<PairwiseSecret>,
    /// The authentication context classes of which a sign-in by password is.
    pub acr_values: Vec<String>,
}

/// The secret of pairwise subjects (OpenID Connect Core, section 8.1), never shown.
#[derive(Clone)]
pub struct PairwiseSecret(pub [u8; 32]);

impl fmt::Debug for PairwiseSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairwiseSecret(***)")
    }
}

impl OpenIdSettings {
    /// Without OpenID Connect.
    pub fn off() -> Self {
        Self {
            enabled: false,
            response_types: Vec::new(),
            claims: ClaimSettings::default(),
            request_objects: false,
            unsigned_request_objects: false,
            request_object_keys: Vec::new(),
            encrypted_responses: false,
            webfinger: false,
            session_management: false,
            offline_access: false,
            pairwise_secret: None,
            acr_values: Vec::new(),
        }
    }

    /// Builds the settings from the found values. OpenID Connect is on by default for a provider of this
    /// machine, for a first try, and else if the operator wants it.
    pub(super) fn of(
        found: &mut Found,
        listen: SocketAddr,
        issuer: Option<&Issuer>,
    ) -> Result<Self, ConfigError> {
        let is_here = listen.ip().is_loopback() && issuer.is_none_or(Issuer::is_of_this_machine);
        let shown = |types: &Vec<ResponseType>| {
            types.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(",")
        };
        Ok(Self {
            enabled: found.or("openid", value::switch, ToString::to_string, is_here)?,
            response_types: found.or("openid_response_types", named, shown, Vec::new())?,
            claims: ClaimSettings::of(found)?,
            request_objects: found.switch("openid_request_objects")?,
            unsigned_request_objects: found.switch(UNSIGNED)?,
            request_object_keys: found.or(
                "openid_request_object_keys",
                |value| {
                    Ok(value::list(value, Expected::Path)?.into_iter().map(Into::into).collect())
                },
                |files: &Vec<PathBuf>| {
                    files.iter().map(value::show_path).collect::<Vec<_>>().join(",")
                },
                Vec::new(),
            )?,
            encrypted_responses: found.switch("openid_encrypted_responses")?,
            webfinger: found.switch("openid_webfinger")?,
            session_management: found.switch("openid_session_management")?,
            offline_access: found.switch("openid_offline_access")?,
            pairwise_secret: found.optional(
                "openid_pairwise_secret",
                pairwise_secret,
                |_| "***".to_owned(),
                "all clients know a user by one subject",
            )?,
            acr_values: found.or(
                "openid_acr_values",
                classes,
                |list| shown::list(list),
                Vec::new(),
            )?,
        })
    }

    /// `true` if ID tokens are in redirects, which clients need a grant for.
    pub(super) fn redirects_tokens(&self) -> bool {
        self.enabled && self.response_types.iter().any(|it| it.has_id_token() && !it.has_token())
    }

    /// Adds the scopes of OpenID Connect, where the settings have no description of their own.
    pub(super) fn add_scopes(&self, scopes: &mut BTreeMap<String, String>) {
        for (name, description) in SCOPES.iter().filter(|_| self.enabled) {
            scopes.entry((*name).to_owned()).or_insert_with(|| (*description).to_owned());
        }
        if self.enabled && self.offline_access {
            scopes.entry(OFFLINE.0.to_owned()).or_insert_with(|| OFFLINE.1.to_owned());
        }
    }
}

impl Settings {
    /// The settings for a database whose issuer is known already: for a public one, OpenID Connect is not
    /// on by default.
    pub fn for_issuer(&self, issuer: Option<&Issuer>) -> Cow<'_, Self> {
        let is_public = issuer.is_some_and(|issuer| !issuer.is_of_this_machine());
        if !is_public || !self.openid.enabled || !self.is_default("openid") {
            return Cow::Borrowed(self);
        }
        let mut settings = self.clone();
        settings.openid.enabled = false;
        for (name, description) in SCOPES.into_iter().chain([OFFLINE]) {
            if settings.scopes.get(name).is_some_and(|known| known == description) {
                settings.scopes.remove(name);
            }
        }
        Cow::Owned(settings)
    }
}

/// Response types beside those of RFC 6749, whose words have any order.
fn named(value: &Value) -> Result<Vec<ResponseType>, Expected> {
    let known = |name: &String| {
        ResponseType::parse(name)
            .filter(|it| !matches!(it, ResponseType::Code | ResponseType::Token))
    };
    let names = value::list(value, Expected::ResponseTypes)?;
    names.iter().map(|name| known(name).ok_or(Expected::ResponseTypes)).collect()
}

/// Authentication context classes, which a request separates by spaces.
fn classes(value: &Value) -> Result<Vec<String>, Expected> {
    const EXPECTED: Expected =
        Expected::Other("names of authentication context classes, such as urn:example:password");
    let names = value::list(value, EXPECTED)?;
    let is_one = |name: &String| !name.is_empty() && name.bytes().all(|it| it.is_ascii_graphic());
    names.iter().all(is_one).then_some(names).ok_or(EXPECTED)
}

/// 32 bytes in hexadecimal, as `openssl rand -hex 32` prints them.
fn pairwise_secret(value: &Value) -> Result<PairwiseSecret, Expected> {
    let text = value.as_str().map(str::trim).filter(|text| text.len() == 64 && text.is_ascii());
    let digits = text.ok_or(HEXADECIMAL)?.as_bytes();
    let mut secret = [0; 32];
    for (byte, digits) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok().filter(|it| !it.contains(['+', '-']));
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = read.ok_or(HEXADECIMAL)?;
    }
    // A text that somebody put there to fill it in later.
    if secret == [0; 32] { Err(HEXADECIMAL) } else { Ok(PairwiseSecret(secret)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_of_the_operator_remains() {
        let mut scopes = BTreeMap::from([("openid".to_owned(), "Log you in".to_owned())]);
        let on = OpenIdSettings { enabled: true, offline_access: true, ..OpenIdSettings::off() };
        on.add_scopes(&mut scopes);
        assert_eq!(scopes["openid"], "Log you in");
        assert_eq!(scopes["email"], "See your e-mail address");
        assert_eq!(scopes["offline_access"], "Act for you while you are away");
        let mut none = BTreeMap::new();
        OpenIdSettings::off().add_scopes(&mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn the_secret_of_pairwise_subjects_is_32_bytes_and_not_shown() {
        let read = |text: &str| pairwise_secret(&Value::from(text));
        let secret = read(&format!("{}0f\n", "aB".repeat(31))).unwrap();
        assert_eq!((secret.0[0], secret.0[31]), (0xab, 0x0f));
        assert_eq!(format!("{secret:?}"), "PairwiseSecret(***)");
        for wrong in [
            "",
            "ab",
            &"a".repeat(63),
            &"g".repeat(64),
            &"+1".repeat(32),
            &"\u{e9}".repeat(32),
            &"0".repeat(64),
        ] {
            assert_eq!(read(wrong).unwrap_err(), HEXADECIMAL, "{wrong}");
        }
    }

    #[test]
    fn a_class_of_authentication_has_no_space_in_it() {
        let read = |value: &str| classes(&toml::from_str::<toml::Table>(value).unwrap()["v"]);
        assert_eq!(read(r#"v = "urn:one,urn:two""#).unwrap(), ["urn:one", "urn:two"]);
        for wrong in [r#"v = ["urn:one two"]"#, r#"v = [""]"#, r#"v = ["\u00e9"]"#, "v = 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn response_types_are_those_of_openid_connect() {
        let read = |text: &str| named(&Value::from(text));
        let types = Ok(vec![ResponseType::IdToken, ResponseType::CodeIdToken]);
        assert_eq!(read("id_token, id_token code"), types);
        for other in ["code", "token", "none", "id_token id_token"] {
            assert_eq!(read(other), Err(Expected::ResponseTypes), "{other}");
        }
    }
}
