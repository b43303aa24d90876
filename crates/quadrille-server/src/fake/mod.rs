//! A fake of a service to log in with, as a server on this machine: for tests in any language.

mod control;
mod names;

pub use names::{fault, service};

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use quadrille::{
    consumer::{ClientAuthentication, Protocol},
    testing::{FakeService, Fault, Row, Tape, TapeMode},
};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{Failure, refused::Refused};

/// A fake service to start.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The service.
    pub row: &'static Row,
    /// The identifier of the application that is registered at it.
    pub client_id: &'a str,
    /// The secret of that application.
    pub client_secret: &'a str,
    /// The claims of its accounts.
    pub users: &'a [Value],
    /// The callbacks of the application; without one all are accepted.
    pub callbacks: &'a [String],
    /// The account that approves each request at once.
    pub approves_as: Option<u64>,
    /// The faults from the beginning.
    pub faults: &'a [Fault],
    /// The port of the service, or 0 for a free one.
    pub port: u16,
}

/// A fake service that answers.
#[derive(Debug, Serialize)]
pub struct Running {
    /// The name of the service.
    pub service: &'static str,
    /// The URL below which its endpoints are.
    pub url: String,
    /// The URL at which a test changes it.
    pub control: String,
    /// The identifier of the application.
    pub client_id: String,
    /// The secret of the application.
    pub client_secret: String,
    /// The way in which clients of the service prove their secret at the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<&'static str>,
    /// All ways that the token endpoint accepts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// The issuer, below which the metadata are (OpenID Connect Discovery, section 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The authorization endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// The token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// The endpoint of temporary credentials (OAuth 1.0a).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporary_credentials_endpoint: Option<String>,
    /// The endpoint of device logins (RFC 8628).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// The resource with the account of a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Starts a fake service, which answers until the runtime ends.
///
/// # Errors
/// Those of the sockets, such as a port in use.
pub async fn start(wanted: Wanted<'_>) -> io::Result<Running> {
    let Wanted { row, client_id, client_secret, .. } = wanted;
    let mut fake = FakeService::playing(row, client_id, client_secret);
    for user in wanted.users {
        fake = fake.user(user.clone());
    }
    for callback in wanted.callbacks {
        fake.registers(callback);
    }
    if let Some(user) = wanted.approves_as {
        fake.approves_as(user);
    }
    wanted.faults.iter().for_each(|fault| fake.suffers(*fault));
    fake.has_nothing_else();
    let url = fake.listen(wanted.port).await?;
    let (issuer, methods) = (fake.issuer(), fake.authentication_methods());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let control = format!("http://{}", listener.local_addr()?);
    let routes = control::routes(fake, wanted.faults.to_vec(), row.spec.name);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let at = |endpoint: &str| (!endpoint.is_empty()).then(|| placed(&url, endpoint));
    let (temporary, device, method) = match &row.spec.protocol {
        Protocol::OAuth1(oauth1) => (at(oauth1.temporary), None, None),
        Protocol::OAuth2(oauth2) => {
            (None, oauth2.device_authorization.and_then(at), method(oauth2.authentication))
        }
        _ => (None, None, None),
    };
    let account = row.spec.identity.map(|(path, _)| match path.contains("://") {
        true => placed(&url, path),
        false => format!("{}/{path}", placed(&url, row.spec.api).trim_end_matches('/')),
    });
    Ok(Running {
        service: row.spec.name,
        control,
        client_id: client_id.to_owned(),
        client_secret: client_secret.to_owned(),
        token_endpoint_auth_method: method,
        token_endpoint_auth_methods_supported: methods,
        issuer,
        authorization_endpoint: at(row.spec.authorize),
        token_endpoint: at(row.spec.token),
        temporary_credentials_endpoint: temporary,
        device_authorization_endpoint: device,
        account,
        url,
    })
}

/// Plays a tape, which answers until the runtime ends. Returns the URL of the server.
///
/// # Errors
/// [`Refused::Tape`] for a file that is no tape, and those of the socket.
pub async fn play(path: &Path, port: u16) -> Result<String, Failure> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let tape = match path.is_file() {
        true => Tape::open_as(path, TapeMode::ReplayOrFail).map_err(|error| error.to_string()),
        false => Err(format!("the tape {}: {}", path.display(), missing())),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let url = tape.map_err(Refused::Tape)?.listen(port).await;
    url.map_err(|error| Failure::Listen { address, error })
}

/// The name of a way to authenticate (RFC 7591, section 2), if it has one.
const fn method(authentication: ClientAuthentication) -> Option<&'static str> {
    match authentication {
        ClientAuthentication::Basic => Some("client_secret_basic"),
        ClientAuthentication::Post => Some("client_secret_post"),
        ClientAuthentication::SecretJwt(_) => Some("client_secret_jwt"),
        _ => None,
    }
}

/// The URL of an endpoint, which keeps its path.
fn placed(url: &str, endpoint: &str) -> String {
    let path = match endpoint.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(""),
        None => endpoint,
    };
    format!("{url}/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_keeps_its_path() {
        let placed = |endpoint| placed("http://127.0.0.1:1", endpoint);
        assert_eq!(placed("https://id.example/a/b"), "http://127.0.0.1:1/a/b");
        assert_eq!(placed("oauth/token"), "http://127.0.0.1:1/oauth/token");
        assert_eq!(placed("https://api.example"), "http://127.0.0.1:1/");
    }
}
