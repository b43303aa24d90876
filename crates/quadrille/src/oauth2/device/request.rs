//! The device authorization request (RFC 8628, section 3.1).

use bytes::Bytes;
use http::Request;

use crate::{
    Scopes,
    form::{FormWriter, Params},
    oauth2::{
        ClientAuth, EndpointError, RequestError, Resources, post::post_form, token::read_scope,
    },
    scope::ScopeSeparator,
};

/// A device authorization request: a client requests a code for its user to type in elsewhere.
///
/// ```
/// use quadrille::{Scopes, form::Params, oauth2::{ClientAuth, DeviceAuthorizationRequest}};
///
/// let mut asked = DeviceAuthorizationRequest::new();
/// asked.scope = Some(Scopes::parse("photos:read")?);
/// let auth = ClientAuth::None { client_id: "tool".into() };
/// let request = asked.to_request("https://id.example/oauth/device", &auth, &[])?;
/// assert_eq!(request.body(), "scope=photos%3Aread&client_id=tool");
///
/// // ... and on the other side:
/// assert_eq!(DeviceAuthorizationRequest::parse(&Params::of_body(&request)?)?, asked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceAuthorizationRequest {
    /// The scopes; `None` for the server's default.
    pub scope: Option<Scopes>,
    /// The separator of the scopes; a space, except at services that require another one.
    pub scope_separator: ScopeSeparator,
    /// The APIs that the token is for (RFC 8707).
    pub resource: Resources,
}

impl DeviceAuthorizationRequest {
    /// A request for the server's default scopes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The HTTP request, with the client's authentication and any further parameters. It has the
    /// `client_id` beside HTTP Basic, too: some services read it only there.
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
        let scope = self.scope.as_ref().map(|scopes| scopes.join(self.scope_separator));
        body.append_some("scope", scope.as_deref());
        self.resource.write(&mut body);
        for (name, value) in extra {
            body.append(name, value);
        }
        if let ClientAuth::Basic { client_id, .. } = auth {
            body.append("client_id", client_id);
        }
        post_form(endpoint, auth, body)
    }

    /// Reads the parameters of a request. [`PresentedClient`](crate::oauth2::PresentedClient) reads
    /// the client; unknown parameters are ignored.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(params: &Params<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            scope: read_scope(params)?,
            scope_separator: ScopeSeparator::Space,
            resource: Resources::read(params)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::FormError;

    #[test]
    fn a_request_names_the_client_once_and_separates_scopes_as_the_service_reads_them() {
        let mut asked = DeviceAuthorizationRequest::new();
        asked.scope = Some(Scopes::of(["a", "b"]));
        asked.scope_separator = ScopeSeparator::Comma;
        let body = |auth: ClientAuth| {
            let request = asked.to_request("https://id.example/device", &auth, &[("x", "y")]);
            String::from_utf8(request.unwrap().into_body().to_vec()).unwrap()
        };
        let (client_id, client_secret) = (|| "i".into(), || "s".into());
        let basic = ClientAuth::Basic { client_id: client_id(), client_secret: client_secret() };
        assert_eq!(body(basic), "scope=a%2Cb&x=y&client_id=i");
        let post = ClientAuth::Post { client_id: client_id(), client_secret: client_secret() };
        assert_eq!(body(post), "scope=a%2Cb&x=y&client_id=i&client_secret=s");
        let none = ClientAuth::None { client_id: client_id() };
        assert_eq!(body(none), "scope=a%2Cb&x=y&client_id=i");
    }

    #[test]
    fn a_wrong_request_has_its_reason() {
        for (body, error) in [
            ("scope=+", RequestError::MalformedScope),
            ("scope=a%22", RequestError::MalformedScope),
            ("resource=api", RequestError::MalformedResource),
            ("scope=a&scope=b", RequestError::Form(FormError::Duplicate("scope"))),
        ] {
            let params = Params::parse(body.as_bytes()).unwrap();
            assert_eq!(DeviceAuthorizationRequest::parse(&params), Err(error), "{body}");
        }
        let params = Params::parse(b"client_id=a&other=1").unwrap();
        let read = DeviceAuthorizationRequest::parse(&params);
        assert_eq!(read, Ok(DeviceAuthorizationRequest::new()));
    }
}
