//! The reasons why a client has not authenticated (RFC 6749, section 2.3).

use std::time::Duration;

use http::StatusCode;

use crate::{
    jose::{ClaimsError, TokenError},
    oauth2::{ClientAuthError, ErrorCode},
    provider::reason::Disclosure,
};

/// The reason why a client has not authenticated (RFC 6749, section 2.3). The client does not
/// learn the reason, since a guesser would learn it, too.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::AuthenticateError};
///
/// assert_eq!(AuthenticateError::SecretWrong.code(), ErrorCode::InvalidClient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// The request does not identify the client, or its credentials are malformed.
    #[error(transparent)]
    Presented(#[from] ClientAuthError),
    /// The client is not registered.
    #[error("there is no such client")]
    UnknownClient,
    /// A confidential client did not authenticate.
    #[error("a confidential client did not authenticate")]
    SecretMissing,
    /// The secret is wrong.
    #[error("the client secret is wrong")]
    SecretWrong,
    /// The secret was right until it expired.
    #[error("the client secret has expired")]
    SecretExpired,
    /// The client is registered for another authentication method.
    #[error("the client is registered for another authentication method")]
    OtherMethod,
    /// The client assertion is not signed by the client (RFC 7523, section 3).
    #[error("the client assertion: {0}")]
    Assertion(TokenError),
    /// The client assertion is not valid here and now (RFC 7523, section 3).
    #[error("the client assertion: {0}")]
    AssertionClaims(ClaimsError),
    /// The client assertion was used before: its `jti` is known.
    #[error("the client assertion was used before")]
    AssertionReplayed,
    /// The client assertion may be from before the store lost what it knew of used ones, as a
    /// database does that is restored from a backup, or that is swept by a clock far ahead.
    #[error("the client assertion may be from before the store was restored")]
    AssertionBeforeRestore,
    /// The keys of the client cannot be fetched from its `jwks_uri`. The client may be right, and the
    /// same request may succeed later.
    #[error("the keys of the client cannot be fetched")]
    KeysUnknown,
    /// The document at the `jwks_uri` of the client is no set of keys.
    #[error("the document at the jwks_uri of the client is no set of keys")]
    KeysUnusable,
    /// A public client, which has no secret, sent one.
    #[error("a public client sent a secret")]
    SecretOfPublicClient,
    /// A public client, which cannot authenticate, requested an introspection (RFC 7662, section
    /// 4).
    #[error("a public client cannot introspect tokens")]
    PublicClientAsks,
    /// Authentication has failed too often; try again after this time.
    #[error("too many failed authentications")]
    Throttled(Duration),
}

impl AuthenticateError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let silent = Disclosure::code(ErrorCode::InvalidClient);
        match self {
            Self::Presented(error @ ClientAuthError::AssertionClaims(claims)) => {
                let claim = claims.claim();
                Disclosure::words(error.code()).blame_claim(&["client_assertion"], claim)
            }
            Self::Presented(error @ ClientAuthError::MalformedAssertion(token)) => {
                Disclosure::words(error.code()).blame_claim(&["client_assertion"], token.member())
            }
            Self::Presented(error @ ClientAuthError::UnsupportedAssertion) => {
                Disclosure::words(error.code()).blame(&["client_assertion_type"])
            }
            Self::Presented(error) => Disclosure::words(error.code()),
            Self::UnknownClient => silent.blame(&["client_id"]),
            Self::SecretMissing
            | Self::SecretWrong
            | Self::SecretExpired
            | Self::SecretOfPublicClient
            | Self::OtherMethod
            | Self::KeysUnusable
            | Self::PublicClientAsks => silent,
            // Not one of its mistakes: a client that is refused would take its key for wrong.
            Self::KeysUnknown => Disclosure::words(ErrorCode::TemporarilyUnavailable),
            Self::Assertion(error) => silent.blame_claim(&["client_assertion"], error.member()),
            // The client has proved its identity.
            Self::AssertionClaims(error) => Disclosure::words(ErrorCode::InvalidClient)
                .blame_claim(&["client_assertion"], error.claim()),
            Self::AssertionReplayed | Self::AssertionBeforeRestore => {
                Disclosure::words(ErrorCode::InvalidClient)
            }
            Self::Throttled(_) => silent.status(StatusCode::TOO_MANY_REQUESTS),
        }
    }
}
