//! The hybrid flow, as a service may be asked for it.

use crate::oauth2::ResponseType;

/// A response type of the hybrid flow (OpenID Connect Core, section 3.3): the response that the browser
/// brings has tokens beside the code. It arrives by POST, since a server never sees the fragment of a
/// URL, and a query is logged.
///
/// ```
/// use quadrille::{SpecBuf, consumer::Hybrid, oauth2::ResponseType};
///
/// let spec = SpecBuf::oidc("acme", "https://id.acme.example").hybrid(Hybrid::CodeIdToken);
/// assert_eq!(Hybrid::CodeIdToken.response_type(), ResponseType::CodeIdToken);
/// # let _ = spec;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hybrid {
    /// `code id_token`: the ID token, which has the hash of the code, is verified before the code is
    /// redeemed.
    CodeIdToken,
    /// `code id_token token`.
    CodeIdTokenToken,
    /// `code token`: nothing binds the code to the rest of the response.
    CodeToken,
}

impl Hybrid {
    /// The response type.
    pub const fn response_type(self) -> ResponseType {
        match self {
            Self::CodeIdToken => ResponseType::CodeIdToken,
            Self::CodeIdTokenToken => ResponseType::CodeIdTokenToken,
            Self::CodeToken => ResponseType::CodeToken,
        }
    }
}
