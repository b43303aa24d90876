//! A callback that a browser opens twice at once: a double click, or a request that it repeats because
//! its connection broke.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::extract::State;
use http::{Request, Response, StatusCode};
use quadrille::{
    Authorized, GitHub, Hooks, Login, Owner,
    consumer::{MemoryStorage, TokenStorage as _},
    testing::FakeService,
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use tokio::{sync::Notify, task::JoinHandle};

use crate::{
    oauth1,
    support::{Browser, Page, World, pages},
};

/// A service whose token endpoint takes its time.
#[derive(Clone)]
struct Slow {
    service: FakeService,
    answers: Arc<Notify>,
    breaks: Arc<AtomicBool>,
}

impl Slow {
    fn new(service: &FakeService) -> Self {
        Self { service: service.clone(), answers: Arc::default(), breaks: Arc::default() }
    }
}

impl HttpClient for Slow {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        if purpose == Purpose::RedeemCode {
            self.answers.notified().await;
            assert!(!self.breaks.swap(false, Ordering::AcqRel), "a client with a defect");
        }
        self.service.send(request, purpose).await
    }
}

fn tab(browser: &Browser) -> Browser {
    browser.clone()
}

/// The callback of a login that the user has approved.
async fn approved(service: &FakeService, browser: &mut Browser, path: &str) -> String {
    let away = browser.go(path).await.location().to_owned();
    let query = service.consent(&away, 7).unwrap();
    let callback = service.callback(&away).unwrap();
    let path = callback.strip_prefix("https://app.example").unwrap();
    format!("{path}?{query}")
}

/// Opens a page up to the point where nothing goes on.
async fn open(browser: &Browser, url: &str) -> JoinHandle<(Browser, Page)> {
    let (mut tab, url) = (tab(browser), url.to_owned());
    let page = tokio::spawn(async move {
        let page = tab.go(&url).await;
        (tab, page)
    });
    // All tasks run until they wait: the clock of tokio is paused.
    tokio::time::sleep(Duration::from_millis(1)).await;
    page
}

/// A world, the slow service of it, and a browser in front of this login.
fn site(change: impl FnOnce(Login) -> Login) -> (World, Slow, Browser) {
    let world = World::new();
    let slow = Slow::new(&world.service);
    let login = change(world.login().http(slow.clone()));
    let browser = Browser::new(login.attach(pages()));
    (world, slow, browser)
}

/// RFC 6749, section 4.1.2.
#[tokio::test(start_paused = true)]
async fn a_callback_that_is_opened_twice_at_once_redeems_its_code_once() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    let first = open(&browser, &callback).await;
    let second = open(&browser, &callback).await;
    assert!(!first.is_finished() && !second.is_finished());
    slow.answers.notify_one();
    for tab in [first, second] {
        let (mut tab, page) = tab.await.unwrap();
        assert_eq!(page.text, "You are user-7");
        assert!(!tab.cookie_header().contains("try-"), "the attempt is over");
        assert_eq!(tab.visit("/album").await.text, "You are user-7");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_lost_the_answer_gets_it_for_ten_seconds() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    let first = open(&browser, &callback).await;
    slow.answers.notify_one();
    first.await.unwrap();
    world.wait(Duration::from_secs(10));
    // The browser still has the cookies from before.
    assert_eq!(tab(&browser).go(&callback).await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
    world.wait(Duration::from_secs(1));
    let late = open(&browser, &callback).await;
    slow.answers.notify_one();
    assert!(late.await.unwrap().1.has_code("token_refused"), "the service decides");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 2);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_goes_away_stops_no_login_of_its_second_request() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    let first = open(&browser, &callback).await;
    let second = open(&browser, &callback).await;
    first.abort();
    slow.answers.notify_one();
    assert_eq!(second.await.unwrap().1.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_that_of_both_requests_and_of_no_later_one() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    world.service.fails_next(Purpose::RedeemCode, NetworkError::Connect);
    let first = open(&browser, &callback).await;
    let second = open(&browser, &callback).await;
    slow.answers.notify_one();
    for tab in [first, second] {
        assert!(tab.await.unwrap().1.has_code("service_unreachable"));
    }
    let third = open(&browser, &callback).await;
    slow.answers.notify_one();
    assert_eq!(third.await.unwrap().1.text, "You are user-7");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_lets_nobody_wait_for_ever() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    slow.breaks.store(true, Ordering::Release);
    let first = open(&browser, &callback).await;
    let second = open(&browser, &callback).await;
    slow.answers.notify_one();
    for tab in [first, second] {
        assert!(tab.await.unwrap().1.has_code("service_interrupted"));
    }
    let third = open(&browser, &callback).await;
    slow.answers.notify_one();
    assert_eq!(third.await.unwrap().1.text, "You are user-7");
}

#[tokio::test(start_paused = true)]
async fn a_browser_without_the_cookie_of_the_attempt_gets_no_outcome_of_it() {
    let (world, slow, mut browser) = site(|login| login);
    let callback = approved(&world.service, &mut browser, "/album").await;
    let first = open(&browser, &callback).await;
    let mut mallory = Browser::new(browser.app.clone());
    mallory.visit("/login/github").await;
    let page = mallory.go(&callback).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    // A cookie of the right name, with another value.
    let name = browser.cookies.keys().find(|name| name.contains("try-")).unwrap();
    mallory.cookies.insert(name.clone(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    assert!(mallory.go(&callback).await.has_code("attempt_cookie_missing"));
    slow.answers.notify_one();
    assert_eq!(first.await.unwrap().1.text, "You are user-7");
    assert!(mallory.go(&callback).await.has_code("attempt_cookie_missing"));
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

#[tokio::test(start_paused = true)]
async fn another_code_for_the_same_attempt_is_another_answer_of_the_service() {
    let (world, slow, mut browser) = site(|login| login);
    let away = browser.go("/album").await.location().to_owned();
    // A user who clicks twice at the service.
    let [one, two] = [(); 2].map(|()| {
        let query = world.service.consent(&away, 7).unwrap();
        format!("/login/github/authorized?{query}")
    });
    let (first, second) = (open(&browser, &one).await, open(&browser, &two).await);
    slow.answers.notify_one();
    slow.answers.notify_one();
    tokio::time::sleep(Duration::from_millis(1)).await;
    slow.answers.notify_one();
    for tab in [first, second] {
        assert_eq!(tab.await.unwrap().1.text, "You are user-7");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 2);
}

#[tokio::test(start_paused = true)]
async fn hooks_see_one_request_after_the_other() {
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<&'static str>>>);
    async fn hook(new: Authorized, State(Seen(seen)): State<Seen>) {
        seen.lock().unwrap().push("in");
        assert_eq!(new.claims().await.unwrap().unwrap().subject(), "7");
        tokio::time::sleep(Duration::from_secs(1)).await;
        seen.lock().unwrap().push("out");
    }
    let seen = Seen::default();
    let hooks = Hooks::new(seen.clone()).on_authorized(hook);
    let (world, slow, mut browser) = site(|login| login.hooks(hooks));
    let callback = approved(&world.service, &mut browser, "/album").await;
    let (first, second) = (open(&browser, &callback).await, open(&browser, &callback).await);
    slow.answers.notify_one();
    for tab in [first, second] {
        assert_eq!(tab.await.unwrap().1.text, "You are user-7");
    }
    assert_eq!(*seen.0.lock().unwrap(), ["in", "out", "in", "out"]);
}

/// RFC 5849, section 2.3.
#[tokio::test(start_paused = true)]
async fn a_verifier_of_oauth_1_is_redeemed_once_too() {
    let world = oauth1::World::new();
    let slow = Slow::new(&world.service);
    let login = world.login().http(slow.clone());
    let mut browser = Browser::new(login.attach(oauth1::pages()));
    let callback = approved(&world.service, &mut browser, "/album").await;
    let (first, second) = (open(&browser, &callback).await, open(&browser, &callback).await);
    slow.answers.notify_one();
    for tab in [first, second] {
        assert_eq!(tab.await.unwrap().1.text, "You are user-7");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

/// A login whose tokens are on the server, without users: the browser owns its accounts.
async fn owned_by_the_browser() -> (World, Arc<MemoryStorage>, Login, Browser, String) {
    let world = World::new();
    let storage = Arc::new(MemoryStorage::default());
    let login = world.login().storage(Arc::clone(&storage));
    let mut browser = Browser::new(login.attach(pages()));
    let callback = approved(&world.service, &mut browser, "/album").await;
    (world, storage, login, browser, callback)
}

async fn owners(login: &Login) -> BTreeSet<Owner> {
    let mut owners = BTreeSet::new();
    let mut accounts = login.accounts::<GitHub>().unwrap();
    while let Some(account) = accounts.next().await {
        owners.insert(account.unwrap().account().owner);
    }
    owners
}

async fn logged_out(browser: &mut Browser) {
    let request = Request::post("/login/github/logout").header("sec-fetch-site", "same-origin");
    let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
}

#[tokio::test]
async fn one_callback_makes_one_account_also_in_a_browser_without_a_cookie_of_its_own() {
    let (world, _, login, browser, callback) = owned_by_the_browser().await;
    let mut tabs = [(); 3].map(|()| tab(&browser));
    for tab in &mut tabs {
        assert_eq!(tab.go(&callback).await.text, "You are user-7");
    }
    assert_eq!(owners(&login).await.len(), 1);
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
    // Each answer has the cookie of the first, so the logout of one is that of all.
    logged_out(&mut tabs[1]).await;
    for tab in &mut tabs {
        assert_eq!(tab.go("/maybe").await.text, "nobody");
    }
    assert_eq!(owners(&login).await.len(), 0);
}

#[tokio::test]
async fn a_second_answer_that_finds_another_identifier_gives_the_browser_that_of_the_first() {
    let (world, _, login, browser, callback) = owned_by_the_browser().await;
    let (mut first, mut second) = (tab(&browser), tab(&browser));
    assert_eq!(first.go(&callback).await.text, "You are user-7");
    // Another login of the same browser has finished meanwhile.
    second.log_in(&world.service, "/album", 8).await;
    assert_eq!(second.go(&callback).await.text, "You are user-7");
    assert_eq!(owners(&login).await.len(), 1);
}

#[tokio::test]
async fn a_logout_ends_what_a_copied_cookie_could_repeat() {
    // Tokens in cookies, tokens on the server, and the identity alone.
    for (path, on_the_server) in
        [("/album", false), ("/album", true), ("/login/github?only=identity", false)]
    {
        let world = World::new();
        let login = world.login();
        let login = if on_the_server { login.storage(MemoryStorage::default()) } else { login };
        let mut browser = Browser::new(login.attach(pages()));
        let callback = approved(&world.service, &mut browser, path).await;
        let mut copy = tab(&browser);
        browser.go(&callback).await;
        logged_out(&mut browser).await;
        let page = copy.go(&callback).await;
        assert!(page.has_code("token_refused"), "{path}: {page:?}");
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 2, "{path}");
        assert_eq!(copy.go("/maybe").await.text, "nobody", "{path}");
    }
}

#[tokio::test]
async fn a_logout_at_another_process_ends_it_too() {
    let (_world, storage, login, mut browser, callback) = owned_by_the_browser().await;
    let mut copy = tab(&browser);
    assert_eq!(browser.go(&callback).await.text, "You are user-7");
    // Another process knows nothing of the redemptions of this one.
    let account = login.accounts::<GitHub>().unwrap().next().await.unwrap().unwrap().account();
    assert!(storage.unlink(&login.storage_context().unwrap(), &account).await.unwrap());
    assert!(copy.go(&callback).await.has_code("token_refused"));
    assert_eq!(owners(&login).await.len(), 0);
}
