//! The policy of client metadata: which client may have what, by the party that vouches for it.

use crate::{Scopes, oauth2::AuthMethod};

use super::record::GrantType;

/// How many redirect URIs a document may name.
pub(super) const REDIRECT_URIS_OF_A_DOCUMENT: usize = 32;

/// The policy for the metadata of clients from one source.
pub(crate) struct MetadataPolicy<'a> {
    /// The name of a client that has none; if this is `None`, a name is required.
    pub(super) default_name: Option<&'a str>,
    pub(super) default_auth_method: AuthMethod,
    pub(super) auth_methods: &'static [AuthMethod],
    /// The grant types that a client can have. Others that it names are left out.
    pub(super) grant_types: &'static [GrantType],
    /// Whether a client needs no grant type, since it has another use.
    pub(super) allows_no_grant_type: bool,
    /// Whether redirect URIs that may not be used are left out, instead of refused.
    pub(super) leaves_out_redirect_uris: bool,
    pub(super) most_redirect_uris: Option<usize>,
    /// The scopes that a client may name; `None` if those beyond a ceiling are left out.
    scopes: Option<&'a Scopes>,
}

impl<'a> MetadataPolicy<'a> {
    /// The policy for settings: the operator vouches for the client, and is told what is wrong.
    pub(crate) const fn settings(scopes: &'a Scopes, allows_no_grant_type: bool) -> Self {
        Self {
            default_name: None,
            default_auth_method: AuthMethod::ClientSecretBasic,
            auth_methods: &[
                AuthMethod::ClientSecretBasic,
                AuthMethod::ClientSecretPost,
                AuthMethod::None,
            ],
            grant_types: &[
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ],
            allows_no_grant_type,
            leaves_out_redirect_uris: false,
            most_redirect_uris: None,
            scopes: Some(scopes),
        }
    }

    /// The policy for a document at this host, which anybody can write: the client is public, uses
    /// codes and so PKCE, and has the scopes that a ceiling leaves it. It was written for other
    /// servers, too: what cannot be used here costs it nothing else.
    pub(crate) const fn document(host: &'a str) -> Self {
        Self {
            default_name: Some(host),
            // The default of RFC 7591 is a secret, of which there can be none here.
            default_auth_method: AuthMethod::None,
            auth_methods: &[AuthMethod::None],
            grant_types: &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            allows_no_grant_type: false,
            leaves_out_redirect_uris: true,
            most_redirect_uris: Some(REDIRECT_URIS_OF_A_DOCUMENT),
            scopes: None,
        }
    }

    pub(super) fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.is_none_or(|known| known.contains(scope))
    }
}
