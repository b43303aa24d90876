use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use quadrille::{
    Error, GitHub, Hooks, Linked, Refreshed, Result,
    consumer::{MemoryStorage, NotLinkedReason, OperatorError, Protocol},
    transport::{NetworkError, Purpose},
};
use tokio::sync::Mutex;

use crate::support::{Browser, World, pages};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

async fn linked(world: &World, app: Router) -> Browser {
    let mut browser = Browser::new(app);
    let page = browser.log_in(&world.service, "/album", 7).await;
    assert_eq!(page.text, "You are user-7");
    browser
}

#[tokio::test]
async fn a_token_that_ends_is_refreshed_without_a_word() {
    for rotates in [false, true] {
        for in_memory in [false, true] {
            let world = World::new();
            world.service.change(|its| its.expire(HOUR, rotates));
            let mut login = world.login();
            if in_memory {
                login = login.storage(MemoryStorage::new());
            }
            let mut browser = linked(&world, login.attach(pages())).await;
            for _ in 0..3 {
                world.wait(HOUR);
                world.service.ends_access_tokens();
                assert_eq!(browser.visit("/album").await.text, "You are user-7");
            }
            assert_eq!(world.service.times_asked(Purpose::Refresh), 3);
        }
    }
}

#[tokio::test]
async fn a_hundred_requests_at_once_refresh_once() {
    for in_memory in [false, true] {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        let mut login = world.login();
        if in_memory {
            login = login.storage(MemoryStorage::new());
        }
        let browser = linked(&world, login.attach(pages())).await;
        world.wait(HOUR);
        let mut requests = Vec::new();
        for _ in 0..100 {
            let mut tab = Browser { app: browser.app.clone(), cookies: browser.cookies.clone() };
            requests.push(tokio::spawn(async move { tab.visit("/album").await.text }));
        }
        for request in requests {
            assert_eq!(request.await.unwrap(), "You are user-7");
        }
        assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    }
}

#[tokio::test]
async fn a_browser_that_missed_the_new_cookie_gets_it_again_for_ten_minutes() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(HOUR);
    let before = browser.cookies.clone();
    browser.visit("/album").await;
    world.wait(Duration::from_secs(599));
    browser.cookies = before.clone();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    // After that the old token is dead, as the service says.
    world.wait(Duration::from_secs(2));
    browser.cookies = before;
    assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn only_the_end_of_the_grant_unlinks_and_says_so() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, false));
    let storage = MemoryStorage::new();
    let login = world.login().storage(storage);
    let mut browser = linked(&world, login.attach(pages())).await;
    world.wait(HOUR);
    for (status, body) in [
        (StatusCode::TOO_MANY_REQUESTS, ""),
        (StatusCode::BAD_GATEWAY, "<html>"),
        (StatusCode::SERVICE_UNAVAILABLE, "{\"error\":\"invalid_grant\"}"),
        (StatusCode::UNAUTHORIZED, "{\"error\":\"invalid_client\"}"),
        (StatusCode::BAD_REQUEST, "{\"error\":\"invalid_request\"}"),
        (StatusCode::OK, "<html>"),
    ] {
        world.service.answers_next(Purpose::Refresh, status, body);
        let page = browser.visit("/album").await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{status} {body}: {page:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "{status} {body}");
        world.wait(MINUTE);
    }
    world.service.fails_next(Purpose::Refresh, NetworkError::TimedOut);
    assert_eq!(browser.visit("/album").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    world.wait(MINUTE);

    world.service.ends_refresh_tokens();
    let asked = world.service.times_asked(Purpose::Refresh);
    assert_eq!(browser.visit("/album").await.location(), "/login/github?next=%2Falbum");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    browser.visit("/album").await;
    assert_eq!(world.service.times_asked(Purpose::Refresh), asked + 1, "it is not asked again");
    // The account is kept, to say what it needs.
    let mut accounts = login.accounts::<GitHub>().unwrap();
    assert!(accounts.next().await.is_none(), "it does not work");
    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
}

#[tokio::test]
async fn a_token_that_is_still_good_is_used_while_it_cannot_be_refreshed() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(HOUR - Duration::from_secs(10));
    world.service.fails_next(Purpose::Refresh, NetworkError::Connect);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn a_token_that_ends_and_cannot_be_refreshed_asks_for_a_login_not_for_help() {
    let world = World::new();
    world.service.answers_next(
        Purpose::RedeemCode,
        StatusCode::OK,
        "{\"access_token\":\"x\",\"expires_in\":\"60\"}",
    );
    world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
    world.service.answers_next(Purpose::Api, StatusCode::OK, "{}");
    let mut browser = Browser::new(world.login().attach(pages()));
    browser.log_in(&world.service, "/login/github", 7).await;
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    world.wait(Duration::from_secs(61));
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_401_refreshes_once_and_not_a_young_token() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.service.ends_access_tokens();
    world.wait(Duration::from_secs(29));
    let page = browser.visit("/album").await;
    assert!(page.has_code("api_error"), "too young: {page:?}");
    world.wait(Duration::from_secs(1));
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);

    world.wait(Duration::from_secs(60));
    for _ in 0..2 {
        world.service.answers_next(Purpose::Api, StatusCode::UNAUTHORIZED, "no");
    }
    let page = browser.visit("/album").await;
    assert!(page.has_code("api_error"), "the new token was refused too: {page:?}");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 2, "once for each call");
}

#[tokio::test]
async fn a_refresh_asks_for_what_it_must_and_nothing_else() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.wait(HOUR);
    browser.visit("/album").await;
    let asked = world.service.asked();
    let refresh = asked.iter().find(|asked| asked.purpose == Purpose::Refresh).unwrap();
    let body = std::str::from_utf8(refresh.request.body()).unwrap();
    let names: Vec<_> = body.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(names, ["grant_type", "refresh_token", "client_id", "client_secret"]);
    assert!(!Purpose::Refresh.may_be_repeated() && !Purpose::RedeemCode.may_be_repeated());
    assert!(!Purpose::Refresh.may_be_logged() && !Purpose::RedeemCode.may_be_logged());
}

#[tokio::test]
async fn a_refresh_goes_on_when_its_visitor_has_left() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let login = world.login().storage(MemoryStorage::new());
    let mut browser = linked(&world, login.attach(pages())).await;
    world.wait(HOUR);
    // Polled once, then dropped: the browser closed the connection.
    {
        let mut visit = std::pin::pin!(browser.visit("/album"));
        std::future::poll_fn(|cx| {
            let _ = visit.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1, "its result was kept");
}

#[tokio::test]
async fn the_application_hears_of_every_new_token() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let heard = Arc::new(AtomicUsize::new(0));
    async fn hook(new: Refreshed, State(heard): State<Arc<AtomicUsize>>) {
        assert_eq!(&*new.service, "github");
        assert_eq!(&*new.stored.account.subject, "7");
        heard.fetch_add(1, Ordering::SeqCst);
    }
    let login = world.login().hooks(Hooks::new(Arc::clone(&heard)).on_refreshed(hook));
    let mut browser = linked(&world, login.attach(pages())).await;
    assert_eq!(heard.load(Ordering::SeqCst), 0);
    world.wait(HOUR);
    browser.visit("/album").await;
    assert_eq!(heard.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn work_that_outlives_the_answer_has_a_token_for_as_long_as_was_said() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let kept: Arc<Mutex<Option<Linked<GitHub>>>> = Arc::default();
    async fn begin(
        State(kept): State<Arc<Mutex<Option<Linked<GitHub>>>>>,
        github: Linked<GitHub>,
    ) -> Result<()> {
        *kept.lock().await = Some(github.detach(Duration::from_secs(1800)).await?);
        Ok(())
    }
    let app = Router::new().route("/begin", get(begin)).with_state(Arc::clone(&kept));
    let mut browser = linked(&world, world.login().attach(pages().merge(app))).await;
    world.wait(HOUR - Duration::from_secs(600));
    assert_eq!(browser.visit("/begin").await.status, StatusCode::OK);
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1, "ten minutes were not enough");
    let github = kept.lock().await.take().unwrap();
    world.wait(Duration::from_secs(1800));
    github.get::<serde_json::Value>("user").await.expect("half an hour was promised");
    world.wait(HOUR);
    let error = github.get::<serde_json::Value>("user").await.unwrap_err();
    assert_eq!(error, OperatorError::AnswerHasLeft.into());
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1, "nothing was spent in vain");
}

#[tokio::test]
async fn an_account_is_reached_outside_any_request() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let login = world.login().storage(MemoryStorage::new());
    for user in 1..=250 {
        let mut browser = Browser::new(login.attach(pages()));
        browser.log_in(&world.service, "/login/github", user).await;
    }
    world.wait(HOUR);
    let mut accounts = login.accounts::<GitHub>().unwrap();
    let mut seen = 0;
    let mut one = None;
    while let Some(github) = accounts.next().await {
        let github = github.unwrap();
        let me: serde_json::Value = github.get("user").await.unwrap();
        assert_eq!(me["id"].to_string(), &*github.subject());
        one = Some(github.account());
        seen += 1;
    }
    assert_eq!(seen, 250);
    let one = one.unwrap();
    let github = login.linked::<GitHub>(&one).await.unwrap();
    assert_eq!(github.account(), one);
    login.unlink(&one).await.unwrap();
    let Error::NotLinked(who) = login.linked::<GitHub>(&one).await.unwrap_err() else { panic!() };
    assert_eq!(who.reason, NotLinkedReason::Missing);

    // Cookies are in browsers.
    let error = world.login().linked::<GitHub>(&one).await.unwrap_err();
    assert_eq!(error, OperatorError::OutsideRequest.into());
    let mut none = world.login().accounts::<GitHub>().unwrap();
    assert_eq!(none.next().await.unwrap().unwrap_err(), OperatorError::OutsideRequest.into());
}

/// In cookies, and on the server.
fn logins(world: &World) -> [quadrille::Login; 2] {
    [world.login(), world.login().storage(MemoryStorage::new())]
}

#[tokio::test]
async fn a_refresh_token_that_stays_the_same_refreshes_again_and_again() {
    for lifetime in [31, 60, 300, 599, 601] {
        for index in 0..2 {
            let world = World::new();
            world.service.change(|its| its.expire(Duration::from_secs(lifetime), false));
            let login = logins(&world)[index].clone();
            let mut browser = linked(&world, login.attach(pages())).await;
            for period in 1..=12 {
                world.wait(Duration::from_secs(lifetime));
                world.service.ends_access_tokens();
                let page = browser.visit("/album").await;
                assert_eq!(page.text, "You are user-7", "{lifetime} s, period {period}");
                assert_eq!(world.service.times_asked(Purpose::Refresh), period);
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_several_refreshes_old_gets_the_newest_token() {
    for rotates in [false, true] {
        let world = World::new();
        world.service.change(|its| its.expire(MINUTE, rotates));
        let mut browser = linked(&world, world.login().attach(pages())).await;
        let before = browser.cookies.clone();
        for _ in 0..5 {
            world.wait(MINUTE);
            world.service.ends_access_tokens();
            browser.visit("/album").await;
        }
        browser.cookies = before;
        assert_eq!(browser.visit("/album").await.text, "You are user-7");
        assert_eq!(world.service.times_asked(Purpose::Refresh), 5);
    }
}

#[tokio::test]
async fn linking_again_counts_even_if_the_refresh_token_is_the_same() {
    let world = World::new();
    let answer = |token: &str| {
        format!(r#"{{"access_token":"{token}","refresh_token":"always","expires_in":3600}}"#)
    };
    let mut browser = Browser::new(world.login().storage(MemoryStorage::new()).attach(pages()));
    for token in ["first", "second"] {
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, answer(token));
        world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
        browser.log_in(&world.service, "/login/github", 7).await;
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
        world.wait(HOUR);
        let dead = "{\"error\":\"invalid_grant\"}";
        world.service.answers_next(Purpose::Refresh, StatusCode::BAD_REQUEST, dead);
        assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 2);
}

#[tokio::test]
async fn a_clock_that_went_back_keeps_no_token_young() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = linked(&world, world.login().attach(pages())).await;
    world.clock.set(world.clock.env().now() - HOUR);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

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
