//! The client information response (RFC 7591, section 3.2.1; RFC 7592, section 3).

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::{
    configuration::ClientConfiguration, error::RegistrationResponseError, metadata::ClientMetadata,
};
use crate::{
    Secret, Timestamp,
    json::JsonObject,
    oauth2::{ErrorResponse, answer, error::json_response},
};

/// A registered client, as the server returns it to the client.
///
/// ```
/// use http::StatusCode;
/// use quadrille::oauth2::{ClientConfiguration, ClientInformation, SecretExpiry};
///
/// let mut information = ClientInformation::new("s6BhdRkqt3");
/// information.client_secret = Some("cf136dc3c1fc93f31185e5885805d".into());
/// information.client_secret_expires_at = Some(SecretExpiry::Never);
/// information.configuration = Some(ClientConfiguration {
///     registration_access_token: "reg-23410913-abewfq.123483".into(),
///     registration_client_uri: "https://id.example/oauth/register/client?client_id=s6".to_owned(),
/// });
/// let response = information.to_response(StatusCode::CREATED);
/// assert_eq!(response.headers()["cache-control"], "no-store");
/// assert_eq!(ClientInformation::parse(&response)?, information);
/// # Ok::<(), quadrille::oauth2::RegistrationResponseError>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ClientInformation {
    /// The `client_id`.
    pub client_id: String,
    /// The secret: when the server issues it, and not again.
    pub client_secret: Option<Secret>,
    /// The time of the registration.
    pub client_id_issued_at: Option<Timestamp>,
    /// The expiry of the secret, whether the secret is in this response or not; `None` without a
    /// secret.
    pub client_secret_expires_at: Option<SecretExpiry>,
    /// The endpoint that manages the client, and the token for it (RFC 7592).
    pub configuration: Option<ClientConfiguration>,
    /// The metadata as registered, which may differ from those requested.
    pub metadata: ClientMetadata,
}

/// The expiry of a client secret (RFC 7591, section 3.2.1).
///
/// ```
/// use quadrille::{Timestamp, oauth2::SecretExpiry};
///
/// let expiry = SecretExpiry::At(Timestamp::from_seconds(2_893_276_800));
/// assert_ne!(expiry, SecretExpiry::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretExpiry {
    /// The secret does not expire, which is 0 on the wire.
    Never,
    /// The time at which the secret expires, in whole seconds on the wire.
    At(Timestamp),
}

impl ClientInformation {
    /// The information of a client without metadata.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            client_id_issued_at: None,
            client_secret_expires_at: None,
            configuration: None,
            metadata: ClientMetadata::default(),
        }
    }

    /// The response with this status, 201 for a registration and 200 for a management request,
    /// with `Cache-Control: no-store`.
    pub fn to_response(&self, status: StatusCode) -> Response<Bytes> {
        let mut object = JsonObject::with_capacity(1024);
        object.string("client_id", &self.client_id);
        if let Some(secret) = &self.client_secret {
            object.string("client_secret", secret.expose());
        }
        if let Some(time) = self.client_id_issued_at {
            object.value("client_id_issued_at", &time.seconds().into());
        }
        let never = self.client_secret.is_some().then_some(SecretExpiry::Never);
        if let Some(expiry) = self.client_secret_expires_at.or(never) {
            let seconds = match expiry {
                SecretExpiry::Never => 0,
                SecretExpiry::At(time) => time.seconds(),
            };
            object.value("client_secret_expires_at", &seconds.into());
        }
        if let Some(configuration) = &self.configuration {
            let token = configuration.registration_access_token.expose();
            object.string("registration_access_token", token);
            object.string("registration_client_uri", &configuration.registration_client_uri);
        }
        self.metadata.write(&mut object);
        json_response(status, object.finish())
    }

    /// Reads the response of a server, with any status that means success: some services answer a
    /// registration with 200. Numbers may be texts, and a member of the wrong type counts as
    /// omitted, save the `client_id`.
    ///
    /// # Errors
    /// [`RegistrationResponseError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, RegistrationResponseError> {
        use RegistrationResponseError as E;
        let status = response.status();
        let refused = || ErrorResponse::parse(response);
        if !status.is_success() {
            return Err(refused().map_or(E::Status(status), |error| E::Refused { status, error }));
        }
        let text = answer::text(response.body());
        let mut members = answer::members(&text).ok_or(E::Unreadable)?;
        let mut text = |name| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() && !text.contains(answer::UNREADABLE) => {
                Some(text)
            }
            _ => None,
        };
        let Some(client_id) = text("client_id") else {
            return Err(
                refused().map_or(E::Missing("client_id"), |error| E::Refused { status, error })
            );
        };
        let client_secret = text("client_secret").map(Secret::from);
        let token = text("registration_access_token").map(Secret::from);
        let configuration = token.zip(text("registration_client_uri")).map(|(token, uri)| {
            ClientConfiguration { registration_access_token: token, registration_client_uri: uri }
        });
        let mut number = |name| members.remove(name).as_ref().and_then(answer::number);
        let expires = number("client_secret_expires_at");
        let issued = number("client_id_issued_at");
        Ok(Self {
            client_id,
            client_secret_expires_at: match (expires, &client_secret) {
                (Some(seconds), _) => {
                    Some(time(seconds).map_or(SecretExpiry::Never, SecretExpiry::At))
                }
                (None, Some(_)) => Some(SecretExpiry::Never),
                (None, None) => None,
            },
            client_secret,
            client_id_issued_at: issued.and_then(time),
            configuration,
            metadata: ClientMetadata::from_answer(members),
        })
    }
}

/// A time in seconds since the Unix epoch; `None` for zero, less, or millennia.
fn time(seconds: f64) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    let is_time = |seconds: &i64| (1..1 << 40).contains(seconds);
    i64::try_from(since.as_secs()).ok().filter(is_time).map(Timestamp::from_seconds)
}

/// Omits the secrets.
impl fmt::Debug for ClientInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientInformation")
            .field("client_id", &self.client_id)
            .field("client_secret_expires_at", &self.client_secret_expires_at)
            .field("configuration", &self.configuration)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
