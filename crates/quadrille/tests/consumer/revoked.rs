//! Access that was revoked at the service.

use std::time::Duration;

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Response, StatusCode};
use quadrille::{
    Error, GitHub, KeyRing, Linked, Login, Result, SpecBuf, Visitor,
    consumer::MemoryStorage,
    testing::FakeService,
    transport::{NetworkError, Purpose},
};

use crate::{
    oauth1,
    support::{Browser, SECRET, SITE, World, pages},
};

const MINUTE: Duration = Duration::from_secs(60);

fn refusal(challenge: &str) -> Response<Bytes> {
    let answer = Response::builder().status(401);
    let answer = match challenge {
        "" => answer,
        challenge => answer.header("www-authenticate", challenge),
    };
    answer.body(Bytes::from_static(b"{\"message\":\"Bad credentials\"}")).unwrap()
}

async fn linked(world: &World, app: Router) -> Browser {
    let mut browser = Browser::new(app);
    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
    browser
}

#[tokio::test]
async fn a_visitor_who_revoked_access_is_asked_to_link_again() {
    for in_memory in [false, true] {
        for pause in [0, 60] {
            let world = World::new();
            let mut login = world.login();
            if in_memory {
                login = login.storage(MemoryStorage::new());
            }
            let mut browser = linked(&world, login.attach(pages())).await;
            world.wait(Duration::from_secs(pause));
            world.service.ends_access_tokens();
            let page = browser.visit("/album").await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
            assert_eq!(page.location(), "/login/github?next=%2Falbum");
            assert_eq!(browser.visit("/maybe").await.text, "nobody");
            let asked = world.service.asked().len();
            browser.visit("/album").await;
            assert_eq!(world.service.asked().len(), asked, "the dead token is not sent again");
            world.wait(MINUTE);
            let page = browser.log_in(&world.service, "/album", 7).await;
            assert_eq!(page.text, "You are user-7");
        }
    }
}

#[tokio::test]
async fn a_401_that_says_nothing_is_confirmed_by_who_the_account_is() {
    let world = World::new();
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(MINUTE);
    for (challenge, confirms, unlinked) in [
        ("", false, false),
        ("Bearer", false, false),
        ("Basic realm=\"x\"", false, false),
        ("", true, true),
        ("Bearer realm=\"x\"", true, true),
        ("Bearer error=\"invalid_token\"", false, true),
    ] {
        world.service.answers_next_with(Purpose::Api, refusal(challenge));
        if confirms {
            world.service.answers_next_with(Purpose::Identity, refusal(challenge));
        }
        let page = browser.visit("/album").await;
        assert_eq!(page.status == StatusCode::SEE_OTHER, unlinked, "{challenge}: {page:?}");
        assert_eq!(page.has_code("api_error"), !unlinked, "{challenge}: {page:?}");
        if unlinked {
            browser.log_in(&world.service, "/login/github", 7).await;
            world.wait(MINUTE);
        }
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "{challenge}");
    }
}

#[tokio::test]
async fn no_other_refusal_unlinks_anybody() {
    let world = World::new();
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(MINUTE);
    let status = |code: u16| {
        let mut answer = refusal("Bearer error=\"invalid_token\"");
        *answer.status_mut() = StatusCode::from_u16(code).unwrap();
        answer
    };
    for answer in [
        refusal("Bearer error=\"insufficient_scope\""),
        refusal("Bearer error=\"insufficient_user_authentication\""),
        status(403),
        status(400),
        status(404),
        status(429),
        status(500),
        status(503),
    ] {
        let shown = format!("{answer:?}");
        world.service.answers_next_with(Purpose::Api, answer);
        let page = browser.visit("/album").await;
        assert!(page.has_code("api_error"), "{shown}: {page:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "{shown}");
    }
    for error in [NetworkError::TimedOut, NetworkError::Refused] {
        world.service.answers_next_with(Purpose::Api, refusal(""));
        world.service.fails_next(Purpose::Identity, error);
        assert!(browser.visit("/album").await.has_code("api_error"));
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "no answer confirms nothing");
    }
}

#[tokio::test]
async fn a_path_that_never_works_does_not_unlink() {
    async fn secret(github: Linked<GitHub>) -> Result<String> {
        github.get("secret").await
    }
    let world = World::new();
    let app = pages().route("/secret", get(secret));
    let mut browser = linked(&world, world.login().attach(app)).await;
    for _ in 0..5 {
        world.wait(MINUTE);
        world.service.answers_next_with(Purpose::Api, refusal(""));
        assert!(browser.visit("/secret").await.has_code("api_error"));
        assert_eq!(browser.visit("/album").await.text, "You are user-7");
    }
}

#[tokio::test]
async fn a_refresh_token_that_works_comes_before_all_that() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(MINUTE);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    world.wait(MINUTE);
    for _ in 0..2 {
        world.service.answers_next_with(Purpose::Api, refusal("Bearer error=\"invalid_token\""));
    }
    assert!(browser.visit("/album").await.has_code("api_error"), "the grant is alive");
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    world.wait(MINUTE);
    world.service.ends_access_tokens();
    world.service.ends_refresh_tokens();
    assert_eq!(browser.visit("/album").await.location(), "/login/github?next=%2Falbum");
}

#[tokio::test]
async fn another_origin_cannot_unlink() {
    async fn elsewhere(github: Linked<GitHub>) -> Result<String> {
        let call = github.request(http::Method::GET, "https://uploads.example/x");
        call.send_token_to_another_origin().json().await
    }
    let world = World::new();
    let app = pages().route("/elsewhere", get(elsewhere));
    let mut browser = linked(&world, world.login().attach(app)).await;
    world.wait(MINUTE);
    world.service.answers_next_with(Purpose::Api, refusal("Bearer error=\"invalid_token\""));
    assert!(browser.visit("/elsewhere").await.has_code("api_error"));
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn without_an_identity_the_answer_itself_must_say_so() {
    async fn thing(visitor: Visitor) -> Result<String> {
        let acme = visitor.linked("acme").await?;
        Ok(acme.get::<serde_json::Value>("thing").await?["path"].to_string())
    }
    for (challenge, unlinked) in [
        ("", false),
        ("Basic realm=\"x\"", false),
        ("Bearer error=\"insufficient_scope\"", false),
        ("Bearer", true),
        ("Bearer error=\"invalid_token\"", true),
    ] {
        let world = World::new();
        let base = "https://acme.example";
        let spec = SpecBuf::oauth2(
            "acme",
            format!("{base}/authorize"),
            format!("{base}/token"),
            format!("{base}/api"),
        );
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(spec.client("our-id", SECRET))
            .http(world.service.clone())
            .env(world.clock.env());
        let mut browser = Browser::new(login.attach(Router::new().route("/thing", get(thing))));
        let away = browser.go("/thing").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        browser.go(&format!("/login/acme/authorized?{query}")).await;
        world.wait(MINUTE);
        world.service.answers_next_with(Purpose::Api, refusal(challenge));
        let page = browser.visit("/thing").await;
        assert_eq!(page.status == StatusCode::SEE_OTHER, unlinked, "{challenge}: {page:?}");
    }
}

#[tokio::test]
async fn an_account_outside_a_request_says_that_it_needs_linking_again() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    linked(&world, login.attach(pages())).await;
    let mut accounts = login.accounts::<GitHub>().unwrap();
    let github = accounts.next().await.unwrap().unwrap();
    world.service.ends_access_tokens();
    for _ in 0..2 {
        let error = github.get::<serde_json::Value>("user").await.unwrap_err();
        let Error::NotLinked(who) = error else { panic!("{error:?}") };
        assert_eq!(who.reason, quadrille::consumer::NotLinkedReason::NeedsLinkingAgain);
    }
    let mut accounts = login.accounts::<GitHub>().unwrap();
    assert!(accounts.next().await.is_none());
}

#[tokio::test]
async fn signed_requests_are_revoked_too() {
    let world = oauth1::World::new();
    let mut browser = Browser::new(world.login().attach(oauth1::pages()));
    let page = oauth1::log_in(&world, &mut browser, "/album", 7).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    world.clock.advance(MINUTE);
    for problem in ["signature_invalid", "nonce_used", "timestamp_refused", "permission_denied"] {
        let challenge = format!("OAuth realm=\"x\", oauth_problem=\"{problem}\"");
        world.service.answers_next_with(Purpose::Api, refusal(&challenge));
        assert!(browser.visit("/album").await.has_code("api_error"), "{problem}");
    }
    world.service.answers_next_with(Purpose::Api, refusal(""));
    assert!(browser.visit("/album").await.has_code("api_error"), "one flaky answer");
    assert_eq!(browser.visit("/album").await.status, StatusCode::OK);
    world.service.ends_access_tokens();
    let page = browser.visit("/album").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
    let asked = world.service.asked().len();
    browser.visit("/album").await;
    assert_eq!(world.service.asked().len(), asked, "the dead token is not used again");
}

#[tokio::test]
async fn a_hundred_requests_with_a_revoked_token_all_lead_to_the_login() {
    let service = FakeService::new("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET))
        .http(service.clone())
        .storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    browser.log_in(&service, "/album", 7).await;
    service.ends_access_tokens();
    let visits: Vec<_> = (0..100)
        .map(|_| {
            let mut tab = browser.clone();
            tokio::spawn(async move { tab.visit("/album").await })
        })
        .collect();
    for visit in visits {
        let page = visit.await.unwrap();
        assert!(page.status == StatusCode::SEE_OTHER || page.has_code("login_loop"), "{page:?}");
    }
}
