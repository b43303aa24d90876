//! Redirect URIs beyond those that are compared exactly: patterns, rules and private-use schemes.

use quadrille::{
    Policy,
    oauth2::{Resources, TokenRequest},
    provider::{NewClient, RedirectPatternError, RegistrationError},
};

use crate::support::{Answer, Browser, CALLBACK, World};

const PREVIEW: &str = "https://*.preview.example.com/callback";

async fn with_pattern() -> World {
    World::with(Policy::safe(), |new| {
        new.redirect_uri_pattern_so_that_any_subdomain_receives_codes(PREVIEW)
    })
    .await
}

async fn ask(world: &World, browser: &mut Browser, uri: Option<&str>) -> Answer {
    world.sign_in("ada");
    let mut request = world.asking();
    request.redirect_uri = uri.map(Into::into);
    world.ask(browser, &request).await
}

#[tokio::test]
async fn a_preview_gets_its_code_at_its_own_host() {
    let world = with_pattern().await;
    let mut browser = Browser::default();
    let uri = "https://pr-42.preview.example.com/callback";
    let page = ask(&world, &mut browser, Some(uri)).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert!(answer.location().starts_with(&format!("{uri}?")), "{}", answer.location());
    let (code, verifier) = (answer.query("code"), world.verifier());
    let redeem = |uri: &'static str| {
        let (world, code, verifier) = (&world, code.as_str(), verifier.expose());
        async move {
            let asked = TokenRequest::AuthorizationCode {
                code,
                redirect_uri: Some(uri),
                code_verifier: Some(verifier),
                resource: Resources::EMPTY,
            };
            world.token(&world.auth(), &asked).await
        }
    };
    let other = redeem("https://pr-43.preview.example.com/callback").await;
    assert_eq!(other.error(), "invalid_grant", "the code is bound to the host");
    redeem(uri).await.tokens();
    assert_eq!(ask(&world, &mut browser, Some(CALLBACK)).await.status(), 303, "exact ones, too");
}

#[tokio::test]
async fn a_host_that_only_looks_like_a_preview_gets_nothing() {
    let world = with_pattern().await;
    let mut browser = Browser::default();
    for uri in [
        "https://preview.example.com/callback",
        "https://a.b.preview.example.com/callback",
        "https://a.preview.example.com.evil.com/callback",
        "https://evil.com/.preview.example.com/callback",
        "https://evil.com\\.preview.example.com/callback",
        "https://user@a.preview.example.com/callback",
        "https://a%2epreview.example.com/callback",
        "https://A.preview.example.com/callback",
        "https://a.preview.example.com./callback",
        "https://a.preview.example.com/callback/..",
        "https://\u{e4}.preview.example.com/callback",
        "http://a.preview.example.com/callback",
        PREVIEW,
    ] {
        let page = ask(&world, &mut browser, Some(uri)).await;
        assert_eq!(page.status(), 400, "{uri}");
    }
    let page = ask(&world, &mut browser, None).await;
    assert_eq!(page.status(), 400, "which one is meant is not known");
}

#[tokio::test]
async fn users_of_a_public_client_are_asked_again_at_each_preview() {
    let world = World::public(CALLBACK).await;
    let edit = |new: NewClient| {
        new.first_party().redirect_uri_pattern_so_that_any_subdomain_receives_codes(PREVIEW)
    };
    world.server.edit_client(&world.client.id, |_, new| edit(new)).await.unwrap();
    let mut browser = Browser::default();
    let exact = ask(&world, &mut browser, Some(CALLBACK)).await;
    assert_eq!(exact.status(), 303, "the client is the provider's own");
    let uri = "https://pr-42.preview.example.com/callback";
    let page = ask(&world, &mut browser, Some(uri)).await;
    assert!(page.text().contains("field=ticket="), "another could have got this host");
}

#[tokio::test]
async fn a_pattern_that_is_withdrawn_while_a_page_is_open_grants_nothing() {
    let world = with_pattern().await;
    let mut browser = Browser::default();
    let uri = "https://pr-42.preview.example.com/callback";
    let page = ask(&world, &mut browser, Some(uri)).await;
    let server = &world.server;
    let edit = |new: NewClient| new.without_redirect_uri_patterns();
    server.edit_client(&world.client.id, |_, new| edit(new)).await.unwrap();
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_pattern_that_would_be_anyones_is_not_registered() {
    let world = World::new().await;
    for pattern in ["https://*.example.com/callback", "https://*.github.io/callback"] {
        let new = NewClient::confidential("Web")
            .redirect_uri(CALLBACK)
            .redirect_uri_pattern_so_that_any_subdomain_receives_codes(pattern);
        let refused = world.server.register(new).await.unwrap_err();
        let RegistrationError::RedirectPattern { reason, .. } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(reason, RedirectPatternError::Domain, "{pattern}");
    }
    let only = NewClient::confidential("Previews only")
        .redirect_uri_pattern_so_that_any_subdomain_receives_codes(PREVIEW);
    let client = world.server.register(only).await.unwrap().client;
    assert!(client.redirect_uris.is_empty() && client.redirect_patterns.len() == 1);
}

#[tokio::test]
async fn the_application_accepts_redirect_uris_by_a_rule_of_its_own() {
    let world = World::set_up(
        Policy::safe(),
        |new| new,
        |server| {
            server.redirect_uris_by_a_rule_of_my_own_that_may_send_codes_anywhere(|client, uri| {
                client.name == "Photo printer" && uri.as_str() == "https://eu.app.example/cb"
            })
        },
    )
    .await;
    let mut browser = Browser::default();
    let page = ask(&world, &mut browser, Some("https://eu.app.example/cb")).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert!(answer.location().starts_with("https://eu.app.example/cb?code="));
    let refused = ask(&world, &mut browser, Some("https://us.app.example/cb")).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn no_rule_sends_a_code_to_an_invalid_redirect_uri() {
    let world = World::set_up(
        Policy::safe(),
        |new| new,
        |server| server.redirect_uris_by_a_rule_of_my_own_that_may_send_codes_anywhere(|_, _| true),
    )
    .await;
    let mut browser = Browser::default();
    for uri in ["javascript:alert(1)", "data:text/html,x", "http://app.example/", "https://a@b/"] {
        assert_eq!(ask(&world, &mut browser, Some(uri)).await.status(), 400, "{uri}");
    }
}

#[tokio::test]
async fn an_application_with_a_scheme_without_a_dot_logs_in_and_asks_its_users() {
    let world = World::public("photos://callback").await;
    assert!(world.client.redirect_uris[0].can_be_claimed_by_other_programs());
    let mut browser = Browser::default();
    for _ in 0..2 {
        let page = ask(&world, &mut browser, Some("photos://callback")).await;
        let answer = browser.answer(&world, &page, "decision=all").await;
        assert!(answer.location().starts_with("photos://callback?code="), "{answer:?}");
    }
    for uri in ["photos:callback", "PHOTOS://callback", "photos://callback/", "photos://callbacks"]
    {
        assert_eq!(ask(&world, &mut browser, Some(uri)).await.status(), 400, "{uri}");
    }
}
