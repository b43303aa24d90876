//! The client configuration endpoint (RFC 7592, section 2).

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CACHE_CONTROL};

use super::{
    error::{RegistrationRequestError, RegistrationResponseError},
    metadata::{self, ASSIGNED, ClientMetadata},
    request::{members, send, token},
};
use crate::{
    Secret,
    json::JsonObject,
    oauth2::{EndpointError, ErrorResponse},
};

/// The endpoint at which a client manages its own registration (RFC 7592, section 3).
///
/// ```
/// use quadrille::oauth2::{ClientConfiguration, ClientConfigurationRequest};
///
/// let configuration = ClientConfiguration {
///     registration_access_token: "reg-23410913-abewfq.123483".into(),
///     registration_client_uri: "https://id.example/oauth/register/client?client_id=s6".to_owned(),
/// };
/// let request = ClientConfigurationRequest::Read.to_request(&configuration)?;
/// assert_eq!(request.headers()["authorization"], "Bearer reg-23410913-abewfq.123483");
/// # Ok::<(), quadrille::oauth2::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfiguration {
    /// The registration access token, a secret.
    pub registration_access_token: Secret,
    /// The URL of the client configuration endpoint for this client.
    pub registration_client_uri: String,
}

/// A request of a client about its own registration (RFC 7592, section 2).
///
/// ```
/// use quadrille::oauth2::{ClientConfiguration, ClientConfigurationRequest, ClientMetadata};
///
/// let configuration = ClientConfiguration {
///     registration_access_token: "reg-23410913-abewfq.123483".into(),
///     registration_client_uri: "https://id.example/oauth/register/client?client_id=s6".to_owned(),
/// };
/// let mut metadata = ClientMetadata::default();
/// metadata.redirect_uris = vec!["https://app.example/other".to_owned()];
/// let asked = ClientConfigurationRequest::Update {
///     client_id: "s6".to_owned(),
///     client_secret: None,
///     metadata: Box::new(metadata),
/// };
/// let request = asked.to_request(&configuration)?;
///
/// // ... and on the other side:
/// assert_eq!(ClientConfigurationRequest::parse(&request)?, asked);
/// assert_eq!(
///     ClientConfigurationRequest::token(&request)?,
///     Some(configuration.registration_access_token),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientConfigurationRequest {
    /// The client reads its registration (section 2.1).
    Read,
    /// The client replaces its metadata: those that are omitted are deleted (section 2.2).
    Update {
        /// The `client_id`, which cannot be changed.
        client_id: String,
        /// The secret, which cannot be changed and may be omitted.
        client_secret: Option<Secret>,
        /// All metadata of the client.
        metadata: Box<ClientMetadata>,
    },
    /// The client deletes its registration (section 2.3).
    Delete,
}

impl ClientConfigurationRequest {
    /// The HTTP request.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_request(
        &self,
        configuration: &ClientConfiguration,
    ) -> Result<Request<Bytes>, EndpointError> {
        let (method, body) = match self {
            Self::Read => (Method::GET, None),
            Self::Delete => (Method::DELETE, None),
            Self::Update { client_id, client_secret, metadata } => {
                let mut object = JsonObject::with_capacity(512);
                object.string("client_id", client_id);
                if let Some(secret) = client_secret {
                    object.string("client_secret", secret.expose());
                }
                metadata.write(&mut object);
                (Method::PUT, Some(object))
            }
        };
        let token = Some(&configuration.registration_access_token);
        send(method, &configuration.registration_client_uri, token, body)
    }

    /// Reads a request, by its method: GET, HEAD, PUT or DELETE.
    ///
    /// # Errors
    /// [`RegistrationRequestError`]; [`Malformed`](RegistrationRequestError::Malformed) for another
    /// method.
    pub fn parse(request: &Request<Bytes>) -> Result<Self, RegistrationRequestError> {
        match *request.method() {
            Method::GET | Method::HEAD => Ok(Self::Read),
            Method::DELETE => Ok(Self::Delete),
            Method::PUT => {
                let mut members = members(request)?;
                let assigned = ASSIGNED.iter().skip(2).find(|name| members.contains_key(**name));
                if let Some(name) = assigned {
                    return Err(RegistrationRequestError::Assigned(name));
                }
                let client_id = metadata::text(&mut members, "client_id")?;
                Ok(Self::Update {
                    client_id: client_id.ok_or(RegistrationRequestError::Missing("client_id"))?,
                    client_secret: metadata::text(&mut members, "client_secret")?.map(Secret::from),
                    metadata: Box::new(ClientMetadata::from_members(members)?),
                })
            }
            _ => Err(RegistrationRequestError::Malformed),
        }
    }

    /// The registration access token of a request; `None` without one.
    ///
    /// # Errors
    /// [`RegistrationRequestError::Bearer`].
    pub fn token(request: &Request<Bytes>) -> Result<Option<Secret>, RegistrationRequestError> {
        token(request)
    }
}

/// The response to [`ClientConfigurationRequest::Delete`]: 204 (RFC 7592, section 2.3).
///
/// ```
/// use quadrille::oauth2::ClientDeleted;
///
/// let response = ClientDeleted.to_response();
/// assert_eq!(response.status(), 204);
/// assert_eq!(ClientDeleted::parse(&response), Ok(ClientDeleted));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientDeleted;

impl ClientDeleted {
    /// The response, with `Cache-Control: no-store`.
    pub fn to_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Reads the response of a server.
    ///
    /// # Errors
    /// [`RegistrationResponseError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, RegistrationResponseError> {
        let status = response.status();
        match ErrorResponse::parse(response) {
            Some(error) => Err(RegistrationResponseError::Refused { status, error }),
            None if status.is_success() => Ok(Self),
            None => Err(RegistrationResponseError::Status(status)),
        }
    }
}
