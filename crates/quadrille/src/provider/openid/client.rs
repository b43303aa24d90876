//! The OpenID Connect metadata of a client.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    jose::Algorithm,
    oauth2::ResponseType,
    provider::client::{
        redirect_uri::{self, RedirectUri},
        registered_auth::ClientKeys,
    },
};

use super::messages::{MessageEncryption, RequestObjectSigning};

/// The OpenID Connect metadata of a client (OpenID Connect Dynamic Client Registration, section 2).
///
/// ```
/// use quadrille::{jose::Algorithm, provider::ClientOpenId};
///
/// let mut openid = ClientOpenId::default();
/// openid.id_token_signed_response_alg = Some(Algorithm::Es256);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientOpenId {
    /// The only algorithm that signs the client's ID tokens. `None` for RS256 or, on a server
    /// without a key for it, for that of the server's first key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// The kind of the application, as it registered itself; `None` for a website.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// The response types that the client restricts itself to. Empty for those of RFC 6749 that its
    /// grant types allow: `code`, and `token` with [`GrantType::Implicit`].
    ///
    /// [`GrantType::Implicit`]: crate::provider::GrantType::Implicit
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<ResponseType>,
    /// The algorithm that signs the client's userinfo responses; `None` for plain JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// The public keys of a client that does not authenticate by them: they verify its request objects,
    /// and encrypt its ID tokens and userinfo responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<ClientKeys>,
    /// `true` if a request is refused that is not in a signed request object (RFC 9101, section 10.5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// The signature of the client's request objects; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectSigning>,
    /// The encryption that the client may use for its request objects, as it declares. It may use others
    /// that the server supports, and none (OpenID Connect Dynamic Client Registration, section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption: Option<MessageEncryption>,
    /// The https URLs at which the client's request objects may be, compared without fragments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<Arc<str>>,
    /// The encryption of the client's ID tokens; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response: Option<MessageEncryption>,
    /// The encryption of the client's userinfo responses; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response: Option<MessageEncryption>,
    /// The type of the subjects that the client gets (OpenID Connect Core, section 8).
    #[serde(default, skip_serializing_if = "SubjectType::is_public")]
    pub subject_type: SubjectType,
    /// The URL whose host is the sector of the client, within which a user has one pairwise subject;
    /// `None` for the only host of the redirect URIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<Arc<str>>,
    /// The longest time since the user's authentication, in seconds, for requests without `max_age`;
    /// `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// The authentication context classes of which a request without `acr_values`, and without a request
    /// for `acr` by name, wants one; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<Arc<str>>,
    /// `true` if the client needs `auth_time`, which every ID token here has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    /// The https address at which the client begins a login:
    /// [`initiate_login`](crate::provider::AuthorizationServer::initiate_login) (OpenID Connect Core,
    /// section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<Arc<str>>,
    /// The addresses to which a browser may be sent after a logout, compared exactly (OpenID Connect
    /// RP-Initiated Logout, section 3.1).
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "redirect_uri::stored"
    )]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The address that a frame shows after a logout, at the origin of a redirect URI (OpenID Connect
    /// Front-Channel Logout, section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<RedirectUri>,
    /// `true` if a frame is of no use without the session: it is left out then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// The address that gets a logout token (OpenID Connect Back-Channel Logout, section 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<RedirectUri>,
    /// `true` if a logout token is of no use without the session: none is sent then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
}

/// The type of the subjects that a client gets (OpenID Connect Core, section 8).
///
/// ```
/// use quadrille::provider::{ClientOpenId, SubjectType};
///
/// let mut openid = ClientOpenId::default();
/// openid.subject_type = SubjectType::Pairwise;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectType {
    /// The user's own subject, the same for all clients.
    #[default]
    Public,
    /// A subject for the client's sector alone, on a server with
    /// [`OpenId::pairwise_subjects`](crate::provider::OpenId::pairwise_subjects).
    Pairwise,
}

impl SubjectType {
    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }

    /// `true` for the subject that all clients share.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_public(&self) -> bool {
        *self == Self::Public
    }
}

/// The kind of an application (OpenID Connect Dynamic Client Registration, section 2).
///
/// ```
/// use quadrille::provider::ApplicationType;
///
/// assert_eq!(ApplicationType::parse("native"), Some(ApplicationType::Native));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// A website.
    Web,
    /// A program on the user's own machine or device.
    Native,
}

impl ApplicationType {
    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Web, Self::Native].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl ClientOpenId {
    /// `true` without metadata.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The algorithms for which the server needs keys.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        [self.id_token_signed_response_alg, self.userinfo_signed_response_alg].into_iter().flatten()
    }
}
