//! The reasons why a grant that the application, or another issuer, decides on gives no token.

use std::time::Duration;

use http::StatusCode;

use crate::{
    jose::{ClaimsError, TokenError},
    oauth2::ErrorCode,
    provider::reason::Disclosure,
};

/// The reason why a JWT of another issuer is not accepted (RFC 7523, section 3).
///
/// ```
/// use quadrille::provider::AssertionError;
///
/// assert_eq!(AssertionError::Replayed.to_string(), "the assertion was used before");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// The text is not a JWT that a key of its issuer has signed.
    #[error("the assertion: {0}")]
    Token(#[from] TokenError),
    /// The claims cannot be read.
    #[error("the assertion: {0}")]
    Claims(#[from] ClaimsError),
    /// The issuer is not trusted.
    #[error("the issuer of the assertion is not trusted")]
    UnknownIssuer,
    /// The keys of the issuer cannot be fetched. The same request may succeed later.
    #[error("the keys of the assertion's issuer cannot be fetched")]
    KeysUnknown,
    /// The issuer has signed the claims, but they are not valid here and now.
    #[error("the assertion: {0}")]
    Invalid(ClaimsError),
    /// The assertion was used before: its `jti` is known.
    #[error("the assertion was used before")]
    Replayed,
    /// The assertion may be from before the store lost what it knew of used ones, as a database does
    /// that is restored from a backup, or that is swept by a clock far ahead.
    #[error("the assertion may be from before the store was restored")]
    BeforeRestore,
    /// The assertion is bound to a key (`cnf`, RFC 7800, section 3.1), which its presenter would
    /// have to prove. A token for it would need no proof.
    #[error("the assertion is bound to a key, and no proof of the key is accepted here")]
    Bound,
    /// The `scope` claim (RFC 8693, section 4.2) is no list of scopes.
    #[error("the scope claim of the assertion is no list of scopes")]
    Scope,
}

impl AssertionError {
    /// The code on the wire for an assertion as a grant.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Token(error) => Disclosure::code(ErrorCode::InvalidGrant)
                .blame_claim(&["assertion"], error.member()),
            Self::Claims(error) => {
                Disclosure::code(ErrorCode::InvalidGrant).blame_claim(&["assertion"], error.claim())
            }
            Self::UnknownIssuer => {
                Disclosure::code(ErrorCode::InvalidGrant).blame_claim(&["assertion"], Some("iss"))
            }
            // The assertion may be good: a client that is refused would discard it.
            Self::KeysUnknown => Disclosure::words(ErrorCode::TemporarilyUnavailable)
                .status(StatusCode::SERVICE_UNAVAILABLE),
            // Only the issuer can have written the claims.
            Self::Invalid(error) => Disclosure::words(ErrorCode::InvalidGrant)
                .blame_claim(&["assertion"], error.claim()),
            Self::Scope => Disclosure::words(ErrorCode::InvalidGrant)
                .blame_claim(&["assertion"], Some("scope")),
            Self::Replayed | Self::BeforeRestore | Self::Bound => {
                Disclosure::words(ErrorCode::InvalidGrant)
            }
        }
    }
}

/// The reason why a client gets no token for what the application, or another issuer, says (RFC
/// 6749, section 4.5; RFC 7523, section 2.1).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::DirectError};
///
/// assert_eq!(DirectError::ScopeNotAllowed.code(), ErrorCode::InvalidScope);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectError {
    /// The server does not offer the grant.
    #[error("the grant is not offered")]
    NotOffered,
    /// The client is public, and cannot act for itself.
    #[error("a public client cannot have a token for itself")]
    PublicClient,
    /// The client may not request one of the scopes.
    #[error("the client may not request this scope")]
    ScopeNotAllowed,
    /// Of the requested scopes none is granted. A token without scopes would look as if all were: an
    /// answer cannot say so (RFC 6749, section 5.1).
    #[error("none of the requested scopes is granted")]
    ScopeNotGranted,
    /// The requested resource is unknown to this server (RFC 8707, section 2).
    #[error("the resource is unknown here")]
    ResourceUnknown,
    /// The application does not grant the requested resource (RFC 8707, section 2.2).
    #[error("the resource was not granted")]
    ResourceNotGranted,
}

impl DirectError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::NotOffered => Disclosure::words(ErrorCode::UnsupportedGrantType),
            Self::PublicClient => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame(&["grant_type"])
            }
            Self::ScopeNotAllowed | Self::ScopeNotGranted => {
                Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"])
            }
            Self::ResourceUnknown | Self::ResourceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource"])
            }
        }
    }
}

/// The reason why a client gets no token for a user's password (RFC 6749, section 4.3.2).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::PasswordError};
///
/// assert_eq!(PasswordError::Wrong.code(), ErrorCode::InvalidGrant);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// There is no such user, or the password is wrong.
    #[error("the user name or the password is wrong")]
    Wrong,
    /// The password was not checked, as there were too many attempts; try again after this time.
    #[error("too many attempts at this user name or from this network")]
    TooMany(Duration),
    /// The password was not checked, as too many others wait; try again after this time.
    #[error("too many users sign in at once")]
    Busy(Duration),
}

impl PasswordError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    /// The time after which to try again.
    pub(crate) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Wrong => None,
            Self::TooMany(wait) | Self::Busy(wait) => Some(*wait),
        }
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::Wrong => Disclosure::words(ErrorCode::InvalidGrant),
            Self::TooMany(_) => Disclosure::words(ErrorCode::TemporarilyUnavailable)
                .status(StatusCode::TOO_MANY_REQUESTS),
            Self::Busy(_) => Disclosure::words(ErrorCode::TemporarilyUnavailable)
                .status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// The reason why a token is not exchanged (RFC 8693, section 2.2.2).
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::ExchangeError};
///
/// assert_eq!(ExchangeError::SubjectUnknown.code(), ErrorCode::InvalidRequest);
/// assert_eq!(ExchangeError::AudienceNotGranted.code(), ErrorCode::InvalidTarget);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The server does not offer token exchange.
    #[error("token exchange is not offered")]
    NotOffered,
    /// The client is public: anybody could exchange in its name.
    #[error("a public client cannot exchange tokens")]
    PublicClient,
    /// The type of a token is not supported.
    #[error("the type of the subject or actor token is not supported")]
    TokenType,
    /// The requested type of token is not issued.
    #[error("only access tokens are issued by exchange")]
    RequestedType,
    /// The subject token is not valid, or of another type than its `subject_token_type`.
    #[error("the subject token is not valid")]
    SubjectUnknown,
    /// The subject token has expired.
    #[error("the subject token has expired")]
    SubjectExpired,
    /// The subject token is a JWT that is not accepted.
    #[error("the subject token: {0}")]
    SubjectToken(AssertionError),
    /// The subject token is of another client that acts for itself.
    #[error("the subject token is of another client, which acts for itself")]
    SubjectIsClient,
    /// The subject token is bound to a key, which the client cannot prove to have.
    #[error("the subject token is bound to a key")]
    Bound,
    /// The application does not say which user a JWT of another issuer is about.
    #[error("the user of the subject token is not known")]
    UserUnknown,
    /// The actor token is not valid.
    #[error("the actor token is not valid")]
    ActorUnknown,
    /// The actor token was issued to another client, which sent it to this one perhaps.
    #[error("the actor token was issued to another client")]
    ActorOfAnotherClient,
    /// The actor token is a JWT that is not accepted.
    #[error("the actor token: {0}")]
    ActorToken(AssertionError),
    /// `act` or `may_act` of the subject token cannot be read.
    #[error("act or may_act of the subject token is malformed")]
    ActMalformed,
    /// The `scope` of the subject token cannot be read.
    #[error("the scope of the subject token is malformed")]
    ScopeMalformed,
    /// The subject token names another party that may act (section 4.4).
    #[error("the subject token names another party that may act")]
    MayNotAct,
    /// Too many exchanges, or acting parties, lie behind the token.
    #[error("too many exchanges lie behind the subject token")]
    ChainTooLong,
    /// The subject token does not have a requested scope, or the client may not request it; or no
    /// scope of the subject token is left. A token without scopes would look as if it had all.
    #[error("the subject token or the client does not have a requested scope")]
    ScopeNotGranted,
    /// A requested resource or audience is unknown to this server.
    #[error("a requested resource or audience is unknown here")]
    AudienceUnknown,
    /// The subject token is not for a requested resource or audience.
    #[error("the subject token is not for a requested resource or audience")]
    AudienceNotGranted,
}

impl ExchangeError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        match self {
            Self::NotOffered => Disclosure::words(ErrorCode::UnsupportedGrantType),
            Self::PublicClient => {
                Disclosure::words(ErrorCode::UnauthorizedClient).blame(&["grant_type"])
            }
            Self::TokenType => {
                Disclosure::words(ErrorCode::InvalidRequest).blame(&["subject_token_type"])
            }
            Self::RequestedType => {
                Disclosure::words(ErrorCode::InvalidRequest).blame(&["requested_token_type"])
            }
            Self::SubjectToken(error @ AssertionError::KeysUnknown)
            | Self::ActorToken(error @ AssertionError::KeysUnknown) => error.disclosed(),
            Self::SubjectToken(error) => of_token(error, &["subject_token"]),
            Self::ActorToken(error) => of_token(error, &["actor_token"]),
            // Its type may be wrong.
            Self::SubjectUnknown => {
                Disclosure::words(ErrorCode::InvalidRequest).blame(&["subject_token_type"])
            }
            Self::SubjectExpired
            | Self::SubjectIsClient
            | Self::Bound
            | Self::ActorUnknown
            | Self::ActorOfAnotherClient
            | Self::ActMalformed
            | Self::ScopeMalformed
            | Self::MayNotAct
            | Self::ChainTooLong => Disclosure::words(ErrorCode::InvalidRequest),
            Self::UserUnknown => Disclosure::words(ErrorCode::InvalidRequest)
                .blame_claim(&["subject_token"], Some("sub")),
            Self::ScopeNotGranted => Disclosure::words(ErrorCode::InvalidScope).blame(&["scope"]),
            Self::AudienceUnknown | Self::AudienceNotGranted => {
                Disclosure::words(ErrorCode::InvalidTarget).blame(&["resource", "audience"])
            }
        }
    }
}

/// The disclosure of an assertion's error, where the assertion is the token in `parameter`.
fn of_token(error: &AssertionError, parameter: &'static [&'static str]) -> Disclosure {
    let disclosed = error.disclosed();
    let claim = disclosed.blamed_claim;
    Disclosure { code: ErrorCode::InvalidRequest, ..disclosed }.blame_claim(parameter, claim)
}
