//! Error codes.

use std::fmt;

use http::StatusCode;

use super::shown_code;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// An `error` code: all registered ones, and [`Other`](Self::Other) for a service's own.
        ///
        /// ```
        /// use quadrille::oauth2::ErrorCode;
        ///
        /// assert_eq!(ErrorCode::InvalidGrant.as_str(), "invalid_grant");
        /// assert_eq!(ErrorCode::from("invalid_grant"), ErrorCode::InvalidGrant);
        /// assert_eq!(ErrorCode::from("bad_verification_code").as_str(), "bad_verification_code");
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
            /// A code that is not registered.
            Other(Box<str>),
        }

        impl ErrorCode {
            /// The value in a message.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }

            /// The value in a message; `None` for a code that is not registered.
            #[cfg(feature = "provider")]
            pub(crate) const fn registered(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($text),)+
                    Self::Other(_) => None,
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(shown_code(other).into()),
                }
            }
        }
    };
}

error_codes! {
    /// A parameter is missing, repeated or malformed (RFC 6749).
    InvalidRequest = "invalid_request",
    /// The client is unknown or failed to authenticate (RFC 6749).
    InvalidClient = "invalid_client",
    /// The code or refresh token is invalid, expired, or another client's (RFC 6749).
    InvalidGrant = "invalid_grant",
    /// The client may not use this grant or response type (RFC 6749).
    UnauthorizedClient = "unauthorized_client",
    /// The grant type is not supported (RFC 6749).
    UnsupportedGrantType = "unsupported_grant_type",
    /// The response type is not supported (RFC 6749).
    UnsupportedResponseType = "unsupported_response_type",
    /// The scope is unknown, malformed or exceeds the grant (RFC 6749).
    InvalidScope = "invalid_scope",
    /// The user or the server refused (RFC 6749).
    AccessDenied = "access_denied",
    /// The server failed (RFC 6749).
    ServerError = "server_error",
    /// The server is overloaded or under maintenance (RFC 6749).
    TemporarilyUnavailable = "temporarily_unavailable",
    /// The access token is invalid, expired or revoked (RFC 6750).
    InvalidToken = "invalid_token",
    /// The access token lacks a scope (RFC 6750).
    InsufficientScope = "insufficient_scope",
    /// The server does not revoke tokens of this kind (RFC 7009).
    UnsupportedTokenType = "unsupported_token_type",
    /// Registration: a redirect URI is not acceptable (RFC 7591).
    InvalidRedirectUri = "invalid_redirect_uri",
    /// Registration: a member of the metadata is not acceptable (RFC 7591).
    InvalidClientMetadata = "invalid_client_metadata",
    /// Registration: the software statement is malformed (RFC 7591).
    InvalidSoftwareStatement = "invalid_software_statement",
    /// Registration: the software statement is not approved (RFC 7591).
    UnapprovedSoftwareStatement = "unapproved_software_statement",
    /// Device and CIBA: the user has not decided yet (RFC 8628).
    AuthorizationPending = "authorization_pending",
    /// Device and CIBA: the client must poll less often (RFC 8628).
    SlowDown = "slow_down",
    /// Device and CIBA: the user did not decide in time (RFC 8628).
    ExpiredToken = "expired_token",
    /// The `resource` is unknown or malformed (RFC 8707).
    InvalidTarget = "invalid_target",
    /// The `request_uri` does not lead to a request (RFC 9101).
    InvalidRequestUri = "invalid_request_uri",
    /// The request object is invalid (RFC 9101).
    InvalidRequestObject = "invalid_request_object",
    /// Request objects are not supported (RFC 9101).
    RequestNotSupported = "request_not_supported",
    /// `request_uri` is not supported (RFC 9101).
    RequestUriNotSupported = "request_uri_not_supported",
    /// `registration` is not supported (OpenID Connect Core).
    RegistrationNotSupported = "registration_not_supported",
    /// The authorization details are not acceptable (RFC 9396).
    InvalidAuthorizationDetails = "invalid_authorization_details",
    /// The DPoP proof is invalid (RFC 9449).
    InvalidDpopProof = "invalid_dpop_proof",
    /// The DPoP proof must contain the server's nonce (RFC 9449).
    UseDpopNonce = "use_dpop_nonce",
    /// The user must sign in again, or more strongly (RFC 9470).
    InsufficientUserAuthentication = "insufficient_user_authentication",
    /// The user would have to interact (OpenID Connect Core).
    InteractionRequired = "interaction_required",
    /// The user would have to sign in (OpenID Connect Core).
    LoginRequired = "login_required",
    /// The user would have to choose an account (OpenID Connect Core).
    AccountSelectionRequired = "account_selection_required",
    /// The user would have to consent (OpenID Connect Core).
    ConsentRequired = "consent_required",
    /// The requested authentication is not available (OpenID Connect Core, unmet requirements).
    UnmetAuthenticationRequirements = "unmet_authentication_requirements",
    /// CIBA: the `login_hint_token` has expired.
    ExpiredLoginHintToken = "expired_login_hint_token",
    /// CIBA: the hint identifies no user.
    UnknownUserId = "unknown_user_id",
    /// CIBA: a user code is required.
    MissingUserCode = "missing_user_code",
    /// CIBA: the user code is wrong.
    InvalidUserCode = "invalid_user_code",
    /// CIBA: the binding message cannot be shown.
    InvalidBindingMessage = "invalid_binding_message",
    /// CIBA: the user could not be asked.
    TransactionFailed = "transaction_failed",
}

impl ErrorCode {
    /// The status of a direct response with this error, by an endpoint that clients call (RFC 6749,
    /// section 5.2) or by a protected resource (RFC 6750, section 3.1).
    ///
    /// ```
    /// use quadrille::oauth2::ErrorCode;
    ///
    /// assert_eq!(ErrorCode::InvalidClient.status(), 401);
    /// assert_eq!(ErrorCode::InvalidGrant.status(), 400);
    /// ```
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken | Self::InsufficientUserAuthentication => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codes_are_read_back() {
        for code in [ErrorCode::UseDpopNonce, ErrorCode::ServerError, ErrorCode::from("mine")] {
            assert_eq!(ErrorCode::from(code.as_str()), code);
        }
    }

    #[test]
    fn no_code_is_read_as_another_of_the_same_look() {
        for look in [
            "ac\u{1e}cess_denied",
            "access_denied\n",
            "access_denied\u{200b}",
            "\u{feff}access_denied",
            "\u{7f}access_denied",
            "\u{430}ccess_denied",
            "access\u{0}_denied",
        ] {
            let code = ErrorCode::from(look);
            assert_ne!(code, ErrorCode::AccessDenied);
            assert_ne!(code.as_str(), "access_denied", "{look:?}");
            assert!(code.as_str().contains(char::REPLACEMENT_CHARACTER), "{look:?}");
        }
    }
}
