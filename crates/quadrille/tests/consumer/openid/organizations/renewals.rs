//! Registrations that end, and those that cannot be used.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use quadrille::{
    Error, Login, Result,
    consumer::{RegistrationUnusable as Unusable, ServiceError},
    testing::Browser,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{ISSUER, Net, REGISTER, app, parameter, registered, types};

const MINUTE: Duration = Duration::from_secs(60);

/// A registration of a client whose secret expires after so many minutes from now.
fn lasting(net: &Net, id: &str, minutes: u32) -> Value {
    let mut answer = registered();
    answer["client_id"] = id.into();
    answer["client_secret_expires_at"] = (net.clock.now() + MINUTE * minutes).seconds().into();
    answer
}

fn registers(net: &Net, id: &str, minutes: u32) {
    let answer = lasting(net, id, minutes);
    net.change(|state| state.registration.1 = answer);
}

#[tokio::test]
async fn a_secret_that_lives_for_minutes_is_not_renewed_at_each_login() {
    let net = Net::new();
    let login = net.site();
    registers(&net, "our-id", 20);
    for minutes in [0, 5, 9] {
        net.clock.advance(MINUTE * minutes);
        assert!(types(&login, "ada@acme.example").await.is_ok());
    }
    assert_eq!(net.registrations(), 1);
    net.clock.advance(MINUTE);
    registers(&net, "our-id", 20);
    login.register_at("work", ISSUER).await.unwrap();
    assert_eq!(net.registrations(), 2, "in its last quarter");
    // Nor is one of a provider whose clock is behind, again and again.
    let behind = Net::new();
    let login = behind.site();
    registers(&behind, "our-id", 0);
    for (seconds, registrations) in [(0, 1), (59, 1), (1, 2)] {
        behind.clock.advance(Duration::from_secs(seconds));
        login.register_at("work", ISSUER).await.unwrap();
        assert_eq!(behind.registrations(), registrations);
    }
}

#[tokio::test]
async fn a_login_ends_as_the_client_with_which_it_began() {
    let net = Net::new();
    let storage = Arc::default();
    let process = || net.login(net.organizations().allow_issuer(ISSUER), &storage);
    registers(&net, "our-id", 60);
    let here = process();
    let to = types(&here, "ada@acme.example").await.unwrap();
    let mut browser = Browser::new(app(&here));
    let away = browser.visit(&to).await;
    assert_eq!(parameter(away.location(), "client_id").as_deref(), Some("our-id"));
    let query = net.service.consent(away.location(), 7).unwrap();
    // Meanwhile another process has registered the site anew.
    net.clock.advance(MINUTE * 50);
    registers(&net, "another-id", 60);
    let elsewhere = process();
    let to = types(&elsewhere, "grace@acme.example").await.unwrap();
    assert_eq!(net.registrations(), 2);
    let later = Browser::new(app(&elsewhere)).visit(&to).await;
    assert_eq!(parameter(later.location(), "client_id").as_deref(), Some("another-id"));
    let (path, _) = to.split_once('?').unwrap();
    browser.app = app(&elsewhere);
    let back = browser.go(&format!("{path}/authorized?{query}")).await;
    assert_ne!(back.status, StatusCode::BAD_GATEWAY, "the service knows the code: {back:?}");
    let service = path.strip_prefix("/login/").unwrap();
    let mut accounts = here.accounts_by_name(service).await.unwrap();
    let account = accounts.next().await.unwrap().unwrap();
    assert_eq!(&*account.subject(), format!("{ISSUER}#7"));
}

#[tokio::test]
async fn a_visitor_who_goes_away_while_the_site_registers_keeps_nobody_waiting() {
    let net = Net::new();
    let turns = Arc::new(Semaphore::new(0));
    net.change(|state| state.turns = Some(Arc::clone(&turns)));
    let login = net.site();
    let visitor = |login: &Login| {
        let login = login.clone();
        tokio::spawn(async move { login.register_at("work", ISSUER).await.map(drop) })
    };
    let first = visitor(&login);
    while net.registrations() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let others: Vec<_> = (0..10).map(|_| visitor(&login)).collect();
    tokio::task::yield_now().await;
    turns.add_permits(1);
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(()));
    }
    assert_eq!(net.registrations(), 1, "all have that of the first");
}

#[tokio::test(start_paused = true)]
async fn another_process_has_the_registration_of_the_first() {
    let net = Net::new();
    let turns = Arc::new(Semaphore::new(0));
    net.change(|state| state.turns = Some(Arc::clone(&turns)));
    let storage = Arc::default();
    let register = || {
        let login = net.login(net.organizations().allow_issuer(ISSUER), &storage);
        tokio::spawn(async move { login.register_at("work", ISSUER).await.map(drop) })
    };
    let first = register();
    while net.registrations() == 0 {
        tokio::task::yield_now().await;
    }
    let second = register();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!second.is_finished(), "it waits");
    turns.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(()), Ok(())));
    assert_eq!(net.registrations(), 1);
}

#[tokio::test]
async fn a_registration_that_no_login_can_use_is_refused_at_once_and_not_kept() {
    for (member, value, reason) in [
        ("client_id", "our-id\n", Unusable::ClientIdMalformed),
        ("client_id", "\"our-id\"", Unusable::ClientIdMalformed),
        ("client_secret", " secret", Unusable::SecretMalformed),
        ("client_secret", "\u{e9}", Unusable::SecretMalformed),
        ("token_endpoint_auth_method", "tls_client_auth", Unusable::Method),
    ] {
        let net = Net::new();
        let login = net.site();
        net.change(|state| state.registration.1[member] = value.into());
        let failed = async || -> Result<()> { login.register_at("work", ISSUER).await.map(drop) };
        let expected = Error::Service {
            service: "work".into(),
            error: ServiceError::RegistrationUnusable(reason),
        };
        assert_eq!(failed().await, Err(expected.clone()), "{member}");
        assert_eq!(expected.code(), "registration_unusable");
        // The reason is remembered for a while, and then the provider is asked again.
        assert_eq!(failed().await, Err(expected), "{member}");
        assert_eq!(net.registrations(), 1);
        net.change(|state| state.registration.1 = registered());
        net.clock.advance(Duration::from_secs(10));
        assert_eq!(failed().await, Ok(()));
        assert_eq!(net.registrations(), 2);
    }
}

#[tokio::test]
async fn while_a_registration_cannot_be_renewed_it_serves_until_it_expires() {
    let net = Net::new();
    let login = net.site();
    registers(&net, "our-id", 120);
    login.register_at("work", ISSUER).await.unwrap();
    net.change(|state| state.registration = (StatusCode::BAD_GATEWAY, json!({})));
    net.clock.advance(MINUTE * 119);
    assert!(types(&login, "ada@acme.example").await.is_ok());
    net.clock.advance(MINUTE);
    let error = login.register_at("work", ISSUER).await.unwrap_err();
    assert_eq!(error.code(), "service_unavailable");
}

#[tokio::test]
async fn only_a_site_that_receives_logouts_says_where() {
    for receives in [false, true] {
        let net = Net::new();
        let login = net.site();
        let login = if receives { login.receives_logouts() } else { login };
        login.register_at("work", ISSUER).await.unwrap();
        let asked: Value = serde_json::from_str(&net.seen(&Method::POST, REGISTER)[0]).unwrap();
        let uri = asked["backchannel_logout_uri"].as_str();
        assert_eq!(uri.is_some(), receives);
        assert!(uri.is_none_or(|uri| uri.ends_with("/backchannel-logout")), "{uri:?}");
    }
}
