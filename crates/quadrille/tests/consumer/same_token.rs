//! Services that answer a refresh with the token that they gave before, for the time it has left.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use quadrille::{
    Timestamp,
    consumer::MemoryStorage,
    testing::ManualClock,
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use crate::support::{Browser, World, pages};

/// A service whose access token is another in each period.
#[derive(Clone)]
struct Periods {
    clock: ManualClock,
    start: Timestamp,
    period: u64,
    refreshes: Arc<AtomicUsize>,
}

impl Periods {
    fn new(clock: &ManualClock, period: u64) -> Self {
        let (clock, start) = (clock.clone(), clock.env().now());
        Self { clock, start, period, refreshes: Arc::default() }
    }

    fn refreshes(&self) -> usize {
        self.refreshes.load(Ordering::SeqCst)
    }
}

impl HttpClient for Periods {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        self.refreshes.fetch_add(usize::from(purpose == Purpose::Refresh), Ordering::SeqCst);
        let passed = self.clock.env().now().since(self.start).as_secs();
        let token = format!("token-{}", passed / self.period);
        let left = self.period - passed % self.period;
        let body = match purpose {
            Purpose::RedeemCode | Purpose::Refresh => format!(
                r#"{{"access_token":"{token}","refresh_token":"always","expires_in":{left}}}"#
            ),
            _ => r#"{"login":"user-7","id":7}"#.to_owned(),
        };
        let mut answer = Response::new(Body::from(Bytes::from(body)));
        if matches!(purpose, Purpose::Identity | Purpose::Api)
            && request.headers()[header::AUTHORIZATION] != format!("Bearer {token}")
        {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn a_token_that_is_given_again_until_it_ends_is_used_until_it_ends() {
    for period in [2, 3, 20, 300] {
        for in_memory in [false, true] {
            let world = World::new();
            let service = Periods::new(&world.clock, period);
            let mut login = world.login().http(service.clone());
            if in_memory {
                login = login.storage(MemoryStorage::new());
            }
            let mut browser = Browser::new(login.attach(pages()));
            let page = browser.log_in(&world.service, "/album", 7).await;
            assert_eq!(page.text, "You are user-7");
            for step in 0..700 {
                world.wait(Duration::from_secs(1));
                let page = browser.visit("/album").await;
                assert_eq!(page.text, "You are user-7", "{period} s, step {step}");
            }
            if period >= 20 {
                let periods = 700 / usize::try_from(period).unwrap() + 1;
                let asked = service.refreshes();
                assert!(asked <= periods * 7, "{period} s: asked {asked} times");
            }
        }
    }
}
