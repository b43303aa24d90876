//! The request of an API (RFC 7662, section 2.1).

use std::fmt;

use bytes::Bytes;
use http::Request;

use crate::{
    form::{FormWriter, Params},
    oauth2::{ClientAuth, EndpointError, RequestError, TokenTypeHint, post::post_form},
};

/// An introspection request (RFC 7662, section 2.1).
///
/// ```
/// use quadrille::{form::Params, oauth2::{ClientAuth, IntrospectionRequest}};
///
/// let asked = IntrospectionRequest { token: "mF_9.B5f-4.1JqM", token_type_hint: None };
/// let auth = ClientAuth::Basic { client_id: "photos-api".into(), client_secret: "s3cret".into() };
/// let request = asked.to_request("https://id.example/oauth/introspect", &auth, &[])?;
///
/// // ... and on the other side:
/// assert_eq!(IntrospectionRequest::parse(&Params::of_body(&request)?)?, asked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IntrospectionRequest<'a> {
    /// The token.
    pub token: &'a str,
    /// The kind of the token, which may save the server a look-up.
    pub token_type_hint: Option<TokenTypeHint>,
}

impl<'a> IntrospectionRequest<'a> {
    /// The HTTP request, with the API's authentication and any further parameters.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_request(
        &self,
        endpoint: &str,
        auth: &ClientAuth,
        extra: &[(&str, &str)],
    ) -> Result<Request<Bytes>, EndpointError> {
        let mut body = FormWriter::new();
        body.append("token", self.token);
        body.append_some("token_type_hint", self.token_type_hint.map(TokenTypeHint::as_str));
        for (name, value) in extra {
            body.append(name, value);
        }
        post_form(endpoint, auth, body)
    }

    /// Reads the parameters of a request. Ignores an unknown hint.
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

impl fmt::Debug for IntrospectionRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntrospectionRequest({:?})", self.token_type_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::FormError;

    #[test]
    fn a_request_must_name_one_token() {
        let read = |body: &'static str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            IntrospectionRequest::parse(&params).map(|request| request.token_type_hint)
        };
        assert_eq!(read("x=y"), Err(RequestError::Missing("token")));
        assert_eq!(read("token=a&token=b"), Err(FormError::Duplicate("token").into()));
        assert_eq!(read("token=a&token_type_hint=pink"), Ok(None));
        let hint = "token=a&token_type_hint=refresh_token";
        assert_eq!(read(hint), Ok(Some(TokenTypeHint::RefreshToken)));
    }
}
