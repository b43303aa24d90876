//! The registration endpoint (RFC 7591, section 3), and the client configuration endpoint (RFC
//! 7592, section 2).

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use crate::{
    RemoteAddress,
    form::Params,
    guard::{
        log::{Refusal, write},
        masked::Sender,
    },
    json::read_object,
    oauth2::{
        ClientConfigurationRequest, ClientDeleted, ErrorCode, RegistrationRequest,
        bearer::Challenge,
    },
    provider::{
        client::dynamic::{
            error::ClientRegistrationError, manage, register, settings::DynamicRegistration,
        },
        error::{ClientError, Error, endpoint::EndpointError},
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        wire::{self, Methods},
    },
};

use super::row::Endpoint;

/// The longest metadata, in bytes.
const LONGEST: usize = 32 * 1024;

pub(super) static REGISTRATION: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.registration.is_some(),
        describe: |_, url, metadata| metadata.registration_endpoint = Some(url),
        body_limit: LONGEST,
        ..Route::new("registration", EndpointPath::Below("/register"), Methods::POST)
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(&server, &request).await }),
    refuse,
};

pub(super) static CLIENT_CONFIGURATION: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.registration.is_some(),
        body_limit: LONGEST,
        ..Route::new(
            "client configuration",
            EndpointPath::CLIENT_CONFIGURATION,
            Methods::GET_HEAD_PUT_DELETE,
        )
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer_itself(&server, &request).await }),
    refuse,
};

impl AuthorizationServer {
    /// The registration endpoint (RFC 7591, section 3): a client registers itself, if
    /// [`dynamic_registration`](Self::dynamic_registration) is set. The address in
    /// [`RemoteAddress`](crate::RemoteAddress) among the request's extensions, if there is one, is
    /// counted.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::DynamicRegistration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let server = server.dynamic_registration(DynamicRegistration::by_initial_access_token());
    /// let request = http::Request::post("/oauth/register")
    ///     .header("content-type", "application/json")
    ///     .body(r#"{"redirect_uris":["https://app.example/callback"]}"#.into())?;
    /// let response = server.registration(request).await;
    /// assert_eq!(response.status(), 401);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn registration(&self, request: Request<Bytes>) -> Response<Bytes> {
        REGISTRATION.answer(self, request).await
    }

    /// The client configuration endpoint (RFC 7592, section 2): a client that registered itself
    /// reads its registration by GET, replaces it by PUT, and deletes it by DELETE, with its
    /// registration access token. The `client_id` is in the query.
    pub async fn client_configuration(&self, request: Request<Bytes>) -> Response<Bytes> {
        CLIENT_CONFIGURATION.answer(self, request).await
    }
}

async fn answer(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    match registered(server, request).await {
        Ok(response) => response,
        Err(error) => refused(server.inner(), &REGISTRATION.route, &error, request, None),
    }
}

async fn registered(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Error> {
    let settings = settings(server.inner())?;
    let asked = RegistrationRequest::parse(request).map_err(ClientRegistrationError::from)?;
    let from = server.inner().address_of(request.extensions());
    let client = register::register(server, settings, asked, from).await?;
    Ok(client.to_response(StatusCode::CREATED))
}

async fn answer_itself(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let (inner, mut client) = (server.inner(), None);
    match configured(server, request, &mut client).await {
        Ok(response) => response,
        Err(error) => {
            let params = Params::of_query(request).unwrap_or_default();
            let named = params.one("client_id").ok().flatten();
            let known = match (client, named) {
                (None, Some(id)) => {
                    refusal::registered(inner, id).await.map(|it| it.id.to_string())
                }
                (client, _) => client,
            };
            let client = known.as_deref().map(Sender::Client).or(named.map(Sender::Stranger));
            refused(inner, &CLIENT_CONFIGURATION.route, &error, request, client)
        }
    }
}

/// Answers a client about itself. `found` becomes its id, for the log, once it has authenticated.
async fn configured(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    found: &mut Option<String>,
) -> Result<Response<Bytes>, Error> {
    let inner = server.inner();
    let settings = settings(inner)?;
    let token =
        ClientConfigurationRequest::token(request).map_err(ClientRegistrationError::from)?;
    let params = Params::of_query(request).unwrap_or_default();
    let id = params.one("client_id").ok().flatten();
    let itself = manage::authenticate(inner, id, token).await?;
    *found = Some(itself.id().to_owned());
    let asked =
        ClientConfigurationRequest::parse(request).map_err(ClientRegistrationError::from)?;
    match asked {
        ClientConfigurationRequest::Read => {
            Ok(itself.read(inner).await?.to_response(StatusCode::OK))
        }
        ClientConfigurationRequest::Update { client_id, client_secret, metadata } => {
            let secret = client_secret.as_ref();
            let from = inner.address_of(request.extensions());
            let client =
                itself.update(server, settings, &client_id, secret, *metadata, from).await?;
            Ok(client.to_response(StatusCode::OK))
        }
        ClientConfigurationRequest::Delete => {
            itself.delete(server).await?;
            Ok(ClientDeleted.to_response())
        }
    }
}

/// The settings. A request arrives here only if there are any, or by a call of the application.
fn settings(inner: &Inner) -> Result<&DynamicRegistration, Error> {
    inner.registration.as_ref().ok_or_else(|| ClientRegistrationError::TokenInvalid.into())
}

/// A refusal of a request that the route does not admit.
fn refuse(
    inner: &Inner,
    route: &Route,
    error: EndpointError,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let error = match error {
        EndpointError::BodyTooLong => ClientRegistrationError::TooLong.into(),
        other => other.into(),
    };
    let params = Params::of_query(request).unwrap_or_default();
    let named = params.one("client_id").ok().flatten().map(Sender::Stranger);
    refused(inner, route, &error, request, named)
}

/// The member of the metadata at fault, and its value.
fn blamed(error: &Error, request: &Request<Bytes>) -> Option<(&'static str, Option<String>)> {
    let Error::Client(ClientError::Registration(error)) = error else { return None };
    let name = error.member()?;
    let members = read_object(request.body()).ok();
    let value = members.as_ref().and_then(|members| members.get(name)).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    Some((name, value))
}

fn refused(
    inner: &Inner,
    route: &Route,
    error: &Error,
    request: &Request<Bytes>,
    client: Option<Sender<'_>>,
) -> Response<Bytes> {
    if let Error::Operator(reason) = error {
        tracing::error!(%reason, endpoint = route.name, "request failed");
    } else {
        let from = RemoteAddress::of(request.extensions());
        write(Refusal {
            client,
            blamed: blamed(error, request),
            from,
            ..Refusal::new(route.name, error)
        });
    }
    let mut response = wire::error(error);
    if response.status() == StatusCode::UNAUTHORIZED {
        let has_token = request.headers().contains_key(header::AUTHORIZATION);
        let mut challenge = Challenge::new().realm(inner.issuer.origin());
        if has_token {
            challenge = challenge.error(ErrorCode::InvalidToken, "the token is not valid here");
        }
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.to_header_value());
    }
    if let Error::Client(ClientError::Registration(error)) = error
        && let Some(wait) = error.wait()
    {
        let seconds = HeaderValue::from(wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if request.method() == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}
