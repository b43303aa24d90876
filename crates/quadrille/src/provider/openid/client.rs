//! The OpenID Connect metadata of a client.

use serde::{Deserialize, Serialize};

use crate::{jose::Algorithm, oauth2::ResponseType};

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
    /// The response types that the client restricts itself to. Empty for those of RFC 6749 that its
    /// grant types allow: `code`, and `token` with [`GrantType::Implicit`].
    ///
    /// [`GrantType::Implicit`]: crate::provider::GrantType::Implicit
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<ResponseType>,
    /// The algorithm that signs the client's userinfo responses; `None` for plain JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
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
