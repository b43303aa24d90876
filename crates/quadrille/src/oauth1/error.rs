//! What can be wrong with a signed request, and how it is said.

use http::StatusCode;

use crate::form::FormError;

/// Why a request cannot be read as a signed one. None of it says anything that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The `Authorization` header is not in the form of RFC 5849, section 3.5.1.
    #[error("the Authorization header is malformed")]
    HeaderMalformed,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("a parameter holds a percent sign without two hexadecimal digits after it")]
    BrokenPercent,
    /// A parameter is not UTF-8 when it is decoded.
    #[error("the parameters are not UTF-8")]
    NotUtf8,
    /// There is a NUL.
    #[error("a parameter holds a NUL")]
    Nul,
    /// There is more than a request may carry.
    #[error("the parameters are too long")]
    TooLong,
    /// There are more parameters than a request may carry.
    #[error("there are too many parameters")]
    TooMany,
    /// Protocol parameters stand in more than one of header, query and body (RFC 5849, section 3.5).
    #[error("protocol parameters came in more than one place")]
    SeveralPlaces,
    /// A protocol parameter stands there twice (RFC 5849, section 3.1).
    #[error("the parameter {0} is repeated")]
    Duplicate(&'static str),
    /// A protocol parameter is missing, or has no value.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// The signature method is none that there is.
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
    /// Some readers take the body for a form and others do not, by its `Content-Type`, so that nobody
    /// can say whether the signature covers it.
    #[error("the Content-Type of the body can be read in several ways")]
    BodyAmbiguous,
    /// The body does not say what it is, so that some readers take it for a form, and no hash of it
    /// was signed.
    #[error("the body has neither a Content-Type nor a hash that was signed")]
    BodyUndeclared,
    /// `oauth_body_hash` came with a form, which the signature covers itself (OAuth Request Body
    /// Hash, section 3.2).
    #[error("a body hash came with a form")]
    BodyHashOfForm,
    /// `oauth_body_hash` is not the hash of the body.
    #[error("the body is not the one that was signed")]
    BodyHashWrong,
}

impl RequestError {
    /// The word for the client.
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

    /// The parameter that is missing or wrong, where it is one.
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
            FormError::ContentType => Self::HeaderMalformed,
        }
    }
}

/// What is wrong, in the words of the OAuth Problem Reporting extension, which clients understand
/// although no RFC has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// A required parameter is missing.
    ParameterAbsent,
    /// A parameter is malformed, repeated or in the wrong place.
    ParameterRejected,
    /// The signature method is not known, or not taken here.
    SignatureMethodRejected,
    /// Only version 1.0 is spoken.
    VersionRejected,
    /// The timestamp is no number, too old or from the future.
    TimestampRefused,
    /// The nonce was used before.
    NonceUsed,
    /// The signature is not right.
    SignatureInvalid,
    /// There is no such client.
    ConsumerKeyUnknown,
    /// The client may not do this.
    ConsumerKeyRefused,
    /// There is no such token, or it is none for this.
    TokenRejected,
    /// The temporary credential was redeemed before.
    TokenUsed,
    /// The temporary credential has expired.
    TokenExpired,
    /// The token was revoked.
    TokenRevoked,
    /// The verifier is wrong, or there is none yet.
    VerifierInvalid,
    /// The person has not decided yet.
    PermissionUnknown,
    /// The person, or the server, does not permit it.
    PermissionDenied,
    /// The person said no.
    UserRefused,
    /// Too many requests failed: later, please.
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

    /// As it stands in `oauth_problem`.
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

    /// The problem with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == word)
    }

    /// The status of the answer (RFC 5849, section 3.2): 400 for a request that is malformed or not
    /// supported, 401 for credentials that are not good.
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
