//! The room of cookies, with any sequence of attempts and tokens.

use std::sync::OnceLock;

use http::{HeaderMap, HeaderValue, header};

use super::*;
use crate::{Env, work};

fn jar(cookies: impl Iterator<Item = String>) -> Jar {
    let mut headers = HeaderMap::new();
    let line = cookies.collect::<Vec<_>>().join("; ");
    headers.insert(header::COOKIE, HeaderValue::try_from(line).unwrap());
    Jar::new(&headers)
}

fn style() -> CookieStyle {
    CookieStyle::new(true, None, "/login")
}

fn in_use() -> InUse {
    InUse {
        keys: keys(),
        services: ["a", "b", "c"].map(Into::into).into(),
        with_tenants: ["crm".into()].into(),
        tokens: true,
    }
}

fn keys() -> KeyRing {
    static KEYS: OnceLock<KeyRing> = OnceLock::new();
    KEYS.get_or_init(KeyRing::ephemeral).clone()
}

/// A cookie with a value of so many bytes, as if sealed under a key of the ring.
fn cookie(name: &str, bytes: usize) -> String {
    sealed_cookie(&keys(), name, bytes)
}

fn sealed_cookie(keys: &KeyRing, name: &str, bytes: usize) -> String {
    let sealed = keys.seal(&Env::system(), "purpose", "site", b"");
    let digit = if name.contains("token-") { "1" } else { "" };
    let rest = "x".repeat(bytes - 8 - digit.len());
    format!("{name}={digit}{}{rest}", &sealed[..8])
}

/// Asserts that browsers accept the removing lines, and returns the names removed.
fn removed(jar: &Jar) -> Vec<String> {
    let lines = jar.close();
    let names = lines.iter().map(|line| {
        let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
        assert_eq!(rest, "; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
        name.to_owned()
    });
    names.collect()
}

fn attempts(kind: AttemptKind, n: usize) -> impl Iterator<Item = String> {
    let prefix = style().name(kind.name);
    // The newest first, since the order of a browser's cookies is undefined.
    (0..n).rev().map(move |number| format!("{prefix}{number:016x}=x"))
}

#[test]
fn a_header_full_of_attempts_costs_in_proportion_to_its_length() {
    for kind in [WITH_STATE, WITH_TEMPORARY] {
        for coming in [Coming::Attempt(kind), Coming::Kept(&[])] {
            work::assert_proportional(1500, |n| {
                let jar = jar(attempts(kind, n));
                work::of(|| make_room(&jar, &style(), &in_use(), coming, 60).unwrap())
            });
            let jar = jar(attempts(kind, 9000));
            make_room(&jar, &style(), &in_use(), coming, 60).unwrap();
            assert!(jar.close().len() <= GONE, "nor does the answer grow with it");
        }
    }
}

#[test]
fn the_oldest_attempts_make_room() {
    let jar = jar(attempts(WITH_STATE, 30));
    make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
    let gone: Vec<_> = jar.close();
    assert_eq!(gone.len(), 7);
    for (number, line) in gone.iter().enumerate() {
        let line = line.to_str().unwrap();
        assert!(line.starts_with(&style().name(&format!("try-{number:016x}="))), "{line}");
    }
}

#[test]
fn what_a_visitor_keeps_is_refused_when_it_does_not_fit_and_attempts_give_way() {
    let token =
        |service: &str, bytes: usize| cookie(&style().name(&format!("token-{service}")), bytes);
    let full = || attempts(WITH_STATE, 20).chain([token("a", 3000), token("b", 2000)]);
    let names = |service: &str| [style().name(&format!("token-{service}"))];
    let make = |jar: &Jar, service: &str, bytes| {
        make_room(jar, &style(), &in_use(), Coming::Kept(&names(service)), bytes)
    };
    let fits = jar(full());
    assert_eq!(make(&fits, "c", 1500), Ok(()));
    assert!(!fits.close().is_empty(), "attempts gave way");
    let too_large = jar(full());
    assert!(matches!(
        make(&too_large, "c", 1700),
        Err(OperatorError::CookieTooLarge { bytes: 6700.. })
    ));
    assert!(too_large.close().is_empty(), "nothing is lost by what is refused");
    assert_eq!(make(&jar(full()), "b", 3500), Ok(()), "in the place of the one before");
}

#[test]
fn what_is_of_no_use_makes_room_before_anything_else() {
    let useless = [
        "token-removed",
        "token2-removed",
        "who-removed",
        "back-removed",
        "token-gone~acme",
        "token-a~acme",
        "later-a",
        "try-short",
        "",
    ];
    for name in useless.map(|what| style().name(what)) {
        let jar = jar(attempts(WITH_STATE, 20).chain([
            cookie("session", 9000),
            cookie(&name, 4000),
            cookie(&style().name("token-a"), 2000),
        ]));
        let names = [style().name("token-b")];
        make_room(&jar, &style(), &in_use(), Coming::Kept(&names), 2000).unwrap();
        assert_eq!(removed(&jar), [name]);
    }
    for what in ["token-b", "token2-a", "who-c", "back-c", "token-crm~acme", "browser"] {
        let jar =
            jar([cookie(&style().name(what), 4000), cookie(&style().name("token-a"), 2000)]
                .into_iter());
        let coming = Coming::Attempt(WITH_TEMPORARY);
        assert!(make_room(&jar, &style(), &in_use(), coming, 2000).is_err(), "{what}");
        assert_eq!(removed(&jar), [""; 0]);
    }
    // If the storage is on the server, a token in a cookie is obsolete.
    let jar = jar([cookie(&style().name("token-b"), 6000)].into_iter());
    let on_server = InUse { tokens: false, ..in_use() };
    make_room(&jar, &style(), &on_server, Coming::Attempt(WITH_TEMPORARY), 2000).unwrap();
    assert_eq!(removed(&jar), [style().name("token-b")]);
}

#[test]
fn cookies_under_a_key_that_is_gone_make_room_first() {
    let gone = KeyRing::ephemeral();
    for what in ["token-a", "who-a", "token2-b"] {
        let name = style().name(what);
        let jar = jar(attempts(WITH_STATE, 20)
            .chain([sealed_cookie(&gone, &name, 4000), cookie(&style().name("who-b"), 2000)]));
        let names = [style().name("token-c")];
        make_room(&jar, &style(), &in_use(), Coming::Kept(&names), 2000).unwrap();
        assert_eq!(removed(&jar), [name]);
    }
}

#[test]
fn what_is_of_no_use_is_left_alone_as_long_as_there_is_room() {
    let jar = jar([cookie(&style().name("token-removed"), 3000)].into_iter());
    make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
    assert_eq!(removed(&jar), [""; 0], "another process may be of another version");
}

#[test]
fn another_logins_cookies_share_the_budget_and_make_room_last() {
    let admin = CookieStyle::new(true, None, "/admin/login");
    let others = [cookie(&admin.name("token-a"), 1500), cookie(&admin.name("who-a"), 100)];
    let full = || {
        let ours = [cookie(&style().name("token-a"), 3000), cookie("session", 9000)];
        attempts(WITH_STATE, 20).chain(ours).chain(others.clone())
    };
    let names = [style().name("token-b")];
    let make = |jar: &Jar, bytes| make_room(jar, &style(), &in_use(), Coming::Kept(&names), bytes);
    let jar_of_attempts = jar(full());
    make(&jar_of_attempts, 1900).unwrap();
    let gone = removed(&jar_of_attempts);
    assert!(!gone.is_empty() && gone.iter().all(|name| name.contains("try-")), "{gone:?}");
    let jar_of_others = jar(full());
    make(&jar_of_others, 3000).unwrap();
    assert!(removed(&jar_of_others).contains(&admin.name("token-a")));
    let too_large = jar(full());
    assert!(make(&too_large, 4000).is_err());
    assert_eq!(removed(&too_large), [""; 0], "nothing is lost by what is refused");
}

#[test]
fn useless_cookies_without_number_cost_in_proportion_and_are_removed_in_turns() {
    let admin = CookieStyle::new(true, None, "/admin/login");
    for style_of in [style(), admin] {
        let cookies = |n: usize| {
            let style = style_of.clone();
            (0..n).map(move |number| cookie(&style.name(&format!("who-x{number}")), 20))
        };
        work::assert_proportional(1500, |n| {
            let jar = jar(cookies(n));
            work::of(|| {
                let coming = Coming::Attempt(WITH_STATE);
                let _ = make_room(&jar, &style(), &in_use(), coming, 60);
            })
        });
        let jar = jar(cookies(200));
        make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
        assert!((1..=GONE).contains(&removed(&jar).len()));
    }
}
