//! The policy for client metadata, by the party that vouches for the client.

use crate::{
    Scopes,
    oauth2::{AuthMethod, ResponseType},
};

use super::grant_type::GrantType;

/// The greatest number of redirect URIs of a client that nobody here vouches for.
pub(super) const MOST_REDIRECT_URIS: usize = 32;

/// The greatest number of redirect URIs, or of their patterns, of a client that the operator
/// registers or imports: each authorization request is compared with all of them.
pub(super) const MOST_REDIRECT_URIS_OF_SETTINGS: usize = 1000;

/// The authentication methods that this server knows.
const ALL_AUTH_METHODS: &[AuthMethod] = &[
    AuthMethod::ClientSecretBasic,
    AuthMethod::ClientSecretPost,
    AuthMethod::ClientSecretJwt,
    AuthMethod::PrivateKeyJwt,
    AuthMethod::None,
];

/// The policy for the metadata of clients from one source.
pub(crate) struct MetadataPolicy<'a> {
    /// The name of a client without one; `None` if a name is required.
    pub(super) default_name: Option<&'a str>,
    pub(super) default_auth_method: AuthMethod,
    pub(super) auth_methods: &'static [AuthMethod],
    /// The grant types that a client can have.
    pub(super) grant_types: &'a [GrantType],
    /// The response types that a client can have.
    pub(super) response_types: &'a [ResponseType],
    /// `true` if a client can have grant types of the application's own, too.
    pub(super) has_extensions: bool,
    /// `true` if other response types are rejected, and other grant types if no usable one is left;
    /// `false` if they are ignored.
    pub(super) rejects_others: bool,
    /// `true` if a name whose letters pass for others is rejected.
    pub(super) rejects_lookalikes: bool,
    /// `true` if a client needs no grant type, since it has another use.
    pub(super) allows_no_grant_type: bool,
    /// `true` if invalid redirect URIs are left out, `false` if they are rejected.
    pub(super) leaves_out_redirect_uris: bool,
    pub(super) most_redirect_uris: usize,
    /// `true` if private-use schemes must be reversed domain names (RFC 8252, section 7.1).
    pub(super) schemes_need_a_dot: bool,
    /// `true` if the client has patterns of redirect URIs, too.
    pub(super) has_redirect_patterns: bool,
    /// The scopes that a client may have; `None` if a ceiling is applied later.
    pub(super) scopes: Option<&'a Scopes>,
}

impl<'a> MetadataPolicy<'a> {
    /// The policy for settings: the operator vouches for the client, and learns of every mistake.
    pub(crate) const fn settings(scopes: &'a Scopes, allows_no_grant_type: bool) -> Self {
        Self {
            default_name: None,
            default_auth_method: AuthMethod::ClientSecretBasic,
            auth_methods: ALL_AUTH_METHODS,
            grant_types: &[
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
                GrantType::DeviceCode,
                GrantType::JwtBearer,
                GrantType::TokenExchange,
                GrantType::Implicit,
                GrantType::Password,
            ],
            response_types: &ResponseType::ALL,
            has_extensions: true,
            rejects_others: false,
            rejects_lookalikes: false,
            allows_no_grant_type,
            leaves_out_redirect_uris: false,
            most_redirect_uris: MOST_REDIRECT_URIS_OF_SETTINGS,
            schemes_need_a_dot: false,
            has_redirect_patterns: false,
            scopes: Some(scopes),
        }
    }

    /// The policy for a document at this host, which anyone can write: the client is public, uses
    /// codes with PKCE, and has scopes up to a ceiling. The document is written for other servers,
    /// too, so members without a use here are ignored.
    pub(crate) const fn document(host: &'a str) -> Self {
        Self {
            default_name: Some(host),
            // The default of RFC 7591 is a secret, which no such client can have.
            default_auth_method: AuthMethod::None,
            auth_methods: &[AuthMethod::None],
            grant_types: &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            response_types: &[ResponseType::Code],
            has_extensions: false,
            rejects_others: false,
            rejects_lookalikes: true,
            allows_no_grant_type: false,
            leaves_out_redirect_uris: true,
            most_redirect_uris: MOST_REDIRECT_URIS,
            schemes_need_a_dot: true,
            has_redirect_patterns: false,
            scopes: None,
        }
    }

    /// The policy for a client that registers itself (RFC 7591), whose developer reads the reason of
    /// a refusal: what it cannot have is rejected, except grant types beside those that it can have.
    /// `name` is that of a client without one.
    pub(crate) const fn registration(
        name: &'a str,
        grant_types: &'a [GrantType],
        response_types: &'a [ResponseType],
    ) -> Self {
        Self {
            default_name: Some(name),
            default_auth_method: AuthMethod::ClientSecretBasic,
            auth_methods: ALL_AUTH_METHODS,
            grant_types,
            response_types,
            has_extensions: false,
            rejects_others: true,
            rejects_lookalikes: true,
            allows_no_grant_type: false,
            leaves_out_redirect_uris: false,
            most_redirect_uris: MOST_REDIRECT_URIS,
            schemes_need_a_dot: true,
            has_redirect_patterns: false,
            scopes: None,
        }
    }

    /// `true` if a client can have this grant type.
    pub(super) fn has_grant(&self, grant: &GrantType) -> bool {
        let is_extension = matches!(grant, GrantType::Extension(_));
        (is_extension && self.has_extensions) || self.grant_types.contains(grant)
    }

    pub(super) fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.is_none_or(|known| known.contains(scope))
    }
}
