//! The dance of OAuth 1.0a, signed with the library's own signer.

use quadrille::{
    Secret,
    oauth1::{SignatureMethod, SignedRequest, Signer, VerifyingKey, percent_encode},
};

use super::*;
use crate::{
    message::{Piece, Signed},
    thread,
    value::{Kind, Protocol},
};

const CLIENT: &str = "sixpence-prints";
const CLIENT_SECRET: &str = "os_7Fjfp0ZBr1KtDRbnfVdmIwqWsCLIENT000";
const STATE: &str = "AQx81fTzQm5fPo2vJc0n1yXw7dSPPmVr3tq9uC0sLw8eBkGZhJXa5iYdW4oMSTATE1";
const COOKIE: &str = "hT4lq8ZsXw1RbGd0uKcookie";
const TEMPORARY: &str = "ot_SplxlOBeZQQYbYS6WxSbIAvJq3m0c7dTEMPORARY";
const TEMPORARY_SECRET: &str = "2YotnFZFEjr1zCsicMWpAAtGzv3JOkF0XATEMPORARYSECRET";
const VERIFIER: &str = "dBjftJeZ4CVPmB92K27uhbUJU1p1rVERIFIER";
const TOKEN: &str = "ok_9xKt4RbVd1mTYwQh3sZpLLuFcA8eGj6NnTOKEN";
const TOKEN_SECRET: &str = "Hn7uYb4mWz0sKd9LqTfVXj3gRp8aEc2oTOKENSECRET";
const PASSWORD: &str = "correct horse battery staple";
const SESSION: &str = "s3ss10nOfTheProviderPagesXyZ0123";

/// The values that must not appear in the output.
const CANARIES: [&str; 9] = [
    CLIENT_SECRET,
    STATE,
    COOKIE,
    TEMPORARY,
    TEMPORARY_SECRET,
    VERIFIER,
    TOKEN,
    TOKEN_SECRET,
    PASSWORD,
];

/// A script in which the website signs.
pub(super) struct Signing {
    pub(super) script: Script,
    /// Every signed request, for comparison.
    sent: Vec<Request<Bytes>>,
}

impl Signing {
    fn new() -> Self {
        let mut script = Script::new();
        script.dance.introduce(CLIENT, CLIENT_SECRET);
        Self { script, sent: Vec::new() }
    }

    fn ask(
        &mut self,
        (method, path): (&str, &str),
        token: Option<(&str, &str)>,
        extra: &[(&str, &str)],
    ) -> Exchange {
        let method_of = SignatureMethod::HmacSha256;
        let mut signer = Signer::hmac(method_of, CLIENT, &Secret::from(CLIENT_SECRET)).unwrap();
        if let Some((token, secret)) = token {
            signer = signer.token(token, &Secret::from(secret));
        }
        let request = Request::builder().method(method).uri(format!("{PROVIDER}{path}"));
        let request = request.body(Bytes::new()).unwrap();
        let request = signer.sign(&Env::system(), request, extra).unwrap();
        let (parts, body) = request.clone().into_parts();
        self.sent.push(request);
        self.script.pause(1);
        let at = self.script.at;
        self.script.dance.request(at, WP, &parts, &body)
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

pub(super) fn made_up() -> Signing {
    let mut s = Signing::new();
    let site = ("host", "localhost:8017");
    let id = ("host", "127.0.0.1:8018");
    let form = ("content-type", URLENCODED);
    let visitor = format!("visitor={SESSION}w");
    let attempt = format!("{visitor}; quadrille-try-Zm9v={COOKIE}");
    let session = format!("quadrille-id-session={SESSION}");
    let callback = format!("/login/album-oauth1/authorized?state={STATE}");
    let back = format!("{WEBSITE}{callback}&oauth_token={TEMPORARY}&oauth_verifier={VERIFIER}");
    let authorize = format!("/oauth/authorize?oauth_token={TEMPORARY}");
    let next = format!("next={}", percent_encode(&authorize));

    let e = s.script.ask(BW, "GET", "/oauth1/prints", &[site, ("cookie", &visitor)], "");
    s.script.answer(e, 303, &[("location", "/login/album-oauth1?next=/oauth1/prints")], "");
    let e = s.script.ask(BW, "GET", "/login/album-oauth1?next=%2Foauth1%2Fprints", &[site], "");
    let whole = format!("{WEBSITE}{callback}");
    let t = s.ask(("POST", "/oauth/request_token"), None, &[("oauth_callback", &whole)]);
    let body = format!(
        "oauth_token={TEMPORARY}&oauth_token_secret={TEMPORARY_SECRET}\
         &oauth_callback_confirmed=true"
    );
    s.script.answer(t, 200, &[form], &body);
    let cookie = format!("quadrille-try-Zm9v={COOKIE}; Path=/login/album-oauth1; HttpOnly");
    let to = format!("{PROVIDER}{authorize}");
    s.script.answer(e, 303, &[("location", &to), ("set-cookie", &cookie)], "");
    let e = s.script.ask(BP, "GET", &authorize, &[id], "");
    s.script.answer(e, 303, &[("location", &format!("/sign-in?{next}"))], "");
    let e = s.script.ask(BP, "GET", &format!("/sign-in?{next}"), &[id], "");
    s.script.answer(e, 200, &[HTML], "<title>Sign in to Album</title>");
    let body = format!("username=ada&password={}&{next}", PASSWORD.replace(' ', "+"));
    let e = s.script.pause(6).ask(BP, "POST", "/sign-in", &[id, form], &body);
    let cookie = format!("{session}; Path=/; HttpOnly");
    s.script.answer(e, 303, &[("location", &authorize), ("set-cookie", &cookie)], "");
    let e = s.script.ask(BP, "GET", &authorize, &[id, ("cookie", &session)], "");
    s.script.answer(e, 200, &[HTML], "<title>Sixpence Prints asks for access</title>");
    let body = "ticket=AQtOFwLongSealedTicketThatCarriesTheRequest0123456789&decision=allow";
    let e = s.script.pause(4).ask(BP, "POST", "/oauth/consent", &[id, form], body);
    s.script.answer(e, 303, &[("location", &back)], "");
    let uri = back.trim_start_matches(WEBSITE);
    let e = s.script.ask(BW, "GET", uri, &[site, ("cookie", &attempt)], "");
    let temporary = Some((TEMPORARY, TEMPORARY_SECRET));
    let t = s.ask(("POST", "/oauth/access_token"), temporary, &[("oauth_verifier", VERIFIER)]);
    let body = format!("oauth_token={TOKEN}&oauth_token_secret={TOKEN_SECRET}");
    s.script.answer(t, 200, &[form], &body);
    s.script.answer(e, 200, &[HTML, ("refresh", "0;url=/oauth1/prints")], "<title>-</title>");
    call(&mut s, &visitor, 200);
    let e = s.script.pause(9).ask(BW, "POST", "/oauth1/later", &[site, form], "");
    s.script.answer(e, 303, &[("location", "/oauth1/prints")], "");
    s.script.pause(3660);
    call(&mut s, &visitor, 200);
    let e = s.script.ask(BW, "POST", "/oauth1/disconnect", &[site, form], "");
    let token = Some((TOKEN, TOKEN_SECRET));
    let r = s.ask(("POST", "/oauth/revoke"), token, &[]);
    s.script.answer(r, 200, &[], "");
    let a = s.ask(("GET", "/api/photos"), token, &[]);
    let challenge = r#"OAuth realm="http://127.0.0.1:8018",oauth_problem="token_rejected""#;
    s.script.answer(a, 401, &[("www-authenticate", challenge)], "");
    s.script.answer(e, 303, &[("location", "/dance")], "");
    s
}

fn call(s: &mut Signing, visitor: &str, status: u16) {
    let e = s.script.ask(BW, "GET", "/oauth1/prints", &[("cookie", visitor)], "");
    let a = s.ask(("GET", "/api/photos?limit=6"), Some((TOKEN, TOKEN_SECRET)), &[]);
    s.script.answer(a, status, &[JSON], r#"{"photos":[]}"#);
    s.script.answer(e, 200, &[HTML], "<title>Your prints</title>");
}

#[test]
fn no_secret_comes_out_again() {
    let dance = made_up().script.dance;
    let html = page(&dance);
    let notebook = format!("{dance:?}");
    for canary in CANARIES {
        assert!(dance.knows(canary), "{canary} was said");
        for (place, text) in [("page", &html), ("notebook", &notebook)] {
            assert!(!text.contains(canary), "{canary} is in the {place}");
        }
    }
}

#[test]
fn a_signature_is_no_secret_and_the_page_says_so() {
    let made_up = made_up();
    let html = page(&made_up.script.dance);
    for request in &made_up.sent {
        let header = request.headers()["authorization"].to_str().unwrap();
        let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
        let signature = rest.split('"').next().unwrap().replace("%2B", "+");
        let signature = signature.replace("%2F", "/").replace("%3D", "=");
        assert!(html.contains(&signature.replace('/', "&#x2f;")), "{signature}");
    }
    assert!(html.contains("characters, no secret"));
}

#[test]
fn what_is_drawn_is_the_base_string_that_was_signed() {
    let made_up = made_up();
    let dance = &made_up.script.dance;
    let drawn: Vec<&Signed> =
        dance.messages().filter_map(|message| message.signed.as_ref()).collect();
    assert_eq!(drawn.len(), 6);
    let kinds = [
        (Kind::State, STATE),
        (Kind::TemporaryToken, TEMPORARY),
        (Kind::OAuthVerifier, VERIFIER),
        (Kind::Token, TOKEN),
    ];
    for (request, signed) in made_up.sent.iter().zip(drawn) {
        let (parts, body) = request.clone().into_parts();
        let read = SignedRequest::read(&parts, &body).unwrap().unwrap();
        let pieces = signed.parts.iter().map(|part| {
            let text = |piece: &Piece| match piece {
                Piece::Plain(text) => text.clone(),
                Piece::Masked(id) => {
                    let value = dance.value(*id).unwrap();
                    let secret = kinds.iter().find(|(kind, _)| *kind == value.kind);
                    secret.map_or_else(|| value.shown.clone(), |(_, text)| (*text).to_owned())
                }
            };
            part.iter().map(text).collect::<String>()
        });
        let drawn = pieces.collect::<Vec<_>>().join("&");
        assert_eq!(drawn, read.base_string(PROVIDER));
        // The key that the page describes verifies the signature.
        let secret = signed.token_secret.map(|id| match dance.value(id).unwrap().kind {
            Kind::TemporarySecret => Secret::from(TEMPORARY_SECRET),
            kind => {
                assert_eq!(kind, Kind::TokenSecret);
                Secret::from(TOKEN_SECRET)
            }
        });
        assert_eq!(dance.value(signed.client_secret.unwrap()).unwrap().kind, Kind::ClientSecret);
        let key = VerifyingKey::Shared {
            client_secret: &Secret::from(CLIENT_SECRET),
            token_secret: secret.as_ref(),
        };
        assert!(read.is_signed_by(PROVIDER, &key));
        let signature = dance.value(signed.signature.unwrap()).unwrap();
        assert_eq!(signature.shown, read.signature());
    }
}

#[test]
fn parameters_of_the_address_are_signed_and_shown() {
    let dance = made_up().script.dance;
    let mut signed = dance.messages().filter_map(|message| message.signed.as_ref());
    let call = signed.find(|signed| signed.address.ends_with("/api/photos")).unwrap();
    assert_eq!((call.method.as_str(), call.algorithm), ("GET", "HMAC-SHA256"));
    assert_eq!(call.address, "http://127.0.0.1:8018/api/photos");
    let limit = call.parameters.iter().find(|field| field.name == "limit");
    assert!(limit.is_some());
    assert!(page(&dance).contains("All of them, wherever they stand"));
}

#[test]
fn every_arrow_has_its_own_words_and_the_chapters_come_in_order() {
    let html = page(&made_up().script.dance);
    assert!(!html.contains("Something else"), "a step without words");
    let mut at = 0;
    for chapter in [
        "You ask for something",
        "The question is put down at the provider",
        "You say who you are, to the provider only",
        "You decide",
        "The verifier becomes a token, and a secret to sign with",
        "The website signs what it asks",
        "Time passes: signed anew",
        "You take it back",
    ] {
        let found = html[at..].find(chapter).unwrap_or_else(|| panic!("{chapter} is missing"));
        at += found;
    }
    assert_eq!(html.matches("<section class=\"act\"").count(), 8, "each chapter once");
    for words in ["The call, signed anew", "This token opens nothing", "OAuth 1.0a, as it happened"]
    {
        assert!(html.contains(words), "{words}");
    }
    for other in ["refresh token", "access token", "code verifier", "PKCE"] {
        assert!(!html.contains(other), "{other} is of the other dance");
    }
}

#[test]
fn the_client_secret_travels_in_no_message_and_the_token_secret_in_one() {
    let dance = made_up().script.dance;
    let html = page(&dance);
    let row = |name: &str| {
        let table = html.split("<table>").nth(1).unwrap();
        let row = table.split("<tr>").find(|row| row.contains(&format!("<b>{name}</b>"))).unwrap();
        let row = row.split("</tr>").next().unwrap();
        let met = row.split("<td").skip(1).take(3).map(|cell| cell.contains("met")).collect();
        let met: Vec<bool> = met;
        (met, row.matches("href=\"#m").count())
    };
    assert_eq!(row("client secret"), (vec![false, false, false], 0));
    assert_eq!(row("token secret"), (vec![false, true, true], 1));
    assert_eq!(row("temporary secret"), (vec![false, true, true], 1));
    assert_eq!(row("verifier").0, [true, true, true]);
    assert_eq!(row("token").0, [false, true, true]);
    assert_eq!(row("signature"), (vec![false, true, true], 6), "one row for all");
}

#[test]
fn the_page_needs_no_script_and_no_inline_style() {
    let html = page(&made_up().script.dance);
    for forbidden in ["<script", "style=", "<style", "onclick", "javascript:", "http-equiv"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn each_dance_is_found_after_the_other() {
    let mut s = made_up().script;
    let own = s.dance.messages().count();
    let e = s.ask(BW, "GET", "/prints", &[], "");
    s.answer(e, 303, &[("location", "/login/album")], "");
    let e = s.ask(BW, "GET", "/login/album", &[], "");
    let to = format!("{PROVIDER}/oauth/authorize?state=another-state&code_challenge=another-one");
    s.answer(e, 303, &[("location", &to)], "");
    let e = s.ask(BW, "POST", "/disconnect", &[], "");
    s.answer(e, 303, &[("location", "/dance")], "");

    let last = thread::latest(&s.dance, None);
    assert_eq!((last.protocol(), last.messages().count()), (Protocol::OAuth2, 6));
    let first = thread::latest(&s.dance, Some(Protocol::OAuth1));
    assert_eq!((first.protocol(), first.messages().count()), (Protocol::OAuth1, own));
}

#[test]
fn a_header_that_is_no_good_shows_nothing_and_breaks_nothing() {
    let mut s = Script::new();
    for header in [
        "OAuth",
        "OAuth oauth_token",
        "OAuth oauth_token=\"canary%",
        "oauth oauth_surprise=\"canary\", realm=\"x\",,=\"canary\"",
        "OAuth oauth_signature_method=\"HMAC-SHA1\", oauth_consumer_key=\"k\"",
    ] {
        let uri = format!("{PROVIDER}/api/photos");
        let e = s.ask(WP, "GET", &uri, &[("authorization", header)], "");
        s.answer(e, 401, &[("www-authenticate", "OAuth")], "");
    }
    let html = page(&s.dance);
    assert!(!html.contains("canary"), "{html}");
    assert!(s.dance.messages().all(|message| message.signed.is_none()));
}
