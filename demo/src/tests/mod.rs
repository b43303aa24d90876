//! Scripted dances, recorded and drawn.

mod oauth1;
mod oauth2;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use quadrille::{Env, Timestamp};

use super::{
    dance::Dance,
    message::{Exchange, Party},
    pages, photos,
};

const WEBSITE: &str = "http://localhost:8017";
const PROVIDER: &str = "http://127.0.0.1:8018";

struct Script {
    dance: Dance,
    at: Timestamp,
}

type Lines<'a> = &'a [(&'a str, &'a str)];

impl Script {
    fn new() -> Self {
        Self { dance: Dance::new(&Env::system()), at: Timestamp::from_seconds(1_800_000_000) }
    }

    fn pause(&mut self, seconds: u64) -> &mut Self {
        self.at = self.at + Duration::from_secs(seconds);
        self
    }

    fn ask(
        &mut self,
        way: (Party, Party),
        method: &str,
        uri: &str,
        headers: Lines<'_>,
        body: &str,
    ) -> Exchange {
        self.at = self.at + Duration::from_millis(7);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        self.dance.request(self.at, way, &parts, body.as_bytes())
    }

    fn answer(
        &mut self,
        exchange: Exchange,
        status: u16,
        headers: Lines<'_>,
        body: &str,
    ) -> &mut Self {
        self.at = self.at + Duration::from_millis(3);
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (parts, _) = response.body(Bytes::new()).unwrap().into_parts();
        self.dance.response(self.at, exchange, &parts, body.as_bytes());
        self
    }
}

const BW: (Party, Party) = (Party::Browser, Party::Website);
const BP: (Party, Party) = (Party::Browser, Party::Provider);
const WP: (Party, Party) = (Party::Website, Party::Provider);
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
const JSON: (&str, &str) = ("content-type", "application/json");

fn page(dance: &Dance) -> String {
    pages::dance_html(dance)
}

#[test]
fn what_is_not_known_to_be_harmless_is_masked() {
    let mut s = Script::new();
    let json = r#"{"surprise":"canary-in-a-member-of-json","nested":{"deep":"canary-deep"}}"#;
    let e = s.ask(
        WP,
        "POST",
        "/oauth/token?odd=canary-in-the-query",
        &[FORM, ("x-odd", "canary-in-a-header")],
        "odd=canary-in-a-form",
    );
    s.answer(e, 200, &[JSON], json);
    let e = s.ask(BP, "GET", "/sign-in?next=/x%3Fodd%3Dcanary-in-a-nested-url", &[], "");
    s.answer(e, 303, &[("location", "/x?odd=canary-in-a-location")], "");
    let html = page(&s.dance);
    assert!(!html.contains("canary"), "{html}");
    assert!(html.contains("x-odd"), "the header is named");
}

#[test]
fn markup_in_a_message_stays_text() {
    let mut s = Script::new();
    let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let uri = format!("/oauth/authorize?client_id={hostile}&%3Cb%3E=1&error={hostile}");
    let e = s.ask(BP, "GET", &uri, &[("referer", "http://x/<script>")], "");
    s.answer(e, 400, &[HTML], "<title><script>alert(2)</title>");
    let html = page(&s.dance);
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn a_visitor_who_goes_round_in_circles_is_forgotten_step_by_step() {
    let mut s = Script::new();
    for _ in 0..1000 {
        let e = s.ask(BW, "GET", "/", &[], "");
        s.answer(e, 200, &[HTML], "<title>again</title>");
    }
    assert_eq!(s.dance.messages().count(), 480);
    assert!(page(&s.dance).len() < 2_000_000);
}

#[test]
fn every_value_finds_its_place_in_the_words() {
    for html in [page(&oauth1::made_up().script.dance), page(&oauth2::made_up())] {
        let (_, cards) = html.split_once("What kept it safe").unwrap();
        assert!(!cards.contains(['{', '}']), "{cards}");
    }
}

#[test]
fn an_empty_dance_has_a_page() {
    assert!(page(&Dance::new(&Env::system())).contains("Nothing has happened yet"));
}

#[test]
fn photos_are_drawn_here_and_fetch_nothing() {
    let photos = photos::all();
    assert_eq!(photos.len(), 6);
    for photo in photos {
        let svg = photo.svg.replace("http://www.w3.org/2000/svg", "");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{}", photo.title);
        assert!(!svg.contains("http") && !svg.contains("href"), "{}", photo.title);
        assert!(svg.len() < 6_000, "{}: {}", photo.title, svg.len());
    }
}
