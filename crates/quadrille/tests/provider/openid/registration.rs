//! OpenID Connect metadata of clients that register themselves (OpenID Connect Dynamic Client
//! Registration 1.0, sections 2 and 3).

use std::time::Duration;

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy,
    provider::{
        AuthorizationServer, ClientOpenId, DynamicRegistration, LogoutUriError, NewClient,
        RegistrationError,
    },
};
use serde_json::{Value, json};

use super::{asking, may_request, openid, text, tokens, verified, world_of};
use crate::support::{Answer, Browser, World};

async fn world() -> World {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let on = |it: AuthorizationServer| it.openid(openid()).dynamic_registration(registration);
    world_of(|new| new, on).await
}

async fn register(world: &World, members: Value) -> Answer {
    let mut metadata = json!({ "redirect_uris": ["https://app.example/callback"] });
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    world.request("POST", "/oauth/register", "application/json", &metadata.to_string()).await
}

/// Dynamic Client Registration, sections 3.1, 3.2 and 4.
#[tokio::test]
async fn a_client_reads_back_what_it_has_registered_and_an_update_replaces_all_of_it() {
    let world = world().await;
    let members = json!({
        "id_token_signed_response_alg": "ES256",
        "default_max_age": 600,
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/back",
        "subject_type": "public",
    });
    let answer = register(&world, members.clone()).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    let registered = answer.json();
    for (name, value) in members.as_object().unwrap() {
        if name != "subject_type" {
            assert_eq!(registered[name], *value, "{name}");
        }
    }
    let client = world.server.client(text(&registered, "client_id")).await.unwrap().unwrap();
    assert_eq!(client.openid.default_max_age, Some(600));
    // RFC 7592, section 2.2.
    let update = json!({
        "client_id": registered["client_id"],
        "redirect_uris": ["https://app.example/callback"],
        "require_auth_time": true,
    });
    let url = text(&registered, "registration_client_uri");
    let request = Request::put(url.strip_prefix("https://id.example").unwrap())
        .header("content-type", "application/json")
        .header(
            "authorization",
            format!("Bearer {}", text(&registered, "registration_access_token")),
        )
        .body(Body::from(update.to_string()))
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let updated = answer.json();
    assert_eq!(updated["require_auth_time"], true);
    assert!(updated.get("backchannel_logout_uri").is_none(), "{updated}");
}

/// Dynamic Client Registration, section 3.3.
#[tokio::test]
async fn metadata_that_the_server_cannot_follow_is_refused() {
    let world = world().await;
    for members in [
        json!({ "id_token_signed_response_alg": "none" }),
        json!({ "id_token_signed_response_alg": "PS256" }),
        json!({ "id_token_encrypted_response_alg": "RSA-OAEP-256" }),
        json!({ "subject_type": "pairwise" }),
        json!({ "frontchannel_logout_uri": "https://other.example/out" }),
        json!({ "post_logout_redirect_uris": ["http://app.example/bye"] }),
        json!({ "initiate_login_uri": "http://app.example/login" }),
    ] {
        let answer = register(&world, members.clone()).await;
        assert_eq!(answer.error(), "invalid_client_metadata", "{members}: {answer:?}");
    }
    // Without OpenID Connect these members have no meaning (RFC 7591, section 2).
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let plain =
        World::set_up(Policy::safe(), |new| new, |it| it.dynamic_registration(registration)).await;
    let answer = register(&plain, json!({ "id_token_signed_response_alg": "none" })).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
}

/// Dynamic Client Registration, section 2.
#[tokio::test]
async fn a_native_application_with_an_https_address_is_told_which_ones_it_may_have() {
    let world = world().await;
    let answer = register(&world, json!({ "application_type": "native" })).await;
    assert_eq!(answer.error(), "invalid_redirect_uri");
    let said = answer.json()["error_description"].as_str().unwrap().to_owned();
    for word in ["application_type native", "private-use scheme", "loopback"] {
        assert!(said.contains(word), "{said}");
    }
    let members = json!({
        "application_type": "native",
        "redirect_uris": ["com.example.app:/callback", "http://127.0.0.1/callback"],
    });
    assert_eq!(register(&world, members).await.status(), 201);
}

#[tokio::test]
async fn a_default_max_age_holds_for_requests_that_name_none() {
    let world = world().await;
    let id = world.client.id.clone();
    let mut metadata = world.client.openid.clone();
    metadata.default_max_age = Some(600);
    world.server.edit_client(&id, |_, new| new.openid(metadata.clone())).await.unwrap();
    let response = tokens(&world, "openid", &[]).await;
    assert!(verified(&world, text(&response, "id_token")).await.0.auth_time.is_some());
    world.clock.advance(Duration::from_secs(601));
    let mut browser = Browser::default();
    let again = world.ask(&mut browser, &asking(&world, "openid", &[])).await;
    assert!(again.location().starts_with("/sign-in"), "{again:?}");
    let longer = [("max_age", "3600")];
    let silent = world.ask(&mut browser, &asking(&world, "openid", &longer)).await;
    assert!(!silent.query("code").is_empty(), "{silent:?}");
    may_request(&world, "openid").await;
}

#[tokio::test]
async fn the_addresses_of_a_client_are_checked_when_it_is_registered() {
    let world = world().await;
    let refused = async |change: &dyn Fn(&mut ClientOpenId)| {
        let new = NewClient::confidential("Other").redirect_uri("https://other.example/cb");
        let mut openid = ClientOpenId::default();
        change(&mut openid);
        match world.server.register(new.openid(openid)).await {
            Err(RegistrationError::LogoutUri(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let front = refused(&|openid| {
        openid.frontchannel_logout_uri = Some("https://app.example/out".parse().unwrap());
    });
    assert_eq!(front.await, LogoutUriError::FrontChannel);
    let back = refused(&|openid| {
        openid.backchannel_logout_uri = Some("com.example.app:/out".parse().unwrap());
    });
    assert_eq!(back.await, LogoutUriError::BackChannel);
}

/// OpenID Connect Core, section 4.
#[tokio::test]
async fn a_login_begins_at_the_https_address_of_a_client_that_has_one() {
    let world = super::world().await;
    assert_eq!(world.server.initiate_login(&world.client), None);
    let at = |address: &'static str| {
        let server = world.server.clone();
        let id = world.client.id.clone();
        async move {
            let edited = server.edit_client(&id, |client, new| {
                let mut openid = client.openid.clone();
                openid.initiate_login_uri = Some(address.into());
                new.openid(openid)
            });
            edited.await.map(|edited| edited.client)
        }
    };
    for wrong in ["http://app.example/login", "app.example", "javascript:alert(1)", ""] {
        let refused = at(wrong).await.unwrap_err();
        assert_eq!(refused.to_string(), "initiate_login_uri: not an https URL", "{wrong}");
    }
    let client = at("https://app.example/login").await.unwrap();
    let login = world.server.initiate_login(&client).unwrap();
    assert_eq!(login.url().as_str(), "https://app.example/login?iss=https%3A%2F%2Fid.example");
    let without = World::with(Policy::safe(), |new| new).await;
    assert_eq!(without.server.initiate_login(&client), None);
}
