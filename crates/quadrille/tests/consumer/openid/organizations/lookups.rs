//! The look-ups of organizations, by addresses that strangers type.

use std::time::Duration;

use http::{Method, StatusCode};
use quadrille::{consumer::OperatorError, testing::Browser};

use super::{ISSUER, Net, app, box_with, types};

const WEBFINGER: &str = "https://acme.example/.well-known/webfinger?";

fn asked(net: &Net) -> usize {
    net.seen(&Method::GET, WEBFINGER).len()
}

#[tokio::test]
async fn one_address_is_looked_up_once_for_all_who_type_it() {
    let net = Net::new();
    let login = net.site();
    let crowd: Vec<_> = (0..20)
        .map(|_| {
            let login = login.clone();
            tokio::spawn(async move { login.find_organization("work", "ada@acme.example").await })
        })
        .collect();
    for one in crowd {
        assert_eq!(one.await.unwrap().unwrap().issuer, ISSUER);
    }
    assert_eq!((asked(&net), net.registrations()), (1, 1));
    // Another user of the host may have another issuer.
    assert!(types(&login, "grace@acme.example").await.is_ok());
    assert_eq!(asked(&net), 2);
    for (seconds, times) in [(59, 2), (1, 3)] {
        net.clock.advance(Duration::from_secs(seconds));
        assert!(types(&login, "ada@acme.example").await.is_ok());
        assert_eq!(asked(&net), times);
    }
}

#[tokio::test]
async fn a_host_without_an_issuer_is_not_asked_again_at_once() {
    let net = Net::new();
    let login = net.site();
    net.change(|state| state.issuer.clear());
    for (seconds, times) in [(0, 1), (9, 1), (1, 2)] {
        net.clock.advance(Duration::from_secs(seconds));
        let unknown = types(&login, "ada@acme.example").await;
        assert_eq!(unknown, Err("organization_unknown".into()));
        assert_eq!(asked(&net), times);
    }
}

#[tokio::test]
async fn strangers_cannot_send_a_host_more_than_sixty_requests_a_minute() {
    let net = Net::new();
    let login = net.login(
        net.organizations().allow_issuer(ISSUER).domain("globex.example", ISSUER),
        &std::sync::Arc::default(),
    );
    for number in 0..60 {
        assert!(types(&login, &format!("user-{number}@acme.example")).await.is_ok());
    }
    let page =
        Browser::new(app(&login)).send(box_with("one-more@acme.example", "same-origin")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{page:?}");
    assert!(page.has_code("too_many_lookups"), "{page:?}");
    assert_eq!(asked(&net), 60);
    for other in ["user-7@acme.example", "ada@other.example", "hank@globex.example"] {
        assert!(types(&login, other).await.is_ok(), "{other}");
    }
    net.clock.advance(Duration::from_secs(60));
    assert!(types(&login, "one-more@acme.example").await.is_ok());
}

#[tokio::test]
async fn a_domain_may_be_written_in_unicode() {
    let net = Net::new();
    let named = |domain: &str| {
        net.login(net.organizations().domain(domain, ISSUER), &std::sync::Arc::default())
    };
    for domain in ["m\u{fc}nchen.example", "M\u{dc}NCHEN.example", "xn--mnchen-3ya.example"] {
        let login = named(domain);
        for typed in
            ["ada@m\u{fc}nchen.example", "ada@xn--mnchen-3ya.example", "M\u{fc}nchen.example"]
        {
            assert!(types(&login, typed).await.is_ok(), "{domain}: {typed}");
        }
    }
    assert_eq!(net.seen(&Method::GET, "https://xn--mnchen-3ya.example").len(), 0);
    let error = named("ada@acme.example").check().unwrap_err();
    assert_eq!(error, OperatorError::DomainMalformed { domain: "ada@acme.example".into() }.into());
}
