//! Token exchange (RFC 8693): who may exchange what for whom, and how long the result lives.

mod actors;

use std::time::Duration;

use axum::body::Body;
use quadrille::{
    Act, Actor, Policy, Scopes,
    guard::Guard,
    jose::{Algorithm, KeySet, Protected, SigningKey},
    oauth2::{
        ClientAuth, IntrospectionRequest, Resources, RevocationRequest, TokenExchange,
        TokenRequest, token_type,
    },
    provider::{
        AuthorizationServer, Exchanged, Exchanging, GrantType, NewClient, NotGranted, TrustedIssuer,
    },
};
use serde_json::{Value, json};

use crate::support::{API, Answer, ISSUER, MAIL, Tokens, World};

const PARTNER: &str = "https://partner.example";

/// The policy of these tests, which the name of the client chooses.
async fn policy(exchanging: Exchanging) -> Result<Exchanged, NotGranted> {
    let further = Resources::of([MAIL]).unwrap();
    match &*exchanging.client().name {
        "delegate" => Ok(Exchanged::delegation()),
        "impersonator" => Ok(Exchanged::impersonation()),
        "narrow" => Ok(Exchanged::delegation()
            .scopes(Scopes::of(["photos:read", "admin"]))
            .lifetime(Duration::from_secs(60))),
        "further" => {
            Ok(Exchanged::delegation().allow_audience_that_the_subject_token_does_not_have(further))
        }
        "partner" => match exchanging.subject_claims() {
            Some(claims) if claims.sub.as_deref() == Some("17") => {
                Ok(Exchanged::delegation().for_user("ada"))
            }
            _ => Ok(Exchanged::delegation()),
        },
        _ => Err(NotGranted::refused("nobody said that it may")),
    }
}

/// The key of RFC 8037, appendix A.1.
fn partner() -> SigningKey {
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    SigningKey::from_jwk(Algorithm::EdDsa, &jwk.to_string().into()).unwrap()
}

fn exchanging(server: AuthorizationServer) -> AuthorizationServer {
    let keys = KeySet::from_iter([partner().verifying_key().clone()]);
    server.trusted_issuer(TrustedIssuer::new(PARTNER, keys).unwrap()).token_exchange(policy)
}

async fn world() -> World {
    World::set_up(Policy::safe(), |new| new, exchanging).await
}

/// A client that exchanges, by its name.
async fn client(world: &World, name: &str) -> ClientAuth {
    let grants = [GrantType::TokenExchange, GrantType::ClientCredentials];
    let new = NewClient::confidential(name).id(name).grant_types(grants);
    let new = new.scopes(Scopes::of(["photos:read", "photos:write"]));
    let registered = world.server.register(new).await.unwrap();
    let client_secret = registered.secret.unwrap();
    ClientAuth::Basic { client_id: name.into(), client_secret }
}

fn subject(token: &str) -> TokenExchange<'_> {
    TokenExchange::new(token, token_type::ACCESS_TOKEN)
}

async fn exchange(world: &World, auth: &ClientAuth, asked: TokenExchange<'_>) -> Answer {
    world.token(auth, &TokenRequest::TokenExchange(asked)).await
}

async fn exchanged(world: &World, auth: &ClientAuth, token: &str) -> Tokens {
    exchange(world, auth, subject(token)).await.tokens()
}

/// The introspection response for the client of a token.
async fn told(world: &World, auth: &ClientAuth, token: &str) -> Value {
    let asked = IntrospectionRequest { token, token_type_hint: None };
    let request = asked.to_request("https://id.example/oauth/introspect", auth, &[]).unwrap();
    world.send(request.map(Body::from)).await.json()
}

async fn check(world: &World, token: &str) -> Option<(Actor, Option<Act>)> {
    let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let verified = Guard::new(&world.server).check(&parts, b"").await.ok()??;
    Some((verified.actor().clone(), verified.act().cloned()))
}

#[tokio::test]
async fn a_delegated_token_names_the_user_and_the_acting_party() {
    let world = world().await;
    let tokens = world.tokens("ada").await;
    let auth = client(&world, "delegate").await;
    let answer = exchange(&world, &auth, subject(&tokens.access)).await;
    let json = answer.json();
    assert_eq!(json["issued_token_type"], token_type::ACCESS_TOKEN);
    assert_eq!(
        (json["token_type"].as_str(), json["refresh_token"].as_str()),
        (Some("Bearer"), None)
    );
    let token = answer.tokens().access;
    let (actor, act) = check(&world, &token).await.unwrap();
    assert_eq!(actor, Actor::User("ada".into()));
    let act = act.unwrap();
    assert_eq!((&*act.sub, act.client_id.as_deref()), ("delegate", Some("delegate")));
    let told = told(&world, &auth, &token).await;
    assert_eq!(told["sub"], "ada");
    assert_eq!(told["act"], json!({ "sub": "delegate", "client_id": "delegate" }));

    // ... and on: the acting parties are nested.
    let narrow = client(&world, "narrow").await;
    let next = exchange(&world, &narrow, subject(&token)).await;
    assert_eq!(next.json()["expires_in"], 60);
    let next = next.tokens();
    assert_eq!(next.scope, "photos:read");
    let (_, act) = check(&world, &next.access).await.unwrap();
    let act = act.unwrap();
    assert_eq!((&*act.sub, &*act.act.as_ref().unwrap().sub), ("narrow", "delegate"));

    // An impersonation hides nobody who acts already.
    let impersonator = client(&world, "impersonator").await;
    let plain = exchanged(&world, &impersonator, &tokens.access).await;
    assert_eq!(check(&world, &plain.access).await.unwrap().1, None);
    let hidden = exchanged(&world, &impersonator, &token).await;
    assert_eq!(&*check(&world, &hidden.access).await.unwrap().1.unwrap().sub, "delegate");
}

#[tokio::test]
async fn an_exchanged_token_dies_with_its_subject_token() {
    let world = world().await;
    let auth = client(&world, "delegate").await;
    let narrow = client(&world, "impersonator").await;
    // Clients that are younger than the grant may exchange nevertheless.
    for end in 0..6 {
        let tokens = world.tokens("ada").await;
        let first = exchanged(&world, &auth, &tokens.access).await.access;
        let second = exchanged(&world, &narrow, &first).await.access;
        for token in [&first, &second] {
            assert!(world.is_good(token).await, "{end}");
        }
        match end {
            0 => drop(world.server.revoke_token(&tokens.access.as_str().into()).await.unwrap()),
            1 => world.server.revoke_consent("ada", &world.client.id).await.unwrap(),
            2 => world.server.revoke_subject("ada").await.unwrap(),
            3 => {
                let request = RevocationRequest {
                    token: tokens.refresh.as_deref().unwrap(),
                    token_type_hint: None,
                };
                let endpoint = "https://id.example/oauth/revoke";
                let request = request.to_request(endpoint, &world.auth()).unwrap();
                assert_eq!(world.send(request.map(Body::from)).await.status(), 200);
            }
            4 => drop(world.server.revoke_token(&first.as_str().into()).await.unwrap()),
            _ => drop(world.server.remove_client(&world.client.id).await.unwrap()),
        }
        for token in [&first, &second] {
            assert!(!world.is_good(token).await, "{end}");
            assert_eq!(told(&world, &auth, token).await, json!({ "active": false }), "{end}");
            let again = exchange(&world, &auth, subject(token)).await;
            assert_eq!(again.error(), "invalid_request", "{end}");
        }
        assert_eq!(world.is_good(&tokens.access).await, end == 4, "the subject token is another's");
    }
}

#[tokio::test]
async fn an_exchanged_token_lives_no_longer_than_its_subject_token() {
    let world = world().await;
    let auth = client(&world, "delegate").await;
    let tokens = world.tokens("ada").await;
    world.clock.advance(Duration::from_secs(3000));
    let answer = exchange(&world, &auth, subject(&tokens.access)).await;
    assert_eq!(answer.json()["expires_in"], 600);
    let token = answer.tokens().access;
    world.clock.advance(Duration::from_secs(599));
    assert!(world.is_good(&token).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.is_good(&token).await);
    assert_eq!(exchange(&world, &auth, subject(&tokens.access)).await.error(), "invalid_request");
}

#[tokio::test]
async fn an_exchange_widens_neither_scope_nor_audience() {
    let world = world().await;
    let auth = client(&world, "delegate").await;
    let further = client(&world, "further").await;
    let narrow = client(&world, "narrow").await;
    let tokens = world.tokens("ada").await;
    let reading = exchanged(&world, &narrow, &tokens.access).await.access;
    let mut asked = subject(&reading);
    asked.scope = Some(Scopes::of(["photos:write"]));
    assert_eq!(exchange(&world, &auth, asked).await.error(), "invalid_scope");
    assert_eq!(exchanged(&world, &auth, &reading).await.scope, "photos:read");
    // An answer cannot say that a token has no scope.
    let writing = NewClient::confidential("delegate").grant_types([GrantType::TokenExchange]);
    let writing = writing.scopes(Scopes::of(["photos:write"]));
    let writing = world.server.register(writing).await.unwrap();
    let writing = ClientAuth::Basic {
        client_id: (*writing.client.id).into(),
        client_secret: writing.secret.unwrap(),
    };
    assert_eq!(exchange(&world, &writing, subject(&reading)).await.error(), "invalid_scope");
    let tokens = world.tokens("ada").await;
    assert_eq!(exchanged(&world, &writing, &tokens.access).await.scope, "photos:write");

    let at = |uri: &str| Resources::of([uri]).unwrap();
    let asked = |uri: &'static str, by_name: bool| {
        let mut asked = subject(&tokens.access);
        match by_name {
            true => asked.audience = vec![uri],
            false => asked.resource = at(uri),
        }
        asked
    };
    for by_name in [true, false] {
        for (auth, uri, error) in [
            (&auth, API, Some("invalid_target")),
            (&auth, "https://other.example", Some("invalid_target")),
            (&further, API, Some("invalid_target")),
            (&further, MAIL, None),
        ] {
            let answer = exchange(&world, auth, asked(uri, by_name)).await;
            match error {
                Some(error) => assert_eq!(answer.error(), error, "{uri} {by_name}"),
                None => {
                    let token = answer.tokens().access;
                    assert!(!world.is_good(&token).await, "it is for another API alone");
                    assert_eq!(told(&world, auth, &token).await["aud"], uri);
                }
            }
        }
    }
    let malformed = exchange(&world, &auth, asked("no URI", true)).await;
    assert_eq!(malformed.error(), "invalid_target");
}

#[tokio::test]
async fn a_chain_of_exchanges_ends() {
    let world = world().await;
    let auth = client(&world, "impersonator").await;
    let mut token = world.tokens("ada").await.access;
    for _ in 0..4 {
        token = exchanged(&world, &auth, &token).await.access;
    }
    let answer = exchange(&world, &auth, subject(&token)).await;
    assert_eq!(answer.error(), "invalid_request");
    assert!(answer.text().contains("too many exchanges"), "{}", answer.text());
    assert!(world.is_good(&token).await);
}

#[tokio::test]
async fn an_exchange_that_the_policy_does_not_allow_is_refused() {
    let world = world().await;
    let tokens = world.tokens("ada").await;
    let other = client(&world, "other").await;
    assert_eq!(exchange(&world, &other, subject(&tokens.access)).await.error(), "invalid_grant");
    let without = World::new().await;
    let answer = exchange(&without, &without.auth(), subject("x")).await;
    assert_eq!(answer.error(), "unsupported_grant_type");
    let answer = exchange(&world, &world.auth(), subject(&tokens.access)).await;
    assert_eq!(answer.error(), "unauthorized_client");
}

#[tokio::test]
async fn each_malformed_exchange_is_refused() {
    let world = world().await;
    let auth = client(&world, "delegate").await;
    let other = client(&world, "other").await;
    let tokens = world.tokens("ada").await;
    let code = world.code("ada").await;
    let own = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    let machine = world.token(&other, &own).await.tokens().access;
    let refresh = tokens.refresh.as_deref().unwrap();
    let with = |change: fn(&mut TokenExchange<'_>)| {
        let mut asked = subject(&tokens.access);
        change(&mut asked);
        asked
    };
    for (name, asked) in [
        ("nothing", subject("x")),
        ("a code", subject(&code)),
        ("a refresh token as access token", subject(refresh)),
        ("another type", TokenExchange::new(&tokens.access, token_type::REFRESH_TOKEN)),
        ("another's refresh token", TokenExchange::new(refresh, token_type::REFRESH_TOKEN)),
        ("an unknown type", TokenExchange::new(&tokens.access, "urn:x")),
        ("an ID token", TokenExchange::new(&tokens.access, token_type::ID_TOKEN)),
        ("no JWT", TokenExchange::new("x.y.z", token_type::JWT)),
        ("another client's own", subject(&machine)),
        ("a bad actor", with(|it| it.actor_token = Some(("x", token_type::ACCESS_TOKEN)))),
        ("a type of actor", with(|it| it.actor_token = Some(("x", "urn:x")))),
        ("a refresh token", with(|it| it.requested_token_type = Some(token_type::REFRESH_TOKEN))),
        ("a type", with(|it| it.requested_token_type = Some("urn:x"))),
    ] {
        let answer = exchange(&world, &auth, asked).await;
        assert_eq!((answer.status(), &*answer.error()), (400, "invalid_request"), "{name}");
    }
    assert!(world.is_good(&tokens.access).await);
    assert!(world.refresh(refresh).await.status() == 200, "nothing was used up");
}

fn jwt(world: &World, change: &Value) -> String {
    let now = world.env.now().seconds();
    let mut claims = json!({ "iss": PARTNER, "sub": "17", "aud": ISSUER, "exp": now + 300 });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    partner().sign(&Protected::typ("at+jwt"), claims.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_is_exchanged_for_a_user_that_the_application_names() {
    let world = world().await;
    let auth = client(&world, "partner").await;
    let send = async |change: Value| {
        let token = jwt(&world, &change);
        exchange(&world, &auth, TokenExchange::new(&token, token_type::JWT)).await
    };
    let answer = send(json!({})).await;
    assert_eq!(answer.json()["expires_in"], 300, "as long as the JWT");
    let (actor, _) = check(&world, &answer.tokens().access).await.unwrap();
    assert_eq!(actor, Actor::User("ada".into()));
    assert_eq!(send(json!({ "scope": "photos:read" })).await.tokens().scope, "photos:read");

    let may_act = json!({ "sub": "partner", "client_id": "partner" });
    let acting = json!({ "act": { "sub": "shop" }, "may_act": may_act });
    let token = send(acting).await.tokens().access;
    let act = check(&world, &token).await.unwrap().1.unwrap();
    assert_eq!((&*act.sub, &*act.act.unwrap().sub), ("partner", "shop"));

    let mut deep = json!({ "sub": "0" });
    for party in 1..40 {
        deep = json!({ "sub": party.to_string(), "act": deep });
    }
    let now = world.env.now().seconds();
    for change in [
        json!({ "sub": "18" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "https://other.example" }),
        json!({ "exp": now - 31 }),
        json!({ "exp": now }), // within the leeway, and of no use
        json!({ "exp": null }),
        json!({ "may_act": { "sub": "somebody" } }),
        json!({ "may_act": { "sub": "partner", "client_id": "partner", "iss": "https://evil.example" } }),
        json!({ "may_act": "partner" }),
        json!({ "act": "shop" }),
        json!({ "act": { "sub": "" } }),
        json!({ "act": deep }),
        json!({ "scope": 7 }),
        json!({ "cnf": { "jkt": "A".repeat(43) } }),
        json!({ "cnf": { "x5t#S256": "A".repeat(43) } }),
        json!({ "cnf": null }),
    ] {
        let answer = send(change.clone()).await;
        assert_eq!((answer.status(), &*answer.error()), (400, "invalid_request"), "{change}");
    }
    // Nor is a token that is bound to a key an actor token: the new one would need no proof.
    for (cnf, status) in [(json!({}), 200), (json!({ "cnf": { "jkt": "A".repeat(43) } }), 400)] {
        let (subject, actor) = (jwt(&world, &json!({})), jwt(&world, &cnf));
        let mut asked = TokenExchange::new(&subject, token_type::JWT);
        asked.actor_token = Some((&actor, token_type::JWT));
        let answer = exchange(&world, &auth, asked).await;
        assert_eq!(answer.status(), status, "{cnf}: {}", answer.json());
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_by_its_own_client_and_takes_the_token_along() {
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::TokenExchange];
    let new = |new: NewClient| new.name("delegate").grant_types(grants);
    let world = World::set_up(Policy::safe(), new, exchanging).await;
    let tokens = world.tokens("ada").await;
    let refresh = tokens.refresh.unwrap();
    let asked = TokenExchange::new(&refresh, token_type::REFRESH_TOKEN);
    let token = exchange(&world, &world.auth(), asked).await.tokens().access;
    assert!(world.is_good(&token).await);
    let next = world.refresh(&refresh).await.tokens();
    assert!(world.is_good(&token).await, "the family lives on");
    world.server.revoke_token(&next.refresh.unwrap().as_str().into()).await.unwrap();
    assert!(!world.is_good(&token).await);
}
