//! The token endpoint (RFC 6749, section 3.2).

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    RemoteAddress,
    form::Params,
    oauth2::{PresentedClient, RequestError, TokenRequest, TokenResponse},
    provider::{
        client::{authenticate, dynamic::used, error::AuthenticateError, record::GrantType},
        error::Error,
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        token::grant::{client_credentials, code, device, refresh},
        wire::{self, Methods},
    },
};

use super::{
    error::TokenError,
    row::{self, Endpoint},
};

pub(super) static TOKEN: Endpoint = Endpoint {
    route: Route {
        describe: |inner, url, metadata| {
            metadata.token_endpoint = Some(url);
            metadata.token_endpoint_auth_methods_supported =
                Some(authenticate::methods(inner.has_public_clients()));
            metadata.token_endpoint_auth_signing_alg_values_supported =
                Some(authenticate::algorithms());
        },
        ..Route::new("token", EndpointPath::Below("/token"), Methods::POST)
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(server.inner(), &request).await }),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The token endpoint: a client asks for tokens, with a code, with a refresh token, with a
    /// device code, or for itself. The address in [`RemoteAddress`] among the request's extensions, if there is one, is
    /// who failures to authenticate are counted for.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let request = http::Request::post("/oauth/token")
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body("grant_type=client_credentials&client_id=nobody".into())?;
    /// let response = server.token(request).await;
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.body(), r#"{"error":"invalid_client"}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn token(&self, request: Request<Bytes>) -> Response<Bytes> {
        TOKEN.answer(self, request).await
    }
}

async fn answer(inner: &Inner, request: &Request<Bytes>) -> Response<Bytes> {
    match token(inner, request).await {
        Ok(tokens) => tokens.to_response(),
        Err(error) => {
            refusal::log(inner, TOKEN.route.name, &error, request).await;
            wire::error(&error)
        }
    }
}

async fn token(inner: &Inner, request: &Request<Bytes>) -> Result<TokenResponse, Error> {
    let params = Params::of_body(request).map_err(RequestError::from)?;
    let asked = TokenRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(AuthenticateError::from)?;
    let grant_type = grant_type(&asked).filter(|grant| inner.offers(grant));
    let grant_type = grant_type.ok_or(RequestError::UnsupportedGrantType)?;
    let from = request.extensions().get::<RemoteAddress>().copied();
    let client = authenticate::client(inner, &presented, from).await?;
    if !client.grant_types.contains(&grant_type) {
        return Err(TokenError::GrantTypeNotAllowed.into());
    }
    let tokens = match asked {
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resource } => {
            code::redeem(inner, &client, code, redirect_uri, code_verifier, &resource).await?
        }
        TokenRequest::RefreshToken { refresh_token, scope, resource } => {
            refresh::rotate(inner, &client, refresh_token, scope.as_ref(), &resource).await?
        }
        TokenRequest::ClientCredentials { scope, resource } => {
            client_credentials::issue(inner, &client, scope.as_ref(), &resource).await?
        }
        TokenRequest::DeviceCode { device_code, resource } => {
            let offer = inner.device.as_ref().ok_or(RequestError::UnsupportedGrantType)?;
            device::redeem(inner, offer, &client, device_code, &resource).await?
        }
    };
    let client = used::mark(inner, client).await?.ok_or(AuthenticateError::UnknownClient)?;
    tracing::debug!(client = %client.id, ?grant_type, "tokens issued");
    Ok(tokens)
}

const fn grant_type(asked: &TokenRequest<'_>) -> Option<GrantType> {
    match asked {
        TokenRequest::AuthorizationCode { .. } => Some(GrantType::AuthorizationCode),
        TokenRequest::RefreshToken { .. } => Some(GrantType::RefreshToken),
        TokenRequest::ClientCredentials { .. } => Some(GrantType::ClientCredentials),
        TokenRequest::DeviceCode { .. } => Some(GrantType::DeviceCode),
    }
}
