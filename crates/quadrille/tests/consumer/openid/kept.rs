//! ID tokens in cookies, which have little room.

use axum::{Router, routing::get};
use http::HeaderMap;
use quadrille::{
    KeyRing, Linked, Login, Owner, Service, Spec,
    consumer::{Begin, FileStorage, Jar, MemoryStorage},
    testing::FakeService,
};
use serde_json::json;

use crate::{
    library::carry,
    support::{Browser, SECRET, SITE},
};

use super::ISSUER;

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

async fn claims(acme: Linked<Acme>) -> String {
    let claims = acme.claims();
    claims.and_then(|claims| claims.text("name").map(str::to_owned)).unwrap_or("none".to_owned())
}

async fn logged_in(name: &str) -> Browser {
    let service =
        FakeService::openid(ISSUER, "our-id", SECRET).user(json!({ "sub": "7", "name": name }));
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Acme::client("our-id", SECRET))
        .http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new().route("/claims", get(claims))));
    let away = browser.go("/claims").await;
    let query = service.consent(away.location(), 7).unwrap();
    let page = browser.go(&format!("/login/acme/authorized?{query}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    browser
}

#[tokio::test]
async fn claims_are_known_from_the_cookie_and_given_up_before_the_account_is() {
    assert_eq!(logged_in("Ada").await.visit("/claims").await.text, "Ada");
    // Longer than all cookies of a login may be.
    assert_eq!(logged_in(&"x".repeat(8000)).await.visit("/claims").await.text, "none");
}

/// OpenID Connect Core, section 2.
#[tokio::test]
async fn a_subject_may_have_all_the_characters_that_one_can_have() {
    for (length, is_accepted) in [(255, true), (256, false)] {
        let subject = "s".repeat(length);
        let service = FakeService::openid(ISSUER, "our-id", SECRET).user(json!({ "sub": subject }));
        let folder = tempfile::tempdir().unwrap();
        let in_cookies =
            Login::new(KeyRing::ephemeral(), SITE).with(Acme::client("our-id", SECRET));
        let in_cookies = in_cookies.http(service.clone());
        let in_files = FileStorage::open(folder.path().join("accounts")).unwrap();
        let keys = KeyRing::new([&[7; 32]]).unwrap();
        let in_files =
            Login::new(keys, SITE).with(Acme::client("our-id", SECRET)).storage(in_files);
        let in_memory = in_cookies.clone().storage(MemoryStorage::new());
        for login in [in_memory, in_files.http(service.clone())] {
            let (jar, owner) = (Jar::new(&HeaderMap::new()), Owner::user("ada"));
            let begin = Begin::new("acme").owner(&owner);
            let url = login.begin(&jar, &begin).await.unwrap();
            let query = service.consent(&url, 1).unwrap();
            let finished = login.finish(&Jar::new(&carry(&jar)), "acme", &query, &owner).await;
            assert_eq!(finished.is_ok(), is_accepted, "{length}: {finished:?}");
            let Ok(finished) = finished else { continue };
            assert_eq!(*finished.account.subject, format!("{ISSUER}#{subject}"));
            let acme = login.linked_by_name(&finished.account).await.unwrap();
            assert_eq!(acme.profile().await.unwrap().subject, *finished.account.subject);
        }
        let app = in_cookies.attach(Router::new().route("/claims", get(claims)));
        let mut browser = Browser::new(app);
        let page = browser.log_in(&service, "/claims", 1).await;
        assert_eq!(page.status.is_success(), is_accepted, "{page:?}");
    }
}
