//! The dance of OAuth 2.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::*;
use crate::{message::Head, thread, value::Kind};

const STATE: &str =
    "AQx81fTzQm5fPo2vJc0n1yXw7dSPPmVr3tq9uC0sLw8eBkGZhJXa5iYdW4oMlRgN6zKpU2bTfE7wRSTATE";
const COOKIE: &str = "hT4lq8ZsXw1RbGd0uKcookie";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE: &str = "qc_SplxlOBeZQQYbYS6WxSbIAvJq3m0c7dCODE";
const ACCESS: &str = "qa_2YotnFZFEjr1zCsicMWpAAtGzv3JOkF0XACCESS";
const ACCESS2: &str = "qa_9xKt4RbVd1mTYwQh3sZpLLuFcA8eGj6NnACCESS2";
const REFRESH: &str = "qr_tGzv3JOkF0XG5Qx2TlKWIAb1c2d3e4f5REFRESH";
const REFRESH2: &str = "qr_Hn7uYb4mWz0sKd9LqTfVXj3gRp8aEc2oREFRESH2";
const SECRET: &str = "qs_7Fjfp0ZBr1KtDRbnfVdmIwqWsECRET000";
const PASSWORD: &str = "correct horse battery staple";
const SESSION: &str = "s3ss10nOfTheProviderPagesXyZ0123";

const REDIRECT_URI: &str = "http%3A%2F%2Flocalhost%3A8017%2Flogin%2Falbum%2Fauthorized";
const PROVIDER_HOST: (&str, &str) = ("host", "127.0.0.1:8018");
const NO_STORE: (&str, &str) = ("cache-control", "no-store");

/// The values that must not appear in the output.
const CANARIES: [&str; 11] =
    [STATE, COOKIE, VERIFIER, CODE, ACCESS, ACCESS2, REFRESH, REFRESH2, SECRET, PASSWORD, SESSION];

pub(super) fn made_up() -> Dance {
    let mut s = Script::new();
    let site = ("host", "localhost:8017");
    let id = PROVIDER_HOST;
    let csp =
        ("content-security-policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'");
    let visitor = format!("visitor={SESSION}w");
    let attempt = format!("{visitor}; quadrille-try-Zm9v={COOKIE}");
    let session = format!("quadrille-id-session={SESSION}");
    let query = format!(
        "response_type=code&client_id=photo-prints&redirect_uri={REDIRECT_URI}\
         &scope=photos%3Aread&state={STATE}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let authorize = format!("{PROVIDER}/oauth/authorize?{query}");
    let again = format!("/oauth/authorize?{query}");
    let next = format!(
        "next={}",
        url::form_urlencoded::byte_serialize(again.as_bytes()).collect::<String>()
    );
    let callback = format!(
        "/login/album/authorized?code={CODE}&state={STATE}&iss=http%3A%2F%2F127.0.0.1%3A8018"
    );
    let basic = BASE64_STANDARD.encode(format!("photo-prints:{SECRET}"));
    let basic = format!("Basic {basic}");
    let basic = ("authorization", basic.as_str());
    let token = format!("{PROVIDER}/oauth/token");

    let e = s.ask(
        BW,
        "GET",
        "/prints",
        &[site, ("cookie", &visitor), ("accept", "text/html"), ("user-agent", "Mozilla/5.0")],
        "",
    );
    s.answer(e, 303, &[("location", "/login/album?next=/prints")], "");
    let e = s.ask(BW, "GET", "/login/album?next=%2Fprints", &[site, ("cookie", &visitor)], "");
    let begun = format!(
        "quadrille-try-Zm9v={COOKIE}; Path=/login/album; HttpOnly; SameSite=Lax; Max-Age=900"
    );
    s.answer(e, 303, &[("location", &authorize), ("set-cookie", &begun), NO_STORE], "");
    let e = s.ask(BP, "GET", &again, &[id, ("referer", WEBSITE)], "");
    s.answer(e, 303, &[("location", &format!("/sign-in?{next}")), NO_STORE], "");
    let e = s.ask(BP, "GET", &format!("/sign-in?{next}"), &[id], "");
    s.answer(e, 200, &[HTML, csp], "<!doctype html><title>Sign in to Album</title>");
    s.pause(6);
    let e = s.ask(
        BP,
        "POST",
        "/sign-in",
        &[id, FORM, ("origin", PROVIDER)],
        &format!("username=ada&password={}&{next}", PASSWORD.replace(' ', "+")),
    );
    s.answer(
        e,
        303,
        &[
            ("location", &again),
            ("set-cookie", &format!("{session}; Path=/; HttpOnly; SameSite=Lax")),
        ],
        "",
    );
    let e = s.ask(BP, "GET", &again, &[id, ("cookie", &session)], "");
    s.answer(e, 200, &[HTML, csp], "<!doctype html><title>Photo prints asks for access</title>");
    s.pause(4);
    let body = "ticket=AQtOFwLongSealedTicketThatCarriesTheRequest0123456789&scope=photos%3Aread\
                &decision=allow";
    let e = s.ask(BP, "POST", "/oauth/consent", &[id, FORM, ("cookie", &session)], body);
    s.answer(e, 303, &[("location", &format!("{WEBSITE}{callback}"))], "");
    let e = s.ask(BW, "GET", &callback, &[site, ("cookie", &attempt)], "");
    let body = format!(
        "grant_type=authorization_code&code={CODE}&redirect_uri={REDIRECT_URI}\
         &code_verifier={VERIFIER}"
    );
    let t = s.ask(WP, "POST", &token, &[id, FORM, basic], &body);
    s.answer(t, 200, &[JSON, NO_STORE], &tokens(ACCESS, REFRESH));
    let forget = ("set-cookie", "quadrille-try-Zm9v=; Max-Age=0");
    s.answer(e, 200, &[HTML, ("refresh", "0;url=/prints"), forget], "<title>One moment</title>");
    let e = s.ask(BW, "GET", "/prints", &[site, ("cookie", &visitor)], "");
    let a = ask_for_photos(&mut s, ACCESS);
    show_photos(&mut s, a, e);
    s.pause(9);
    let e = s.ask(BW, "POST", "/later", &[site, FORM, ("cookie", &visitor)], "");
    s.answer(e, 303, &[("location", "/prints")], "");
    let e = s.ask(BW, "GET", "/prints", &[site, ("cookie", &visitor)], "");
    let body = format!("grant_type=refresh_token&refresh_token={REFRESH}");
    let r = s.ask(WP, "POST", &token, &[id, FORM, basic], &body);
    s.answer(r, 200, &[JSON, NO_STORE], &tokens(ACCESS2, REFRESH2));
    let a = ask_for_photos(&mut s, ACCESS2);
    show_photos(&mut s, a, e);
    s.pause(5);
    let e = s.ask(BW, "POST", "/disconnect", &[site, FORM, ("cookie", &visitor)], "");
    let body = format!("token={REFRESH2}&token_type_hint=refresh_token");
    let r = s.ask(WP, "POST", &format!("{PROVIDER}/oauth/revoke"), &[id, FORM, basic], &body);
    s.answer(r, 200, &[], "");
    let a = ask_for_photos(&mut s, ACCESS2);
    s.answer(a, 401, &[("www-authenticate", r#"Bearer error="invalid_token""#)], "");
    s.answer(e, 303, &[("location", "/dance")], "");
    s.dance
}

/// The response of the token endpoint.
fn tokens(access: &str, refresh: &str) -> String {
    serde_json::json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": refresh,
        "scope": "photos:read",
    })
    .to_string()
}

/// The website calls the API.
fn ask_for_photos(s: &mut Script, access: &str) -> Exchange {
    let bearer = format!("Bearer {access}");
    let headers = [PROVIDER_HOST, ("authorization", bearer.as_str())];
    s.ask(WP, "GET", &format!("{PROVIDER}/api/photos"), &headers, "")
}

/// The API answers the website, and the website answers the browser.
fn show_photos(s: &mut Script, call: Exchange, page: Exchange) {
    s.answer(call, 200, &[JSON], r#"{"photos":[{"title":"The lake at six","svg":"<svg/>"}]}"#);
    s.answer(page, 200, &[HTML], "<title>Your prints</title>");
}

#[test]
fn no_secret_comes_out_again() {
    let dance = made_up();
    let html = page(&dance);
    let notebook = format!("{dance:?}");
    for canary in CANARIES {
        assert!(dance.knows(canary), "{canary} was said");
        assert!(!html.contains(canary), "{canary} is on the page");
        assert!(!notebook.contains(canary), "{canary} is in the notebook");
    }
}

#[test]
fn a_password_shows_none_of_its_letters() {
    let dance = made_up();
    let said = dance.messages().find_map(|message| message.masked("password")).unwrap();
    assert_eq!(dance.value(said).unwrap().shown, "••••••••");
}

#[test]
fn the_same_value_is_recognised_wherever_it_travels() {
    let dance = made_up();
    let sent = dance.messages().find_map(|message| message.masked("state")).unwrap();
    let brought = dance
        .messages()
        .filter(|message| message.parameter("iss").is_some())
        .find_map(|message| message.masked("state"))
        .unwrap();
    assert_eq!(sent, brought);
    let revoked = dance.messages().find_map(|message| message.masked("token")).unwrap();
    assert_eq!(dance.value(revoked).unwrap().kind, Kind::RefreshToken);
}

#[test]
fn every_arrow_has_its_own_words_and_the_chapters_come_in_order() {
    let html = page(&made_up());
    assert!(!html.contains("Something else"), "a step without words");
    let mut at = 0;
    for chapter in [
        "You ask for something",
        "You say who you are, to the provider only",
        "You decide",
        "The code becomes a token, behind the browser’s back",
        "The website uses the token",
        "Time passes: a fresh token",
        "You take it back",
    ] {
        let found = html[at..].find(chapter).unwrap_or_else(|| panic!("{chapter} is missing"));
        at += found;
    }
    assert_eq!(html.matches("<section class=\"act\"").count(), 7, "each chapter once");
}

#[test]
fn the_website_never_sees_the_password_and_the_browser_never_a_token() {
    let html = page(&made_up());
    let row = |name: &str| {
        let table = html.split("<table>").nth(1).unwrap();
        let row = table.split("<tr>").find(|row| row.contains(&format!("<b>{name}</b>"))).unwrap();
        row.split("<td").skip(1).take(3).map(|cell| cell.contains("met")).collect::<Vec<_>>()
    };
    assert_eq!(row("password"), [true, false, true]);
    assert_eq!(row("code"), [true, true, true]);
    for hidden in ["code verifier", "client secret", "access token", "refresh token 2"] {
        assert_eq!(row(hidden), [false, true, true], "{hidden}");
    }
}

#[test]
fn the_page_needs_no_script_and_no_inline_style() {
    let html = page(&made_up());
    for forbidden in ["<script", "style=", "<style", "onclick", "javascript:", "http-equiv"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn of_two_logins_in_two_tabs_the_last_one_is_shown() {
    let mut s = Script::new();
    let state = |tab: &str| format!("state-of-the-login-in-tab-{tab}");
    let code = |tab: &str| format!("code-of-the-login-in-tab-{tab}");
    for tab in ["one", "two"] {
        let e = s.ask(BW, "GET", "/prints", &[], "");
        s.answer(e, 303, &[("location", "/login/album")], "");
        let e = s.ask(BW, "GET", "/login/album", &[], "");
        let to = format!("{PROVIDER}/oauth/authorize?state={}", state(tab));
        s.answer(e, 303, &[("location", &to)], "");
    }
    for tab in ["two", "one"] {
        let e = s.ask(BP, "GET", &format!("/oauth/authorize?state={}", state(tab)), &[], "");
        let to =
            format!("{WEBSITE}/login/album/authorized?code={}&state={}", code(tab), state(tab));
        s.answer(e, 303, &[("location", &to)], "");
        let uri = format!("/login/album/authorized?code={}&state={}", code(tab), state(tab));
        let e = s.ask(BW, "GET", &uri, &[], "");
        let body = format!("grant_type=authorization_code&code={}", code(tab));
        let t = s.ask(WP, "POST", "/oauth/token", &[FORM], &body);
        s.answer(t, 200, &[JSON], &format!(r#"{{"access_token":"access-token-of-tab-{tab}"}}"#));
        s.answer(e, 303, &[("location", "/prints")], "");
    }
    let all = s.dance.messages().count();
    let latest = thread::latest(&s.dance, None);
    let states: Vec<_> = latest.messages().filter_map(|message| message.masked("state")).collect();
    assert!(!states.is_empty() && states.iter().all(|state| *state == states[0]), "one login");
    assert_eq!(Some(states[0]), s.dance.messages().find_map(|message| message.masked("state")));
    assert!(latest.messages().count() < all);
    let token = latest.messages().find_map(|message| message.masked("access_token")).unwrap();
    assert_eq!(latest.value(token).unwrap().ordinal, 1, "the other login's token does not count");
    let first = latest.messages().next().unwrap();
    assert!(matches!(&first.head, Head::Request { path, .. } if path == "/prints"));
}
