use std::time::Duration;

use super::*;
use crate::jose::ClaimsPolicy;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ADA: &str = "https://id.example#ada";
const GRACE: &str = "https://id.example#grace";

fn event(sub: Option<&str>, sid: Option<&str>, proven: bool) -> SessionEnded {
    SessionEnded {
        service: "acme".into(),
        issuer: "https://id.example".into(),
        sub: sub.map(Into::into),
        sid: sid.map(Into::into),
        account: sub.map(|sub| format!("https://id.example#{sub}")),
        at: NOW,
        issued: None,
        proven,
    }
}

fn ended(sub: Option<&str>, sid: Option<&str>) -> EndedSessions {
    let ended = EndedSessions::default();
    ended.note(&event(sub, sid, true), "", ClaimsPolicy::LEEWAY);
    ended
}

fn session<'a>(user: &'a str, sid: Option<&'a str>) -> Session<'a> {
    Session { service: "acme", users: [user, ""], issuer: "", sid, since: NOW }
}

#[test]
fn a_logout_ends_the_session_that_it_names_and_no_other() {
    let one = ended(Some("ada"), Some("s1"));
    assert!(one.has(&session(ADA, Some("s1")), NOW));
    assert!(!one.has(&session(ADA, Some("s2")), NOW));
    assert!(one.has(&session(ADA, None), NOW), "which session this is, nobody knows");
    assert!(!one.has(&session(GRACE, None), NOW));
    assert!(!one.has(&Session { service: "other", ..session(ADA, Some("s1")) }, NOW));
    let without_user = ended(None, Some("s1"));
    assert!(without_user.has(&session(ADA, Some("s1")), NOW));
    assert!(!without_user.has(&session(ADA, None), NOW));
}

#[test]
fn where_issuers_are_many_a_session_is_one_of_its_issuer() {
    let ended = EndedSessions::default();
    ended.note(&event(None, Some("s1"), false), "https://id.example/one", ClaimsPolicy::LEEWAY);
    let at = |issuer| Session { issuer, ..session(ADA, Some("s1")) };
    assert!(ended.has(&at("https://id.example/one"), NOW));
    assert!(!ended.has(&at("https://id.example/two"), NOW));
}

#[test]
fn a_logout_without_a_session_ends_all_of_the_user() {
    let all = ended(Some("ada"), None);
    for sid in [Some("s1"), Some("s2"), None] {
        assert!(all.has(&session(ADA, sid), NOW));
        assert!(!all.has(&session(GRACE, sid), NOW));
    }
}

#[test]
fn a_session_that_began_later_goes_on() {
    let all = ended(Some("ada"), None);
    let since = NOW + Duration::from_secs(1);
    assert!(!all.has(&Session { since, ..session(ADA, Some("s1")) }, NOW));
    assert!(!EndedSessions::default().has(&session(ADA, Some("s1")), NOW));
}

#[test]
fn a_token_about_a_user_that_comes_late_ends_no_session_that_began_after_it() {
    let began = |ago| Session { since: NOW - Duration::from_secs(ago), ..session(ADA, Some("s2")) };
    let issued = Some(NOW - Duration::from_secs(100));
    let late = EndedSessions::default();
    late.note(&SessionEnded { issued, ..event(Some("ada"), None, true) }, "", ClaimsPolicy::LEEWAY);
    for (ago, is_over) in [(200, true), (100, true), (70, true), (69, false), (0, false)] {
        assert_eq!(late.has(&began(ago), NOW), is_over, "{ago} seconds ago");
    }
    // The identifier of a session says which one it is.
    let named = EndedSessions::default();
    named.note(
        &SessionEnded { issued, ..event(Some("ada"), Some("s2"), true) },
        "",
        ClaimsPolicy::LEEWAY,
    );
    assert!(named.has(&began(0), NOW));
    let unnamed = |ago| Session { sid: None, ..began(ago) };
    assert!(named.has(&unnamed(70), NOW) && !named.has(&unnamed(69), NOW));
    // A provider whose clock is ahead ends nothing in the future.
    let ahead = EndedSessions::default();
    let issued = Some(NOW + Duration::from_secs(20));
    ahead.note(
        &SessionEnded { issued, ..event(Some("ada"), None, true) },
        "",
        ClaimsPolicy::LEEWAY,
    );
    let later = Session { since: NOW + Duration::from_secs(1), ..session(ADA, None) };
    assert!(ahead.has(&began(0), NOW) && !ahead.has(&later, NOW));
}

#[test]
fn a_record_says_until_when_a_late_token_ends_sessions() {
    let mark = Mark::of("ada");
    for until in [NOW, NOW - Duration::from_secs(100)] {
        let key = key_of(mark, NOW, until);
        assert_eq!((key.at, ended_by(&key)), (NOW, Some((mark, until))));
        let read = Key::from_text(&key.to_text()).unwrap();
        assert_eq!(ended_by(&read), Some((mark, until)));
    }
    assert_eq!(ended_by(&Key { at: NOW, text: "x-y".into() }), None);
}

#[test]
fn requests_of_nobody_push_out_no_session_that_the_site_has_seen() {
    let ended = ended(None, Some("proven"));
    ended.receives();
    let is_over = |sid| ended.has(&session(ADA, Some(sid)), NOW);
    assert!(!is_over("seen"));
    for sid in ["seen", "not seen"] {
        ended.note(&event(None, Some(sid), false), "", ClaimsPolicy::LEEWAY);
    }
    for number in 0..MOST.by_browsers as u64 {
        let at = NOW + Duration::from_secs(number + 1);
        let nobody = event(None, Some(&number.to_string()), false);
        ended.note(&SessionEnded { at, ..nobody }, "", ClaimsPolicy::LEEWAY);
    }
    assert!(is_over("proven") && is_over("seen"));
    assert!(!is_over("not seen"), "the first made room");
    assert!(is_over("0"));
}

#[test]
fn a_frame_names_issuer_and_session_once_each() {
    let read = |query: &str, forgets_issuer| {
        let params = Params::parse(query.as_bytes()).unwrap();
        let read = in_front_channel(&params, forgets_issuer, |iss| iss == "https://id.example");
        read.map(|(iss, sid)| (iss.map(str::to_owned), sid.to_owned()))
    };
    let iss = "https://id.example".to_owned();
    for forgets_issuer in [false, true] {
        let both = read("iss=https%3A%2F%2Fid.example&sid=s1", forgets_issuer);
        assert_eq!(both, Ok((Some(iss.clone()), "s1".into())));
        for query in [
            "",
            "sid=",
            "iss=https%3A%2F%2Fid.example",
            "iss=https%3A%2F%2Fid.example&sid=",
            "iss=https%3A%2F%2Fid.example&sid=s1&sid=s2",
            "iss=https%3A%2F%2Fid.example&iss=https%3A%2F%2Fid.example&sid=s1",
        ] {
            let malformed = Err(BrowserError::CallbackMalformed);
            assert_eq!(read(query, forgets_issuer), malformed, "{query}");
        }
        let other = read("iss=https%3A%2F%2Fid.example%2F&sid=s1", forgets_issuer);
        assert_eq!(other, Err(BrowserError::WrongIssuer));
    }
    for query in ["sid=s1", "iss=&sid=s1"] {
        assert_eq!(read(query, false), Err(BrowserError::CallbackMalformed), "{query}");
        assert_eq!(read(query, true), Ok((None, "s1".into())), "{query}");
    }
}
