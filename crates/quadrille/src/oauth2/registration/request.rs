//! The client registration request (RFC 7591, section 3.1).

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Map, Value};

use super::{ClientMetadata, error::RegistrationRequestError};
use crate::{
    Secret,
    json::{JsonObject, ObjectError, read_object},
    oauth2::{EndpointError, bearer, endpoint::request_to},
};

/// A request to register a client.
///
/// ```
/// use quadrille::oauth2::{ClientMetadata, RegistrationRequest};
///
/// let mut metadata = ClientMetadata::default();
/// metadata.redirect_uris = vec!["https://app.example/callback".to_owned()];
/// let asked = RegistrationRequest { metadata, initial_access_token: Some("ey23f2".into()) };
/// let request = asked.to_request("https://id.example/oauth/register")?;
///
/// // ... and on the other side:
/// assert_eq!(RegistrationRequest::parse(&request)?, asked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrationRequest {
    /// The metadata of the client.
    pub metadata: ClientMetadata,
    /// The initial access token, by which the operator of the server allows the registration.
    pub initial_access_token: Option<Secret>,
}

impl RegistrationRequest {
    /// The HTTP request.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_request(&self, endpoint: &str) -> Result<Request<Bytes>, EndpointError> {
        let mut object = JsonObject::with_capacity(512);
        self.metadata.write(&mut object);
        let token = self.initial_access_token.as_ref();
        send(Method::POST, endpoint, token, Some(object))
    }

    /// Reads a request. Unknown members are kept in [`ClientMetadata::extra`].
    ///
    /// # Errors
    /// [`RegistrationRequestError`].
    pub fn parse(request: &Request<Bytes>) -> Result<Self, RegistrationRequestError> {
        let initial_access_token = token(request)?;
        let metadata = ClientMetadata::from_members(members(request)?)?;
        Ok(Self { metadata, initial_access_token })
    }
}

/// The token of a request.
pub(super) fn token(request: &Request<Bytes>) -> Result<Option<Secret>, RegistrationRequestError> {
    Ok(bearer::from_headers(request.headers())?.map(Secret::from))
}

/// The members of the body.
pub(super) fn members(
    request: &Request<Bytes>,
) -> Result<Map<String, Value>, RegistrationRequestError> {
    if !is_json(request) {
        return Err(RegistrationRequestError::ContentType);
    }
    read_object(request.body()).map_err(|error| match error {
        ObjectError::Malformed { .. } => RegistrationRequestError::Malformed,
        ObjectError::Repeated(_) => RegistrationRequestError::Repeated,
    })
}

fn is_json(request: &Request<Bytes>) -> bool {
    let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.is_some_and(|declared| {
        let (media_type, _) = declared.split_once(';').unwrap_or((declared, ""));
        media_type.trim().eq_ignore_ascii_case("application/json")
    })
}

/// A request with a token and a JSON object.
pub(super) fn send(
    method: Method,
    endpoint: &str,
    token: Option<&Secret>,
    body: Option<JsonObject>,
) -> Result<Request<Bytes>, EndpointError> {
    let mut request = request_to(method, endpoint)?;
    let headers = request.headers_mut();
    if let Some(token) = token {
        let header = bearer::header(token).ok_or(EndpointError::Credentials)?;
        headers.insert(AUTHORIZATION, header);
    }
    if let Some(body) = body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = body.finish().into();
    }
    Ok(request)
}
