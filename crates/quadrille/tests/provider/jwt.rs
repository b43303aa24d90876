//! Access tokens that are JWTs (RFC 9068), and the keys that sign them.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Policy, Timestamp,
    jose::{
        Algorithm, Algorithms, ClaimsPolicy, KeySet, Rotation, SigningKey, SigningKeys, TokenType,
        Unverified, Verification,
    },
    oauth2::{ClientAuth, IntrospectionRequest, Resources, RevocationRequest, TokenRequest},
    provider::{
        AccessTokenFormat::{self, Jwt, Opaque},
        AuthorizationServer, Error, GrantType, NewClient, NewToken, OperatorError,
        RegistrationError,
    },
};
use serde_json::{Value, json};

use crate::support::{API, Answer, Browser, ISSUER, MAIL, World};

const RULES: Verification = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("at+jwt"));

/// The keys of a server: one that signs from the begin of all tests.
fn keys(algorithm: Algorithm) -> SigningKeys {
    let key = SigningKey::generate(algorithm).unwrap();
    SigningKeys::new(key, Timestamp::from_seconds(0)).unwrap()
}

async fn world(
    client: impl FnOnce(NewClient) -> NewClient,
    server: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
) -> World {
    let server = |before: AuthorizationServer| server(before.signing_keys(keys(Algorithm::Es256)));
    World::set_up(Policy::safe(), client, server).await
}

/// A server all of whose tokens are JWTs.
async fn with_jwts() -> World {
    world(|client| client, |server| server.access_token_format(Jwt)).await
}

async fn jwks(world: &World) -> Answer {
    let document = world.request("GET", "/oauth/jwks", "", "").await;
    assert_eq!(document.status(), 200);
    assert_eq!(document.header("content-type"), "application/jwk-set+json");
    assert_eq!(document.header("access-control-allow-origin"), "*");
    assert_eq!(document.header("cache-control"), "public, max-age=300");
    document
}

/// The claims of a token, once the published keys verify it.
async fn claims(world: &World, token: &str, audience: &str) -> Value {
    let keys = KeySet::parse(jwks(world).await.text().as_bytes()).unwrap();
    let verified = Unverified::parse(token).unwrap().verify(&RULES, &keys).unwrap();
    verified.claims(&ClaimsPolicy::new(ISSUER, audience), world.env.now()).unwrap();
    serde_json::from_slice(verified.payload()).unwrap()
}

/// A token for these APIs, for the user `subject`.
async fn token_for(world: &World, subject: &str, resources: &str) -> String {
    world.sign_in(subject);
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.resource = Resources::parse(resources).unwrap();
    let mut page = world.ask(&mut browser, &request).await;
    if page.status() == 200 {
        page = browser.answer(world, &page, "decision=all").await;
    }
    world.redeem(&page.query("code")).await.tokens().access
}

fn format(token: &str) -> AccessTokenFormat {
    if token.contains('.') { Jwt } else { Opaque }
}

pub(crate) async fn introspect(world: &World, token: &str) -> Value {
    let asked = IntrospectionRequest { token, token_type_hint: None };
    let url = "https://id.example/oauth/introspect";
    let request = asked.to_request(url, &world.auth(), &[]).unwrap();
    world.send(request.map(axum::body::Body::from)).await.json()
}

#[tokio::test]
async fn a_jwt_names_user_client_scopes_audience_and_lifetime() {
    let world = with_jwts().await;
    let now = world.env.now().seconds();
    let token = token_for(&world, "ada", API).await;
    let mut claims = claims(&world, &token, API).await;
    let jti = claims["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 60);
    assert_eq!(
        claims,
        json!({
            "jti": null,
            "iss": ISSUER,
            "sub": "ada",
            "aud": API,
            "client_id": &*world.client.id,
            "iat": now,
            "exp": now + 3600,
            "scope": "photos:read photos:write",
            "auth_time": now,
        })
    );
    let several = token_for(&world, "ada", &format!("{API} {MAIL}")).await;
    assert_eq!(self::claims(&world, &several, MAIL).await["aud"], json!([API, MAIL]));
    let own = token_for(&world, "ada", "").await;
    assert_eq!(self::claims(&world, &own, ISSUER).await["aud"], ISSUER);
}

#[tokio::test]
async fn a_jwt_names_the_methods_of_the_sign_in() {
    let world = with_jwts().await;
    world.sign_in("ada");
    {
        let mut signed_in = world.signed_in.lock().unwrap();
        let ada = signed_in.as_mut().unwrap();
        ada.acr = Some("urn:two".into());
        ada.amr = vec!["pwd".into(), "otp".into()];
    }
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    let back = browser.answer(&world, &page, "decision=all").await;
    let token = world.redeem(&back.query("code")).await.tokens().access;
    let claims = claims(&world, &token, ISSUER).await;
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:two"), &json!(["pwd", "otp"])));
}

#[tokio::test]
async fn the_server_itself_knows_its_jwts_until_they_end() {
    let world = with_jwts().await;
    let tokens = world.tokens("ada").await;
    let told = introspect(&world, &tokens.access).await;
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!("ada")));
    assert!(world.is_good(&tokens.access).await);

    // Neither the jti nor a token with another signature is a token.
    let claims = claims(&world, &tokens.access, ISSUER).await;
    assert_eq!(told["jti"], claims["jti"]);
    assert!(!world.is_good(claims["jti"].as_str().unwrap()).await);
    let (signed, signature) = tokens.access.rsplit_once('.').unwrap();
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    let forged = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    for other in [&*forged, signed, &format!("{signed}."), &format!("{}.", tokens.access)] {
        assert!(!world.is_good(other).await, "{other}");
        assert_eq!(introspect(&world, other).await, json!({ "active": false }));
    }

    let refreshed = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert_eq!(format(&refreshed.access), Jwt);
    let asked = RevocationRequest { token: &refreshed.access, token_type_hint: None };
    let url = "https://id.example/oauth/revoke";
    let request = asked.to_request(url, &world.auth()).unwrap();
    assert_eq!(world.send(request.map(axum::body::Body::from)).await.status(), 200);
    for token in [&tokens.access, &refreshed.access] {
        assert!(!world.is_good(token).await);
        assert_eq!(introspect(&world, token).await, json!({ "active": false }));
    }

    let last = world.tokens("ada").await.access;
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.photos(&last).await.status(), 401);
    assert_eq!(introspect(&world, &last).await, json!({ "active": false }));
}

#[tokio::test]
async fn the_format_is_that_of_the_client_or_the_api_or_the_server() {
    let for_api = |format| {
        move |server: AuthorizationServer| server.access_token_format_for(API, format).unwrap()
    };
    let plain = |client| client;
    let one = world(plain, for_api(Jwt)).await;
    assert_eq!(format(&token_for(&one, "ada", API).await), Jwt);
    assert_eq!(format(&token_for(&one, "ada", MAIL).await), Opaque);
    assert_eq!(format(&token_for(&one, "ada", "").await), Opaque);
    let other = world(plain, |server| for_api(Opaque)(server.access_token_format(Jwt))).await;
    assert_eq!(format(&token_for(&other, "ada", API).await), Opaque);
    assert_eq!(format(&token_for(&other, "ada", MAIL).await), Jwt);
    let client = |client: NewClient| client.access_token_format(Some(Jwt));
    let own = world(client, for_api(Opaque)).await;
    assert_eq!(format(&token_for(&own, "ada", API).await), Jwt);
    let edited = own.server.edit_client(&own.client.id, |_, new| new.access_token_format(None));
    edited.await.unwrap();
    assert_eq!(format(&token_for(&own, "ada", API).await), Opaque);
}

#[tokio::test]
async fn a_personal_access_token_is_opaque_where_others_are_jwts() {
    let world = with_jwts().await;
    let minted = world.server.mint(NewToken::personal("ada", "backup")).await.unwrap();
    assert_eq!(format(minted.token.expose()), Opaque);
    let client = NewToken::for_client("ada", world.client.id.clone());
    let minted = world.server.mint(client).await.unwrap();
    assert_eq!(format(minted.token.expose()), Jwt);
}

#[tokio::test]
async fn a_client_for_itself_is_the_subject_and_no_user_can_be_taken_for_it() {
    let world = with_jwts().await;
    let worker = NewClient::confidential("Worker").id("worker");
    let worker = worker.grant_types([GrantType::ClientCredentials]);
    let registered = world.server.register(worker).await.unwrap();
    let auth =
        ClientAuth::Basic { client_id: "worker".into(), client_secret: registered.secret.unwrap() };
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    let token = world.token(&auth, &asked).await.tokens().access;
    let claims = claims(&world, &token, ISSUER).await;
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("worker"), &json!("worker")));
    assert_eq!(claims.get("auth_time"), None);

    // A user with the identifier of the client gets a token that cannot be confused.
    let token = token_for(&world, &world.client.id, "").await;
    assert_eq!(format(&token), Opaque);
}

#[tokio::test]
async fn after_a_rotation_the_new_key_signs_and_tokens_of_the_old_one_stay_valid() {
    let rotation = Rotation::default();
    let mut keys = keys(Algorithm::Es256);
    let old = keys.published().iter().next().unwrap().kid().unwrap().to_owned();
    let world = World::set_up(
        Policy::safe(),
        |client| client,
        |server| server.signing_keys(keys.clone()).access_token_format(Jwt),
    )
    .await;
    let kid = |token: &str| Unverified::parse(token).unwrap().header().kid().unwrap().to_owned();
    let clone = world.server.clone();
    keys.add(SigningKey::generate(Algorithm::Es256).unwrap(), world.env.now(), &rotation).unwrap();
    clone.replace_signing_keys(keys);

    let first = world.tokens("ada").await.access;
    assert_eq!(kid(&first), old);
    let published = jwks(&world).await.json();
    assert_eq!(published["keys"].as_array().unwrap().len(), 2);
    assert!(published.to_string().find("\"d\"").is_none());
    world.clock.advance(rotation.ahead - Duration::from_secs(60));
    let last = world.tokens("ada").await.access;
    assert_eq!(kid(&last), old);
    world.clock.advance(Duration::from_secs(60));
    assert_ne!(kid(&world.tokens("ada").await.access), old);
    assert!(world.is_good(&last).await);
    claims(&world, &last, ISSUER).await;
}

#[tokio::test]
async fn metadata_names_the_keys_exactly_when_there_are_some() {
    let path = "/.well-known/oauth-authorization-server";
    let with = with_jwts().await;
    let metadata = with.request("GET", path, "", "").await.json();
    assert_eq!(metadata["jwks_uri"], "https://id.example/oauth/jwks");
    let without = World::new().await;
    assert_eq!(without.request("GET", path, "", "").await.json().get("jwks_uri"), None);
    assert_eq!(without.request("GET", "/oauth/jwks", "", "").await.status(), 404);
    without.server.replace_signing_keys(keys(Algorithm::EdDsa));
    let metadata = without.request("GET", path, "", "").await.json();
    assert_eq!(metadata["jwks_uri"], "https://id.example/oauth/jwks");
    assert_eq!(without.request("GET", "/oauth/jwks", "", "").await.status(), 200);
}

#[tokio::test]
async fn without_keys_no_client_is_promised_a_jwt() {
    let world = World::new().await;
    let server = world.server.clone().access_token_format(Jwt);
    let error = server.start().await.unwrap_err();
    assert!(matches!(error, Error::Operator(OperatorError::NoSigningKeys)));
    let new = NewClient::confidential("Gateway").access_token_format(Some(Jwt));
    let error = world.server.register(new).await.unwrap_err();
    assert!(matches!(error, RegistrationError::NoSigningKeys), "{error:?}");
}

#[tokio::test]
async fn the_application_chooses_the_format_and_adds_claims_and_replaces_none() {
    let world = world(
        |client| client,
        |server| {
            server.before_issue(|mut token| async move {
                let tenant = format!("{}/{:?}", token.client().name, token.actor());
                token.set_format(Jwt);
                token.set_lifetime(Duration::from_secs(60));
                token.add_claim("tenant", tenant.into())?;
                for name in ["sub", "act", "cnf", "jti"] {
                    let refused = token.add_claim(name, "mallory".into()).unwrap_err();
                    assert_eq!(refused.to_string(), format!("the protocol defines `{name}`"));
                }
                Ok(token)
            })
        },
    )
    .await;
    let token = token_for(&world, "ada", "").await;
    let claims = claims(&world, &token, ISSUER).await;
    assert_eq!(claims["tenant"], "Photo printer/User(\"ada\")");
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
}

#[tokio::test]
async fn each_algorithm_with_public_keys_signs() {
    for algorithm in Algorithms::PUBLIC_KEY.iter() {
        let world = World::set_up(
            Policy::safe(),
            |client| client,
            |server| server.signing_keys(keys(algorithm)).access_token_format(Jwt),
        )
        .await;
        let token = world.tokens("ada").await.access;
        assert_eq!(Unverified::parse(&token).unwrap().header().algorithm(), algorithm);
        claims(&world, &token, ISSUER).await;
    }
}
