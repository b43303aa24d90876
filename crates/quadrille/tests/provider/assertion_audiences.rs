//! The audiences of client assertions, where the policy accepts more than the issuer.

use std::time::Duration;

use axum::body::Body;
use quadrille::{
    Policy,
    jose::{Algorithm, Protected},
    oauth2::IntrospectionRequest,
};
use serde_json::json;

use crate::{
    client_assertions::{TOKEN, ask, claims, inline, key, robot, sign},
    support::{ISSUER, World},
};

#[tokio::test]
async fn the_token_endpoint_is_an_audience_only_by_its_long_name() {
    let key = key(Algorithm::Es256);
    let policy = Policy::safe()
        .accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them();
    let world = World::with(policy, robot(inline([&key]))).await;
    for (aud, status) in [
        (json!(ISSUER), 200),
        (json!(TOKEN), 200),
        (json!([ISSUER, TOKEN]), 200),
        // Others could use the assertion here.
        (json!([TOKEN, "https://other.example"]), 401),
        (json!([ISSUER, TOKEN, "https://id.example/oauth/introspect"]), 401),
        (json!("https://id.example/oauth/introspect"), 401),
        (json!("https://other.example/oauth/token"), 401),
    ] {
        let claims = claims(&world, &json!({ "aud": aud }));
        let answer = ask(&world, &sign(&key, &Protected::plain(), &claims)).await;
        assert_eq!(answer.status(), status, "{aud}");
    }
}

/// Clients name the endpoint to which they send the assertion, or all that they know.
#[tokio::test]
async fn so_is_the_endpoint_that_is_asked_and_no_other_one() {
    let key = key(Algorithm::Es256);
    for (is_allowed, policy) in [
        (false, Policy::safe()),
        (
            true,
            Policy::safe()
                .accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them(),
        ),
    ] {
        let world = World::with(policy, robot(inline([&key]))).await;
        for (path, other) in [("introspect", "revoke"), ("revoke", "introspect")] {
            let (own, other) =
                (format!("{ISSUER}/oauth/{path}"), format!("{ISSUER}/oauth/{other}"));
            for (aud, is_ours) in [
                (json!(ISSUER), true),
                (json!(own), is_allowed),
                (json!(TOKEN), is_allowed),
                (json!([ISSUER, TOKEN, own]), is_allowed),
                (json!(other), false),
                (json!([own, other]), false),
                (json!([own, "https://other.example"]), false),
            ] {
                world.clock.advance(Duration::from_secs(30));
                let claims = claims(&world, &json!({ "aud": aud }));
                let auth = sign(&key, &Protected::plain(), &claims);
                let asked = IntrospectionRequest { token: "x", token_type_hint: None };
                let request = asked.to_request(&own, &auth, &[]).unwrap();
                let status = world.send(request.map(Body::from)).await.status();
                assert_eq!(status, if is_ours { 200 } else { 401 }, "{path} {aud} {is_allowed}");
            }
        }
    }
}
