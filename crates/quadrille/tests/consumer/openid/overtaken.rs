//! A logout that arrives before the login of its session has ended.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::Request;
use quadrille::{
    Login,
    testing::{FakeService, ManualClock},
    transport::{self, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};

use super::logout::World;

/// A provider whose logout token arrives while it answers the token request.
#[derive(Clone)]
struct Overtaken {
    service: FakeService,
    clock: ManualClock,
    login: Arc<OnceLock<Login>>,
    claims: Value,
}

impl HttpClient for Overtaken {
    async fn send(
        &self,
        request: Request<transport::Body>,
        purpose: Purpose,
    ) -> Result<http::Response<transport::Body>, NetworkError> {
        let response = self.service.send(request, purpose).await;
        if let (Purpose::RedeemCode, Some(login)) = (purpose, self.login.get()) {
            self.clock.advance(Duration::from_secs(1));
            let token = self.service.logout_token("our-id", &self.claims).unwrap();
            login.end_by_logout_token("acme", &token).await.unwrap();
            self.clock.advance(Duration::from_secs(1));
        }
        response
    }
}

/// Back-Channel Logout, section 2.7: the session is ended, and its login is still under way.
#[tokio::test]
async fn a_logout_that_overtakes_the_end_of_a_login_ends_the_session() {
    for claims in [
        json!({ "sub": "7", "sid": "session-of-ada" }),
        json!({ "sid": "session-of-ada" }),
        json!({ "sub": "7" }),
    ] {
        let inner = World::new();
        let login = Arc::<OnceLock<Login>>::default();
        let http = Overtaken {
            service: inner.service.clone(),
            clock: inner.clock.clone(),
            login: Arc::clone(&login),
            claims: claims.clone(),
        };
        let world = World { login: inner.login.clone().http(http), ..inner };
        let browser = world.browser();
        let mut first = browser.clone();
        first.log_in(&world.service, "/login/acme?only=identity", 7).await;
        assert_ne!(first.visit("/me").await.text, "nobody", "no logout yet");
        login.set(world.login.clone()).unwrap();
        let mut second = browser.clone();
        second.log_in(&world.service, "/login/acme?only=identity", 7).await;
        assert_eq!(second.visit("/me").await.text, "nobody", "{claims}");
        assert_eq!(first.visit("/me").await.text, "nobody", "{claims}");
    }
}
