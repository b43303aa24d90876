//! The signature algorithms of a provider: the registered one, or those that its metadata name.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use quadrille::{
    Error, SpecBuf,
    consumer::{OAuth2Buf, ServiceError},
    jose::{Algorithm, TokenError},
    oidc::{IdTokenRejected as Rejected, LogoutTokenRejected},
    testing::{FakeService, OpenIdFault as Fault},
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};

use super::{ISSUER, World};

/// The provider's metadata with these algorithms of ID tokens, and of the userinfo endpoint.
fn metadata(id_tokens: &Value, userinfo: &Value) -> String {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "id_token_signing_alg_values_supported": id_tokens,
        "userinfo_signing_alg_values_supported": userinfo,
        "authorization_response_iss_parameter_supported": true,
    })
    .to_string()
}

/// The network with a provider whose metadata are these.
#[derive(Clone)]
struct Says {
    service: FakeService,
    metadata: String,
}

impl HttpClient for Says {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        if !request.uri().path().ends_with("/openid-configuration") {
            return self.service.send(request, purpose).await;
        }
        let mut answer = Response::new(Body::from(Bytes::from(self.metadata.clone())));
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(answer)
    }
}

/// A world whose provider's metadata name these algorithms.
fn that_says(world: World, id_tokens: &Value, userinfo: &Value) -> World {
    let metadata = metadata(id_tokens, userinfo);
    let login = world.login.clone().http(Says { service: world.service.clone(), metadata });
    World { login, ..world }
}

fn not_accepted() -> Rejected {
    TokenError::AlgorithmNotAccepted.into()
}

fn rejected() -> Error {
    Error::Service { service: "acme".into(), error: ServiceError::IdTokenRejected(not_accepted()) }
}

async fn log_in(world: &World) -> quadrille::Result<()> {
    world.log_in(7).await.map(drop)
}

/// OpenID Connect Core, section 3.1.3.7, item 7.
#[tokio::test]
async fn the_registered_algorithm_is_the_only_one() {
    for (registered, signed_otherwise, expected) in [
        (Algorithm::Es256, false, Ok(())),
        (Algorithm::Es256, true, Err(rejected())),
        (Algorithm::Rs256, false, Err(rejected())),
        (Algorithm::Hs256, false, Err(rejected())),
        // Whatever the metadata say.
        (Algorithm::Es384, true, Ok(())),
        (Algorithm::Es384, false, Err(rejected())),
    ] {
        let spec = SpecBuf::oidc("acme", ISSUER).id_tokens_signed_by(registered);
        let secret = "a secret of at least thirty-two bytes";
        let world = World::of(spec.client("our-id", secret));
        world.service.changes_secret(secret);
        if signed_otherwise {
            world.service.misidentifies(Fault::AlgorithmOther);
        }
        assert_eq!(log_in(&world).await, expected, "{registered:?} {signed_otherwise}");
    }
}

/// OpenID Connect Core, section 3.1.3.7.
#[tokio::test]
async fn without_one_it_is_among_those_that_the_metadata_name() {
    for (named, is_accepted) in [
        (json!(["RS256", "ES256"]), true),
        (json!(["none", "HS256", "ES256"]), true),
        (json!(["RS256"]), false),
        (json!(["HS256"]), false),
        // Nothing that is known: providers forget it.
        (json!(null), true),
        (json!(["none"]), true),
    ] {
        let world = that_says(World::new(), &named, &json!(null));
        let expected = if is_accepted { Ok(()) } else { Err(rejected()) };
        assert_eq!(log_in(&world).await, expected, "{named}");
    }
}

#[tokio::test]
async fn an_hmac_that_the_metadata_name_is_accepted_only_where_it_is_registered() {
    let world = that_says(World::new(), &json!(["HS256", "ES256"]), &json!(null));
    world.service.misidentifies(Fault::HmacWithPublicKey);
    assert_eq!(log_in(&world).await, Err(rejected()));
}

#[tokio::test]
async fn a_provider_that_begins_to_sign_otherwise_is_looked_at_again() {
    let world = World::new();
    log_in(&world).await.unwrap();
    world.service.misidentifies(Fault::AlgorithmOther);
    for _ in 0..3 {
        assert_eq!(log_in(&world).await, Err(rejected()));
    }
    assert_eq!(world.fetched(), 3, "not at each token");
    world.clock.advance(Duration::from_secs(10));
    let body = metadata(&json!(["ES256", "ES384"]), &json!(null));
    world.service.answers_next(Purpose::Document, StatusCode::OK, body);
    log_in(&world).await.unwrap();
    assert_eq!(world.fetched(), 5);
}

/// The profile of an account at a service that is described like that and signs by ES256.
async fn profile(
    named: &Value,
    change: fn(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>,
) -> quadrille::Result<()> {
    let world = that_says(World::with(change), &json!(["ES256"]), named);
    world.service.signs_userinfo();
    let account = world.log_in(7).await.unwrap();
    let acme = world.login.linked_by_name(&account).await.unwrap();
    acme.profile().await.map(drop)
}

/// OpenID Connect Core, section 5.3.2.
#[tokio::test]
async fn signed_claims_of_the_userinfo_endpoint_have_an_algorithm_of_their_own() {
    let error = ServiceError::UserinfoRejected(not_accepted());
    let rejected = || Err(Error::Service { service: "acme".into(), error: error.clone() });
    for (named, is_accepted) in
        [(json!(null), true), (json!(["RS256", "ES256"]), true), (json!(["RS256"]), false)]
    {
        let expected = if is_accepted { Ok(()) } else { rejected() };
        assert_eq!(profile(&named, SpecBuf::signed_userinfo).await, expected, "{named}");
    }
    let named = json!(["RS256"]);
    let registered = profile(&named, |spec| spec.userinfo_signed_by(Algorithm::Es256));
    assert_eq!(registered.await, Ok(()));
    let named = json!(["ES256"]);
    let other = profile(&named, |spec| spec.userinfo_signed_by(Algorithm::Rs256));
    assert_eq!(other.await, rejected());
    let of_id_tokens = profile(&named, |spec| {
        spec.id_tokens_signed_by(Algorithm::Es256).userinfo_signed_by(Algorithm::Es384)
    });
    assert_eq!(of_id_tokens.await, rejected(), "not that of ID tokens");
}

/// Back-Channel Logout, sections 2.6 and 2.8.
#[tokio::test]
async fn logout_tokens_have_the_algorithm_of_id_tokens() {
    for (registered, code) in
        [(Algorithm::Es256, None), (Algorithm::Rs256, Some("logout_token_rejected"))]
    {
        let world = World::with(|spec| spec.id_tokens_signed_by(registered));
        let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
        let ended = world.login.end_by_logout_token("acme", &token).await;
        assert_eq!(ended.err().map(|error| error.code()), code, "{registered:?}");
    }
    let world = World::new();
    let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    let (_, payload) = token.rsplit_once('.').unwrap().0.split_once('.').unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"logout+jwt"}"#);
    let unsigned = world.login.end_by_logout_token("acme", &format!("{header}.{payload}.")).await;
    let unsecured = LogoutTokenRejected::Token(TokenError::Unsecured);
    let unsecured = ServiceError::LogoutTokenRejected(unsecured);
    assert_eq!(unsigned, Err(Error::Service { service: "acme".into(), error: unsecured }));
    let world = that_says(World::new(), &json!(["RS256"]), &json!(null));
    let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    let error = world.login.end_by_logout_token("acme", &token).await.unwrap_err();
    assert_eq!(error.code(), "logout_token_rejected");
    assert_eq!(error.status(), StatusCode::BAD_REQUEST, "anybody can send one");
}
