use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

mod trouble;

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
            let mut tab = browser.clone();
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
