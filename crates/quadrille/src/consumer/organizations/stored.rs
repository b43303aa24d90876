//! The registration of the site at an organization's provider, as its storage keeps it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Secret, Timestamp,
    oauth2::{ClientConfiguration, ClientInformation, SecretExpiry},
    secret,
};

/// A registration is renewed when its secret expires within this time.
const MARGIN: Duration = Duration::from_secs(3600);

/// The authentication that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    PrivateKeyJwt,
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

impl Method {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all =
            [Self::PrivateKeyJwt, Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];
        all.into_iter().find(|method| method.as_str() == name)
    }
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredClient {
    pub(crate) issuer: String,
    pub(crate) id: String,
    pub(crate) method: Method,
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    pub(crate) secret: Option<Secret>,
    /// The time at which the secret expires, in seconds.
    #[serde(default)]
    expires: Option<i64>,
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    token: Option<Secret>,
    #[serde(default)]
    uri: Option<String>,
}

/// The reason why a provider's answer is no registration that a login can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable;

impl StoredClient {
    /// The registration in a provider's answer to one with this method and callback. A provider may
    /// register another method, of those that a login knows, but no other callback.
    pub(crate) fn of(
        issuer: &str,
        asked: Method,
        callback: &str,
        answer: &ClientInformation,
    ) -> Result<Self, Unusable> {
        let callbacks = &answer.metadata.redirect_uris;
        if !callbacks.is_empty() && !callbacks.iter().any(|known| known == callback) {
            return Err(Unusable);
        }
        let method = match &answer.metadata.token_endpoint_auth_method {
            Some(name) => Method::parse(name).ok_or(Unusable)?,
            None => asked,
        };
        let needs_secret = matches!(method, Method::ClientSecretBasic | Method::ClientSecretPost);
        if needs_secret && answer.client_secret.is_none() {
            return Err(Unusable);
        }
        // Keys that were not registered sign nothing there.
        if method == Method::PrivateKeyJwt && asked != Method::PrivateKeyJwt {
            return Err(Unusable);
        }
        let configuration = answer.configuration.as_ref();
        let configuration =
            configuration.filter(|known| known.registration_client_uri.starts_with("https://"));
        Ok(Self {
            issuer: issuer.to_owned(),
            id: answer.client_id.clone(),
            method,
            secret: answer.client_secret.clone().filter(|_| needs_secret),
            expires: match answer.client_secret_expires_at {
                Some(SecretExpiry::At(time)) if needs_secret => Some(time.seconds()),
                _ => None,
            },
            token: configuration.map(|known| known.registration_access_token.clone()),
            uri: configuration.map(|known| known.registration_client_uri.clone()),
        })
    }

    /// Whether the secret expires soon, or has expired.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| Timestamp::from_seconds(expires) <= now + MARGIN)
    }

    /// The endpoint at which the site reads its registration (RFC 7592, section 2.1).
    pub(crate) fn configuration(&self) -> Option<ClientConfiguration> {
        let (token, uri) = self.token.clone().zip(self.uri.clone())?;
        Some(ClientConfiguration { registration_access_token: token, registration_client_uri: uri })
    }

    /// Completes an answer about this registration with what it does not repeat.
    pub(crate) fn renewed(self, answer: &ClientInformation, callback: &str) -> Option<Self> {
        let renewed = Self::of(&self.issuer, self.method, callback, answer).ok()?;
        let is_same = renewed.id == self.id;
        is_same.then(|| Self {
            token: renewed.token.or(self.token),
            uri: renewed.uri.or(self.uri),
            ..renewed
        })
    }

    pub(crate) fn to_json(&self) -> String {
        // Texts and numbers can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example";
    const HERE: &str = "https://app.example/callback";
    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn answer(secret: Option<&str>) -> ClientInformation {
        let mut answer = ClientInformation::new("their-id");
        answer.client_secret = secret.map(Into::into);
        answer
    }

    #[test]
    fn an_answer_is_used_if_a_login_can_use_it() {
        let of =
            |method, answer: &ClientInformation| StoredClient::of(ISSUER, method, HERE, answer);
        let plain = of(Method::ClientSecretBasic, &answer(Some("s"))).unwrap();
        assert_eq!((&*plain.id, plain.method), ("their-id", Method::ClientSecretBasic));
        assert_eq!(StoredClient::read(&plain.to_json()), Some(plain));
        assert_eq!(of(Method::ClientSecretBasic, &answer(None)), Err(Unusable), "no secret");
        let mut other = answer(Some("s"));
        other.metadata.redirect_uris = vec!["https://evil.example/callback".to_owned()];
        assert_eq!(of(Method::ClientSecretBasic, &other), Err(Unusable), "another callback");
        for (asked, answered, expected) in [
            (Method::ClientSecretBasic, "client_secret_post", Ok(Method::ClientSecretPost)),
            (Method::PrivateKeyJwt, "private_key_jwt", Ok(Method::PrivateKeyJwt)),
            (Method::ClientSecretBasic, "private_key_jwt", Err(Unusable)),
            (Method::ClientSecretBasic, "tls_client_auth", Err(Unusable)),
        ] {
            let mut changed = answer(Some("s"));
            changed.metadata.token_endpoint_auth_method = Some(answered.to_owned());
            assert_eq!(of(asked, &changed).map(|client| client.method), expected, "{answered}");
        }
    }

    #[test]
    fn a_secret_is_renewed_before_it_expires_and_one_that_does_not_never() {
        let until = |expiry| {
            let mut answer = answer(Some("s"));
            answer.client_secret_expires_at = Some(expiry);
            StoredClient::of(ISSUER, Method::ClientSecretBasic, HERE, &answer).unwrap()
        };
        assert!(!until(SecretExpiry::Never).is_due(NOW));
        let soon = until(SecretExpiry::At(NOW + MARGIN));
        assert!(soon.is_due(NOW) && !soon.is_due(NOW - Duration::from_secs(1)));
        let mut fresh = answer(Some("t"));
        fresh.client_secret_expires_at = Some(SecretExpiry::At(NOW + 2 * MARGIN));
        let renewed = soon.clone().renewed(&fresh, HERE).unwrap();
        assert!(!renewed.is_due(NOW));
        assert_eq!(renewed.secret, Some("t".into()));
        let mut another = fresh;
        another.client_id = "another".to_owned();
        assert_eq!(soon.renewed(&another, HERE), None, "of another client");
    }

    #[test]
    fn the_registration_access_token_goes_over_https_alone() {
        for (uri, is_kept) in [("https://id.example/me", true), ("http://id.example/me", false)] {
            let mut answer = answer(Some("s"));
            answer.configuration = Some(ClientConfiguration {
                registration_access_token: "token".into(),
                registration_client_uri: uri.to_owned(),
            });
            let client = StoredClient::of(ISSUER, Method::ClientSecretBasic, HERE, &answer);
            assert_eq!(client.unwrap().configuration().is_some(), is_kept, "{uri}");
        }
    }
}
