//! The registration of the site at an organization's provider, as its storage keeps it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Secret, Timestamp,
    consumer::{
        attempt::ClientMark, error::RegistrationUnusable as Unusable, registration::is_fit,
    },
    jose::Algorithm,
    oauth2::{ClientConfiguration, ClientInformation, SecretExpiry},
    secret,
};

/// A registration is renewed when its secret expires within this time, or within a quarter of its
/// lifetime if that is shorter.
const MARGIN: Duration = Duration::from_secs(3600);
/// The time between two registrations, however soon the secret expires.
const BETWEEN: Duration = Duration::from_secs(60);

/// The metadata of a client with the signature algorithm of its ID tokens.
pub(super) const SIGNED_BY: &str = "id_token_signed_response_alg";

/// The metadata that a registration asks for, where the answer need not repeat them.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(super) method: Method,
    pub(super) algorithm: Algorithm,
}

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

    /// Whether a login authenticates with a secret.
    const fn needs_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
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
    /// The signature algorithm of ID tokens.
    pub(crate) algorithm: Algorithm,
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    pub(crate) secret: Option<Secret>,
    /// The time of the registration, in seconds.
    made: i64,
    /// The time at which the secret expires, in seconds.
    #[serde(default)]
    expires: Option<i64>,
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    token: Option<Secret>,
    #[serde(default)]
    uri: Option<String>,
    /// The registration before this one, which logins may have begun with.
    #[serde(default)]
    before: Option<Box<Self>>,
}

impl StoredClient {
    /// The registration in a provider's answer to one with these metadata and this callback. A provider
    /// may register another method or algorithm, of those that a login knows, but no other callback.
    ///
    /// # Errors
    /// [`RegistrationUnusable`](Unusable): what is stored serves for years, so a login must not be the
    /// first to find out.
    pub(crate) fn of(
        issuer: &str,
        asked: Asked,
        callback: &str,
        answer: &ClientInformation,
        now: Timestamp,
    ) -> Result<Self, Unusable> {
        let callbacks = &answer.metadata.redirect_uris;
        if !callbacks.is_empty() && !callbacks.iter().any(|known| known == callback) {
            return Err(Unusable::Callback);
        }
        let method = match &answer.metadata.token_endpoint_auth_method {
            Some(name) => Method::parse(name).ok_or(Unusable::Method)?,
            None => asked.method,
        };
        let algorithm = match answer.metadata.extra.get(SIGNED_BY) {
            None | Some(Value::Null) => asked.algorithm,
            Some(name) => {
                let algorithm = name.as_str().and_then(Algorithm::parse);
                // A secret that a provider has chosen is none that signs.
                let algorithm = algorithm.filter(|algorithm| !algorithm.is_symmetric());
                algorithm.ok_or(Unusable::Algorithm)?
            }
        };
        let needs_secret = method.needs_secret();
        // Keys that were not registered sign nothing there.
        if method == Method::PrivateKeyJwt && asked.method != Method::PrivateKeyJwt {
            return Err(Unusable::Method);
        }
        let configuration = answer.configuration.as_ref();
        let configuration =
            configuration.filter(|known| known.registration_client_uri.starts_with("https://"));
        let client = Self {
            issuer: issuer.to_owned(),
            id: answer.client_id.clone(),
            method,
            algorithm,
            made: now.seconds(),
            secret: answer.client_secret.clone().filter(|_| needs_secret),
            expires: match answer.client_secret_expires_at {
                Some(SecretExpiry::At(time)) if needs_secret => Some(time.seconds()),
                _ => None,
            },
            token: configuration.map(|known| known.registration_access_token.clone()),
            uri: configuration.map(|known| known.registration_client_uri.clone()),
            before: None,
        };
        client.check()?;
        Ok(client)
    }

    /// Checks what a login sends.
    fn check(&self) -> Result<(), Unusable> {
        if self.id.is_empty() || !is_fit(&self.id, true) {
            return Err(Unusable::ClientIdMalformed);
        }
        let secret = self.secret.as_ref().map_or("", Secret::expose);
        if !self.method.needs_secret() || (!secret.trim().is_empty() && is_fit(secret, true)) {
            return Ok(());
        }
        Err(if secret.trim().is_empty() {
            Unusable::SecretMissing
        } else {
            Unusable::SecretMalformed
        })
    }

    /// Whether the secret expires soon, or has expired.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let Some(expires) = self.expires else { return false };
        let lifetime = u64::try_from(expires.saturating_sub(self.made)).unwrap_or_default();
        let margin = MARGIN.min(Duration::from_secs(lifetime) / 4);
        let made = Timestamp::from_seconds(self.made);
        // A clock that was set back delays nothing.
        let was_just_made = made <= now && now.since(made) < BETWEEN;
        !was_just_made && expires_within(expires, margin, now)
    }

    /// Whether the secret expires later than that of another registration, or never.
    pub(crate) fn lasts_longer_than(&self, other: &Self) -> bool {
        let until = |client: &Self| client.expires.unwrap_or(i64::MAX);
        until(self) > until(other) || self.expires.is_none()
    }

    /// Whether the secret has expired.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires_within(expires, Duration::ZERO, now))
    }

    /// This registration in place of another one, which serves the logins that have begun with it.
    pub(crate) fn following(self, known: Self, now: Timestamp) -> Self {
        let before = match known.id == self.id {
            true => known.before,
            false => Some(Box::new(Self { before: None, ..known })),
        };
        Self { before: before.filter(|before| !before.has_expired(now)), ..self }
    }

    /// The registration with which a login has begun.
    pub(crate) fn begun_as(self, client: ClientMark) -> Option<Self> {
        match ClientMark::of(&self.id) == client {
            true => Some(self),
            false => self.before.filter(|before| ClientMark::of(&before.id) == client).map(|b| *b),
        }
    }

    /// The endpoint at which the site reads its registration (RFC 7592, section 2.1).
    pub(crate) fn configuration(&self) -> Option<ClientConfiguration> {
        let (token, uri) = self.token.clone().zip(self.uri.clone())?;
        Some(ClientConfiguration { registration_access_token: token, registration_client_uri: uri })
    }

    /// Completes an answer about this registration with what it does not repeat.
    pub(crate) fn renewed(
        self,
        answer: &ClientInformation,
        callback: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let asked = Asked { method: self.method, algorithm: self.algorithm };
        let renewed = Self::of(&self.issuer, asked, callback, answer, now).ok()?;
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

    /// Reads the output of [`StoredClient::to_json`]. One that no login can use is none.
    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|client: &Self| client.check().is_ok())
    }
}

fn expires_within(expires: i64, margin: Duration, now: Timestamp) -> bool {
    Timestamp::from_seconds(expires) <= now + margin
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

    fn of(method: Method, answer: &ClientInformation) -> Result<StoredClient, Unusable> {
        let asked = Asked { method, algorithm: Algorithm::Rs256 };
        StoredClient::of(ISSUER, asked, HERE, answer, NOW)
    }

    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    /// A registration whose secret expires after these seconds.
    fn lasting(id: &str, seconds: u64) -> StoredClient {
        let mut answer = answer(Some("s"));
        answer.client_id = id.to_owned();
        answer.client_secret_expires_at = Some(SecretExpiry::At(after(seconds)));
        of(Method::ClientSecretBasic, &answer).unwrap()
    }

    #[test]
    fn an_answer_is_used_if_a_login_can_use_it() {
        let plain = of(Method::ClientSecretBasic, &answer(Some("s"))).unwrap();
        assert_eq!((&*plain.id, plain.method), ("their-id", Method::ClientSecretBasic));
        assert_eq!(StoredClient::read(&plain.to_json()), Some(plain));
        let mut other = answer(Some("s"));
        other.metadata.redirect_uris = vec!["https://evil.example/callback".to_owned()];
        assert_eq!(of(Method::ClientSecretBasic, &other), Err(Unusable::Callback));
        for (asked, answered, expected) in [
            (Method::ClientSecretBasic, "client_secret_post", Ok(Method::ClientSecretPost)),
            (Method::PrivateKeyJwt, "private_key_jwt", Ok(Method::PrivateKeyJwt)),
            (Method::ClientSecretBasic, "private_key_jwt", Err(Unusable::Method)),
            (Method::ClientSecretBasic, "tls_client_auth", Err(Unusable::Method)),
        ] {
            let mut changed = answer(Some("s"));
            changed.metadata.token_endpoint_auth_method = Some(answered.to_owned());
            assert_eq!(of(asked, &changed).map(|client| client.method), expected, "{answered}");
        }
    }

    #[test]
    fn id_tokens_are_signed_as_the_answer_says_and_by_public_keys() {
        let signed = |name: Value| {
            let mut answer = answer(Some("s"));
            answer.metadata.extra.insert(SIGNED_BY.to_owned(), name);
            of(Method::ClientSecretBasic, &answer).map(|client| client.algorithm)
        };
        assert_eq!(signed(Value::Null), Ok(Algorithm::Rs256), "as it was asked for");
        assert_eq!(signed("ES256".into()), Ok(Algorithm::Es256));
        for odd in ["none", "HS256", "es256", "", "RS1"] {
            assert_eq!(signed(odd.into()), Err(Unusable::Algorithm), "{odd}");
        }
        assert_eq!(signed(7.into()), Err(Unusable::Algorithm));
        let signed_by = of(Method::None, &answer(None)).unwrap();
        assert_eq!(StoredClient::read(&signed_by.to_json()), Some(signed_by));
    }

    #[test]
    fn an_identifier_or_a_secret_that_no_login_can_send_is_not_stored() {
        for secret in [None, Some(""), Some(" ")] {
            let kept = of(Method::ClientSecretPost, &answer(secret));
            assert_eq!(kept, Err(Unusable::SecretMissing), "{secret:?}");
            assert!(of(Method::PrivateKeyJwt, &answer(secret)).is_ok(), "it is not needed");
        }
        let usual = of(Method::ClientSecretBasic, &answer(Some("s"))).unwrap();
        for odd in ["a\nb", "a ", "\"a\"", "caf\u{e9}", "\u{feff}a", "a\0"] {
            let kept = of(Method::ClientSecretBasic, &answer(Some(odd)));
            assert_eq!(kept, Err(Unusable::SecretMalformed), "{odd:?}");
            let mut other = answer(Some("s"));
            other.client_id = odd.to_owned();
            let kept = of(Method::ClientSecretBasic, &other);
            assert_eq!(kept, Err(Unusable::ClientIdMalformed), "{odd:?}");
            // One that was stored all the same.
            let stored = StoredClient { id: odd.to_owned(), ..usual.clone() };
            assert_eq!(StoredClient::read(&stored.to_json()), None, "{odd:?}");
        }
    }

    #[test]
    fn a_secret_is_renewed_before_it_expires_and_one_that_does_not_never() {
        let mut never = answer(Some("s"));
        never.client_secret_expires_at = Some(SecretExpiry::Never);
        assert!(!of(Method::ClientSecretBasic, &never).unwrap().is_due(after(1 << 30)));
        for (lifetime, due) in [(86_400, 82_800), (7200, 5400), (1200, 900), (100, 75), (0, 60)] {
            let client = lasting("a", lifetime);
            assert!(!client.is_due(after(due - 1)), "{lifetime}");
            assert!(client.is_due(after(due)), "{lifetime}");
            assert_eq!(client.has_expired(after(due)), lifetime <= due, "{lifetime}");
        }
    }

    #[test]
    fn a_renewal_is_of_the_same_client() {
        let soon = lasting("their-id", 3600);
        let mut fresh = answer(Some("t"));
        fresh.client_secret_expires_at = Some(SecretExpiry::At(NOW + 2 * MARGIN));
        let renewed = soon.clone().renewed(&fresh, HERE, NOW).unwrap();
        assert!(!renewed.is_due(NOW));
        assert_eq!(renewed.secret, Some("t".into()));
        let mut another = fresh;
        another.client_id = "another".to_owned();
        assert_eq!(soon.renewed(&another, HERE, NOW), None, "of another client");
    }

    #[test]
    fn a_login_goes_on_as_the_client_with_which_it_began() {
        let marks = ["a", "b", "c"].map(ClientMark::of);
        let serves = |client: &StoredClient| {
            marks.map(|mark| client.clone().begun_as(mark).map(|client| client.id))
        };
        let [a, b, c] = ["a", "b", "c"].map(|id| Some(id.to_owned()));
        let second = lasting("b", 3600).following(lasting("a", 600), after(500));
        assert_eq!(serves(&second), [a.clone(), b.clone(), None]);
        let kept = StoredClient::read(&second.to_json()).unwrap();
        assert_eq!(kept, second);
        let third = lasting("c", 7200).following(kept.clone(), after(500));
        assert_eq!(serves(&third), [None, b.clone(), c]);
        // Another secret of the same client.
        let renewed = lasting("b", 7200).following(kept.clone(), after(599));
        assert_eq!(serves(&renewed), [a, b.clone(), None]);
        let late = lasting("b", 7200).following(kept, after(600));
        assert_eq!(serves(&late), [None, b, None], "its secret has expired");
    }

    #[test]
    fn the_registration_access_token_goes_over_https_alone() {
        for (uri, is_kept) in [("https://id.example/me", true), ("http://id.example/me", false)] {
            let mut answer = answer(Some("s"));
            answer.configuration = Some(ClientConfiguration {
                registration_access_token: "token".into(),
                registration_client_uri: uri.to_owned(),
            });
            let client = of(Method::ClientSecretBasic, &answer);
            assert_eq!(client.unwrap().configuration().is_some(), is_kept, "{uri}");
        }
    }
}
