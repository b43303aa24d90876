//! The reasons why an ID token is rejected.

use crate::{
    jose::{ClaimsError, DecryptError, TokenError},
    oidc::IdTokenError,
};

/// The reason why an ID token is rejected, in the order of the checks: its form and signature, the
/// claims that every JWT has, and those that it must share with the request. Contains no part of
/// the token.
///
/// ```
/// use quadrille::{jose::TokenError, oidc::IdTokenRejected};
///
/// let error = IdTokenRejected::from(TokenError::Unsecured);
/// assert_eq!(error.to_string(), "the token is not signed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenRejected {
    /// The form, the algorithm, the key or the signature.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The encryption, where the provider is to encrypt.
    #[error(transparent)]
    Encrypted(#[from] DecryptError),
    /// The issuer, the audience, or the times.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// A claim of ID tokens is missing or malformed.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// The token is for others, too, which are not trusted (section 3.1.3.7, item 3).
    #[error("the ID token is for other audiences, too, which are not trusted")]
    AudienceNotTrusted,
    /// The token has several audiences and does not name the one to which it was issued (item 4).
    #[error("the ID token has several audiences and no azp")]
    AuthorizedPartyMissing,
    /// The token was issued to another client (item 5).
    #[error("the ID token was issued to another client")]
    AuthorizedPartyOther,
    /// The `nonce` is missing.
    #[error("the ID token has no nonce")]
    NonceMissing,
    /// The `nonce` is that of another request: the token, or the code, was stolen or exchanged.
    #[error("the nonce of the ID token is that of another request")]
    NonceOther,
    /// The token has a `nonce`, and the request had none.
    #[error("the ID token answers another request, which had a nonce")]
    NonceUnexpected,
    /// `at_hash` is not the hash of the access token, or is missing where it is required.
    #[error("the ID token is not that of the access token beside it")]
    AccessTokenHash,
    /// `c_hash` is not the hash of the code, or is missing.
    #[error("the ID token is not that of the code beside it")]
    CodeHash,
    /// `s_hash` is not the hash of the `state`.
    #[error("the ID token is not that of the state beside it")]
    StateHash,
    /// Issuer or subject is not that of the ID token beside the code (section 3.3.3.6).
    #[error("the ID token is about another user than that beside the code")]
    OtherUserThanBeside,
    /// The request had a `max_age`, and the token has no `auth_time`.
    #[error("the ID token does not say when the user authenticated")]
    AuthTimeMissing,
    /// `auth_time` is in the future.
    #[error("the user authenticated in the future")]
    AuthTimeInFuture,
    /// `auth_time` is before the `max_age` of the request.
    #[error("the user authenticated too long ago")]
    AuthTooLongAgo,
    /// The authentication context class is none of those requested.
    #[error("the user did not authenticate in a way that was requested")]
    Acr,
    /// In the token of a refresh, this claim differs from that of the login (section 12.2).
    #[error("in the ID token of a refresh, {0} is another one than in that of the login")]
    Changed(&'static str),
}
