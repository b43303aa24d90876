//! Several processes over one storage. Each is a `Login` of its own here, with a connection of its
//! own.

#[path = "../../../examples/custom_storage/storage.rs"]
mod storage;

use std::{sync::Arc, time::Duration};

use http::{Request, Response};
use quadrille::{
    KeyRing, Login,
    testing::{FakeService, storage_contract},
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::support::{Browser, World, pages};
use storage::Shared;

const HOUR: Duration = Duration::from_secs(3600);

storage_contract!(sqlite, || {
    let folder = tempfile::tempdir().unwrap();
    (Shared::open(&folder.path().join("tokens.db")).unwrap(), folder)
});

/// A service whose token endpoint takes its time when it refreshes.
#[derive(Clone)]
struct Slow {
    service: FakeService,
    asked: Arc<Notify>,
    answers: Arc<Notify>,
}

impl HttpClient for Slow {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        if purpose == Purpose::Refresh {
            self.asked.notify_one();
            self.answers.notified().await;
        }
        self.service.send(request, purpose).await
    }
}

/// Two processes and a visitor who is linked, with a token that has ended.
struct Two {
    world: World,
    slow: Slow,
    first: Browser,
    second: Browser,
    _folder: TempDir,
}

impl Two {
    async fn new() -> Self {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, true));
        let folder = tempfile::tempdir().unwrap();
        let process = |login: Login| {
            let storage = Shared::open(&folder.path().join("tokens.db")).unwrap();
            Browser::new(login.storage(storage).attach(pages()))
        };
        let keys = KeyRing::new([&[7; 32]]).unwrap();
        let slow =
            Slow { service: world.service.clone(), asked: Arc::default(), answers: Arc::default() };
        let mut first = process(world.login_with(keys.clone()).http(slow.clone()));
        let mut second = process(world.login_with(keys));
        second.log_in(&world.service, "/album", 7).await;
        world.wait(HOUR);
        world.service.ends_access_tokens();
        first.cookies = second.cookies.clone();
        Self { world, slow, first, second, _folder: folder }
    }

    /// The first process is asked for a page, and waits for the service.
    async fn first_is_asked(&self) -> tokio::task::JoinHandle<String> {
        let mut tab = tab(&self.first);
        let page = tokio::spawn(async move { tab.visit("/album").await.text });
        self.slow.asked.notified().await;
        page
    }
}

fn tab(browser: &Browser) -> Browser {
    browser.clone()
}

#[tokio::test(start_paused = true)]
async fn two_processes_refresh_once_and_both_have_the_new_token() {
    let two = Two::new().await;
    let first = two.first_is_asked().await;
    let others: Vec<_> = (0..20)
        .map(|number| {
            let mut tab = tab(if number % 2 == 0 { &two.first } else { &two.second });
            tokio::spawn(async move { tab.visit("/album").await.text })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 0, "the second waits");
    two.slow.answers.notify_one();
    assert_eq!(first.await.unwrap(), "You are user-7");
    for other in others {
        // It looks ten times a second, and not for as long as a lease lasts.
        let other = tokio::time::timeout(Duration::from_millis(200), other).await;
        assert_eq!(other.unwrap().unwrap(), "You are user-7");
    }
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 1);
}

#[tokio::test(start_paused = true)]
async fn when_one_process_fails_the_next_may_try_at_once() {
    let mut two = Two::new().await;
    two.world.service.fails_next(Purpose::Refresh, NetworkError::Interrupted);
    let first = two.first_is_asked().await;
    two.slow.answers.notify_one();
    assert!(first.await.unwrap().contains("service_interrupted"));
    for _ in 0..2 {
        let page = tokio::time::timeout(Duration::from_millis(50), two.second.visit("/album"));
        assert_eq!(page.await.expect("no waiting").text, "You are user-7");
    }
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 2);
    assert_eq!(two.first.visit("/album").await.text, "You are user-7");
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_while_it_refreshes_delays_the_others_and_no_more() {
    let mut two = Two::new().await;
    let died = {
        let mut tab = tab(&two.first);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.spawn(async move { tab.visit("/album").await.text });
        two.slow.asked.notified().await;
        runtime
    };
    died.shutdown_background();
    assert_eq!(two.second.visit("/album").await.text, "You are user-7");
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 1);
}

#[tokio::test(start_paused = true)]
async fn what_one_process_found_ended_needs_linking_again_in_the_other() {
    let mut two = Two::new().await;
    two.world.service.ends_refresh_tokens();
    let first = two.first_is_asked().await;
    let mut tab = tab(&two.second);
    let second = tokio::spawn(async move { tab.visit("/album").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    two.slow.answers.notify_one();
    first.await.unwrap();
    assert_eq!(second.await.unwrap().location(), "/login/github?next=%2Falbum");
    assert_eq!(two.world.service.times_asked(Purpose::Refresh), 1);
    let page = two.second.log_in(&two.world.service, "/album", 7).await;
    assert_eq!(page.text, "You are user-7");
}

#[tokio::test]
async fn no_token_is_in_the_file_as_it_is() {
    let two = Two::new().await;
    let mut found = 0;
    for file in std::fs::read_dir(two._folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        found += usize::from(bytes.windows(8).any(|window| window == b"accounts"));
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
    assert!(found > 0);
}

#[tokio::test]
async fn a_refresh_token_that_stays_the_same_serves_two_processes_again_and_again() {
    let world = World::new();
    let lifetime = Duration::from_secs(300);
    world.service.change(|its| its.expire(lifetime, false));
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyRing::new([&[7; 32]]).unwrap();
    let process = || {
        let storage = Shared::open(&folder.path().join("tokens.db")).unwrap();
        Browser::new(world.login_with(keys.clone()).storage(storage).attach(pages()))
    };
    let (mut first, mut second) = (process(), process());
    second.log_in(&world.service, "/album", 7).await;
    first.cookies = second.cookies.clone();
    for period in 1..=8 {
        world.wait(lifetime);
        world.service.ends_access_tokens();
        let order =
            if period % 3 == 0 { [&mut first, &mut second] } else { [&mut second, &mut first] };
        for browser in order {
            assert_eq!(browser.visit("/album").await.text, "You are user-7", "{period}");
        }
        assert_eq!(world.service.times_asked(Purpose::Refresh), period);
    }
}
