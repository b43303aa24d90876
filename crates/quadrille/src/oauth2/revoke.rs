//! Revocation (RFC 7009): a client no longer needs a token.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use super::{ClientAuth, EndpointError, ErrorResponse, RequestError, post::post_form};
use crate::form::{FormWriter, Params};

/// A request to revoke a token.
///
/// ```
/// use quadrille::{form::Params, oauth2::{ClientAuth, RevocationRequest, TokenTypeHint}};
///
/// let asked = RevocationRequest {
///     token: "45ghiukldjahdnhzdauz",
///     token_type_hint: Some(TokenTypeHint::RefreshToken),
/// };
/// let auth = ClientAuth::None { client_id: "app".into() };
/// let request = asked.to_request("https://id.example/oauth/revoke", &auth)?;
///
/// // ... and on the other side:
/// assert_eq!(RevocationRequest::parse(&Params::of_body(&request)?)?, asked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RevocationRequest<'a> {
    /// The token.
    pub token: &'a str,
    /// The kind of the token, which may save the server a look-up. The server must also search the
    /// other kind.
    pub token_type_hint: Option<TokenTypeHint>,
}

/// The kind of a token (RFC 7009, section 4.1.2).
///
/// ```
/// use quadrille::oauth2::TokenTypeHint;
///
/// assert_eq!(TokenTypeHint::RefreshToken.as_str(), "refresh_token");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

impl TokenTypeHint {
    /// The value in a message.
    ///
    /// ```
    /// assert_eq!(quadrille::oauth2::TokenTypeHint::AccessToken.as_str(), "access_token");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Reads the hint. Ignores an unknown one.
    pub(super) fn read(params: &Params<'_>) -> Result<Option<Self>, RequestError> {
        Ok(match params.one("token_type_hint")? {
            Some("access_token") => Some(Self::AccessToken),
            Some("refresh_token") => Some(Self::RefreshToken),
            _ => None,
        })
    }
}

impl<'a> RevocationRequest<'a> {
    /// The HTTP request, with the client's authentication.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_request(
        &self,
        endpoint: &str,
        auth: &ClientAuth,
    ) -> Result<Request<Bytes>, EndpointError> {
        let mut body = FormWriter::new();
        body.append("token", self.token);
        body.append_some("token_type_hint", self.token_type_hint.map(TokenTypeHint::as_str));
        post_form(endpoint, auth, body)
    }

    /// Reads the parameters of a request. Ignores an unknown hint (RFC 7009, section 2.2.1).
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(params: &'a Params<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            token: params.one("token")?.ok_or(RequestError::Missing("token"))?,
            token_type_hint: TokenTypeHint::read(params)?,
        })
    }
}

impl fmt::Debug for RevocationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationRequest({:?})", self.token_type_hint)
    }
}

/// The response to a [`RevocationRequest`]: the token is invalid now, or was never valid (RFC 7009,
/// section 2.2). A refusal is an [`ErrorResponse`].
///
/// ```
/// use quadrille::oauth2::RevocationResponse;
///
/// let response = RevocationResponse.to_response();
/// assert_eq!(response.status(), 200);
/// assert_eq!(RevocationResponse::parse(&response), Ok(RevocationResponse));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationResponse;

impl RevocationResponse {
    /// The response of the endpoint, with `Cache-Control: no-store`. Clients ignore the body (RFC
    /// 7009, section 2.2), but some fail unless it is JSON.
    pub fn to_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(b"{}"));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Reads the response of a server.
    ///
    /// # Errors
    /// [`RevocationResponseError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, RevocationResponseError> {
        let status = response.status();
        match ErrorResponse::parse(response) {
            Some(error) => Err(RevocationResponseError::Refused { status, error }),
            None if status.is_success() => Ok(Self),
            None => Err(RevocationResponseError::Status(status)),
        }
    }
}

/// The reason why a server did not revoke a token. Always the server's fault.
///
/// ```
/// use bytes::Bytes;
/// use http::{Response, StatusCode};
/// use quadrille::oauth2::{RevocationResponse, RevocationResponseError};
///
/// let mut answer = Response::new(Bytes::new());
/// *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
/// assert_eq!(
///     RevocationResponse::parse(&answer),
///     Err(RevocationResponseError::Status(StatusCode::SERVICE_UNAVAILABLE)),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationResponseError {
    /// The server refuses.
    #[error("the revocation endpoint refused: {}", error.error)]
    Refused {
        /// The status, which may be 200.
        status: StatusCode,
        /// The error.
        error: ErrorResponse,
    },
    /// The server failed without an OAuth error. After status 503, the token must be presumed
    /// valid.
    #[error("the revocation endpoint answered with status {}", .0.as_u16())]
    Status(StatusCode),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{form::FormError, oauth2::ErrorCode};

    #[test]
    fn a_request_must_name_one_token_and_may_hint_at_anything() {
        let read = |body: &'static str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            RevocationRequest::parse(&params)
                .map(|request| (request.token.to_owned(), request.token_type_hint))
        };
        assert_eq!(read("token_type_hint=access_token"), Err(RequestError::Missing("token")));
        assert_eq!(read("token=a&token=b"), Err(FormError::Duplicate("token").into()));
        assert_eq!(read("token=a&token_type_hint=pink"), Ok(("a".to_owned(), None)));
    }

    #[test]
    fn a_refusal_is_told_from_an_outage_and_from_success() {
        let read = |status: u16, body: &'static str| {
            let mut response = Response::new(Bytes::from_static(body.as_bytes()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            RevocationResponse::parse(&response)
        };
        assert_eq!(read(200, ""), Ok(RevocationResponse));
        assert_eq!(read(204, ""), Ok(RevocationResponse));
        let refused = |status| RevocationResponseError::Refused {
            status,
            error: ErrorResponse::new(ErrorCode::UnsupportedTokenType),
        };
        let body = r#"{"error":"unsupported_token_type"}"#;
        assert_eq!(read(400, body), Err(refused(StatusCode::BAD_REQUEST)));
        assert_eq!(read(200, body), Err(refused(StatusCode::OK)));
        assert_eq!(
            read(503, "<html>"),
            Err(RevocationResponseError::Status(StatusCode::SERVICE_UNAVAILABLE))
        );
    }

    #[test]
    fn the_token_does_not_show_in_debug_output() {
        let request = RevocationRequest { token: "canary", token_type_hint: None };
        assert!(!format!("{request:?}").contains("canary"));
    }
}
