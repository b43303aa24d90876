//! The token endpoint (RFC 6749, section 3.2).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    RemoteAddress,
    form::Params,
    oauth2::{ClientAuthError, PresentedClient, RequestError, TokenRequest, TokenResponse},
    provider::{
        client::{
            authenticate, dynamic::used, error::AuthenticateError, grant_type::GrantType,
            record::Client,
        },
        error::{Error, endpoint::TokenError},
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        token::grant::{
            client_credentials, code, device, exchange, extension, jwt_bearer, password, refresh,
        },
        wire::{self, Methods},
    },
};

use super::row::{self, Endpoint};

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
    let error = match token(inner, request).await {
        Ok(tokens) => return tokens.to_response(),
        Err(error) => error,
    };
    refusal::log(inner, TOKEN.route.name, &error, request).await;
    wire::error(&error)
}

async fn token(inner: &Inner, request: &Request<Bytes>) -> Result<TokenResponse, Error> {
    let params = Params::of_body(request).map_err(RequestError::from)?;
    let (grant_type, asked) = asked(inner, &params)?;
    let from = inner.address_of(request.extensions());
    let client = client(inner, request, &params, asked.as_ref(), from).await?;
    if !client.grant_types.contains(&grant_type) {
        return Err(TokenError::GrantTypeNotAllowed.into());
    }
    // The future is as large as that of the largest grant: the rarer ones are boxed.
    let tokens = match asked {
        None => Box::pin(extension(inner, &client, &grant_type, &params, from)).await?,
        Some(TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resource }) => {
            code::redeem(inner, &client, code, redirect_uri, code_verifier, &resource).await?
        }
        Some(TokenRequest::RefreshToken { refresh_token, scope, resource }) => {
            refresh::rotate(inner, &client, refresh_token, scope.as_ref(), &resource).await?
        }
        Some(TokenRequest::ClientCredentials { scope, resource }) => {
            client_credentials::issue(inner, &client, scope.as_ref(), &resource).await?
        }
        Some(TokenRequest::DeviceCode { device_code, resource }) => {
            let offer = inner.device.as_ref().ok_or(RequestError::UnsupportedGrantType)?;
            Box::pin(device::redeem(inner, offer, &client, device_code, &resource)).await?
        }
        Some(TokenRequest::JwtBearer { assertion, scope, resource }) => {
            let issuing = jwt_bearer::issue(inner, &client, assertion, scope.as_ref(), &resource);
            Box::pin(issuing).await?
        }
        Some(TokenRequest::Password { username, password, scope, resource }) => {
            let asked = (scope.as_ref(), &resource);
            Box::pin(password::issue(inner, &client, (username, password), asked, from)).await?
        }
        Some(TokenRequest::TokenExchange(asked)) => {
            Box::pin(exchange::issue(inner, &client, asked)).await?
        }
    };
    let client = used::mark(inner, client).await?.ok_or(AuthenticateError::UnknownClient)?;
    let grant_type = grant_type.as_str();
    tracing::debug!(client = %client.id, grant_type, "tokens issued");
    Ok(tokens)
}

/// The grant type of a request and, unless it is the application's own, its parameters.
fn asked<'a>(
    inner: &Inner,
    params: &'a Params<'_>,
) -> Result<(GrantType, Option<TokenRequest<'a>>), RequestError> {
    let name = params.one("grant_type")?.ok_or(RequestError::Missing("grant_type"))?;
    let grant_type = name.parse().ok().filter(|grant| inner.offers(grant));
    let grant_type = grant_type.ok_or(RequestError::UnsupportedGrantType)?;
    let asked = match grant_type {
        GrantType::Extension(_) => None,
        _ => Some(TokenRequest::parse(params)?),
    };
    Ok((grant_type, asked))
}

/// The client of a request, authenticated. The assertion of an issuer whose requests are of one
/// client stands for its authentication, if the request names no client.
async fn client(
    inner: &Inner,
    request: &Request<Bytes>,
    params: &Params<'_>,
    asked: Option<&TokenRequest<'_>>,
    from: Option<RemoteAddress>,
) -> Result<Arc<Client>, Error> {
    let presented = PresentedClient::parse(request.headers(), params);
    if let (Err(ClientAuthError::Missing), Some(TokenRequest::JwtBearer { assertion, .. })) =
        (&presented, asked)
        && let Some(id) = jwt_bearer::client_of(inner, assertion).await?
    {
        let client = inner.store.client(inner.issuer_id().await?, id).await?;
        return client.ok_or_else(|| AuthenticateError::UnknownClient.into());
    }
    let presented = presented.map_err(AuthenticateError::from)?;
    authenticate::client(inner, &presented, TOKEN.route.path, from, inner.now()).await
}

async fn extension(
    inner: &Inner,
    client: &Arc<Client>,
    grant_type: &GrantType,
    params: &Params<'_>,
    from: Option<RemoteAddress>,
) -> Result<TokenResponse, Error> {
    let GrantType::Extension(name) = grant_type else {
        return Err(RequestError::UnsupportedGrantType.into());
    };
    let grant = inner.decided.extensions.get(name).ok_or(RequestError::UnsupportedGrantType)?;
    extension::issue(inner, client, (name, grant), params, from).await
}
