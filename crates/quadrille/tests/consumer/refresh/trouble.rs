//! A service in trouble, and refresh tokens that have ended.

use super::*;

#[tokio::test]
async fn a_service_in_trouble_is_left_alone_for_a_while() {
    for index in 0..2 {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        let mut browser = linked(&world, logins(&world)[index].attach(pages())).await;
        world.wait(HOUR);
        let asked = || world.service.times_asked(Purpose::Refresh);
        let down =
            || world.service.answers_next(Purpose::Refresh, StatusCode::SERVICE_UNAVAILABLE, "");
        down();
        for _ in 0..20 {
            let page = browser.visit("/album").await;
            assert_eq!(page.status, StatusCode::BAD_GATEWAY);
            assert!(page.has_code("service_unavailable"), "{page:?}");
        }
        assert_eq!(asked(), 1, "twenty requests");
        world.wait(Duration::from_secs(1));
        down();
        for _ in 0..20 {
            browser.visit("/album").await;
        }
        assert_eq!(asked(), 2);
        world.wait(Duration::from_secs(1));
        browser.visit("/album").await;
        assert_eq!(asked(), 2, "twice as long after the second failure");
        world.wait(Duration::from_secs(1));
        assert_eq!(browser.visit("/album").await.text, "You are user-7");
        assert_eq!(asked(), 3);
    }
}

#[tokio::test]
async fn a_service_that_says_how_long_is_left_alone_for_so_long() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(HOUR);
    let busy = http::Response::builder().status(429).header("retry-after", "120");
    world.service.answers_next_with(Purpose::Refresh, busy.body(bytes::Bytes::new()).unwrap());
    for _ in 0..12 {
        assert_eq!(browser.visit("/album").await.status, StatusCode::BAD_GATEWAY);
        world.wait(Duration::from_secs(10));
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn one_accounts_trouble_makes_no_other_wait() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let login = world.login().storage(MemoryStorage::new());
    let mut alice = linked(&world, login.attach(pages())).await;
    let mut bob = linked(&world, login.attach(pages())).await;
    world.wait(HOUR);
    world.service.fails_next(Purpose::Refresh, NetworkError::TimedOut);
    assert_eq!(alice.visit("/album").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(bob.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn a_dead_refresh_token_is_known_by_whatever_the_service_calls_it() {
    for code in ["invalid_grant", "invalid_token", "expired_token", "bad_refresh_token"] {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        world.service.change(|its| its.dead_refresh_token = code);
        let mut browser = linked(&world, world.login().attach(pages())).await;
        world.wait(HOUR);
        world.service.ends_refresh_tokens();
        for _ in 0..3 {
            let page = browser.visit("/album").await;
            assert_eq!(page.location(), "/login/github?next=%2Falbum", "{code}");
        }
        assert_eq!(world.service.times_asked(Purpose::Refresh), 1, "{code}");
    }
}

#[tokio::test]
async fn a_service_may_have_its_own_word_for_a_dead_refresh_token() {
    for code in ["invalid_request", "unauthorized_client", "gone_fishing"] {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        world.service.change(|its| its.dead_refresh_token = code);
        let github = GitHub::new("our-id", crate::support::SECRET).named("own").with_spec(|spec| {
            if let Protocol::OAuth2(oauth2) = &mut spec.protocol {
                oauth2.refresh_refusals = "gone_fishing invalid_request unauthorized_client".into();
            }
        });
        async fn own(visitor: quadrille::Visitor) -> Result<String> {
            visitor
                .linked("own")
                .await?
                .get::<serde_json::Value>("user")
                .await
                .map(|_| "yes".into())
        }
        let app = Router::new().route("/own", get(own));
        let mut browser = Browser::new(world.login().with(github).attach(app));
        let away = browser.go("/own").await;
        let query = world.service.consent(away.location(), 7).unwrap();
        assert_eq!(browser.go(&format!("/login/own/authorized?{query}")).await.text, "yes");
        world.wait(HOUR);
        world.service.ends_refresh_tokens();
        assert_eq!(browser.visit("/own").await.location(), "/login/own?next=%2Fown", "{code}");
        // In answer to a code, the same word is nothing about a refresh token.
        let away = browser.go("/login/own").await.location().to_owned();
        let query = world.service.consent(&away, 7).unwrap();
        let body = format!("{{\"error\":\"{code}\"}}");
        world.service.answers_next(Purpose::RedeemCode, StatusCode::BAD_REQUEST, body);
        let page = browser.go(&format!("/login/own/authorized?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{page:?}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_again_and_again_is_dead() {
    for index in 0..2 {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, false));
        let mut browser = linked(&world, logins(&world)[index].attach(pages())).await;
        world.wait(HOUR);
        world.service.ends_refresh_tokens();
        world.service.change(|its| its.dead_refresh_token = "invalid_request");
        let mut pages_shown = 0;
        while browser.visit("/album").await.status == StatusCode::BAD_GATEWAY {
            pages_shown += 1;
            assert!(pages_shown < 200, "for ever");
            world.wait(Duration::from_secs(1));
        }
        assert_eq!(browser.visit("/album").await.location(), "/login/github?next=%2Falbum");
        let asked = world.service.times_asked(Purpose::Refresh);
        assert!((3..10).contains(&asked), "{asked} times");
        assert!(pages_shown >= 60, "a service that fails for a moment unlinks nobody");
    }
}

/// The refresh token in the last request for a refresh.
fn last_refreshed(world: &World) -> String {
    let asked = world.service.asked();
    let last = asked.iter().rfind(|asked| asked.purpose == Purpose::Refresh).unwrap();
    let form: Vec<_> = url::form_urlencoded::parse(last.request.body()).collect();
    form.iter().find(|(name, _)| name == "refresh_token").unwrap().1.to_string()
}

#[test]
fn a_refreshed_token_that_outgrows_the_cookies_loses_nobodys_account() {
    let log = crate::canary::logged(async {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        let mut browser = linked(&world, world.login().attach(pages())).await;
        let mut before = String::new();
        for (round, size) in [("a", 9000), ("b", 9000), ("c", 100), ("d", 100)] {
            world.wait(HOUR);
            let (access, refresh) = ("x".repeat(size), format!("refresh-{round}"));
            let tokens = format!(
                r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":3600}}"#
            );
            world.service.answers_next(Purpose::Refresh, StatusCode::OK, tokens);
            world.service.answers_next(Purpose::Api, StatusCode::OK, "{\"login\":\"user-7\"}");
            let page = browser.visit("/album").await;
            assert_eq!(page.text, "You are user-7", "{round}: {page:?}");
            assert!(before.is_empty() || last_refreshed(&world) == before, "{round}");
            before = refresh;
            assert!(browser.cookie_header().len() < 7 * 1024);
        }
    });
    assert_eq!(log.matches("cookie_too_large").count(), 2, "{log}");
    assert!(log.contains("ERROR") && log.contains("Login::storage"), "{log}");
}

#[tokio::test]
async fn a_refreshed_token_of_which_nothing_fits_is_used_until_it_is_forgotten() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(HOUR);
    let large = "x".repeat(9000);
    let tokens = format!("{{\"access_token\":\"a\",\"refresh_token\":\"{large}\"}}");
    world.service.answers_next(Purpose::Refresh, StatusCode::OK, tokens);
    for _ in 0..3 {
        world.service.answers_next(Purpose::Api, StatusCode::OK, "{\"login\":\"user-7\"}");
        assert_eq!(browser.visit("/album").await.text, "You are user-7");
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
}
