//! The record of a client (RFC 6749, section 2).

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        access_format::AccessTokenFormat,
        guessing::{
            VerifierError,
            imported::{Imported, check_argon2id},
        },
        openid::client::ClientOpenId,
        store::ids::{RowId, SecretHash},
    },
    registered_domain,
};

use super::{
    about::ClientAbout,
    dynamic::record::ClientRegistration,
    grant_type::GrantTypes,
    lifetimes::{Lifetimes, seconds},
    oauth1::record::Registration,
    redirect_uri::{self, RedirectPattern, RedirectUri},
    registered_auth::RegisteredAuth,
};

/// The type of a client, by its ability to keep a secret (RFC 6749, section 2.1).
///
/// ```
/// use quadrille::provider::{ClientType, NewClient};
///
/// fn new(client_type: ClientType) -> NewClient {
///     match client_type {
///         ClientType::Confidential => NewClient::confidential("Photo printer"),
///         ClientType::Public => NewClient::public("Photo printer"),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientType {
    /// A client that authenticates.
    Confidential,
    /// A client that cannot authenticate, and must use PKCE: a native or single-page application.
    Public,
}

/// The stored form of a client's secret.
///
/// ```
/// use quadrille::provider::SecretVerifier;
///
/// fn was_chosen(verifier: &SecretVerifier) -> bool {
///     matches!(verifier, SecretVerifier::Argon2id(_))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecretVerifier {
    /// SHA-256, for generated secrets of at least 128 random bits, which cannot be guessed.
    Sha256(SecretHash),
    /// Argon2id in PHC form, for chosen secrets.
    Argon2id(Arc<str>),
    /// The secret itself, sealed under the server's key ring, for `client_secret_jwt`.
    Sealed(Arc<str>),
    /// The verifier of another program, in the program's own form ([`parse`](Self::parse)). It is
    /// replaced by Argon2id when the secret is used.
    Imported(Arc<str>),
}

impl SecretVerifier {
    /// The verifier that another program has stored: Argon2id in PHC form or as Django writes it,
    /// bcrypt, PBKDF2 as passlib, Werkzeug and Django write it, and SHA-256 or SHA-512 without
    /// salt, in hexadecimal or as `{SHA256}` with Base64. Since people may have chosen the secret,
    /// guesses at it are limited.
    ///
    /// ```
    /// use quadrille::provider::SecretVerifier;
    ///
    /// let django = "pbkdf2_sha256$1000$NaClNaClNaCl$uXisDtkZ3O8GJUTqimErIL5F7hM1q1d5W8GLpdBWUDw=";
    /// let verifier = SecretVerifier::parse(django)?;
    /// assert!(matches!(verifier, SecretVerifier::Imported(_)));
    /// # Ok::<(), quadrille::provider::guessing::VerifierError>(())
    /// ```
    ///
    /// # Errors
    /// [`VerifierError`], also for a verifier whose cost would let a few attempts use up the
    /// processors.
    pub fn parse(text: &str) -> Result<Self, VerifierError> {
        let phc = text.strip_prefix("argon2$").filter(|rest| rest.starts_with("argon2"));
        let phc = phc.map(|rest| format!("${rest}"));
        let text = phc.as_deref().unwrap_or(text);
        if text.starts_with("$argon2") {
            check_argon2id(text)?;
            return Ok(Self::Argon2id(text.into()));
        }
        Imported::parse(text)?;
        Ok(Self::Imported(text.into()))
    }

    /// `true` if each guess at the secret costs a slow function: Argon2id, bcrypt or PBKDF2. A thief of
    /// the database tries billions of passwords in a second against the others.
    ///
    /// ```
    /// use quadrille::provider::SecretVerifier;
    ///
    /// let verifier = SecretVerifier::parse(&"0".repeat(64))?; // SHA-256
    /// assert!(!verifier.is_slow());
    /// # Ok::<(), quadrille::provider::guessing::VerifierError>(())
    /// ```
    pub fn is_slow(&self) -> bool {
        match self {
            Self::Argon2id(_) => true,
            Self::Imported(text) => Imported::parse(text).is_ok_and(|found| found.is_slow()),
            Self::Sha256(_) | Self::Sealed(_) => false,
        }
    }

    /// The hash of a secret that people may have chosen.
    pub(crate) const fn chosen(&self) -> Option<&Arc<str>> {
        match self {
            Self::Sha256(_) | Self::Sealed(_) => None,
            Self::Argon2id(hash) | Self::Imported(hash) => Some(hash),
        }
    }
}

impl SecretVerifier {
    /// `true` if a client with this authentication method can have such a secret. A hash verifies
    /// no HMAC, and a sealed secret is kept only where it is needed.
    pub(super) fn is_of_use_with(&self, auth: Option<&RegisteredAuth>) -> bool {
        let is_sealed = matches!(self, Self::Sealed(_));
        match auth {
            Some(RegisteredAuth::PrivateKeyJwt { .. }) => false,
            Some(RegisteredAuth::ClientSecretJwt { .. }) => is_sealed,
            _ => !is_sealed,
        }
    }
}

/// A secret of a client.
///
/// ```
/// use quadrille::{Timestamp, provider::ClientSecret};
///
/// fn is_valid(secret: &ClientSecret, now: Timestamp) -> bool {
///     secret.expires.is_none_or(|expires| now < expires)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// The short id of the secret among those of its client, for commands.
    #[serde(default)]
    pub id: Arc<str>,
    /// The time at which the secret was added.
    #[serde(default)]
    pub created: Timestamp,
    /// The hash of the secret.
    pub verifier: SecretVerifier,
    /// The expiry, so that a new secret can be rolled out first; `None` for none.
    pub expires: Option<Timestamp>,
}

/// A registered client (RFC 6749, section 2).
///
/// ```
/// use quadrille::provider::{Client, ClientType};
///
/// fn must_use_pkce(client: &Client) -> bool {
///     client.client_type == ClientType::Public || !client.without_pkce
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Client {
    /// The `client_id`.
    pub id: Arc<str>,
    /// The number that distinguishes this client from an earlier one with the same `client_id`.
    pub number: RowId,
    /// The name that users see (`client_name`).
    pub name: String,
    /// The client type.
    pub client_type: ClientType,
    /// The only authentication method of the client. `None` if it sends its secret, in header or
    /// body, or is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<RegisteredAuth>,
    /// The client's secrets; each one that has not expired is valid.
    pub secrets: Vec<ClientSecret>,
    /// The redirect URIs, compared exactly, except the port of a URI to this machine (RFC 8252,
    /// section 7.3).
    #[serde(deserialize_with = "redirect_uri::stored")]
    pub redirect_uris: Vec<RedirectUri>,
    /// The patterns of further redirect URIs, one for each deployment of the client.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "redirect_uri::pattern::stored"
    )]
    pub redirect_patterns: Vec<RedirectPattern>,
    /// The scopes that the client may request.
    pub scopes: Scopes,
    /// The scopes of a request without `scope` (RFC 6749, section 3.3), among [`scopes`]; `None`
    /// for all of them.
    ///
    /// [`scopes`]: Self::scopes
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_scopes: Option<Scopes>,
    /// The grant types that the client may use.
    pub grant_types: GrantTypes,
    /// `true` if the client is the provider's own and needs no consent of users. A public client
    /// whose answer goes to a loopback address or a private-use scheme needs it nevertheless: any
    /// program could pose as it (RFC 8252, section 8.6).
    pub first_party: bool,
    /// The registration for OAuth 1.0a; `None` if the client does not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth1: Option<Registration>,
    /// The tokens that the client may introspect as an API (RFC 7662): those for these APIs, or, if
    /// the set is empty, those that name no API. `None` if the client is no API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<Resources>,
    /// `true` if the client describes itself, in a document at the URL that is its `client_id`: see
    /// [`ClientMetadataDocuments`](crate::provider::ClientMetadataDocuments).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_document: bool,
    /// `true` if the client may omit PKCE against the policy: see
    /// [`NewClient::allow_without_pkce_so_that_a_leaked_code_can_be_injected`][allow]. Public
    /// clients must use PKCE nevertheless.
    ///
    /// [allow]: crate::provider::NewClient::allow_without_pkce_so_that_a_leaked_code_can_be_injected
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_pkce: bool,
    /// The dynamic registration (RFC 7591); `None` if the client came otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Box<ClientRegistration>>,
    /// `true` if the client must use PKCE, although the policy lets confidential clients omit it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requires_pkce: bool,
    /// The client's own lifetimes of codes and tokens.
    #[serde(default, skip_serializing_if = "Lifetimes::is_default")]
    pub lifetimes: Lifetimes,
    /// `true` if refresh tokens do not rotate: see
    /// [`NewClient::allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid`][allow].
    ///
    /// [allow]: crate::provider::NewClient::allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_rotation: bool,
    /// The time for which revocations are remembered, from before the lifetimes were shortened.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub(crate) longest_use_before: Option<Duration>,
    /// The format of the client's access tokens; `None` for that of the API or the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// The OpenID Connect metadata.
    #[serde(default, skip_serializing_if = "ClientOpenId::is_default")]
    pub openid: ClientOpenId,
    /// The facts that users are shown: those of the operator, or of the client's document.
    /// [`about`](Self::about) has those of a registration, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<Box<ClientAbout>>,
    /// `true` if the application keeps the client in a table of its own, which the server does not
    /// write.
    #[serde(skip)]
    pub(crate) is_in_table: bool,
    /// The time of the registration or, for a client that describes itself, of the first consent.
    pub created: Timestamp,
}

impl Client {
    /// The facts about the client that users are shown beside its name: those of the operator, and for
    /// the others those of the client's registration or document.
    ///
    /// A client says about itself what it likes, so its own word counts for addresses at its own domain
    /// alone, where all of its redirect URIs are, or its document (RFC 7591, section 5).
    pub fn about(&self) -> ClientAbout {
        let own = self.about.as_deref().cloned().unwrap_or_default();
        let Some(registered) = self.registration.as_deref() else { return own };
        let registered = registered.about().at_domain(self.domain().as_deref());
        let contacts = match own.contacts.is_empty() {
            true => registered.contacts,
            false => own.contacts,
        };
        ClientAbout {
            owner: own.owner,
            client_uri: own.client_uri.or(registered.client_uri),
            logo_uri: own.logo_uri.or(registered.logo_uri),
            tos_uri: own.tos_uri.or(registered.tos_uri),
            policy_uri: own.policy_uri.or(registered.policy_uri),
            contacts,
        }
    }

    /// The registered domain of all redirect URIs, if they have one in common.
    fn domain(&self) -> Option<String> {
        let of = |uri: &RedirectUri| registered_domain::of_https(uri.as_str());
        let first = of(self.redirect_uris.first()?)?;
        self.redirect_uris.iter().all(|uri| of(uri).as_ref() == Some(&first)).then_some(first)
    }

    /// The time until which a client that registered itself must be used, else it is removed.
    /// `None` for all others.
    pub fn unused_until(&self) -> Option<Timestamp> {
        self.registration.as_ref()?.unused_until
    }

    /// `true` if the client registered itself (RFC 7591): the client has chosen its name.
    ///
    /// ```
    /// use quadrille::provider::Client;
    ///
    /// fn line(client: &Client) -> String {
    ///     let to = client.destinations().join(", ");
    ///     match client.registered_itself() {
    ///         true => format!("{}, which registered itself and is at {to}", client.name),
    ///         false => client.name.clone(),
    ///     }
    /// }
    /// ```
    pub fn registered_itself(&self) -> bool {
        self.registration.is_some()
    }

    /// The origins and private-use schemes of the redirect URIs, in their order: the parties that
    /// receive the answers of users.
    pub fn destinations(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for uri in &self.redirect_uris {
            if !all.contains(&uri.destination()) {
                all.push(uri.destination());
            }
        }
        all
    }

    /// `true` if the client was registered by a stranger: itself, without an initial access token.
    pub(crate) fn is_of_a_stranger(&self) -> bool {
        self.registration.as_ref().is_some_and(|found| found.initial_access_token.is_none())
    }

    /// `true` if a consent that was given at this time still counts: it does not if the name or
    /// the redirect URIs were changed by the client itself since.
    pub(crate) fn is_as_at(&self, given: Timestamp) -> bool {
        let changed = self.registration.as_ref().and_then(|found| found.changed);
        changed.is_none_or(|changed| changed < given)
    }

    /// `true` if the client was never used in time, whether it is removed already or not.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.unused_until().is_some_and(|until| until <= now)
    }

    /// A client that has no more than these facts: no secret, no scope, no grant type.
    pub(super) fn bare(
        id: Arc<str>,
        number: RowId,
        name: String,
        client_type: ClientType,
        created: Timestamp,
    ) -> Self {
        Self {
            id,
            number,
            name,
            client_type,
            auth: None,
            secrets: Vec::new(),
            redirect_uris: Vec::new(),
            scopes: Scopes::EMPTY,
            grant_types: GrantTypes::default(),
            first_party: false,
            oauth1: None,
            resource_server: None,
            from_document: false,
            without_pkce: false,
            registration: None,
            redirect_patterns: Vec::new(),
            default_scopes: None,
            requires_pkce: false,
            lifetimes: Lifetimes::default(),
            without_rotation: false,
            longest_use_before: None,
            access_token_format: None,
            openid: ClientOpenId::default(),
            about: None,
            is_in_table: false,
            created,
        }
    }

    /// `true` if the secrets of `before` are of use with this client's authentication method.
    pub(super) fn has_use_for_secrets_of(&self, before: &Self) -> bool {
        let auth = self.auth.as_ref();
        before.secrets.iter().all(|secret| secret.verifier.is_of_use_with(auth))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{super::grant_type::GrantType, *};

    /// A confidential client for everything.
    pub(crate) fn client(id: &str, redirect_uri: &str) -> Client {
        let kind = ClientType::Confidential;
        Client {
            redirect_uris: vec![redirect_uri.parse().unwrap()],
            scopes: Scopes::of(["a", "b"]),
            grant_types: [
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ]
            .into(),
            ..Client::bare(id.into(), RowId(0), id.to_owned(), kind, Timestamp::default())
        }
    }
    #[test]
    fn the_operators_word_comes_before_the_clients_own() {
        let mut app = client("app", "https://app.example/cb");
        assert!(app.about().is_empty());
        let https = |path: &str| Some(Arc::from(format!("https://app.example/{path}")));
        app.registration = Some(Box::new(ClientRegistration {
            client_uri: https("mine"),
            policy_uri: https("privacy"),
            contacts: vec!["ada@app.example".into()],
            ..ClientRegistration::default()
        }));
        let own = ClientAbout {
            owner: Some("Ada".into()),
            client_uri: https("shown"),
            ..ClientAbout::default()
        };
        app.about = own.member();
        let about = app.about();
        assert_eq!((about.client_uri, about.policy_uri), (https("shown"), https("privacy")));
        assert_eq!((about.owner.as_deref(), about.contacts.len()), (Some("Ada"), 1));
    }
}
