//! ID tokens (OpenID Connect Core, sections 2, 3.1.3 and 12.2).

use std::time::Duration;

use quadrille::{
    Authentication, Policy,
    jose::{Algorithm, SigningKey},
    oidc::token_hash,
    provider::{ClientOpenId, NewClient, RegistrationError},
};

use super::{
    id_token, keys, may_request, openid, rsa, text, tokens, verified, world, world_of, world_with,
};
use crate::support::{Browser, World};

const NONCE: [(&str, &str); 1] = [("nonce", "n-0S6_WzA2Mj")];

/// Sections 2, 3.1.3.1, 3.1.3.3 and 3.1.3.6.
#[tokio::test]
async fn a_code_buys_an_id_token_about_the_sign_in_for_the_client_alone() {
    let world = world().await;
    let response = tokens(&world, "openid email", &NONCE).await;
    assert_eq!(text(&response, "token_type"), "Bearer");
    let signed_in = world.env.now();
    let (token, algorithm) = verified(&world, text(&response, "id_token")).await;
    assert_eq!(algorithm, Algorithm::Rs256, "the default of the specification");
    assert_eq!(token.issuer, "https://id.example");
    assert_eq!(token.subject, "ada");
    assert_eq!(token.audience, [&*world.client.id]);
    assert_eq!((token.issued, token.auth_time), (signed_in, Some(signed_in)));
    assert_eq!(token.expires, signed_in + Policy::openid().id_token_lifetime);
    assert_eq!(token.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
    let hash = token_hash(algorithm, text(&response, "access_token"));
    assert_eq!(token.at_hash, Some(hash));
    // The claims of scopes are at the userinfo endpoint (section 5.4), whatever the application
    // says, and one audience needs no `azp`.
    assert!(token.extra.is_empty(), "{:?}", token.extra);
    assert_eq!((token.azp, token.sid), (None, None));
}

#[tokio::test]
async fn the_application_says_how_the_user_signed_in_and_its_session_stays_its_own() {
    let world = world().await;
    let mut ada = Authentication::new("ada", world.env.now());
    ada.acr = Some("urn:two-factors".into());
    ada.amr = vec!["pwd".into(), "otp".into()];
    ada.session = Some("secret-of-a-cookie".into());
    *world.signed_in.lock().unwrap() = Some(ada);
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &super::asking(&world, "openid", &NONCE)).await;
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    let response = world.redeem(&code).await.json();
    let token = id_token(&world, &response).await;
    assert_eq!(token.acr.as_deref(), Some("urn:two-factors"));
    assert_eq!(token.amr, ["pwd", "otp"]);
    let sid = token.sid.unwrap();
    assert!(!sid.is_empty() && !sid.contains("secret"), "{sid}");
}

/// Section 3.1.2.1: without the scope, the request is one of OAuth 2.
#[tokio::test]
async fn without_the_scope_openid_there_is_no_id_token() {
    let world = world().await;
    let response = tokens(&world, "email", &NONCE).await;
    assert!(response.get("id_token").is_none(), "{response}");
    let plain = World::new().await;
    let code = plain.code("ada").await;
    assert!(plain.redeem(&code).await.json().get("id_token").is_none());
}

/// Sections 12.1 and 12.2.
#[tokio::test]
async fn a_refreshed_id_token_is_of_the_same_sign_in_and_repeats_no_nonce() {
    let world = world().await;
    let claims = [NONCE[0], ("claims", r#"{"id_token":{"name":null}}"#)];
    let response = tokens(&world, "openid profile", &claims).await;
    let first = id_token(&world, &response).await;
    world.clock.advance(Duration::from_secs(600));
    // A later sign-in is not that of the grant.
    world.sign_in("ada");
    let refreshed = world.refresh(text(&response, "refresh_token")).await.json();
    let second = id_token(&world, &refreshed).await;
    assert_eq!(second.issuer, first.issuer);
    assert_eq!(second.subject, first.subject);
    assert_eq!(second.audience, first.audience);
    assert_eq!(second.auth_time, first.auth_time);
    assert_eq!(second.azp, first.azp);
    assert_eq!(second.issued, first.issued + Duration::from_secs(600));
    assert_eq!(second.nonce, None);
    assert_eq!(second.extra["name"], "Ada Lovelace");
    let hash = token_hash(Algorithm::Rs256, text(&refreshed, "access_token"));
    assert_eq!(second.at_hash, Some(hash));
    // And once more, from the successor.
    let again = world.refresh(text(&refreshed, "refresh_token")).await.json();
    assert_eq!(id_token(&world, &again).await.nonce, None);
}

/// Dynamic Client Registration, section 2: `id_token_signed_response_alg`.
#[tokio::test]
async fn a_client_is_answered_with_the_algorithm_that_it_is_registered_with() {
    let mut metadata = ClientOpenId::default();
    metadata.id_token_signed_response_alg = Some(Algorithm::Es256);
    let world = world_with(metadata.clone()).await;
    let response = tokens(&world, "openid", &NONCE).await;
    let (token, algorithm) = verified(&world, text(&response, "id_token")).await;
    assert_eq!(algorithm, Algorithm::Es256);
    let hash = token_hash(algorithm, text(&response, "access_token"));
    assert_eq!(token.at_hash, Some(hash));

    metadata.id_token_signed_response_alg = Some(Algorithm::Ps256);
    let other = NewClient::confidential("Other").redirect_uri("https://other.example/cb");
    let refused = world.server.register(other.openid(metadata)).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::NoSigningKeyFor(Algorithm::Ps256)), "{refused}");
}

#[tokio::test]
async fn an_algorithm_whose_keys_are_gone_is_replaced_by_no_other() {
    let mut metadata = ClientOpenId::default();
    metadata.id_token_signed_response_alg = Some(Algorithm::Es256);
    let world = world_with(metadata).await;
    let code = super::consented(&world, "openid", &NONCE).await.query("code");
    world.server.replace_signing_keys(keys(SigningKey::generate(Algorithm::EdDsa).unwrap()));
    let refused = world.redeem(&code).await;
    assert_eq!((refused.status(), &*refused.error()), (500, "server_error"));
    // The code is not used up.
    world.server.replace_signing_keys(keys(SigningKey::generate(Algorithm::Es256).unwrap()));
    assert_eq!(world.redeem(&code).await.status(), 200);
}

#[tokio::test]
async fn without_a_key_for_rs256_the_first_key_signs() {
    let change = |server: quadrille::provider::AuthorizationServer| {
        server.signing_keys(keys(SigningKey::generate(Algorithm::EdDsa).unwrap())).openid(openid())
    };
    let world = World::set_up(Policy::openid(), |new| new, change).await;
    may_request(&world, "openid").await;
    let response = tokens(&world, "openid", &NONCE).await;
    let (token, algorithm) = verified(&world, text(&response, "id_token")).await;
    assert_eq!(algorithm, Algorithm::EdDsa);
    assert_eq!(token.at_hash, Some(token_hash(algorithm, text(&response, "access_token"))));
}

/// Core, section 10.1.1: the key before stays published.
#[tokio::test]
async fn after_a_rotation_the_new_key_signs_and_old_id_tokens_stay_verifiable() {
    let world = world().await;
    let before = tokens(&world, "openid", &NONCE).await;
    let mut rotated = keys(rsa());
    let next = SigningKey::generate(Algorithm::Rs256).unwrap().with_kid("next");
    rotated.add_at_once(next, world.env.now()).unwrap();
    world.server.replace_further_signing_keys(rotated);
    let after = world.refresh(text(&before, "refresh_token")).await.json();
    let kid = |token: &str| {
        let token = quadrille::jose::Unverified::parse(token).unwrap();
        token.header().kid().map(str::to_owned)
    };
    assert_eq!(kid(text(&after, "id_token")).as_deref(), Some("next"));
    assert_ne!(kid(text(&before, "id_token")).as_deref(), Some("next"));
    for response in [&before, &after] {
        assert_eq!(id_token(&world, response).await.subject, "ada");
    }
}

/// Section 5.5: `claims` with `id_token`.
#[tokio::test]
async fn a_claim_that_is_requested_for_the_id_token_is_in_it() {
    let world = world().await;
    let asked = r#"{"id_token":{"email":{"essential":true},"salary":null,"groups":null,
        "auth_time":{"essential":true}}}"#;
    let response = tokens(&world, "openid email", &[NONCE[0], ("claims", asked)]).await;
    let token = id_token(&world, &response).await;
    assert_eq!(token.extra["email"], "ada@example.com");
    assert_eq!(token.extra["groups"], serde_json::json!(["a", "b"]));
    // Not one of the claims that the application offers, and not one that was requested.
    assert_eq!(token.extra.len(), 2, "{:?}", token.extra);
    assert_eq!(token.nonce.as_deref(), Some("n-0S6_WzA2Mj"), "the application forges none");
}

#[tokio::test]
async fn claims_that_cannot_be_looked_up_use_no_code_up_and_a_closed_account_gets_none() {
    let world = world().await;
    let asked = [("claims", r#"{"id_token":{"email":null}}"#)];
    for (subject, status, error) in
        [("unlucky", 503, "temporarily_unavailable"), ("closed", 400, "invalid_grant")]
    {
        world.sign_in(subject);
        let mut browser = Browser::default();
        let page = world.ask(&mut browser, &super::asking(&world, "openid email", &asked)).await;
        let code = browser.answer(&world, &page, "decision=all").await.query("code");
        for _ in 0..2 {
            let refused = world.redeem(&code).await;
            assert_eq!((refused.status(), &*refused.error()), (status, error), "{subject}");
        }
    }
}

/// Section 2: at most 255 ASCII characters.
#[tokio::test]
async fn a_subject_that_no_id_token_may_have_gets_none() {
    let world = world().await;
    world.sign_in("zo\u{eb}");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &super::asking(&world, "openid", &NONCE)).await;
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    assert_eq!(world.redeem(&code).await.status(), 500);
}

/// RFC 9700, section 2.1.1: the nonce of OpenID Connect stands for PKCE at a confidential client.
#[tokio::test]
async fn the_policy_of_openid_connect_lets_confidential_clients_omit_pkce_and_no_others() {
    let world = world().await;
    world.sign_in("ada");
    let mut request = super::asking(&world, "openid", &NONCE);
    request.code_challenge = None;
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &request).await;
    assert_eq!(page.status(), 200, "{page:?}");

    let public = World::public_with(Policy::openid(), "https://app.example/cb").await;
    let mut request = public.asking();
    request.code_challenge = None;
    let refused = public.ask(&mut browser, &request).await;
    assert_eq!(refused.query("error"), "invalid_request");
}

#[tokio::test]
async fn a_scope_that_the_hook_takes_away_takes_the_id_token_along() {
    let world = world_of(
        |new| new,
        |server| {
            server.before_issue(|mut token| async move {
                token.keep_scopes(&quadrille::Scopes::of(["email"]));
                Ok(token)
            })
        },
    )
    .await;
    let response = tokens(&world, "openid email", &NONCE).await;
    assert!(response.get("id_token").is_none(), "{response}");
}
