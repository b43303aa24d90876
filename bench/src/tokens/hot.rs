//! Checks of an access token that a guard has seen before: an opaque one in the server's process, and
//! a JWT there and at an API elsewhere.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use quadrille::{
    Env, Scopes,
    guard::{Guard, JwtAccessTokens},
    jose::{Algorithm, SigningKey, SigningKeys},
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{AccessTokenFormat, AuthorizationServer, NewClient, store::MemoryStore},
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use tokio::runtime::Runtime;

use crate::{
    AUDIENCE, ISSUER, ROUNDS, row,
    timing::{Result, allocations, nanoseconds},
};

const TIMES: u32 = 20_000;

/// The way to a server in this process, which counts the requests.
pub(crate) struct InProcess {
    server: AuthorizationServer,
    requests: Arc<AtomicUsize>,
}

impl InProcess {
    pub(crate) const fn counting(server: AuthorizationServer, requests: Arc<AtomicUsize>) -> Self {
        Self { server, requests }
    }
}

impl HttpClient for InProcess {
    async fn send(
        &self,
        request: Request<Body>,
        _: Purpose,
    ) -> std::result::Result<Response<Body>, NetworkError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.server.handle(request.map(|_| Bytes::new())).await;
        answer.map(|answer| answer.map(Into::into)).map_err(|_| NetworkError::Connect)
    }
}

/// A server with tokens of this format, and the head of a request with one.
async fn server(format: AccessTokenFormat) -> Result<(AuthorizationServer, Parts)> {
    let env = Env::system();
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    let server = AuthorizationServer::new(ISSUER, MemoryStore::new(env))?
        .scopes([("photos:read", "See your photos"), ("photos:write", "Add photos")])
        .signing_keys(keys)
        .access_token_format_for(AUDIENCE, format)?;
    let scopes = Scopes::parse("photos:read photos:write")?;
    let registered = server.register(NewClient::confidential("Worker").scopes(scopes)).await?;
    let auth = ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.ok_or("no secret")?,
    };
    let resource = Resources::of([AUDIENCE])?;
    let asked = TokenRequest::ClientCredentials { scope: None, resource };
    let answer = server.token(asked.to_request(&format!("{ISSUER}/oauth/token"), &auth, &[])?);
    let answer: serde_json::Value = serde_json::from_slice(answer.await.body())?;
    let token = answer.get("access_token").and_then(|token| token.as_str()).ok_or("no token")?;
    Ok((server, parts_with(token)?))
}

/// The head of a request with a token.
pub(crate) fn parts_with(token: &str) -> Result<Parts> {
    let request = Request::get("/photos").header("authorization", format!("Bearer {token}"));
    Ok(request.body(())?.into_parts().0)
}

/// Prints two rows, and returns the share of a hot opaque check that one of a JWT elsewhere reaches.
pub(crate) fn measure() -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (opaque, opaque_parts) = runtime.block_on(server(AccessTokenFormat::Opaque))?;
    let (jwt, jwt_parts) = runtime.block_on(server(AccessTokenFormat::Jwt))?;
    let opaque = Guard::new(&opaque).audience(AUDIENCE);
    let trust = JwtAccessTokens::of(ISSUER)?.http(InProcess::counting(jwt.clone(), Arc::default()));
    let elsewhere = Guard::elsewhere(AUDIENCE, trust).audience(AUDIENCE);
    let here = Guard::new(&jwt).audience(AUDIENCE);
    let mut bare = || check(&runtime, &opaque, &opaque_parts);
    let mut at_api = || check(&runtime, &elsewhere, &jwt_parts);
    let mut at_server = || check(&runtime, &here, &jwt_parts);
    let counts = (allocations(&mut at_api)?, allocations(&mut at_server)?);
    let (mut api, mut own) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let opaque = nanoseconds(TIMES, &mut bare)?;
        api.push((opaque, nanoseconds(TIMES, &mut at_api)?));
        own.push((opaque, nanoseconds(TIMES, &mut at_server)?));
    }
    let ratio = row("ES256, check elsewhere, seen before", &api, counts.0, "at least 0.9");
    row("ES256, check in the server's process", &own, counts.1, "");
    Ok(ratio)
}

fn check(runtime: &Runtime, guard: &Guard, parts: &Parts) -> Result<()> {
    let checked = runtime.block_on(guard.check(black_box(parts), b""))?;
    black_box(checked.ok_or("no token")?);
    Ok(())
}
