use http::StatusCode;
use quadrille::{
    GitHub, KeyRing, Linked, Login,
    consumer::{CookieStorage, MemoryStorage, Token},
    testing::storage_contract,
    transport::Purpose,
};

use crate::support::{Browser, SECRET, SITE, World, pages};

#[tokio::test]
async fn with_an_initial_token_no_login_is_needed() {
    let world = World::new();
    let storage = MemoryStorage::everyone_has("github", Token::new("gho_test"));
    let mut browser = Browser::new(world.login().storage(storage).attach(pages()));
    world.service.answers_next(Purpose::Api, StatusCode::OK, "{\"login\":\"ada\"}");
    assert_eq!(browser.visit("/").await.text, "You are ada");
    let bearer = world.service.asked()[0].request.headers()["authorization"].clone();
    assert_eq!(bearer, "Bearer gho_test");
}

#[tokio::test]
async fn a_token_of_a_few_kilobytes_takes_two_cookies_and_a_larger_one_is_refused() {
    let world = World::new();
    let mut browser = Browser::new(world.login().storage(CookieStorage).attach(pages()));
    let log_in = async |browser: &mut Browser, size: usize| {
        let token = format!("{{\"access_token\":\"{}\"}}", "x".repeat(size));
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, token);
        world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
        let away = browser.visit("/login/github").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        browser.visit(&format!("/login/github/authorized?{query}")).await
    };
    for (size, cookies) in [(100, 1), (2500, 1), (4800, 2), (2600, 1)] {
        log_in(&mut browser, size).await;
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "{size} bytes");
        let tokens: Vec<_> =
            browser.cookies.iter().filter(|(name, _)| name.contains("token")).collect();
        assert_eq!(tokens.len(), cookies, "{size} bytes");
        assert!(tokens.iter().all(|(name, value)| name.len() + value.len() < 3800));
    }
    let page = log_in(&mut browser, 5500).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.has_code("cookie_too_large"), "{}", page.text);
    assert_eq!(browser.visit("/maybe").await.text, "number 7", "the one before is kept");
}

#[tokio::test]
async fn half_a_token_is_none() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let token = format!("{{\"access_token\":\"{}\"}}", "x".repeat(4800));
    world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, token);
    world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
    let away = browser.visit("/login/github").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    browser.visit(&format!("/login/github/authorized?{query}")).await;
    let both = browser.cookies.clone();
    for lost in ["__Host-quadrille-token-github", "__Host-quadrille-token2-github"] {
        browser.cookies = both.clone();
        browser.cookies.remove(lost);
        assert_eq!(browser.visit("/maybe").await.text, "nobody", "without {lost}");
    }
}

#[tokio::test]
async fn signing_out_forgets_the_account() {
    async fn sign_out(github: Option<Linked<GitHub>>) -> quadrille::Result<&'static str> {
        if let Some(github) = github {
            github.unlink().await?;
        }
        Ok("bye")
    }
    async fn leave(visitor: quadrille::Visitor) -> quadrille::Result<&'static str> {
        visitor.unlink("github").await?;
        Ok("bye")
    }
    let world = World::new();
    let routes = axum::Router::new()
        .route("/sign-out", axum::routing::post(sign_out))
        .route("/leave", axum::routing::post(leave));
    for path in ["/sign-out", "/leave", "/leave"] {
        for in_memory in [false, true] {
            let login = world.login();
            let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
            let mut browser = Browser::new(login.attach(pages().merge(routes.clone())));
            browser.log_in(&world.service, "/album", 7).await;
            let request = || http::Request::post(path).body(axum::body::Body::empty()).unwrap();
            for _ in 0..2 {
                let page = browser.send(request()).await;
                assert_eq!((page.status, &*page.text), (StatusCode::OK, "bye"));
                assert_eq!(browser.visit("/maybe").await.text, "nobody");
            }
            assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER, "no loop");
        }
    }
}

#[tokio::test]
async fn in_memory_only_what_was_seen_is_replaced() {
    // The contract by which two processes refresh the same account: one wins, the other reads.
    let world = World::new();
    world.service.change(|its| its.expire(std::time::Duration::from_secs(60), true));
    let login = world.login().storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    browser.log_in(&world.service, "/album", 7).await;
    let mut accounts = login.accounts::<GitHub>().unwrap();
    let github = accounts.next().await.unwrap().unwrap();
    // The visitor logs in anew while the old token is being refreshed elsewhere.
    browser.log_in(&world.service, "/login/github", 7).await;
    world.wait(std::time::Duration::from_secs(60));
    let me: serde_json::Value = github.get("user").await.unwrap();
    assert_eq!(me["id"], 7);
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1, "the newer one, not the older");
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn a_first_try_with_ephemeral_keys_survives_a_restart() {
    let world = World::new();
    let start = || {
        Login::new(KeyRing::ephemeral(), SITE)
            .with(GitHub::new("our-id", SECRET))
            .http(world.service.clone())
            .attach(pages())
    };
    let mut browser = Browser::new(start());
    browser.log_in(&world.service, "/album", 7).await;
    browser.app = start();
    assert_eq!(browser.visit("/maybe").await.text, "nobody", "not an error");
}

storage_contract!(memory, || (MemoryStorage::new(), ()));
storage_contract!(cookies, || (CookieStorage, ()), [one_account]);
