//! The reasons why messages of registration cannot be read.

use http::StatusCode;

use crate::oauth2::{ErrorCode, ErrorResponse, bearer::BearerError};

/// The reason why a registration request, or a request about a registered client, cannot be read.
///
/// ```
/// use quadrille::oauth2::{ErrorCode, RegistrationRequest, RegistrationRequestError};
///
/// let request = http::Request::post("/register")
///     .header("content-type", "application/json")
///     .body(r#"{"redirect_uris":"https://app.example/callback"}"#.into())?;
/// let error = RegistrationRequest::parse(&request).unwrap_err();
/// assert_eq!(error, RegistrationRequestError::Member("redirect_uris"));
/// assert_eq!(error.code(), ErrorCode::InvalidRedirectUri);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationRequestError {
    /// The body is not declared as `application/json`.
    #[error("the content type must be application/json")]
    ContentType,
    /// The body is not a JSON object.
    #[error("the body is not a JSON object")]
    Malformed,
    /// A member is repeated, and readers differ in which one they take.
    #[error("a member of the JSON object is repeated")]
    Repeated,
    /// A member is of the wrong type, or malformed.
    #[error("the member {0} is malformed: it must have the type and form of RFC 7591, section 2")]
    Member(&'static str),
    /// A required member is missing.
    #[error("the member {0} is missing")]
    Missing(&'static str),
    /// An update has a member that only the server assigns (RFC 7592, section 2.2).
    #[error("the member {0} is the server's, and must not be in an update")]
    Assigned(&'static str),
    /// The token cannot be read.
    #[error(transparent)]
    Bearer(#[from] BearerError),
}

impl RegistrationRequestError {
    /// The code on the wire (RFC 7591, section 3.2.2).
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Member("redirect_uris") => ErrorCode::InvalidRedirectUri,
            Self::Member("software_statement") => ErrorCode::InvalidSoftwareStatement,
            Self::Bearer(error) => error.code(),
            _ => ErrorCode::InvalidClientMetadata,
        }
    }
}

/// The reason why a response contains no registered client. Always the server's fault, save a
/// refusal.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::oauth2::{ClientInformation, RegistrationResponseError};
///
/// let answer = Response::new(Bytes::from_static(b"{}"));
/// assert_eq!(
///     ClientInformation::parse(&answer),
///     Err(RegistrationResponseError::Missing("client_id")),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationResponseError {
    /// The server refuses.
    #[error("the registration endpoint refused: {}", error.error)]
    Refused {
        /// The status, which may be 200.
        status: StatusCode,
        /// The error.
        error: ErrorResponse,
    },
    /// The server failed without an OAuth error.
    #[error("the registration endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
    /// The status is a success, but the body is not a JSON object.
    #[error("the registration endpoint's answer cannot be read")]
    Unreadable,
    /// This required member is missing.
    #[error("the registration endpoint's answer has no {0}")]
    Missing(&'static str),
}
