//! The device authorization endpoint (RFC 8628, section 3.1).

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    RemoteAddress, Scopes,
    form::Params,
    oauth2::{
        DeviceAuthorizationRequest, DeviceAuthorizationResponse, PresentedClient, RequestError,
        Resources,
    },
    provider::{
        client::{authenticate, error::AuthenticateError, grant_type::GrantType, record::Client},
        device::{DeviceGrant, user_code::UserCode},
        error::{
            Error, OperatorError,
            endpoint::{DeviceAuthorizationError, TokenError},
        },
        paths::EndpointPath,
        refusal,
        route::Route,
        scopes::fit_a_page,
        server::{AuthorizationServer, Inner},
        store::{DeviceCode, Identifier, PendingKind, PendingRecord, PendingState},
        token::format::{TokenKind, TokenSecret, sha256},
        wire::{self, Methods},
    },
};

use super::row::{self, Endpoint};

/// The number of user codes drawn until one is free. Of 17 billion codes, not one in ten thousand
/// is ever in use.
const DRAWS: usize = 5;

pub(super) static DEVICE_AUTHORIZATION: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.device.is_some(),
        describe: |_, url, metadata| metadata.device_authorization_endpoint = Some(url),
        ..Route::new(
            "device authorization",
            EndpointPath::Below("/device_authorization"),
            Methods::POST,
        )
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(server.inner(), &request).await }),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The device authorization endpoint (RFC 8628, section 3.1): a client without a browser gets a
    /// code for itself, and one for its user to type in elsewhere. The client authenticates as at
    /// the token endpoint. The address in [`RemoteAddress`] among the request's extensions, if
    /// there is one, is shown to the user, and gets a hundred codes at once, then one a second.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env, provider::{AuthorizationServer, DeviceGrant, GrantType, NewClient},
    /// #     provider::store::MemoryStore,
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .device_grant(DeviceGrant::new());
    /// let tv = NewClient::public("Television").id("tv").grant_types([GrantType::DeviceCode]);
    /// server.register(tv).await?;
    /// let request = http::Request::post("/oauth/device_authorization")
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body("client_id=tv".into())?;
    /// let response = server.device_authorization(request).await;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn device_authorization(&self, request: Request<Bytes>) -> Response<Bytes> {
        DEVICE_AUTHORIZATION.answer(self, request).await
    }
}

async fn answer(inner: &Inner, request: &Request<Bytes>) -> Response<Bytes> {
    match authorize(inner, request).await {
        Ok(codes) => codes.to_response(),
        Err(error) => {
            refusal::log(inner, DEVICE_AUTHORIZATION.route.name, &error, request).await;
            wire::error(&error)
        }
    }
}

async fn authorize(
    inner: &Inner,
    request: &Request<Bytes>,
) -> Result<DeviceAuthorizationResponse, Error> {
    let device = inner.device.as_ref().ok_or(RequestError::UnsupportedGrantType)?;
    let params = Params::of_body(request).map_err(RequestError::from)?;
    let asked = DeviceAuthorizationRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(AuthenticateError::from)?;
    let from = inner.address_of(request.extensions());
    let client =
        authenticate::client(inner, &presented, DEVICE_AUTHORIZATION.route.path, from, inner.now())
            .await?;
    let known = (inner.scopes.known(), &inner.resources);
    let (scopes, resources) = decide(&client, &asked, known)?;
    let limit = inner.shared.guesses.request(from, inner.env.steady());
    limit.map_err(DeviceAuthorizationError::TooMany)?;
    let codes = issue(inner, device, &client, (scopes, resources), from).await?;
    tracing::debug!(client = %client.id, "device code issued");
    Ok(codes)
}

/// Decides whether this client may request a code, with which of the `known` scopes and for which
/// of the known APIs.
fn decide(
    client: &Client,
    asked: &DeviceAuthorizationRequest,
    (scopes, resources): (&Scopes, &Resources),
) -> Result<(Scopes, Resources), Error> {
    if !client.grant_types.contains(&GrantType::DeviceCode) {
        return Err(TokenError::GrantTypeNotAllowed.into());
    }
    let scopes = client.requested_scopes(asked.scope.as_ref(), scopes);
    let scopes = scopes.ok_or(DeviceAuthorizationError::ScopeNotAllowed)?;
    if !fit_a_page(&scopes) {
        return Err(DeviceAuthorizationError::TooManyScopes.into());
    }
    let resources = resources.narrowed(&asked.resource);
    Ok((scopes, resources.ok_or(DeviceAuthorizationError::ResourceUnknown)?))
}

/// Stores a pending request with new codes.
async fn issue(
    inner: &Inner,
    device: &DeviceGrant,
    client: &Client,
    (scopes, resources): (Scopes, Resources),
    from: Option<RemoteAddress>,
) -> Result<DeviceAuthorizationResponse, Error> {
    let issuer = inner.issuer_id().await?;
    for _ in 0..DRAWS {
        let row = inner.row_above(client.number).await?;
        let secret = TokenSecret::new(inner.env.random());
        let user_code = UserCode::random(&inner.env);
        let pending = PendingRecord {
            row,
            identifier: Identifier::Row(sha256(&secret[..])),
            user_code: Some(inner.tokens.newest().user_code_hash(user_code.letters())),
            client: client.id.clone(),
            scopes: scopes.clone(),
            resources: resources.clone(),
            expires: inner.now() + device.lifetime,
            state: PendingState::Pending,
            kind: PendingKind::Device(DeviceCode { from: from.map(|from| from.0.to_canonical()) }),
        };
        if !inner.store.put_pending(issuer, pending).await? {
            continue;
        }
        let device_code = inner.tokens.write(TokenKind::Device, row, &secret);
        let page = format!("{}{}", inner.issuer.origin(), device.page);
        let complete = format!("{page}?user_code={user_code}");
        let mut codes = DeviceAuthorizationResponse::new(
            device_code.as_str(),
            user_code.to_string(),
            page,
            device.lifetime,
        );
        codes.verification_uri_complete = Some(complete);
        codes.interval = Some(device.interval);
        return Ok(codes);
    }
    Err(OperatorError::UserCodes.into())
}
