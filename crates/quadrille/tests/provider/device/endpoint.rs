//! The device authorization endpoint (RFC 8628, sections 3.1 and 3.2).

use quadrille::{
    oauth2::ClientAuth,
    provider::{DeviceGrant, GrantType},
};

use super::{asking, begin, codes, confidential, from, offered, other_client, television, world};
use crate::support::World;

#[tokio::test]
async fn a_device_gets_a_code_for_itself_and_a_short_one_for_its_user() {
    let world = world().await;
    let answer = world.send(asking(&world.auth(), &[])).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["expires_in"], 900);
    let codes = codes(&answer);
    assert_eq!(codes.link, format!("/device?user_code={}", codes.user));
    let (left, right) = codes.user.split_once('-').unwrap();
    assert_eq!((left.len(), right.len()), (4, 4), "{}", codes.user);
    let other = begin(&world).await;
    assert!(codes.user != other.user && codes.device != other.device);
}

#[tokio::test]
async fn the_endpoint_is_there_and_in_the_metadata_exactly_if_it_is_offered() {
    let named = |answer: &serde_json::Value| {
        let grants = answer["grant_types_supported"].to_string();
        (answer["device_authorization_endpoint"].clone(), grants.contains("device_code"))
    };
    let path = "/.well-known/oauth-authorization-server";
    let offering = world().await;
    let metadata = offering.request("GET", path, "", "").await.json();
    let url = "https://id.example/oauth/device_authorization";
    assert_eq!(named(&metadata), (url.into(), true));
    let without = World::set_up(
        quadrille::Policy::safe(),
        television,
        // A grant type in the list is not enough: the user needs a page.
        |server| server.grant_types([GrantType::AuthorizationCode, GrantType::DeviceCode]),
    )
    .await;
    let metadata = without.request("GET", path, "", "").await.json();
    assert_eq!(named(&metadata), (serde_json::Value::Null, false));
    assert_eq!(without.send(asking(&without.auth(), &[])).await.status(), 404);
    let polled = super::poll(&without, "code").await;
    assert_eq!(polled.error(), "unsupported_grant_type");
    assert_eq!(without.request("GET", "/device", "", "").await.status(), 500);
}

#[tokio::test]
async fn the_client_authenticates_as_at_the_token_endpoint() {
    let world = confidential().await;
    let id = &*world.client.id;
    let wrong = ClientAuth::Basic { client_id: id.into(), client_secret: "wrong".into() };
    let answer = world.send(asking(&wrong, &[])).await;
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    let none = ClientAuth::None { client_id: id.into() };
    assert_eq!(world.send(asking(&none, &[])).await.error(), "invalid_client");
    let unknown = ClientAuth::None { client_id: "nobody".into() };
    assert_eq!(world.send(asking(&unknown, &[])).await.error(), "invalid_client");
    let post =
        ClientAuth::Post { client_id: id.into(), client_secret: world.secret.as_str().into() };
    codes(&world.send(asking(&post, &[])).await);
    codes(&world.send(asking(&world.auth(), &[])).await);
    let other = other_client(&world, &[GrantType::AuthorizationCode]).await;
    let answer = world.send(asking(&other, &[])).await;
    assert_eq!(answer.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_reason() {
    let world = world().await;
    for (extra, error) in [
        (&[("scope", "photos:read nonsense")][..], "invalid_scope"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("scope", "photos:read"), ("scope", "photos:read")], "invalid_request"),
        (&[("resource", "https://other.example")], "invalid_target"),
        (&[("resource", "api")], "invalid_target"),
    ] {
        let answer = world.send(asking(&world.auth(), extra)).await;
        assert_eq!((answer.status(), &*answer.error()), (400, error), "{extra:?}");
    }
    let path = "/oauth/device_authorization";
    assert_eq!(world.request("GET", path, "", "").await.status(), 405);
    assert_eq!(world.request("POST", path, "application/json", "{}").await.status(), 415);
    let many = (0..10_000).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    let answer = world.send(asking(&world.auth(), &[("scope", &many)])).await;
    assert!(matches!(answer.status(), 400 | 413), "{}", answer.text());
}

#[tokio::test]
async fn browser_applications_may_call_it_from_any_origin() {
    let world = world().await;
    let mut request = asking(&world.auth(), &[]);
    request.headers_mut().insert("origin", "https://app.example".parse().unwrap());
    let answer = world.send(request).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let mut refused = asking(&world.auth(), &[("scope", "nonsense")]);
    refused.headers_mut().insert("origin", "https://app.example".parse().unwrap());
    let answer = world.send(refused).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_flood_of_requests_from_one_network_gets_429_and_others_get_codes() {
    let world = world().await;
    let ask = async |address| world.send(from(asking(&world.auth(), &[]), address)).await;
    let mut given = 0;
    let refused = loop {
        let answer = ask("203.0.113.9").await;
        match answer.status() {
            200 => given += 1,
            _ => break answer,
        }
    };
    assert_eq!((given, refused.status()), (100, 429), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(ask("198.51.100.1").await.status(), 200);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(ask("203.0.113.9").await.status(), 200);
}

#[tokio::test]
async fn lifetime_interval_and_page_are_settings() {
    let seconds = std::time::Duration::from_secs;
    let device = DeviceGrant::new().code_lifetime(seconds(60)).interval(seconds(1)).page("tv/");
    let world = World::set_up(quadrille::Policy::safe(), television, |server| {
        offered(server).device_grant(device)
    })
    .await;
    assert_eq!(world.server.device_path(), Some("/tv"));
    let answer = world.send(asking(&world.auth(), &[])).await.json();
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&60.into(), &1.into()));
    assert_eq!(answer["verification_uri"], "https://id.example/tv");
}

#[tokio::test]
async fn the_endpoint_answers_without_axum_too() {
    let world = world().await;
    let request = asking(&world.auth(), &[]);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = world.server.handle(http::Request::from_parts(parts, body)).await.unwrap();
    assert_eq!(answer.status(), 200);
}
