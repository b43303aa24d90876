//! Errors of a signed request and their problem codes.

use http::StatusCode;

use crate::form::FormError;

/// The reason why a signed request is malformed. Contains no part of the request.
///
/// ```
/// use quadrille::oauth1::{Problem, RequestError};
///
/// assert_eq!(RequestError::Version.problem(), Problem::VersionRejected);
/// assert_eq!(RequestError::Missing("oauth_nonce").problem(), Problem::ParameterAbsent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The `Authorization` header violates RFC 5849, section 3.5.1.
    #[error("the Authorization header is malformed")]
    HeaderMalformed,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("a parameter holds a percent sign without two hexadecimal digits after it")]
    BrokenPercent,
    /// A decoded parameter is not UTF-8.
    #[error("the parameters are not UTF-8")]
    NotUtf8,
    /// A parameter contains NUL.
    #[error("a parameter holds a NUL")]
    Nul,
    /// The parameters are too long.
    #[error("the parameters are too long")]
    TooLong,
    /// There are too many parameters.
    #[error("there are too many parameters")]
    TooMany,
    /// Protocol parameters appear in more than one of header, query and body (RFC 5849, section
    /// 3.5).
    #[error("protocol parameters are in more than one place")]
    SeveralPlaces,
    /// A protocol parameter is repeated (RFC 5849, section 3.1).
    #[error("the parameter {0} is repeated")]
    Duplicate(&'static str),
    /// A protocol parameter is missing or empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// The signature method is unknown.
    #[error("the signature method is not known")]
    UnknownMethod,
    /// `oauth_version` is not `1.0`.
    #[error("the version is not 1.0")]
    Version,
    /// `oauth_timestamp` is not a number of seconds.
    #[error("the timestamp is not a number of seconds")]
    Timestamp,
    /// The signature is not base64.
    #[error("the signature is not base64")]
    SignatureMalformed,
    /// By its `Content-Type`, some readers take the body for a form and others do not, so it is
    /// unclear whether the signature covers it.
    #[error("the Content-Type of the body can be read in several ways")]
    BodyAmbiguous,
    /// The body has no `Content-Type`, so some readers take it for a form, and no hash of it is
    /// signed.
    #[error("the body has neither a Content-Type nor a hash that was signed")]
    BodyUndeclared,
    /// `oauth_body_hash` is present although the body is a form, which the signature covers itself
    /// (OAuth Request Body Hash, section 3.2).
    #[error("a request with a form has a body hash")]
    BodyHashOfForm,
    /// `oauth_body_hash` is not the hash of the body.
    #[error("the body is not the one that was signed")]
    BodyHashWrong,
}

impl RequestError {
    /// The problem to report to the client.
    pub const fn problem(self) -> Problem {
        match self {
            Self::Missing(_) => Problem::ParameterAbsent,
            Self::UnknownMethod => Problem::SignatureMethodRejected,
            Self::Version => Problem::VersionRejected,
            Self::Timestamp => Problem::TimestampRefused,
            Self::SignatureMalformed | Self::BodyHashWrong => Problem::SignatureInvalid,
            Self::HeaderMalformed
            | Self::BrokenPercent
            | Self::NotUtf8
            | Self::Nul
            | Self::TooLong
            | Self::TooMany
            | Self::SeveralPlaces
            | Self::Duplicate(_)
            | Self::BodyAmbiguous
            | Self::BodyUndeclared
            | Self::BodyHashOfForm => Problem::ParameterRejected,
        }
    }

    /// The parameter that is missing or wrong, if the fault is one parameter's.
    pub const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::Missing(name) | Self::Duplicate(name) => Some(name),
            _ => None,
        }
    }
}

impl From<FormError> for RequestError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::NotUtf8 => Self::NotUtf8,
            FormError::BrokenPercent => Self::BrokenPercent,
            FormError::Nul => Self::Nul,
            FormError::TooLong | FormError::ValueTooLong => Self::TooLong,
            FormError::TooMany => Self::TooMany,
            FormError::Duplicate(name) => Self::Duplicate(name),
            FormError::ContentType | FormError::ContentEncoding => Self::HeaderMalformed,
        }
    }
}

/// A problem code of the OAuth Problem Reporting extension, which clients understand although no
/// RFC defines it.
///
/// ```
/// use quadrille::oauth1::Problem;
///
/// assert_eq!(Problem::parse("nonce_used"), Some(Problem::NonceUsed));
/// assert_eq!(Problem::NonceUsed.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// A required parameter is missing.
    ParameterAbsent,
    /// A parameter is malformed, repeated or in the wrong place.
    ParameterRejected,
    /// The signature method is unknown or not accepted.
    SignatureMethodRejected,
    /// Only version 1.0 is supported.
    VersionRejected,
    /// The timestamp is not a number, too old, or in the future.
    TimestampRefused,
    /// The nonce was used before.
    NonceUsed,
    /// The signature is wrong.
    SignatureInvalid,
    /// The client is unknown.
    ConsumerKeyUnknown,
    /// The client may not do this.
    ConsumerKeyRefused,
    /// The token is unknown or not valid for this request.
    TokenRejected,
    /// The temporary credential was redeemed already.
    TokenUsed,
    /// The temporary credential has expired.
    TokenExpired,
    /// The token was revoked.
    TokenRevoked,
    /// The verifier is wrong, or the temporary credential has none yet.
    VerifierInvalid,
    /// The user has not decided yet.
    PermissionUnknown,
    /// The user or the server does not permit the request.
    PermissionDenied,
    /// The user refused.
    UserRefused,
    /// Too many requests failed; the client must wait.
    ConsumerKeyRateExceeded,
}

impl Problem {
    const ALL: [Self; 18] = [
        Self::ParameterAbsent,
        Self::ParameterRejected,
        Self::SignatureMethodRejected,
        Self::VersionRejected,
        Self::TimestampRefused,
        Self::NonceUsed,
        Self::SignatureInvalid,
        Self::ConsumerKeyUnknown,
        Self::ConsumerKeyRefused,
        Self::TokenRejected,
        Self::TokenUsed,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::VerifierInvalid,
        Self::PermissionUnknown,
        Self::PermissionDenied,
        Self::UserRefused,
        Self::ConsumerKeyRateExceeded,
    ];

    /// The value of `oauth_problem`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParameterAbsent => "parameter_absent",
            Self::ParameterRejected => "parameter_rejected",
            Self::SignatureMethodRejected => "signature_method_rejected",
            Self::VersionRejected => "version_rejected",
            Self::TimestampRefused => "timestamp_refused",
            Self::NonceUsed => "nonce_used",
            Self::SignatureInvalid => "signature_invalid",
            Self::ConsumerKeyUnknown => "consumer_key_unknown",
            Self::ConsumerKeyRefused => "consumer_key_refused",
            Self::TokenRejected => "token_rejected",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::VerifierInvalid => "verifier_invalid",
            Self::PermissionUnknown => "permission_unknown",
            Self::PermissionDenied => "permission_denied",
            Self::UserRefused => "user_refused",
            Self::ConsumerKeyRateExceeded => "consumer_key_rate_exceeded",
        }
    }

    /// The problem with this code.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == word)
    }

    /// The status of the response (RFC 5849, section 3.2): 400 for a malformed or unsupported
    /// request, 401 for invalid credentials.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ParameterAbsent
            | Self::ParameterRejected
            | Self::SignatureMethodRejected
            | Self::VersionRejected => StatusCode::BAD_REQUEST,
            Self::ConsumerKeyRateExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::PermissionDenied | Self::UserRefused => StatusCode::FORBIDDEN,
            Self::TimestampRefused
            | Self::NonceUsed
            | Self::SignatureInvalid
            | Self::ConsumerKeyUnknown
            | Self::ConsumerKeyRefused
            | Self::TokenRejected
            | Self::TokenUsed
            | Self::TokenExpired
            | Self::TokenRevoked
            | Self::VerifierInvalid
            | Self::PermissionUnknown => StatusCode::UNAUTHORIZED,
        }
    }
}
