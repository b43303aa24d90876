//! Registration of clients by the program around a server: the settings are checked, the record made.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{
    Scopes, Secret, Timestamp,
    guard::mask_secrets,
    jose::{Algorithm, VerifyingKey},
    oauth2::Resources,
    provider::{
        error::Error, openid::login_initiation::is_initiation, server::AuthorizationServer,
        token::format::sha256,
    },
};

use super::{
    about::ClientAboutError,
    logout_uris::{self, LogoutUriError},
    message_error::MessageMetadataError,
    metadata::{CheckedMetadata, ClientMetadataError},
    new::NewClient,
    oauth1::new_key::NewKeyError,
    own_keys,
    personal::ClientOfPersonalTokens,
    policy::{MOST_REDIRECT_URIS_OF_SETTINGS, MetadataPolicy},
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    redirect_uri::{RedirectPattern, RedirectPatternError},
    registered_auth::RegisteredAuth,
    secrets::{self, SHORTEST_CHOSEN},
};

impl NewClient {
    /// Checks the settings, and the metadata in them by the policy for settings. `scopes` and
    /// `resources` are those of the server.
    pub(super) fn check(
        &self,
        scopes: &Scopes,
        resources: &Resources,
    ) -> Result<CheckedMetadata, RegistrationError> {
        if self.oauth1.is_some() && self.client_type == ClientType::Public {
            return Err(RegistrationError::OAuth1OfPublicClient);
        }
        if self.auth.is_some() && self.client_type == ClientType::Public {
            return Err(RegistrationError::AuthOfPublicClient);
        }
        let has_other_use =
            self.oauth1.is_some() || self.resource_server.is_some() || self.without_grants;
        let checked = self.metadata().check(&MetadataPolicy {
            has_redirect_patterns: !self.redirect_patterns.is_empty(),
            ..MetadataPolicy::settings(scopes, has_other_use)
        })?;
        logout_uris::check(&self.openid, &checked.redirect_uris)?;
        let begins = self.openid.initiate_login_uri.as_deref();
        let is_url = |uri: &str| Url::parse(uri).is_ok_and(|url| is_initiation(&url));
        if !begins.is_none_or(is_url) {
            return Err(RegistrationError::InitiateLoginUri);
        }
        self.about.check()?;
        // The operator learns of every mistake.
        if !self.openid.response_types.iter().all(|it| checked.uses(*it)) {
            return Err(ClientMetadataError::ResponseType.into());
        }
        if self.redirect_patterns.len() > MOST_REDIRECT_URIS_OF_SETTINGS {
            return Err(ClientMetadataError::TooManyRedirectUris.into());
        }
        for pattern in &self.redirect_patterns {
            RedirectPattern::parse(pattern).map_err(|reason| {
                RegistrationError::RedirectPattern { pattern: pattern.clone(), reason }
            })?;
        }
        let apis = self.resource_server.iter().flat_map(Resources::iter);
        if let Some(unknown) = apis.into_iter().find(|uri| !resources.contains(uri)) {
            return Err(RegistrationError::UnknownResource(unknown.to_owned()));
        }
        let is_public = checked.client_type == ClientType::Public;
        if let Some(oauth1) = &self.oauth1 {
            oauth1.check()?;
        }
        if is_public && self.without_pkce {
            return Err(RegistrationError::PublicClientWithoutPkce);
        }
        if is_public && self.without_rotation {
            return Err(RegistrationError::PublicClientWithoutRotation);
        }
        let defaults = self.default_scopes.iter().flat_map(Scopes::iter);
        if let Some(name) = defaults.into_iter().find(|name| !self.scopes.contains(name)) {
            return Err(RegistrationError::DefaultScope(name.to_owned()));
        }
        if !self.lifetimes.are_valid() {
            return Err(RegistrationError::Lifetime);
        }
        if is_public && self.resource_server.is_some() {
            return Err(RegistrationError::PublicResourceServer);
        }
        match &self.chosen_secret {
            Some(_) if is_public => return Err(RegistrationError::SecretOfPublicClient),
            Some(secret) => match &self.auth {
                Some(RegisteredAuth::PrivateKeyJwt { .. }) => {
                    return Err(RegistrationError::SecretBesideKeys);
                }
                Some(RegisteredAuth::ClientSecretJwt { alg }) => {
                    VerifyingKey::hmac(alg.unwrap_or(Algorithm::Hs256), secret)
                        .map_err(|_| RegistrationError::ShortSecretOfAssertions)?;
                }
                _ if secret.expose().len() < SHORTEST_CHOSEN => {
                    return Err(RegistrationError::ShortSecret);
                }
                _ => {}
            },
            _ => {}
        }
        match &self.auth {
            _ if self.imported_secret.is_none() => {}
            _ if is_public => return Err(RegistrationError::SecretOfPublicClient),
            Some(RegisteredAuth::PrivateKeyJwt { .. }) => {
                return Err(RegistrationError::SecretBesideKeys);
            }
            Some(RegisteredAuth::ClientSecretJwt { .. }) => {
                return Err(RegistrationError::VerifierOfAssertions);
            }
            _ => {}
        }
        // VSCHAR of RFC 6749, appendix A.1.
        let is_vschar = |byte: u8| matches!(byte, b' '..=b'~');
        match &self.id {
            Some(id) if id.is_empty() || id.len() > 255 || !id.bytes().all(is_vschar) => {
                Err(RegistrationError::Id)
            }
            Some(id) if id == ClientOfPersonalTokens::ID && !self.without_grants => {
                Err(RegistrationError::IdOfPersonalTokens)
            }
            _ => Ok(checked),
        }
    }
}

/// A registered client, with the generated secrets.
///
/// ```
/// use quadrille::provider::Registered;
///
/// fn show_once(registered: &Registered) -> Option<&str> {
///     registered.secret.as_ref().map(|secret| secret.expose())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// The generated secret. The server has only its hash: show it once.
    pub secret: Option<Secret>,
    /// The generated shared-secret for OAuth 1.0a.
    pub oauth1_secret: Option<Secret>,
}

/// The reason why a client is not registered. The operator can mend most of them.
///
/// ```
/// use quadrille::provider::RegistrationError;
///
/// let error = RegistrationError::ShortSecret;
/// assert_eq!(error.to_string(), "a chosen secret needs at least 12 characters");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The metadata breaks a rule.
    #[error(transparent)]
    Metadata(#[from] ClientMetadataError),
    /// The client is public, and only PKCE protects the codes of a client without a secret.
    #[error("a public client must use PKCE")]
    PublicClientWithoutPkce,
    /// The client is public, and only rotation protects the refresh tokens of a client without a
    /// secret (RFC 9700, section 4.14.2).
    #[error("the refresh tokens of a public client must rotate")]
    PublicClientWithoutRotation,
    /// A default scope is not among the scopes that the client may request.
    #[error("the default scope {0:?} is not among the scopes of the client")]
    DefaultScope(String),
    /// A lifetime is not between a second and ten years, or has a fraction of a second.
    #[error("a lifetime of codes or tokens is between one second and ten years, in whole seconds")]
    Lifetime,
    /// The client's access tokens are to be JWTs, and the server has no keys to sign them
    /// ([`AuthorizationServer::signing_keys`]).
    #[error("this server has no keys to sign access tokens")]
    NoSigningKeys,
    /// The client's ID tokens or userinfo responses are to be signed by an algorithm for which the
    /// server has no key ([`AuthorizationServer::further_signing_keys`]).
    #[error("this server has no key for {}", .0.as_str())]
    NoSigningKeyFor(Algorithm),
    /// The client is to get pairwise subjects, and the server has no secret for them
    /// ([`OpenId::pairwise_subjects`](crate::provider::OpenId::pairwise_subjects)), or the redirect
    /// URIs have several hosts and there is no `sector_identifier_uri`.
    #[error(
        "pairwise subjects need OpenId::pairwise_subjects, and a sector_identifier_uri for redirect \
         URIs with several hosts"
    )]
    NoPairwiseSubjects,
    /// The address at which a login begins is not an https URL (OpenID Connect Dynamic Client
    /// Registration, section 2).
    #[error("initiate_login_uri: not an https URL")]
    InitiateLoginUri,
    /// A fact about the client is rejected.
    #[error(transparent)]
    About(#[from] ClientAboutError),
    /// An address for logout is rejected.
    #[error(transparent)]
    LogoutUri(#[from] LogoutUriError),
    /// The metadata for signed and encrypted messages is rejected.
    #[error(transparent)]
    Messages(#[from] MessageMetadataError),
    /// A pattern of redirect URIs is not accepted.
    #[error("{pattern}: {reason}")]
    RedirectPattern {
        /// The pattern.
        pattern: String,
        /// The rule that the pattern breaks.
        reason: RedirectPatternError,
    },
    /// An API is not known to this server ([`AuthorizationServer::resource`]).
    #[error("this server knows no resource {0:?}")]
    UnknownResource(String),
    /// The client is public, and an API must authenticate (RFC 7662, section 2.1).
    #[error("a resource server needs a secret, and so cannot be public")]
    PublicResourceServer,
    /// The client is public, and cannot keep a secret.
    #[error("a public client has no secret")]
    SecretOfPublicClient,
    /// The client is public, and cannot authenticate.
    #[error("a public client does not authenticate")]
    AuthOfPublicClient,
    /// The client signs with a private key, and has no use for a secret.
    #[error("a client that signs with a private key has no secret")]
    SecretBesideKeys,
    /// The chosen secret is too short for an HMAC (RFC 7518, section 3.2).
    #[error("a secret for client_secret_jwt is as long as the hash: 32, 48 or 64 bytes or more")]
    ShortSecretOfAssertions,
    /// The client has a `jwks_uri`, and this server fetches no keys
    /// ([`AuthorizationServer::client_keys_fetched_by`]).
    #[error("this server fetches no keys, so that a client needs jwks in place of jwks_uri")]
    NoKeysFetched,
    /// The client is public, and cannot keep a key to sign with.
    #[error("a public client has no part in OAuth 1.0a: it could not keep its key")]
    OAuth1OfPublicClient,
    /// The key for OAuth 1.0a is rejected.
    #[error(transparent)]
    OAuth1Key(#[from] NewKeyError),
    /// The chosen secret is too short.
    #[error("a chosen secret needs at least 12 characters")]
    ShortSecret,
    /// The client signs with its secret, of which only a verifier is there.
    #[error("a client that signs with its secret brings the secret itself along")]
    VerifierOfAssertions,
    /// The chosen id is malformed.
    #[error("a client id has printable ASCII characters and spaces, at most 255 of them")]
    Id,
    /// The chosen id is that of the client that personal access tokens belong to.
    #[error("the client id personal-access-tokens belongs to the personal access tokens of users")]
    IdOfPersonalTokens,
    /// The client has more than five secrets.
    #[error("a client has at most five secrets")]
    TooManySecrets,
    /// The settings have no id, by which [`ensure_client`](AuthorizationServer::ensure_client)
    /// finds the client.
    #[error("a client that is ensured needs an id of its own choice")]
    IdMissing,
    /// The client with this id is of another type: public instead of confidential, or vice versa.
    #[error("a client cannot change between public and confidential: remove it first")]
    OtherType,
    /// The client would know its users by other subjects, such as those of another sector (OpenID
    /// Connect Core, section 8.1).
    #[error(
        "a client keeps the subjects of its users: subject type, sector and the host of its redirect \
         URIs stay, or remove it first"
    )]
    OtherSubjects,
    /// The client registered itself with pairwise subjects, and would learn those of another sector by a
    /// grant, a logout token or a redirect URI that its sector does not vouch for (OpenID Connect Core,
    /// section 8.1).
    #[error(
        "a client that registered itself with pairwise subjects learns users by the redirect URIs of its \
         sector alone: register another client for other grants, redirect URIs and logout tokens"
    )]
    SectorUnproven,
    /// A client in a table of the application's own has a chosen secret, which only the server
    /// hashes, or a key for OAuth 1.0a that is to be generated.
    #[error(
        "a client in a table of the application's own brings the verifier of its secret along, and \
         its key for OAuth 1.0a"
    )]
    NotForTables,
    /// The client is confidential, and has neither secret nor keys.
    #[error("a confidential client needs the verifier of its secret, or keys")]
    SecretMissing,
    /// The client is not registered.
    #[error("there is no client with this id")]
    UnknownClient,
    /// The client describes itself in a document, which only its developers change.
    #[error("the client describes itself in the document at its id, and is not changed here")]
    FromDocument,
    /// The chosen id belongs to another client.
    #[error("there is a client with this id")]
    IdTaken,
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

impl AuthorizationServer {
    /// Registers a client. A program that has its clients in settings calls
    /// [`ensure_client`](Self::ensure_client) at each start instead.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub async fn register(&self, new: NewClient) -> Result<Registered, RegistrationError> {
        let registered = self.client_of(&new).await?;
        let inner = self.inner();
        let client = &registered.client;
        check_methods(client, inner.now())?;
        let issuer = inner.issuer_id().await?;
        let was_put = inner.store.put_client(issuer, client.clone(), None).await;
        if !was_put.map_err(Error::from)? {
            return Err(RegistrationError::IdTaken);
        }
        let name = mask_secrets(&client.name);
        tracing::info!(client = %client.id, name = &*name, "client registered");
        Ok(registered)
    }

    /// The client that the settings describe, after all checks, with new secrets.
    pub(crate) async fn client_of(&self, new: &NewClient) -> Result<Registered, RegistrationError> {
        let inner = self.inner();
        let checked = new.check(inner.scopes.known(), &inner.resources)?;
        new.check_served(inner)?;
        let id: Arc<str> = match &new.id {
            Some(id) => id.as_str().into(),
            None => BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<16>()).into(),
        };
        let (oauth1, oauth1_secret) =
            new.oauth1.as_ref().map(|oauth1| oauth1.register(inner, &id)).transpose()?.unzip();
        let (verifier, secret) = match (new.client_type, new.chosen_secret.clone()) {
            (ClientType::Public, _) => (None, None),
            _ if matches!(new.auth, Some(RegisteredAuth::PrivateKeyJwt { .. })) => (None, None),
            (ClientType::Confidential, Some(chosen))
                if matches!(new.auth, Some(RegisteredAuth::ClientSecretJwt { .. })) =>
            {
                (Some(own_keys::seal(inner, &id, &chosen)), None)
            }
            (ClientType::Confidential, None) if new.imported_secret.is_some() => {
                (new.imported_secret.clone(), None)
            }
            // OAuth 1.0a has a secret of its own.
            (ClientType::Confidential, None)
                if checked.grant_types.is_empty() && new.resource_server.is_none() =>
            {
                (None, None)
            }
            (ClientType::Confidential, Some(chosen)) => {
                let hash = inner.kdf.hash(&inner.env, chosen).await.map_err(Error::from)?;
                (Some(SecretVerifier::Argon2id(hash)), None)
            }
            (ClientType::Confidential, None) => {
                let (verifier, secret) = self.generate(&id, new.auth.as_ref());
                (Some(verifier), Some(secret))
            }
        };
        let (number, now) = (inner.newer_row().await?, inner.now());
        let secret_id = secrets::new_id(inner, &[]);
        let secrets = verifier.map(|verifier| ClientSecret {
            id: secret_id,
            created: now,
            verifier,
            expires: None,
        });
        let client = Client {
            secrets: secrets.into_iter().collect(),
            oauth1,
            ..new.record(&checked, id, number, now)
        };
        for uri in client.redirect_uris.iter().filter(|uri| uri.can_be_claimed_by_other_programs())
        {
            tracing::warn!(
                client = %client.id,
                redirect_uri = %uri,
                "any other program on the user's device can claim the scheme of this redirect URI: \
                 a domain name in reverse belongs to its owner (com.example.app:/callback)"
            );
        }
        Ok(Registered { client, secret, oauth1_secret: oauth1_secret.flatten() })
    }

    /// A generated secret, which cannot be guessed, for a client with this authentication method.
    pub(super) fn generate(
        &self,
        client: &str,
        auth: Option<&RegisteredAuth>,
    ) -> (SecretVerifier, Secret) {
        if let Some(RegisteredAuth::ClientSecretJwt { .. }) = auth {
            // 64 characters, as many as the longest HMAC requires.
            let secret = BASE64_URL_SAFE_NO_PAD.encode(self.inner().env.random::<48>());
            let secret = Secret::from(secret);
            return (own_keys::seal(self.inner(), client, &secret), secret);
        }
        let secret = BASE64_URL_SAFE_NO_PAD.encode(self.inner().env.random::<32>());
        (SecretVerifier::Sha256(sha256(secret.as_bytes())), Secret::from(secret))
    }
}

/// Checks that a client of OAuth 1.0a has a key for its signature methods.
pub(super) fn check_methods(client: &Client, now: Timestamp) -> Result<(), NewKeyError> {
    let can_sign = client.oauth1.as_ref().is_none_or(|oauth1| oauth1.can_sign(now));
    can_sign.then_some(()).ok_or(NewKeyError::Methods)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oauth1::SignatureMethod,
        provider::client::{grant_type::GrantType, oauth1::new_key::NewKey},
    };

    #[test]
    fn what_is_said_of_oauth1_may_be_said_in_any_order() {
        let key = |new: NewClient| new.oauth1(NewKey::Secret);
        let methods = |new: NewClient| new.oauth1_methods([SignatureMethod::HmacSha256]);
        let steps: [&dyn Fn(NewClient) -> NewClient; 3] =
            [&key, &NewClient::oauth1_out_of_band, &methods];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let web = NewClient::confidential("Web").redirect_uri("https://app.example/cb");
            let new = order.iter().fold(web, |new, step| steps[*step](new));
            let said = new.oauth1.as_ref().unwrap();
            assert_eq!(said.key, Some(NewKey::Secret), "{order:?}");
            assert!(said.out_of_band, "{order:?}");
            assert_eq!(said.methods, [SignatureMethod::HmacSha256], "{order:?}");
            assert!(new.check(&Scopes::EMPTY, &Resources::EMPTY).is_ok());
        }
    }

    #[test]
    fn a_client_without_a_key_has_no_settings_of_oauth1() {
        let web = || NewClient::confidential("Web").redirect_uri("https://app.example/cb");
        for new in [web().oauth1_out_of_band(), web().oauth1_methods([])] {
            let refused = new.check(&Scopes::EMPTY, &Resources::EMPTY).unwrap_err();
            assert!(matches!(refused, RegistrationError::OAuth1Key(NewKeyError::Missing)));
        }
    }

    #[test]
    fn what_could_never_work_or_never_be_safe_is_not_registered() {
        let check = |new: &NewClient| new.check(&Scopes::EMPTY, &Resources::EMPTY);
        let web = || NewClient::confidential("Web").redirect_uri("https://app.example/cb");
        assert!(check(&web()).is_ok());
        assert!(check(&NewClient::confidential("Machine")).is_ok());
        let refused = |new: NewClient| format!("{:?}", check(&new).unwrap_err());
        assert!(refused(web().redirect_uri("http://app.example/")).contains("Insecure"));
        assert_eq!(refused(NewClient::public("App")), "Metadata(PublicClientForItself)");
        let codes = [GrantType::AuthorizationCode];
        assert_eq!(refused(NewClient::public("App").grant_types(codes)), "Metadata(NoRedirectUri)");
        assert_eq!(refused(web().grant_types([])), "Metadata(NoGrantType)");
        assert_eq!(
            refused(web().grant_types([GrantType::RefreshToken])),
            "Metadata(RefreshTokenAlone)"
        );
        assert_eq!(refused(web().chosen_secret("short".into())), "ShortSecret");
        assert_eq!(refused(NewClient::confidential(" ")), "Metadata(Name)");
        assert_eq!(refused(web().id("a\tb")), "Id");
        assert_eq!(refused(web().id("\u{e4}")), "Id");
        let public = NewClient::public("App").redirect_uri("https://app.example/cb");
        assert_eq!(refused(public.chosen_secret("long enough!".into())), "SecretOfPublicClient");
    }
}
