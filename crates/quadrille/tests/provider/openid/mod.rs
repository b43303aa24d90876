//! OpenID Connect, as clients see it (OpenID Connect Core 1.0).

mod acr;
mod discovery;
mod encryption;
mod id_tokens;
mod key_rotation;
mod logout;
mod pages;
mod pairwise;
mod registration;
mod request_objects;
mod requests;
mod responses;
mod session_management;
mod signed_requests;
mod userinfo;
mod wishes;

use std::sync::OnceLock;

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, Scopes, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, KeySet, SigningKey, SigningKeys, TokenType, Unverified,
        Verification,
    },
    oauth2::AuthorizationRequest,
    oidc::IdToken,
    provider::{
        AuthorizationServer, ClaimsQuery, ClaimsUnavailable, ClientOpenId, NewClient, OpenId,
        UserClaims,
    },
};
use serde_json::{Value, json};

use crate::support::{Answer, Browser, ISSUER, World};

const SCOPES: &str = "openid profile email groups photos:read";

/// The application: everyone has a name and an address, except that it forgets some.
async fn known(query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
    match query.subject() {
        "closed" => return Ok(None),
        "unlucky" => return Err(ClaimsUnavailable::new("the directory is away")),
        _ => {}
    }
    let claims = json!({
        "sub": "mallory",
        "iss": "https://evil.example",
        "nonce": "forged",
        "name": "Ada Lovelace",
        "email": format!("{}@example.com", query.subject()),
        "email_verified": true,
        "nickname": "",
        "groups": ["a", "b"],
        "salary": 7,
    });
    let Value::Object(claims) = claims else { panic!("an object") };
    Ok(Some(claims))
}

fn openid() -> OpenId {
    OpenId::new()
        .claims(["sub", "name", "nickname", "email", "email_verified", "groups"], known)
        .scope_of_claims("groups", ["groups"])
}

/// One RSA key for all tests, since it takes a while to make.
fn rsa() -> SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Rs256).unwrap()).clone()
}

fn keys(key: SigningKey) -> SigningKeys {
    SigningKeys::new(key, Timestamp::default()).unwrap()
}

/// A server with keys for ES256 and RS256.
fn offered(server: AuthorizationServer) -> AuthorizationServer {
    server
        .signing_keys(keys(SigningKey::generate(Algorithm::Es256).unwrap()))
        .further_signing_keys(keys(rsa()))
        .scopes([("groups", "See your groups")])
        .openid(openid())
}

async fn world() -> World {
    world_with(ClientOpenId::default()).await
}

async fn world_with(metadata: ClientOpenId) -> World {
    world_of(|new| new.openid(metadata), |server| server).await
}

/// The client may request all scopes of the server.
async fn world_of(
    client: impl FnOnce(NewClient) -> NewClient,
    server: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
) -> World {
    let world = World::set_up(Policy::openid(), client, |it| server(offered(it))).await;
    may_request(&world, SCOPES).await;
    world
}

async fn may_request(world: &World, scopes: &str) {
    let scopes = Scopes::parse(scopes).unwrap();
    world.server.edit_client(&world.client.id, |_, new| new.scopes(scopes.clone())).await.unwrap();
}

/// A request for authentication with further parameters.
fn asking<'a>(
    world: &'a World,
    scope: &str,
    further: &[(&'a str, &'a str)],
) -> AuthorizationRequest<'a> {
    let mut request = world.asking();
    request.scope = Some(Scopes::parse(scope).unwrap());
    for (name, value) in further {
        request.extra.push(((*name).into(), (*value).into()));
    }
    request
}

/// The answer of a user who signs in and consents to everything, by name too.
async fn consented(world: &World, scope: &str, further: &[(&str, &str)]) -> Answer {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(world, scope, further)).await;
    assert_eq!(page.status(), 200, "{page:?}");
    let claims: String = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("claim="))
        .fold(String::new(), |fields, claim| format!("{fields}&claim={claim}"));
    browser.answer(world, &page, &format!("decision=all{claims}")).await
}

/// The token response for such a user.
async fn tokens(world: &World, scope: &str, further: &[(&str, &str)]) -> Value {
    let code = consented(world, scope, further).await.query("code");
    let answer = world.redeem(&code).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.json()
}

/// An ID token, verified as a client does it, and its algorithm.
async fn verified(world: &World, token: &str) -> (IdToken, Algorithm) {
    let jwks = world.send(Request::get("/oauth/jwks").body(Body::empty()).unwrap()).await;
    let keys = KeySet::parse(jwks.text().as_bytes()).unwrap();
    let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);
    let verified = Unverified::parse(token).unwrap().verify(&rules, &keys).unwrap();
    let claims = Claims::parse(verified.payload()).unwrap();
    (IdToken::from_claims(claims).unwrap(), verified.header().algorithm())
}

/// The ID token of a token response.
async fn id_token(world: &World, response: &Value) -> IdToken {
    let token = response["id_token"].as_str().unwrap_or_else(|| panic!("no ID token: {response}"));
    let (token, _) = verified(world, token).await;
    assert_eq!(token.issuer, ISSUER);
    token
}

fn text<'v>(response: &'v Value, name: &str) -> &'v str {
    response[name].as_str().unwrap()
}
