//! The `id_token_hint` of a request (OpenID Connect Core, section 3.1.2.1; OpenID Connect RP-Initiated
//! Logout, section 2).

use std::sync::Arc;

use crate::{
    form::Params,
    jose::{Algorithms, KeySet, TokenType, Unverified, Verification},
    oidc::IdToken,
    provider::server::Inner,
};

/// ID tokens: access tokens of the same keys have a type.
const ID_TOKENS: Verification = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);

/// The hint of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// An ID token of this server about this user, expired or not.
    User {
        subject: Arc<str>,
        /// `true` if it was issued to the client that sends it, which knows the user.
        is_of_client: bool,
    },
    /// Another text.
    Invalid,
}

/// The hint of a request of this client, if it has one.
pub(crate) fn sent(inner: &Inner, params: &Params<'_>, client: Option<&str>) -> Option<Hint> {
    let token = params.many("id_token_hint").next()?;
    Some(id_token(inner, token).map_or(Hint::Invalid, |token| Hint::User {
        is_of_client: token.audience.iter().any(|aud| Some(&**aud) == client),
        subject: token.subject.into(),
    }))
}

/// The ID token in a hint; `None` if it is none of this server.
pub(crate) fn id_token(inner: &Inner, token: &str) -> Option<IdToken> {
    let keys = inner.signing.public().unwrap_or_default();
    read(token, inner.issuer.as_str(), &keys)
}

/// An ID token that an issuer has signed, for any client and at any time: a hint proves nothing about
/// its sender.
fn read(token: &str, issuer: &str, keys: &KeySet) -> Option<IdToken> {
    let verified = Unverified::parse(token).ok()?.verify(&ID_TOKENS, keys).ok()?;
    let claims = crate::jose::Claims::parse(verified.payload()).ok()?;
    let token = IdToken::from_claims(claims).ok()?;
    (token.issuer == issuer).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Timestamp,
        jose::{Algorithm, Protected, SigningKey},
    };

    const ISSUER: &str = "https://id.example";

    #[test]
    fn an_id_token_of_this_server_is_a_hint_also_after_its_expiry_and_no_other_token_is() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        let long_ago = Timestamp::from_seconds(1);
        let claims =
            |issuer: &str| IdToken::new(issuer, "ada", "web", long_ago, long_ago).to_json();
        let signed = |key: &SigningKey, header: Protected<'_>, issuer: &str| {
            key.sign(&header, &claims(issuer)).unwrap()
        };
        let read = |token: &str| read(token, ISSUER, &keys).map(|token| token.subject);
        let plain = Protected::plain();
        assert_eq!(read(&signed(&key, plain, ISSUER)).as_deref(), Some("ada"));
        for forged in [
            signed(&stranger, plain, ISSUER),
            signed(&key, plain, "https://ID.example"),
            signed(&key, plain, "https://id.example/"),
            signed(&key, Protected::typ("at+jwt"), ISSUER),
            key.sign(&plain, br#"{"iss":"https://id.example","sub":"ada"}"#).unwrap(),
            "ada".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&forged), None, "{forged}");
        }
    }
}
