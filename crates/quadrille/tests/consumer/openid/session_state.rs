//! The state of the user's session at the provider, for a page that watches it.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State};
use quadrille::testing::{Browser, FakeService, ManualClock};
use quadrille::{Authorized, Hooks, KeyRing, Login, SpecBuf, consumer::MemoryStorage};

use super::ISSUER;
use crate::support::{SECRET, SITE};

type Seen = Arc<Mutex<Option<String>>>;

/// OpenID Connect Session Management, section 2.
#[tokio::test]
async fn a_hook_learns_the_session_state_of_the_response() {
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        *seen.lock().unwrap() = new.callback_parameter("session_state").map(str::to_owned);
    }
    let (service, clock) = (FakeService::openid(ISSUER, "our-id", SECRET), ManualClock::new());
    service.tells_time(&clock.env());
    let seen = Seen::default();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env())
        .hooks(Hooks::new(seen.clone()).on_authorized(arrived));
    let mut browser = Browser::new(login.attach(Router::new()));
    let away = browser.go("/login/acme?only=identity").await;
    let query = service.consent(away.location(), 7).unwrap();
    let state = "CjJl7pHTkIvK.3wcs2zAmTSA";
    browser.go(&format!("/login/acme/authorized?{query}&session_state={state}")).await;
    assert_eq!(seen.lock().unwrap().as_deref(), Some(state));
}
