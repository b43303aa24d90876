//! The dance of OAuth 1.0a, from a page that wants a login to the calls behind it.

use std::time::Duration;

use http::{Method, StatusCode};
use quadrille::{
    Owner,
    consumer::{Begin, MemoryStorage},
    form::Params,
    oauth1::{Placement, SignatureMethod},
    provider::{NewClient, oauth1::NewKey},
    transport::Purpose,
};
use serde_json::{Value, json};

use crate::{
    printer::{Album, PAIRS, PUBLIC_KEY, SECRET, signing},
    wire::Proxy,
    world::{ALBUM, CALLBACK, PRINTER, World},
};

pub(crate) const PLACEMENTS: [Placement; 3] =
    [Placement::Header, Placement::Query, Placement::Body];

pub(crate) fn methods() -> Vec<SignatureMethod> {
    use SignatureMethod::{
        HmacSha1, HmacSha256, HmacSha512, Plaintext, RsaSha1, RsaSha256, RsaSha512,
    };
    let mut all = vec![HmacSha1, HmacSha256, HmacSha512, RsaSha256, RsaSha512, Plaintext];
    if cfg!(feature = "rsa-sha1") {
        all.push(RsaSha1);
    }
    all
}

/// A provider that knows the printer by the kind of key that the method wants.
pub(crate) async fn world(method: SignatureMethod) -> World {
    let key = match method.is_rsa() {
        true => NewKey::RsaPublicKey(PUBLIC_KEY.to_owned()),
        false => NewKey::ChosenSecret(SECRET.into()),
    };
    World::new(|new: NewClient| new.grant_types([]).oauth1(key).oauth1_out_of_band()).await
}

/// The pairs of a query or a form, without those of the protocol.
fn pairs(text: &str) -> Vec<(String, String)> {
    let params = Params::parse(text.as_bytes()).unwrap();
    let all = params.iter().filter(|(name, _)| !name.starts_with("oauth_"));
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_login_and_its_calls_by_every_method_in_every_place() {
    let expected = PAIRS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for method in methods() {
        for placement in PLACEMENTS {
            let what = format!("{method:?} {placement:?}");
            let world = world(method).await;
            let login = world.login(signing(&world, method, placement));
            let mut browser = world.browser(&login);
            let asked = browser.ask("/me?page=2", "ada").await;
            assert!(
                asked.url.starts_with(&format!("{ALBUM}/oauth/authorize?oauth_token=")),
                "{what}: {asked:?}"
            );
            let page = browser.decide(&asked, "allow").await;
            assert_eq!(page.text, "You are ada", "{what}: {page:?}");
            assert_eq!(page.url, format!("{PRINTER}/me?page=2"), "{what}");

            let found = browser.open(&format!("{PRINTER}/search")).await;
            assert_eq!(pairs(&found.text), expected, "{what}");
            let filled = browser.open(&format!("{PRINTER}/form")).await;
            assert_eq!(pairs(&filled.text), expected, "{what}");
            let posted = browser.open(&format!("{PRINTER}/json")).await;
            let photo: Value = serde_json::from_str(&posted.text).unwrap();
            let sent = json!({ "title": "Café & cake", "tags": ["+", "%2B", ""] });
            assert_eq!(photo, sent, "{what}");

            let sent = world.wire.sent();
            let purposes: Vec<_> = sent.iter().map(|(purpose, _)| *purpose).collect();
            let dance = [Purpose::TemporaryCredentials, Purpose::RedeemCode, Purpose::Identity];
            assert_eq!(purposes[..3], dance, "{what}");
            assert_eq!(purposes[3..], [Purpose::Api; 4], "{what}");
            for (purpose, request) in &sent {
                let place = (
                    request.headers().contains_key("authorization"),
                    request.uri().to_string().contains("oauth_signature="),
                    request.body().windows(16).any(|part| part == b"oauth_signature="),
                );
                let has_form = request
                    .headers()
                    .get("content-type")
                    .is_some_and(|value| value == "application/x-www-form-urlencoded");
                let expected = match placement {
                    Placement::Query => (false, true, false),
                    Placement::Body if has_form => (false, false, true),
                    _ => (true, false, false),
                };
                assert_eq!(place, expected, "{what}: {purpose:?}");
            }
        }
    }
}

#[tokio::test]
async fn who_says_no_is_told_so_and_may_change_their_mind() {
    let world = world(SignatureMethod::HmacSha1).await;
    let login = world.login(signing(&world, SignatureMethod::HmacSha1, Placement::Header));
    let mut browser = world.browser(&login);
    let asked = browser.ask("/me", "ada").await;
    let page = browser.decide(&asked, "deny").await;
    assert!(page.url.starts_with(CALLBACK), "{page:?}");
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.has_code("access_denied"), "{}", page.text);
    assert_eq!(world.wire.sent().len(), 1, "no verifier was redeemed");
    assert_eq!(browser.log_in("/me", "ada").await.text, "You are ada");
}

#[tokio::test]
async fn a_consent_is_remembered_for_the_next_login() {
    let world = world(SignatureMethod::HmacSha256).await;
    let login = world.login(signing(&world, SignatureMethod::HmacSha256, Placement::Header));
    assert_eq!(world.browser(&login).log_in("/me", "ada").await.text, "You are ada");
    world.clock.advance(Duration::from_secs(1));
    let mut other = world.browser(&login);
    assert_eq!(other.ask("/me", "ada").await.text, "You are ada", "nothing was asked");
    let mut bob = world.browser(&login);
    assert_eq!(bob.log_in("/me", "bob").await.text, "You are bob", "he was");
}

#[tokio::test]
async fn a_visitor_whose_token_was_revoked_is_asked_to_link_again() {
    let world = world(SignatureMethod::HmacSha256).await;
    let login = world.login(signing(&world, SignatureMethod::HmacSha256, Placement::Header));
    let mut browser = world.browser(&login);
    assert_eq!(browser.log_in("/me", "ada").await.text, "You are ada");
    world.clock.advance(Duration::from_secs(1));
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    let page = browser.open(&format!("{PRINTER}/me")).await;
    assert!(page.url.contains("/oauth/authorize"), "{page:?}");
    let page = browser.decide(&page, "allow").await;
    assert_eq!(page.text, "You are ada");
}

#[tokio::test]
async fn a_program_without_a_browser_takes_the_code_that_the_page_shows() {
    let world = world(SignatureMethod::HmacSha256).await;
    for placement in PLACEMENTS {
        let client = signing(&world, SignatureMethod::HmacSha256, placement);
        let login = world.login(client).storage(MemoryStorage::new());
        let begun = login.begin_out_of_band(&Begin::new("album")).await.unwrap();
        let mut browser = world.browser(&login);
        let opened = browser.open(&begun.url).await;
        let mut page = browser.sign_in(opened, "ada").await;
        // The first time she is asked, and then it is remembered.
        if page.text.contains("<form") {
            page = browser.decide(&page, "allow").await;
        }
        let code = page.text.rsplit("<p>").next().unwrap().split('<').next().unwrap();

        let mistyped = login.finish_out_of_band(&begun.attempt, "22222222", &Owner::NOBODY).await;
        assert_eq!(mistyped.unwrap_err().code(), "token_refused");
        let done = login.finish_out_of_band(&begun.attempt, code, &Owner::NOBODY).await.unwrap();
        assert_eq!(&*done.account.subject, "ada", "a wrong code uses nothing up");
        let album = login.linked::<Album>(&done.account).await.unwrap();
        let me: Value = album.request(Method::GET, "me").json().await.unwrap();
        assert_eq!(me["id"], "ada");
        world.clock.advance(Duration::from_secs(11));
        let again = login.finish_out_of_band(&begun.attempt, code, &Owner::NOBODY).await;
        assert_eq!(again.unwrap_err().code(), "token_refused", "good once");
    }
}

#[tokio::test]
async fn what_is_sent_twice_on_the_way_counts_once() {
    let world = world(SignatureMethod::HmacSha256).await;
    let login = world.login(signing(&world, SignatureMethod::HmacSha256, Placement::Header));
    let mut browser = world.browser(&login);
    assert_eq!(browser.log_in("/me", "ada").await.text, "You are ada");
    world.wire.is_held_by(Proxy::Repeats);
    let page = browser.open(&format!("{PRINTER}/me")).await;
    assert!(page.has_code("api_error"), "{page:?}");
    world.wire.is_held_by(Proxy::Honest);
    assert_eq!(browser.open(&format!("{PRINTER}/me")).await.text, "You are ada");
}
