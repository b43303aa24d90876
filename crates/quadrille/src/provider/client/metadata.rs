//! Client metadata (RFC 7591, section 2), and the rules for it, which are the same for every
//! source.

use std::sync::Arc;

use crate::{
    Scopes, Timestamp,
    jose::Algorithm,
    oauth2::{AuthMethod, ResponseType},
    provider::{openid::client::ClientOpenId, store::RowId},
};

use super::{
    grant_type::{GrantType, GrantTypes, is_used, needed_for},
    name::{is_lookalike, is_shown},
    policy::MetadataPolicy,
    record::{Client, ClientType},
    redirect_uri::{self, RedirectUri, RedirectUriError},
    registered_auth::{ClientKeys, RegisteredAuth, RegisteredAuthError},
};

/// The metadata of a client (RFC 7591, section 2), with the names of the specification. Settings
/// and documents become this, and are [checked](Self::check) by one set of rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientMetadata {
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) token_endpoint_auth_method: Option<String>,
    pub(crate) token_endpoint_auth_signing_alg: Option<String>,
    /// A JWK Set in JSON.
    pub(crate) jwks: Option<Arc<str>>,
    pub(crate) jwks_uri: Option<Arc<str>>,
    pub(crate) grant_types: Option<Vec<String>>,
    pub(crate) response_types: Option<Vec<String>>,
    pub(crate) client_name: Option<String>,
    pub(crate) scope: Option<Scopes>,
}

/// Metadata that passed the [check](ClientMetadata::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckedMetadata {
    pub(crate) name: String,
    pub(crate) client_type: ClientType,
    /// `None` if the metadata names no method, or the client is public.
    pub(crate) auth: Option<RegisteredAuth>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) grant_types: GrantTypes,
    /// The response types; empty for those of RFC 6749 that the grant types allow.
    pub(crate) response_types: Vec<ResponseType>,
    /// `None` if the metadata names none.
    pub(crate) scopes: Option<Scopes>,
}

/// The rule that a client's metadata breaks (RFC 7591, section 2). The author of the metadata is at
/// fault.
///
/// ```
/// # use quadrille::{Env, provider::{AuthorizationServer, NewClient, store::MemoryStore}};
/// use quadrille::provider::{ClientMetadataError, RegistrationError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
/// let refused = server.register(NewClient::public("App")).await.unwrap_err();
/// assert!(matches!(
///     refused,
///     RegistrationError::Metadata(ClientMetadataError::PublicClientForItself)
/// ));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientMetadataError {
    /// The `client_name` is missing, too long, or has characters that nobody sees.
    #[error(
        "a client needs a name of at most 100 characters, all of them visible, not signs alone"
    )]
    Name,
    /// The `client_name` has letters that pass for others.
    #[error("a word of the name has letters of several scripts, which pass for others")]
    Lookalike,
    /// The client may not authenticate by its `token_endpoint_auth_method`.
    #[error("the client may not authenticate by this token_endpoint_auth_method")]
    AuthMethod,
    /// The client signs assertions, and has neither `jwks` nor `jwks_uri`.
    #[error("a client that authenticates by private_key_jwt needs jwks or jwks_uri")]
    KeysMissing,
    /// The client has both `jwks` and `jwks_uri` (RFC 7591, section 2).
    #[error("a client has jwks or jwks_uri, not both")]
    KeysTwice,
    /// The client cannot authenticate as the metadata says.
    #[error(transparent)]
    Auth(#[from] RegisteredAuthError),
    /// A redirect URI is not accepted.
    #[error("{uri}: {reason}")]
    RedirectUri {
        /// The URI.
        uri: String,
        /// The rule that the URI breaks.
        reason: RedirectUriError,
    },
    /// There are too many redirect URIs.
    #[error("there are too many redirect URIs")]
    TooManyRedirectUris,
    /// The client has a grant type with redirects, and no redirect URI.
    #[error("a client with the grant type authorization_code or implicit needs a redirect URI")]
    NoRedirectUri,
    /// The client has no grant type.
    #[error("a client needs at least one grant type")]
    NoGrantType,
    /// A grant type is unknown, or not for such clients.
    #[error("the client may not have one of its grant types")]
    GrantType,
    /// The client has refresh tokens, and no grant type that gives one.
    #[error("refresh_token needs authorization_code or device_code, which give refresh tokens")]
    RefreshTokenAlone,
    /// The client is public, and cannot use client credentials (RFC 6749, section 4.4).
    #[error("a public client cannot have a token for itself")]
    PublicClientForItself,
    /// The client is public, and cannot exchange tokens (RFC 8693): it must authenticate.
    #[error("a public client cannot exchange tokens")]
    PublicClientExchanges,
    /// The response types do not fit the grant types: those with `code` are for
    /// `authorization_code`, and those with `token` or `id_token` for `implicit` (RFC 7591, section
    /// 2.1).
    #[error(
        "response types with code go with the grant type authorization_code, and those with token \
         or id_token with implicit"
    )]
    ResponseType,
    /// A scope is unknown to this server
    /// ([`AuthorizationServer::scope`](crate::provider::AuthorizationServer::scope)).
    #[error("this server knows no scope {0:?}")]
    UnknownScope(String),
}

impl ClientMetadata {
    /// Checks the metadata. All clients have the same rules for syntax, contradictions and safety;
    /// the policy decides how much a client may have.
    pub(crate) fn check(
        &self,
        policy: &MetadataPolicy<'_>,
    ) -> Result<CheckedMetadata, ClientMetadataError> {
        let name = match (self.client_name.as_deref().map(str::trim), policy.default_name) {
            (Some(name), _) if is_shown(name) => name.to_owned(),
            (None, Some(name)) => name.to_owned(),
            _ => return Err(ClientMetadataError::Name),
        };
        if policy.rejects_lookalikes && is_lookalike(&name) {
            return Err(ClientMetadataError::Lookalike);
        }
        let (client_type, auth) = self.auth(policy)?;
        let redirect_uris = self.redirect_uris(policy)?;
        let grant_types = self.grant_types(policy)?;
        let has_code = grant_types.contains(&GrantType::AuthorizationCode);
        let has_redirect = has_code || grant_types.contains(&GrantType::Implicit);
        if has_redirect && redirect_uris.is_empty() && !policy.has_redirect_patterns {
            return Err(ClientMetadataError::NoRedirectUri);
        }
        // A client gets none for itself (RFC 6749, section 4.4.3).
        let has_user = has_code
            || grant_types.contains(&GrantType::DeviceCode)
            || grant_types.contains(&GrantType::Password);
        if grant_types.contains(&GrantType::RefreshToken) && !has_user {
            return Err(ClientMetadataError::RefreshTokenAlone);
        }
        if client_type == ClientType::Public && grant_types.contains(&GrantType::ClientCredentials)
        {
            return Err(ClientMetadataError::PublicClientForItself);
        }
        if client_type == ClientType::Public && grant_types.contains(&GrantType::TokenExchange) {
            return Err(ClientMetadataError::PublicClientExchanges);
        }
        let response_types = self.response_types(&grant_types, policy)?;
        let unknown = |scopes: &Scopes| {
            scopes.iter().find(|name| !policy.may_ask_for(name)).map(ToOwned::to_owned)
        };
        match self.scope.as_ref().and_then(unknown) {
            Some(name) => Err(ClientMetadataError::UnknownScope(name)),
            None => {
                let scopes = self.scope.clone();
                Ok(CheckedMetadata {
                    name,
                    client_type,
                    auth,
                    redirect_uris,
                    grant_types,
                    response_types,
                    scopes,
                })
            }
        }
    }

    /// The response types. Where the metadata names some, they and the grant types need each other
    /// (RFC 7591, section 2.1).
    fn response_types(
        &self,
        grant_types: &GrantTypes,
        policy: &MetadataPolicy<'_>,
    ) -> Result<Vec<ResponseType>, ClientMetadataError> {
        let Some(names) = &self.response_types else { return Ok(Vec::new()) };
        let of_client = |it: &ResponseType| {
            policy.response_types.contains(it)
                && needed_for(*it).all(|grant| grant_types.contains(&grant))
        };
        let usable: Vec<_> =
            names.iter().map(|name| ResponseType::parse(name).filter(of_client)).collect();
        let is_needed = |grant: &GrantType| {
            usable.iter().flatten().any(|it| needed_for(*it).any(|needed| needed == *grant))
        };
        let redirecting = [GrantType::AuthorizationCode, GrantType::Implicit];
        let mut redirecting = redirecting.iter().filter(|grant| grant_types.contains(grant));
        if !redirecting.all(is_needed) || policy.rejects_others && usable.contains(&None) {
            return Err(ClientMetadataError::ResponseType);
        }
        let is_named = |it: &ResponseType| usable.contains(&Some(*it));
        let named: Vec<_> = ResponseType::ALL.into_iter().filter(is_named).collect();
        let is_usual = |it: &ResponseType| is_used(*it, grant_types, &[]) == named.contains(it);
        Ok(if ResponseType::ALL.iter().all(is_usual) { Vec::new() } else { named })
    }

    /// The type of the client, by its authentication method (RFC 6749, section 2.1), and the method
    /// if the metadata names one.
    fn auth(
        &self,
        policy: &MetadataPolicy<'_>,
    ) -> Result<(ClientType, Option<RegisteredAuth>), ClientMetadataError> {
        let method = match &self.token_endpoint_auth_method {
            None if policy.default_auth_method == AuthMethod::None => AuthMethod::None,
            None => return Ok((ClientType::Confidential, None)),
            Some(name) => {
                let mut methods = policy.auth_methods.iter();
                *methods
                    .find(|known| known.as_str() == name)
                    .ok_or(ClientMetadataError::AuthMethod)?
            }
        };
        let auth = match method {
            AuthMethod::None => return Ok((ClientType::Public, None)),
            AuthMethod::ClientSecretBasic => RegisteredAuth::ClientSecretBasic,
            AuthMethod::ClientSecretPost => RegisteredAuth::ClientSecretPost,
            AuthMethod::ClientSecretJwt => RegisteredAuth::ClientSecretJwt { alg: self.alg()? },
            AuthMethod::PrivateKeyJwt => {
                RegisteredAuth::PrivateKeyJwt { alg: self.alg()?, keys: self.keys()? }
            }
        };
        auth.check()?;
        Ok((ClientType::Confidential, Some(auth)))
    }

    fn alg(&self) -> Result<Option<Algorithm>, ClientMetadataError> {
        let name = self.token_endpoint_auth_signing_alg.as_deref();
        let parse = |name| Algorithm::parse(name).ok_or(RegisteredAuthError::SigningAlgorithm);
        Ok(name.map(parse).transpose()?)
    }

    fn keys(&self) -> Result<ClientKeys, ClientMetadataError> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(_), Some(_)) => Err(ClientMetadataError::KeysTwice),
            (Some(jwks), None) => Ok(ClientKeys::Jwks(jwks.clone())),
            (None, Some(uri)) => Ok(ClientKeys::JwksUri(uri.clone())),
            (None, None) => Err(ClientMetadataError::KeysMissing),
        }
    }

    fn redirect_uris(
        &self,
        policy: &MetadataPolicy<'_>,
    ) -> Result<Vec<RedirectUri>, ClientMetadataError> {
        if self.redirect_uris.len() > policy.most_redirect_uris {
            return Err(ClientMetadataError::TooManyRedirectUris);
        }
        let uris = self.redirect_uris.iter();
        if policy.leaves_out_redirect_uris {
            let is_owned = |uri: &RedirectUri| {
                !policy.schemes_need_a_dot || !uri.can_be_claimed_by_other_programs()
            };
            return Ok(uris.filter_map(|uri| redirect_uri::usable(uri)).filter(is_owned).collect());
        }
        let refused =
            |uri: &String, reason| ClientMetadataError::RedirectUri { uri: uri.clone(), reason };
        uris.map(|uri| {
            let parsed = RedirectUri::parse(uri).map_err(|reason| refused(uri, reason))?;
            match policy.schemes_need_a_dot && parsed.can_be_claimed_by_other_programs() {
                true => Err(refused(uri, RedirectUriError::Scheme)),
                false => Ok(parsed),
            }
        })
        .collect()
    }

    /// The grant types that the policy allows, without others (RFC 7591, section 3.2.1); the default is authorization codes (RFC 7591,
    /// section 2).
    fn grant_types(&self, policy: &MetadataPolicy<'_>) -> Result<GrantTypes, ClientMetadataError> {
        let Some(names) = &self.grant_types else {
            return Ok([GrantType::AuthorizationCode].into());
        };
        let parsed = names.iter().map(|name| name.parse());
        let named: Vec<Option<GrantType>> = parsed.map(Result::ok).collect();
        let is_allowed = |grant: &GrantType| policy.has_grant(grant);
        let is_left_out = !named.iter().all(|it| it.as_ref().is_some_and(is_allowed));
        let granted: GrantTypes = named.into_iter().flatten().filter(is_allowed).collect();
        // The author of the metadata learns that it is for what was left out.
        let is_useless = granted.iter().all(|grant| *grant == GrantType::RefreshToken);
        if policy.rejects_others && is_left_out && is_useless {
            return Err(ClientMetadataError::GrantType);
        }
        match granted.is_empty() && !policy.allows_no_grant_type {
            true => Err(ClientMetadataError::NoGrantType),
            false => Ok(granted),
        }
    }
}

impl CheckedMetadata {
    /// `true` if the client uses this response type.
    pub(super) fn uses(&self, response_type: ResponseType) -> bool {
        is_used(response_type, &self.grant_types, &self.response_types)
    }

    /// The client, which has no more than the metadata says.
    pub(crate) fn client(
        &self,
        id: Arc<str>,
        number: RowId,
        scopes: Scopes,
        created: Timestamp,
    ) -> Client {
        Client {
            auth: self.auth.clone(),
            redirect_uris: self.redirect_uris.clone(),
            scopes,
            grant_types: self.grant_types.clone(),
            openid: ClientOpenId {
                response_types: self.response_types.clone(),
                ..ClientOpenId::default()
            },
            ..Client::bare(id, number, self.name.clone(), self.client_type, created)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{option, prelude::*, sample::subsequence};

    const URIS: [&str; 6] = [
        "https://app.example/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
        "http://app.example/cb",
        "javascript:alert(1)",
        "",
    ];
    const GRANTS: [&str; 6] = [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "x",
    ];
    const METHODS: [&str; 5] = [
        "none",
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
    ];

    fn names(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
        subsequence(of, 0..=of.len())
            .prop_map(|names| names.into_iter().map(ToOwned::to_owned).collect())
    }

    prop_compose! {
        /// Values that mean something, in any combination.
        fn metadata()(
            redirect_uris in names(&URIS),
            method in option::of(proptest::sample::select(&METHODS[..])),
            grant_types in option::of(names(&GRANTS)),
            response_types in option::of(names(&["code", "token"])),
            client_name in option::of("[a-z\u{202e} ]{0,4}"),
            scope in option::of(names(&["a", "b"])),
        ) -> ClientMetadata {
            let scope = scope.map(|names| Scopes::of(names.iter().map(String::as_str)));
            let token_endpoint_auth_method = method.map(ToOwned::to_owned);
            ClientMetadata {
                redirect_uris, token_endpoint_auth_method, grant_types, response_types, client_name,
                scope, ..ClientMetadata::default()
            }
        }
    }

    proptest! {
        #[test]
        fn a_client_gets_nothing_that_it_does_not_name_and_its_policy_does_not_allow(
            metadata in metadata(), allows_no_grant_type: bool, is_document: bool,
        ) {
            let known = Scopes::of(["a"]);
            let policy = match is_document {
                true => MetadataPolicy::document("app.example"),
                false => MetadataPolicy::settings(&known, allows_no_grant_type),
            };
            let Ok(client) = metadata.check(&policy) else { return Ok(()) };
            prop_assert!(is_shown(&client.name));
            let given = |uri: &RedirectUri| metadata.redirect_uris.contains(&uri.to_string());
            prop_assert!(client.redirect_uris.iter().all(given));
            let names = metadata.grant_types.unwrap_or_else(|| vec!["authorization_code".into()]);
            for grant in &client.grant_types {
                prop_assert!(names.iter().any(|name| name == grant.as_str()));
                prop_assert!(policy.has_grant(grant));
            }
            let has = |grant| client.grant_types.contains(&grant);
            let redirecting =
                [(GrantType::AuthorizationCode, "code"), (GrantType::Implicit, "token")];
            for (grant, response) in redirecting {
                prop_assert!(!has(grant.clone()) || !client.redirect_uris.is_empty());
                let named = metadata.response_types.as_ref();
                let is_named = named.is_none_or(|names| names.iter().any(|name| name == response));
                prop_assert!(!has(grant) || is_named);
            }
            let has_user = has(GrantType::AuthorizationCode)
                || has(GrantType::DeviceCode)
                || has(GrantType::Password);
            prop_assert!(!has(GrantType::RefreshToken) || has_user);
            let is_public = client.client_type == ClientType::Public;
            prop_assert!(!is_public || !has(GrantType::ClientCredentials));
            prop_assert!(allows_no_grant_type || !client.grant_types.is_empty());
            if is_document {
                prop_assert!(is_public && has(GrantType::AuthorizationCode));
            } else {
                prop_assert_eq!(client.redirect_uris.len(), metadata.redirect_uris.len());
                prop_assert!(client.scopes.is_none_or(|scopes| known.is_superset(&scopes)));
            }
        }

        #[test]
        fn what_a_document_may_be_settings_may_be_too(metadata in metadata()) {
            let known = Scopes::of(["a", "b"]);
            let as_document = metadata.check(&MetadataPolicy::document("app.example"));
            let Ok(document) = as_document else { return Ok(()) };
            let metadata = ClientMetadata {
                redirect_uris: document.redirect_uris.iter().map(ToString::to_string).collect(),
                token_endpoint_auth_method: Some("none".to_owned()),
                grant_types: Some(
                    document.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect(),
                ),
                client_name: Some(document.name.clone()),
                ..metadata
            };
            let as_settings = metadata.check(&MetadataPolicy::settings(&known, false));
            prop_assert_eq!(as_settings, Ok(document));
        }
    }
}
