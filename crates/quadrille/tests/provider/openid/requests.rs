//! The parameters of authentication requests (OpenID Connect Core, section 3.1.2).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use quadrille::{
    Authentication, Policy,
    provider::{NewClient, PageNeeded},
};

use super::{asking, consented, id_token, may_request, text, tokens, world, world_of};
use crate::support::{Answer, Browser, World};

/// The answer to a request of the user who is signed in.
async fn ask(world: &World, scope: &str, further: &[(&str, &str)]) -> Answer {
    world.ask(&mut Browser::default(), &asking(world, scope, further)).await
}

/// Sections 3.1.2.3 and 3.1.2.6: the errors of `prompt=none`, with `state` and `iss` (RFC 9207).
#[tokio::test]
async fn a_silent_request_is_answered_with_the_page_that_would_be_needed() {
    let world = world().await;
    let silent = [("prompt", "none")];
    let answer = ask(&world, "openid", &silent).await;
    assert_eq!(answer.query("error"), "login_required");
    assert_eq!((&*answer.query("state"), &*answer.query("iss")), ("xyz", "https://id.example"));
    world.sign_in("ada");
    let answer = ask(&world, "openid", &silent).await;
    assert_eq!(answer.query("error"), "consent_required");
    assert_eq!((&*answer.query("state"), &*answer.query("iss")), ("xyz", "https://id.example"));
    consented(&world, "openid", &[]).await;
    assert!(!ask(&world, "openid", &silent).await.query("code").is_empty());
    // More scopes than those of the consent, and other values beside `none`.
    let answer = ask(&world, "openid email", &silent).await;
    assert_eq!(answer.query("error"), "consent_required");
    let answer = ask(&world, "openid", &[("prompt", "none login")]).await;
    assert_eq!(answer.query("error"), "invalid_request");
}

/// Section 3.1.2.6: errors that only the application can know of.
#[tokio::test]
async fn the_application_says_which_page_a_silent_request_would_need() {
    let world = world().await;
    for (page, error) in [
        (PageNeeded::SignIn, "login_required"),
        (PageNeeded::AccountSelection, "account_selection_required"),
        (PageNeeded::Other, "interaction_required"),
    ] {
        let request = asking(&world, "openid", &[("prompt", "none")]);
        let url = request.to_url("https://id.example/oauth/authorize").unwrap();
        let request = Request::get(url).body(Bytes::new()).unwrap();
        let request = world.server.authorize(request).await.unwrap();
        assert!(request.is_silent());
        let answer = Answer::of(Response::<Bytes>::from(request.needs_page(page)));
        assert_eq!(answer.query("error"), error);
        assert_eq!((&*answer.query("state"), &*answer.query("iss")), ("xyz", "https://id.example"));
    }
}

/// Sections 3.1.2.1 and 3.1.2.5: GET and POST are requests alike.
#[tokio::test]
async fn a_request_by_post_is_the_same_request() {
    let world = world().await;
    let request = asking(&world, "openid", &[("nonce", "n-0S6")]);
    let url = request.to_url("https://id.example/oauth/authorize").unwrap();
    let (_, form) = url.split_once('?').unwrap();
    let mut browser = Browser::default();
    // Browsers send no `SameSite` cookies with a form from another site, but with the same request
    // by GET.
    let silent = format!("{form}&prompt=none");
    let again = browser.post(&world, "/oauth/authorize", &silent).await;
    assert_eq!(again.status(), 303);
    assert_eq!(again.location(), format!("/oauth/authorize?{silent}"));
    let nobody = browser.get(&world, again.location()).await;
    assert_eq!(nobody.query("error"), "login_required");
    let again = browser.post(&world, "/oauth/authorize", form).await;
    let sent = browser.get(&world, again.location()).await;
    assert!(sent.location().starts_with("/sign-in?next="), "{sent:?}");
    world.sign_in("ada");
    let page = browser.post(&world, "/oauth/authorize", form).await;
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    let response = world.redeem(&code).await.json();
    assert_eq!(id_token(&world, &response).await.nonce.as_deref(), Some("n-0S6"));
}

/// Sections 3.1.2.1 and 3.1.2.3: `max_age` makes `auth_time` required, and an old sign-in
/// insufficient.
#[tokio::test]
async fn with_max_age_the_id_token_says_when_the_user_has_signed_in() {
    let world = world().await;
    let signed_in = world.env.now();
    let response = tokens(&world, "openid", &[("max_age", "600")]).await;
    assert_eq!(id_token(&world, &response).await.auth_time, Some(signed_in));
    world.clock.advance(Duration::from_secs(601));
    let old = ask(&world, "openid", &[("max_age", "600")]).await;
    assert!(old.location().starts_with("/sign-in?next="));
    let silent = [("max_age", "600"), ("prompt", "none")];
    assert_eq!(ask(&world, "openid", &silent).await.query("error"), "login_required");
    let silent = [("max_age", "0"), ("prompt", "none")];
    assert_eq!(ask(&world, "openid", &silent).await.query("error"), "login_required");
}

/// The way back from the sign-in page to which an answer leads.
pub(super) fn back(answer: &Answer) -> String {
    let (_, query) = answer.location().split_once('?').unwrap();
    let params = quadrille::form::Params::parse(query.as_bytes()).unwrap();
    params.one("next").unwrap().unwrap().to_owned()
}

/// Sections 3.1.2.1 and 3.1.2.2: `id_token_hint`.
#[tokio::test]
async fn with_a_hint_of_another_user_nobody_else_is_logged_in() {
    let world = world().await;
    let response = tokens(&world, "openid", &[]).await;
    let hint = text(&response, "id_token");
    // Also after its expiry.
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.sign_in("ada");
    let of_ada = [("id_token_hint", hint), ("prompt", "none")];
    assert!(!ask(&world, "openid", &of_ada).await.query("code").is_empty());
    world.sign_in("bob");
    let answer = ask(&world, "openid", &of_ada).await;
    assert_eq!(answer.query("error"), "login_required");
    // With pages, Bob is sent to sign in. If he does so again, the client learns no more.
    let mut browser = Browser::default();
    let request = asking(&world, "openid", &[("id_token_hint", hint)]);
    let sent = world.ask(&mut browser, &request).await;
    world.clock.advance(Duration::from_secs(5));
    world.sign_in("bob");
    let answer = browser.get(&world, &back(&sent)).await;
    assert_eq!(answer.query("error"), "login_required");
    world.sign_in("ada");
    let answer = browser.get(&world, &back(&sent)).await;
    assert!(!answer.query("code").is_empty());

    for forged in ["ada", &hint.replace('.', ".A"), text(&response, "access_token")] {
        let answer = ask(&world, "openid", &[("id_token_hint", forged)]).await;
        assert_eq!(answer.query("error"), "invalid_request", "{forged}");
    }
}

/// Section 3.1.2.6: clients that watch the session always send the ID token that they have.
#[tokio::test]
async fn a_client_with_an_id_token_of_the_user_is_told_that_only_consent_is_missing() {
    let world = world().await;
    let hint = text(&tokens(&world, "openid", &[]).await, "id_token").to_owned();
    let silent = [("id_token_hint", &*hint), ("prompt", "none")];
    let recent = [("id_token_hint", &*hint), ("prompt", "none"), ("max_age", "600")];
    for further in [&silent[..], &recent] {
        let more = ask(&world, "openid email", further).await;
        assert_eq!(more.query("error"), "consent_required", "{further:?}");
    }
    // A client with a consent knows its user, too.
    let more = ask(&world, "openid email", &[("prompt", "none"), ("max_age", "600")]).await;
    assert_eq!(more.query("error"), "consent_required");
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    let withdrawn = ask(&world, "openid", &silent).await;
    assert_eq!(withdrawn.query("error"), "consent_required");
    world.sign_in("bob");
    assert_eq!(ask(&world, "openid", &silent).await.query("error"), "login_required");
    *world.signed_in.lock().unwrap() = None;
    assert_eq!(ask(&world, "openid", &silent).await.query("error"), "login_required");
}

/// Section 5.5.1: `sub` with a value.
#[tokio::test]
async fn a_subject_that_claims_require_is_the_only_one_that_is_logged_in() {
    let world = world().await;
    consented(&world, "openid", &[]).await;
    let of = |subject: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{subject}"}}}}}}"#);
    for (subject, is_let_in) in [("ada", true), ("bob", false), ("", false)] {
        let answer = ask(&world, "openid", &[("claims", &of(subject)), ("prompt", "none")]).await;
        match is_let_in {
            true => assert!(!answer.query("code").is_empty()),
            false => assert_eq!(answer.query("error"), "login_required", "{subject}"),
        }
    }
}

/// Section 5.5.
#[tokio::test]
async fn malformed_claims_are_an_error_for_the_client() {
    let world = world().await;
    world.sign_in("ada");
    let long = format!(r#"{{"userinfo":{{"{}":null}}}}"#, "a".repeat(5000));
    for claims in ["x", "[]", r#"{"id_token":[]}"#, r#"{"userinfo":{"email":7}}"#, &long] {
        let answer = ask(&world, "openid", &[("claims", claims)]).await;
        assert_eq!(answer.query("error"), "invalid_request", "{claims}");
        assert_eq!(answer.query("state"), "xyz");
    }
    // Plain OAuth has no such parameter.
    assert_eq!(ask(&world, "email", &[("claims", "x")]).await.status(), 200);
}

/// Section 5.5.1.1, and `acr_values` in section 3.1.2.1.
#[tokio::test]
async fn an_essential_acr_is_required_and_acr_values_are_a_wish() {
    let policy = Policy::openid().acr_values(["urn:two-factors", "urn:password"]);
    let world = world_of(|new| new, move |server| server.policy(policy)).await;
    let essential =
        |acr: &str| format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":["{acr}"]}}}}}}"#);
    let mut ada = Authentication::new("ada", world.env.now());
    ada.acr = Some("urn:password".into());
    *world.signed_in.lock().unwrap() = Some(ada.clone());
    let unknown = ask(&world, "openid", &[("claims", &essential("urn:eidas"))]).await;
    assert_eq!(unknown.query("error"), "unmet_authentication_requirements");
    let weak = ask(&world, "openid", &[("claims", &essential("urn:two-factors"))]).await;
    assert!(weak.location().starts_with("/sign-in?next="));
    assert_eq!(ask(&world, "openid", &[("acr_values", "urn:eidas")]).await.status(), 200);
    let voluntary = r#"{"id_token":{"acr":{"values":["urn:eidas"]}}}"#;
    assert_eq!(ask(&world, "openid", &[("claims", voluntary)]).await.status(), 200);

    ada.acr = Some("urn:two-factors".into());
    *world.signed_in.lock().unwrap() = Some(ada);
    let mut browser = Browser::default();
    let claims = essential("urn:two-factors");
    let page = world.ask(&mut browser, &asking(&world, "openid", &[("claims", &claims)])).await;
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    let response = world.redeem(&code).await.json();
    assert_eq!(id_token(&world, &response).await.acr.as_deref(), Some("urn:two-factors"));
}

/// Section 3.1.2.1: values that this server does not know.
#[tokio::test]
async fn unknown_values_and_parameters_are_ignored() {
    let world = world().await;
    world.sign_in("ada");
    let odd = [
        ("display", "hologram"),
        ("ui_locales", "xx-Klingon de"),
        ("claims_locales", "xx"),
        ("made_up", "1"),
    ];
    assert_eq!(ask(&world, "openid", &odd).await.status(), 200);
    // But a page that the client demands and that is not there (Initiating User Registration, section
    // 4.1).
    for prompt in ["create", "unknown", "consent unknown", "NONE"] {
        let answer = ask(&world, "openid", &[("prompt", prompt)]).await;
        assert_eq!(answer.query("error"), "invalid_request", "{prompt}");
    }
}

/// Sections 3.1.2.1 and 11.
#[tokio::test]
async fn scopes_that_the_server_does_not_know_are_ignored() {
    let world = world().await;
    may_request(&world, "openid email").await;
    let response = tokens(&world, "openid email roles offline_access", &[]).await;
    assert_eq!(text(&response, "scope"), "openid email", "the answer says what was granted");
    // Known here, and not for this client.
    let refused = ask(&world, "openid photos:read", &[]).await;
    assert_eq!(refused.query("error"), "invalid_scope");
    // Plain OAuth.
    assert_eq!(ask(&world, "email roles", &[]).await.query("error"), "invalid_scope");
}

/// Section 3.1.2.2, and RFC 6749, section 3.1: a parameter that decides is there once, and can be
/// decoded.
#[tokio::test]
async fn parameters_that_are_repeated_or_no_text_are_refused_at_the_client() {
    let world = world().await;
    world.sign_in("ada");
    let url = asking(&world, "openid", &[]).to_url("https://id.example/oauth/authorize").unwrap();
    let url = url.strip_prefix("https://id.example").unwrap();
    for name in [
        "nonce",
        "max_age",
        "claims",
        "acr_values",
        "id_token_hint",
        "prompt",
        "login_hint",
        "ui_locales",
        "display",
        "claims_locales",
    ] {
        for odd in [format!("{name}=1&{name}=1"), format!("{name}=%ff"), format!("{name}=1%00")] {
            let answer = Browser::default().get(&world, &format!("{url}&{odd}")).await;
            assert_eq!(answer.query("error"), "invalid_request", "{odd}: {answer:?}");
            assert_eq!(answer.query("state"), "xyz", "{odd}");
        }
    }
}

/// Section 7.2.1.
#[tokio::test]
async fn a_client_that_describes_itself_in_a_request_is_told_that_this_is_not_supported() {
    let world = world().await;
    world.sign_in("ada");
    let registration = [("registration", r#"{"client_name":"Web"}"#)];
    let answer = ask(&world, "openid", &registration).await;
    assert_eq!(answer.query("error"), "registration_not_supported");
    // Plain OAuth has no such parameter.
    assert_eq!(ask(&world, "email", &registration).await.status(), 200);
}

/// Section 3.1.2.6 leaves the choice. An answer that depends on a condition would tell a client whom
/// nobody has allowed anything who is signed in, and since when.
#[tokio::test]
async fn a_client_without_a_consent_learns_nothing_by_conditions_of_silent_requests() {
    let world = world().await;
    let hint = text(&tokens(&world, "openid", &[]).await, "id_token").to_owned();
    let other = NewClient::confidential("Another").redirect_uri("https://other.example/cb");
    let other = other.scopes(quadrille::Scopes::of(["openid"]));
    let other = world.server.register(other).await.unwrap().client;
    let of = |subject: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{subject}"}}}}}}"#);
    let (of_ada, of_bob) = (of("ada"), of("bob"));
    for (name, value) in [
        ("claims", &*of_ada),
        ("claims", &*of_bob),
        ("id_token_hint", &*hint),
        ("max_age", "600"),
        ("max_age", "0"),
    ] {
        let mut request = asking(&world, "openid", &[("prompt", "none"), (name, value)]);
        request.client_id = (*other.id).into();
        request.redirect_uri = Some("https://other.example/cb".into());
        for user in ["ada", "bob"] {
            world.sign_in(user);
            let answer = world.ask(&mut Browser::default(), &request).await;
            assert_eq!(answer.query("error"), "login_required", "{name}={value} {user}");
        }
    }
}

#[tokio::test]
async fn a_client_of_the_providers_own_gets_the_claims_that_it_names_without_a_page() {
    let world = world_of(NewClient::first_party, |server| server).await;
    world.sign_in("ada");
    let asked = [("claims", r#"{"id_token":{"email":null}}"#), ("prompt", "none")];
    let code = ask(&world, "openid", &asked).await.query("code");
    let response = world.redeem(&code).await.json();
    assert_eq!(id_token(&world, &response).await.extra["email"], "ada@example.com");
}
