//! The token endpoint.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use quadrille::{
    Policy, Scopes,
    oauth2::{ClientAuth, Resources, TokenRequest, pkce::Verifier},
    provider::NewClient,
};

use crate::support::{Answer, CALLBACK, World};

async fn redeem(
    world: &World,
    auth: &ClientAuth,
    code: &str,
    redirect_uri: Option<&str>,
    code_verifier: Option<&str>,
) -> Answer {
    let resource = Resources::EMPTY;
    let asked = TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resource };
    world.token(auth, &asked).await
}

/// Another confidential client of the same server.
async fn other(world: &World) -> ClientAuth {
    let new = NewClient::confidential("Other")
        .redirect_uri(CALLBACK)
        .scopes(Scopes::parse("photos:read").unwrap());
    let registered = world.server.register(new).await.unwrap();
    ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.unwrap(),
    }
}

#[tokio::test]
async fn an_answer_is_json_that_nobody_keeps() {
    let world = World::new().await;
    let code = world.code("ada").await;
    for answer in [world.redeem(&code).await, world.redeem("nonsense").await] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let tokens = world.tokens("ada").await;
    assert_eq!(tokens.scope, "photos:read photos:write");
    let json = world.refresh(&tokens.refresh.unwrap()).await.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3600);
}

/// OpenID Connect Core, section 3.1.3.2.
#[tokio::test]
async fn wrong_attempts_use_no_code_up() {
    let world = World::new().await;
    let code = world.code("ada").await;
    let (auth, verifier) = (world.auth(), world.verifier());
    let (uri, verifier) = (Some(CALLBACK), Some(verifier.expose()));
    let wrong = Verifier::from_bytes(&[1; 32]);
    let stranger = other(&world).await;
    let cases = [
        (redeem(&world, &stranger, &code, uri, verifier).await, "invalid_grant"),
        (redeem(&world, &auth, &code, uri, Some(wrong.expose())).await, "invalid_grant"),
        (redeem(&world, &auth, &code, uri, None).await, "invalid_grant"),
        (redeem(&world, &auth, &code, uri, Some("short")).await, "invalid_request"),
        (redeem(&world, &auth, &code, None, None).await, "invalid_grant"),
        (
            redeem(&world, &auth, &code, Some("https://app.example"), verifier).await,
            "invalid_grant",
        ),
        (redeem(&world, &auth, code.get(1..).unwrap(), uri, verifier).await, "invalid_grant"),
    ];
    for (index, (answer, error)) in cases.iter().enumerate() {
        assert_eq!((answer.status(), &*answer.error()), (400, *error), "case {index}");
    }
    let wrong_secret =
        ClientAuth::Basic { client_id: (*world.client.id).into(), client_secret: "wrong".into() };
    let answer = redeem(&world, &wrong_secret, &code, uri, verifier).await;
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    assert!(world.is_good(&world.redeem(&code).await.tokens().access).await);
}

#[tokio::test]
async fn a_code_that_comes_again_ends_what_it_bought() {
    let world = World::new().await;
    let code = world.code("ada").await;
    let tokens = world.redeem(&code).await.tokens();
    let stranger = other(&world).await;
    let verifier = world.verifier();
    redeem(&world, &stranger, &code, Some(CALLBACK), Some(verifier.expose())).await;
    redeem(&world, &world.auth(), &code, Some(CALLBACK), None).await;
    assert!(world.is_good(&tokens.access).await, "only who could redeem it can replay it");
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    assert!(!world.is_good(&tokens.access).await);
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let world = World::new().await;
    let code = world.code("ada").await;
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(world.redeem(&code).await.status(), 200);
    let code = world.code("ada").await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_a_downgrade() {
    let policy = Policy::safe().allow_confidential_clients_without_pkce();
    let world = World::with(policy, NewClient::first_party).await;
    world.sign_in("ada");
    let mut asked = world.asking();
    asked.code_challenge = None;
    let back = world.ask(&mut crate::support::Browser::default(), &asked).await;
    let code = back.query("code");
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    let answer = redeem(&world, &world.auth(), &code, Some(CALLBACK), None).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_refresh_token_turns_and_its_reuse_ends_the_family() {
    let world = World::new().await;
    let first = world.tokens("ada").await;
    let second = world.refresh(first.refresh.as_deref().unwrap()).await.tokens();
    assert_ne!(first.refresh, second.refresh);
    assert!(world.is_good(&first.access).await, "the access token of before lives on");
    world.clock.advance(Duration::from_secs(30));
    let answer = world.refresh(first.refresh.as_deref().unwrap()).await;
    assert_eq!((answer.status(), &*answer.error()), (400, "invalid_grant"));
    assert!(!world.is_good(&first.access).await);
    assert!(!world.is_good(&second.access).await);
    assert_eq!(world.refresh(&second.refresh.unwrap()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_lost_answer_can_be_had_again_for_half_a_minute() {
    let world = World::new().await;
    let first = world.tokens("ada").await.refresh.unwrap();
    let second = world.refresh(&first).await.tokens();
    world.clock.advance(Duration::from_secs(29));
    let again = world.refresh(&first).await.tokens();
    assert_eq!(second.refresh, again.refresh, "the same successor");
    assert!(world.is_good(&again.access).await);
    let third = world.refresh(&again.refresh.unwrap()).await.tokens();
    assert_eq!(world.refresh(&first).await.error(), "invalid_grant", "its successor was used");
    assert!(!world.is_good(&third.access).await);
}

/// Two tabs, or two parts of a program, refresh for themselves.
#[tokio::test]
async fn a_repeat_for_other_scopes_gets_them_and_the_same_successor() {
    let world = World::new().await;
    let first = world.tokens("ada").await.refresh.unwrap();
    let ask = async |scope: &str| {
        let scope = Some(Scopes::parse(scope).unwrap());
        let asked =
            TokenRequest::RefreshToken { refresh_token: &first, scope, resource: Resources::EMPTY };
        world.token(&world.auth(), &asked).await
    };
    let reading = ask("photos:read").await.tokens();
    let writing = ask("photos:write admin").await.tokens();
    assert_eq!((&*reading.scope, &*writing.scope), ("photos:read", "photos:write"));
    assert_eq!(reading.refresh, writing.refresh);
    assert_eq!(world.photos(&reading.access).await.status(), 200);
    assert_eq!(world.photos(&writing.access).await.status(), 403, "valid, and for writing alone");
    // No more than was granted, and a wrong request ends nothing.
    assert_eq!(ask("admin").await.error(), "invalid_scope");
    let successor = reading.refresh.unwrap();
    let whole = world.refresh(&successor).await.tokens();
    assert_eq!(whole.scope, "photos:read photos:write");
    assert_eq!(ask("photos:read").await.error(), "invalid_grant", "its successor was used");
    assert!(!world.is_good(&whole.access).await);
}

#[tokio::test]
async fn scopes_shrink_for_one_access_token_and_never_grow() {
    let world = World::new().await;
    let tokens = world.tokens("ada").await;
    let refresh = tokens.refresh.unwrap();
    let ask = |token: String, scope: &'static str| {
        let world = &world;
        async move {
            let scope = Some(Scopes::parse(scope).unwrap());
            let asked = TokenRequest::RefreshToken {
                refresh_token: &token,
                scope,
                resource: Resources::EMPTY,
            };
            world.token(&world.auth(), &asked).await
        }
    };
    let foreign = ask(refresh.clone(), "admin files").await;
    assert_eq!((foreign.status(), &*foreign.error()), (400, "invalid_scope"));
    let wider = ask(refresh, "photos:read admin").await.tokens();
    assert_eq!(wider.scope, "photos:read", "the rest was never granted");
    assert_eq!(world.photos(&wider.access).await.status(), 200);
    let narrow = ask(wider.refresh.unwrap(), "photos:write").await.tokens();
    assert_eq!(narrow.scope, "photos:write");
    assert_eq!(world.photos(&narrow.access).await.status(), 403);
    let whole = world.refresh(&narrow.refresh.unwrap()).await.tokens();
    assert_eq!(whole.scope, "photos:read photos:write", "the grant is as wide as ever");
}

#[tokio::test]
async fn another_client_uses_no_refresh_token_up() {
    let world = World::new().await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    let asked = TokenRequest::RefreshToken {
        refresh_token: &refresh,
        scope: None,
        resource: Resources::EMPTY,
    };
    let stranger = other(&world).await;
    assert_eq!(world.token(&stranger, &asked).await.error(), "invalid_grant");
    let next = world.refresh(&refresh).await.tokens();
    assert_eq!(world.token(&stranger, &asked).await.error(), "invalid_grant");
    assert!(world.is_good(&next.access).await, "nor can it end the family");
    assert_eq!(world.refresh("nonsense").await.error(), "invalid_grant");
    assert_eq!(world.refresh(&next.access).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_ends_when_it_lies_unused_and_in_any_case_one_day() {
    let day = Duration::from_secs(24 * 3600);
    let policy = Policy::safe().refresh_token_lifetimes(day, day * 3);
    let world = World::with(policy, |new| new).await;
    let idle = world.tokens("ada").await.refresh.unwrap();
    let mut used = world.tokens("ada").await.refresh.unwrap();
    for _ in 0..3 {
        world.clock.advance(day - Duration::from_secs(1));
        used = world.refresh(&used).await.tokens().refresh.unwrap();
    }
    assert_eq!(world.refresh(&idle).await.error(), "invalid_grant");
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(world.refresh(&used).await.error(), "invalid_grant", "three days are over");
}

#[tokio::test]
async fn a_public_client_refreshes_without_a_secret() {
    let world = World::public(CALLBACK).await;
    let tokens = world.tokens("ada").await;
    let next = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&next.access).await);
}

#[tokio::test]
async fn a_confidential_client_gets_a_token_for_itself_and_no_refresh_token() {
    use quadrille::provider::GrantType::{AuthorizationCode, ClientCredentials};
    let both = |new: NewClient| new.grant_types([AuthorizationCode, ClientCredentials]);
    let world = World::with(Policy::safe(), both).await;
    let ask = |scope: Option<&str>| {
        let scope = scope.map(|scope| Scopes::parse(scope).unwrap());
        let world = &world;
        async move {
            world
                .token(
                    &world.auth(),
                    &TokenRequest::ClientCredentials { scope, resource: Resources::EMPTY },
                )
                .await
        }
    };
    let tokens = ask(None).await.tokens();
    assert_eq!((tokens.refresh.as_deref(), &*tokens.scope), (None, "photos:read photos:write"));
    let photos = world.photos(&tokens.access).await;
    let id = &world.client.id;
    assert_eq!(photos.text(), format!("Client(\"{id}\") by {id}"), "it is nobody's user");
    assert_eq!(ask(Some("photos:read")).await.tokens().scope, "photos:read");
    assert_eq!(ask(Some("admin")).await.error(), "invalid_scope");
    let tokens = world.tokens("ada").await;
    assert_eq!(tokens.refresh, None, "this client may not refresh");
}

#[tokio::test]
async fn what_a_client_may_not_or_nobody_can_is_refused_by_name() {
    let world = World::new().await;
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    let answer = world.token(&world.auth(), &asked).await;
    assert_eq!((answer.status(), &*answer.error()), (400, "unauthorized_client"));
    let public = World::public(CALLBACK).await;
    assert_eq!(public.token(&public.auth(), &asked).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn malformed_requests_are_refused_with_the_right_status() {
    let world = World::new().await;
    let form = "application/x-www-form-urlencoded";
    let long = format!("grant_type=x&x={}", "x".repeat(66_000));
    let wide = "x=1&".repeat(100);
    let overlong = format!("grant_type=refresh_token&refresh_token={}", "x".repeat(17_000));
    for (method, content_type, body, status, error) in [
        ("GET", form, "", 405, "invalid_request"),
        ("PUT", form, "grant_type=client_credentials", 405, "invalid_request"),
        ("POST", "application/json", "{}", 415, "invalid_request"),
        ("POST", "text/plain", "grant_type=client_credentials", 415, "invalid_request"),
        ("POST", form, &long, 413, "invalid_request"),
        ("POST", form, &wide, 400, "invalid_request"),
        ("POST", form, &overlong, 400, "invalid_request"),
        ("POST", form, "grant_type=refresh_token&refresh_token=%C3%28", 400, "invalid_request"),
        ("POST", form, "grant_type=refresh_token&refresh_token=a\0b", 400, "invalid_request"),
        ("POST", form, "", 400, "invalid_request"),
        ("POST", form, "grant_type=", 400, "invalid_request"),
        ("POST", form, "grant_type=password&client_id=x", 400, "unsupported_grant_type"),
        ("POST", form, "grant_type=x&grant_type=x", 400, "invalid_request"),
        ("POST", form, "grant_type=%zz", 400, "invalid_request"),
        ("POST", form, "grant_type=%ff", 400, "invalid_request"),
        ("POST", form, "grant_type=%00", 400, "invalid_request"),
        ("POST", form, "grant_type=authorization_code&client_id=x", 400, "invalid_request"),
        ("POST", form, "grant_type=refresh_token&client_id=x", 400, "invalid_request"),
        ("POST", form, "grant_type=client_credentials&scope=%22&client_id=x", 400, "invalid_scope"),
        ("POST", form, "grant_type=client_credentials", 401, "invalid_client"),
        ("POST", form, "grant_type=client_credentials&client_id=x", 401, "invalid_client"),
        ("POST", form, "grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
    ] {
        let answer = world.request(method, "/oauth/token", content_type, body).await;
        let case = body.get(..60).unwrap_or(body);
        assert_eq!((answer.status(), &*answer.error()), (status, error), "{method} {case}");
        if status == 405 {
            assert_eq!(answer.header("allow"), "POST");
        }
    }
}

#[tokio::test]
async fn a_line_end_after_a_form_is_no_part_of_its_last_value() {
    let world = World::new().await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    let who = format!("client_id={}&client_secret={}", world.client.id, world.secret);
    let body = format!("{who}&refresh_token={refresh}&grant_type=refresh_token\r\n");
    let form = "application/x-www-form-urlencoded";
    world.request("POST", "/oauth/token", form, &body).await.tokens();
}

#[tokio::test]
async fn what_no_endpoint_reads_may_be_broken_or_repeated_in_a_form() {
    let world = World::new().await;
    let form = "application/x-www-form-urlencoded";
    for unknown in crate::authorize::UNKNOWN {
        let tokens = world.tokens("ada").await;
        let who = format!("client_id={}&client_secret={}", world.client.id, world.secret);
        let ask = format!("{unknown}&{who}&token={}&{unknown}", tokens.access);
        let introspected = world.request("POST", "/oauth/introspect", form, &ask).await;
        assert_eq!(introspected.json()["active"], true, "{unknown}");
        let refresh_token = tokens.refresh.unwrap();
        let refresh = format!(
            "{unknown}&{who}&grant_type=refresh_token&refresh_token={refresh_token}&{unknown}"
        );
        let refreshed = world.request("POST", "/oauth/token", form, &refresh).await.tokens();
        let revoke = format!("{unknown}&{who}&token={}", refreshed.access);
        assert_eq!(world.request("POST", "/oauth/revoke", form, &revoke).await.status(), 200);
        assert!(!world.is_good(&refreshed.access).await, "{unknown}");
    }
}

#[tokio::test]
async fn an_application_in_a_browser_can_read_answers_and_errors() {
    let world = World::public(CALLBACK).await;
    let path = "/.well-known/oauth-authorization-server";
    let preflight = world.request("OPTIONS", path, "", "").await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, HEAD");
    for (method, status) in [("GET", 200), ("POST", 405)] {
        let answer = world.request(method, path, "", "").await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    for path in ["/oauth/token", "/oauth/revoke"] {
        let preflight = world.request("OPTIONS", path, "", "").await;
        assert_eq!(preflight.status(), 204);
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert_eq!(preflight.header("access-control-allow-methods"), "POST");
        assert!(preflight.header("access-control-allow-headers").contains("authorization"));
        let form = "application/x-www-form-urlencoded";
        let error = world.request("POST", path, form, "").await;
        assert_eq!(error.header("access-control-allow-origin"), "*");
        assert_eq!(error.header("access-control-allow-credentials"), "");
        assert!(error.header("access-control-expose-headers").contains("www-authenticate"));
        for (method, body) in [("GET", ""), ("POST", &*"x".repeat(66_000))] {
            let refused = world.request(method, path, form, body).await;
            assert_eq!(refused.header("access-control-allow-origin"), "*");
        }
    }
    let code = world.code("ada").await;
    assert_eq!(world.redeem(&code).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_cut_off() {
    let world = World::new().await;
    let endless = axum::body::Body::from_stream(Endless);
    let request = http::Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(endless)
        .unwrap();
    assert_eq!(world.send(request).await.status(), 413);
}

struct Endless;

impl futures_core::Stream for Endless {
    type Item = Result<&'static str, std::io::Error>;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok("x=1&x=1&x=1&x=1&")))
    }
}
