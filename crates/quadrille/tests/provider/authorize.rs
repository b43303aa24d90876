//! The authorization endpoint: what may be asked, and what happens without asking.

use std::time::Duration;

use quadrille::{
    Policy,
    oauth2::{Resources, TokenRequest},
    provider::NewClient,
};

use crate::support::{Browser, CALLBACK, World};

#[tokio::test]
async fn a_person_signs_in_consents_and_the_client_acts_for_them() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let away = world.ask(&mut browser, &world.asking()).await;
    let next = away.query("next");
    assert!(away.location().starts_with("/sign-in?"), "nobody is signed in yet");
    world.sign_in("ada");
    let page = browser.get(&world, &next).await;
    assert!(page.text().contains("scope=photos:read See your photos"), "{page:?}");
    let back = browser.answer(&world, &page, "decision=only&scope=photos:read").await;
    assert!(back.location().starts_with("https://app.example/cb?code="));
    assert_eq!(back.query("state"), "xyz");
    assert_eq!(back.query("iss"), "https://id.example");
    let tokens = world.redeem(&back.query("code")).await.tokens();
    assert_eq!(tokens.scope, "photos:read");
    let photos = world.photos(&tokens.access).await;
    assert_eq!(photos.text(), format!("User(\"ada\") by {}", world.client.id));
    let refreshed = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&refreshed.access).await);
    assert_ne!(refreshed.access, tokens.access);
}

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_gets_a_page_and_never_a_redirect() {
    let world = World::new().await;
    world.sign_in("ada");
    let id = &world.client.id;
    let good = "response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    for (query, reason) in [
        (format!("client_id=nobody&{good}"), "unknown_client"),
        (good.to_owned(), "invalid_request"),
        (format!("client_id={id}&client_id={id}&{good}"), "invalid_request"),
        (
            format!("client_id={id}&redirect_uri=https://evil.example/"),
            "redirect_uri_not_registered",
        ),
        (
            format!("client_id={id}&redirect_uri=https://app.example/cb/"),
            "redirect_uri_not_registered",
        ),
        (
            format!("client_id={id}&redirect_uri=HTTPS://app.example/cb"),
            "redirect_uri_not_registered",
        ),
        (
            format!("client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1"),
            "redirect_uri_not_registered",
        ),
        (
            format!("client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3F"),
            "redirect_uri_not_registered",
        ),
        (
            format!("client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%23x"),
            "redirect_uri_not_registered",
        ),
        (format!("client_id={id}&redirect_uri=javascript:alert(1)"), "redirect_uri_not_registered"),
        (format!("client_id={id}&{good}&redirect_uri=https://evil.example"), "invalid_request"),
        (format!("client_id={id}&{good}&state=%zz"), "invalid_request"),
        (format!("client_id={id}&{good}&state=%00"), "invalid_request"),
        (format!("client_id={id}&{good}&state=%ff"), "invalid_request"),
        (format!("client_id={id}&{good}&state={}", "x".repeat(17_000)), "invalid_request"),
    ] {
        let answer = Browser::default().get(&world, &format!("/oauth/authorize?{query}")).await;
        assert_eq!(answer.status(), 400, "{query}");
        assert_eq!(answer.header("location"), "", "{query}");
        assert_eq!(answer.reason(), reason, "{query}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(!answer.text().contains("evil"), "nothing of the request is shown");
    }
}

/// What links and proxies add to requests, and no specification defines.
pub(crate) const UNKNOWN: [&str; 7] = [
    "utm_campaign=100%",
    "utm_campaign=caf%E9",
    "caf%E9=x",
    "q=%u00f3",
    "q=%00",
    "fbclid=a&fbclid=b&fbclid=%zz",
    "login_hint=Ren%E9&nonce=a&nonce=a",
];

#[tokio::test]
async fn parameters_that_nobody_reads_may_be_broken_or_repeated() {
    let world = World::new().await;
    world.sign_in("ada");
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let (_, query) = url.split_once('?').unwrap();
    let query = &format!("{query}&prompt=consent");
    for unknown in UNKNOWN {
        for query in [format!("{query}&{unknown}"), format!("{unknown}&{query}")] {
            let mut browser = Browser::default();
            let page = browser.get(&world, &format!("/oauth/authorize?{query}")).await;
            assert_eq!(page.status(), 200, "{query}");
            assert!(browser.answer(&world, &page, "decision=all").await.query("code").len() > 9);
            let form = "application/x-www-form-urlencoded";
            let posted = world.request("POST", "/oauth/authorize", form, &query).await;
            assert_eq!(posted.status(), 200, "{query}");
        }
    }
    let raw = [query.as_bytes(), b"&q=caf\xe9"].concat();
    let request = http::Request::post("/oauth/authorize")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(raw))
        .unwrap();
    assert_eq!(world.send(request).await.status(), 200, "raw Latin-1 in a form");
}

#[tokio::test]
async fn what_else_is_wrong_the_client_is_told_with_state_and_issuer() {
    let world = World::new().await;
    world.sign_in("ada");
    let pkce = format!("code_challenge={}", world.verifier().challenge());
    let s256 = format!("{pkce}&code_challenge_method=S256");
    for (query, error) in [
        (s256.clone(), "invalid_request"),
        (format!("response_type=none&{s256}"), "unsupported_response_type"),
        (format!("response_type=Code&{s256}"), "unsupported_response_type"),
        (format!("response_type=code&response_type=code&{s256}"), "invalid_request"),
        ("response_type=code".to_owned(), "invalid_request"),
        (format!("response_type=code&{pkce}"), "invalid_request"),
        (format!("response_type=code&{pkce}&code_challenge_method=plain"), "invalid_request"),
        (format!("response_type=code&{pkce}&code_challenge_method=S512"), "invalid_request"),
        (
            "response_type=code&code_challenge=short&code_challenge_method=S256".into(),
            "invalid_request",
        ),
        ("response_type=code&code_challenge_method=S256".into(), "invalid_request"),
        (format!("response_type=code&{s256}&scope=photos:delete"), "invalid_scope"),
        (format!("response_type=code&{s256}&scope=%22"), "invalid_scope"),
        (format!("response_type=code&{s256}&scope=a&scope=b"), "invalid_request"),
        (format!("response_type=code&{s256}&response_mode=fragment"), "invalid_request"),
        (format!("response_type=code&{s256}&request=eyJ"), "request_not_supported"),
        (format!("response_type=code&{s256}&request_uri=urn:x"), "request_uri_not_supported"),
        (format!("response_type=code&{s256}&prompt=none%20login"), "invalid_request"),
        (format!("response_type=code&{s256}&prompt=none"), "consent_required"),
    ] {
        let path = format!("/oauth/authorize?client_id={}&state=xyz&{query}", world.client.id);
        let answer = Browser::default().get(&world, &path).await;
        assert_eq!(answer.query("error"), error, "{query}");
        assert!(answer.location().starts_with(CALLBACK), "{query}");
        assert_eq!(answer.query("state"), "xyz", "{query}");
        assert_eq!(answer.query("iss"), "https://id.example", "{query}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for unsupported in ["token", "code%20token", "id_token", "id_token%20token"] {
        let query = format!("response_type={unsupported}&state=xyz&{s256}");
        let path = format!("/oauth/authorize?client_id={}&{query}", world.client.id);
        let answer = Browser::default().get(&world, &path).await;
        assert!(answer.location().starts_with("https://app.example/cb#error="), "{answer:?}");
        assert_eq!(answer.fragment("error").unwrap(), "unsupported_response_type");
        assert_eq!(answer.fragment("state").unwrap(), "xyz");
    }
    let path = format!("/oauth/authorize?client_id={}&state=a&state=b&{s256}", world.client.id);
    let answer = Browser::default().get(&world, &path).await;
    assert_eq!(answer.query("error"), "invalid_request");
    assert!(!answer.location().contains("state="), "a repeated state cannot be echoed");
}

#[tokio::test]
async fn methods_content_types_and_lengths_are_checked_before_anything_else() {
    let world = World::new().await;
    world.sign_in("ada");
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let (_, query) = url.split_once('?').unwrap();
    let mut browser = Browser::default();
    let page = browser.post(&world, "/oauth/authorize", query).await;
    assert!(!page.ticket().is_empty(), "a POST with a form is a request, too");
    let back = page.text().lines().find_map(|line| line.strip_prefix("back=")).unwrap();
    let again = browser.get(&world, back).await;
    assert!(!again.ticket().is_empty(), "and can be asked again after another sign-in: {back}");

    let long = format!("{query}&x={}", "x".repeat(66_000));
    let answer = browser.post(&world, "/oauth/authorize", &long).await;
    assert_eq!(answer.status(), 413);
    let json = world.request("POST", "/oauth/authorize", "application/json", "{}").await;
    assert_eq!(json.status(), 415);
    for path in ["/oauth/authorize", "/oauth/consent"] {
        let answer = world.request("PUT", path, "text/plain", "").await;
        assert_eq!(answer.status(), 405);
        assert!(answer.header("allow").contains("POST"), "{answer:?}");
    }
}

#[tokio::test]
async fn consent_is_remembered_for_the_person_the_client_and_the_scopes() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.scope = Some("photos:read".parse_scopes());
    let page = world.ask(&mut browser, &asked).await;
    browser.answer(&world, &page, "decision=all").await;

    assert!(!world.ask(&mut browser, &asked).await.query("code").is_empty(), "not asked again");
    let mut more = world.asking();
    more.scope = Some("photos:read photos:write".parse_scopes());
    let page = world.ask(&mut browser, &more).await;
    browser.answer(&world, &page, "decision=all").await;
    assert!(!world.ask(&mut browser, &more).await.query("code").is_empty());
    assert!(!world.ask(&mut browser, &asked).await.query("code").is_empty(), "both are known now");

    world.sign_in("grace");
    assert!(!world.ask(&mut browser, &asked).await.ticket().is_empty(), "she never consented");
    world.sign_in("ada");
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    assert!(!world.ask(&mut browser, &asked).await.ticket().is_empty(), "it was taken back");
}

#[tokio::test]
async fn prompt_decides_who_is_bothered() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let mut none = world.asking();
    none.extra.push(("prompt".into(), "none".into()));
    assert_eq!(world.ask(&mut browser, &none).await.query("error"), "login_required");
    world.sign_in("ada");
    assert_eq!(world.ask(&mut browser, &none).await.query("error"), "consent_required");
    let page = world.ask(&mut browser, &world.asking()).await;
    browser.answer(&world, &page, "decision=all").await;
    assert!(!world.ask(&mut browser, &none).await.query("code").is_empty());

    let mut consent = world.asking();
    consent.extra.push(("prompt".into(), "consent".into()));
    assert!(!world.ask(&mut browser, &consent).await.ticket().is_empty(), "asked once more");
}

#[tokio::test]
async fn prompt_login_asks_for_one_fresh_sign_in_and_no_second() {
    let world = World::new().await;
    world.sign_in("ada");
    world.clock.advance(Duration::from_secs(60));
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "login".into()));
    let away = world.ask(&mut browser, &asked).await;
    assert!(away.location().starts_with("/sign-in?"));
    let next = away.query("next");
    let again = browser.get(&world, &next).await;
    assert!(again.location().starts_with("/sign-in?"), "coming back without it does not help");
    world.clock.advance(Duration::from_secs(5));
    world.sign_in("ada");
    assert!(!browser.get(&world, &next).await.ticket().is_empty());
    world.clock.advance(Duration::from_secs(3600));
    let late = browser.get(&world, &next).await;
    assert!(late.location().starts_with("/sign-in?"), "the way back is good for a while only");
}

#[tokio::test]
async fn a_sign_in_of_the_same_second_from_before_the_request_is_not_the_one_that_it_asks_for() {
    let world = World::new().await;
    for prompt in [("prompt", "login"), ("max_age", "0")] {
        let mut browser = Browser::default();
        let mut asked = world.asking();
        asked.extra.push((prompt.0.into(), prompt.1.into()));
        world.sign_out();
        let mut next = world.ask(&mut browser, &asked).await.query("next");
        world.sign_in("ada");
        assert!(!browser.get(&world, &next).await.ticket().is_empty(), "nobody was signed in");
        // The same request again, in the same second: the sign-in so far does not count.
        next = world.ask(&mut browser, &asked).await.query("next");
        for _ in 0..3 {
            let again = browser.get(&world, &next).await;
            assert!(again.location().starts_with("/sign-in?"), "{prompt:?}");
            next = again.query("next");
        }
        world.clock.advance(Duration::from_millis(1));
        world.sign_in("ada");
        assert!(!browser.get(&world, &next).await.ticket().is_empty(), "{prompt:?}");
        // The browser hides that sign-in while it asks, and has it again.
        let hidden = world.signed_in.lock().unwrap().take();
        world.clock.advance(Duration::from_millis(300));
        let next = world.ask(&mut browser, &asked).await.query("next");
        *world.signed_in.lock().unwrap() = hidden;
        let again = browser.get(&world, &next).await;
        assert!(again.location().starts_with("/sign-in?"), "{prompt:?}");
        world.sign_in("ada");
        assert!(!browser.get(&world, &again.query("next")).await.ticket().is_empty());
    }
}

#[tokio::test]
async fn a_second_sign_in_of_the_same_second_counts_by_its_session() {
    let world = World::new().await;
    let sign_in = |session: &str| {
        let mut ada = quadrille::Authentication::new("ada", world.env.now());
        ada.session = Some(session.into());
        *world.signed_in.lock().unwrap() = Some(ada);
    };
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "login".into()));
    sign_in("first");
    let next = world.ask(&mut browser, &asked).await.query("next");
    let next = browser.get(&world, &next).await.query("next");
    sign_in("second");
    assert!(!browser.get(&world, &next).await.ticket().is_empty());
}

#[tokio::test]
async fn the_note_of_one_request_says_nothing_about_another() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "login".into()));
    let next = world.ask(&mut browser, &asked).await.query("next");
    let note = next.split_once("quadrille_since=").unwrap().1;
    world.clock.advance(Duration::from_secs(2));
    world.sign_in("ada");
    asked.state = Some("another".into());
    let other = asked.to_url("https://id.example/oauth/authorize").unwrap();
    let other = other.strip_prefix("https://id.example").unwrap();
    let answer = browser.get(&world, &format!("{other}&quadrille_since={note}")).await;
    assert!(answer.location().starts_with("/sign-in?"));
    assert!(!browser.get(&world, &next).await.ticket().is_empty(), "its own request");
}

#[tokio::test]
async fn a_first_party_client_is_not_asked_for() {
    let world = World::with(Policy::safe(), NewClient::first_party).await;
    world.sign_in("ada");
    let back = world.ask(&mut Browser::default(), &world.asking()).await;
    let tokens = world.redeem(&back.query("code")).await.tokens();
    assert!(world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn a_request_behind_which_no_person_stands_is_granted_nothing() {
    let world = World::with(Policy::safe(), NewClient::first_party).await;
    world.sign_in("ada");
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let ask = |method, (name, value): (&str, &str)| {
        let request = http::Request::builder().method(method).uri(&url).header(name, value);
        world.send(request.body(axum::body::Body::empty()).unwrap())
    };
    for (method, header, status) in [
        ("HEAD", ("accept", "*/*"), 204),
        ("GET", ("sec-purpose", "prefetch"), 503),
        ("GET", ("sec-purpose", "prefetch;prerender"), 503),
        ("GET", ("purpose", "prefetch"), 503),
    ] {
        let answer = ask(method, header).await;
        assert_eq!((answer.status(), answer.header("location")), (status, ""), "{header:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert!(!ask("GET", ("purpose", "other")).await.query("code").is_empty());
}

#[tokio::test]
async fn a_native_application_is_asked_for_every_time_since_any_program_can_claim_to_be_it() {
    let world = World::public("http://127.0.0.1/cb").await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.redirect_uri = Some("http://127.0.0.1:53219/cb".into());
    for _ in 0..2 {
        let page = world.ask(&mut browser, &asked).await;
        let back = browser.answer(&world, &page, "decision=all").await;
        assert!(back.location().starts_with("http://127.0.0.1:53219/cb?code="));
    }
}

#[tokio::test]
async fn pkce_can_be_waived_for_confidential_clients_and_never_for_public_ones() {
    let waived = Policy::safe().allow_confidential_clients_without_pkce();
    let world = World::with(waived.clone(), NewClient::first_party).await;
    world.sign_in("ada");
    let mut asked = world.asking();
    asked.code_challenge = None;
    assert!(!world.ask(&mut Browser::default(), &asked).await.query("code").is_empty());

    let by_client = World::with(Policy::safe(), |new| {
        new.allow_without_pkce_so_that_a_leaked_code_can_be_injected().first_party()
    });
    let world = by_client.await;
    world.sign_in("ada");
    let mut asked = world.asking();
    asked.code_challenge = None;
    let back = world.ask(&mut Browser::default(), &asked).await;
    let code = back.query("code");
    let redemption = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: Some(CALLBACK),
        code_verifier: None,
        resource: Resources::EMPTY,
    };
    assert_eq!(world.token(&world.auth(), &redemption).await.status(), 200);

    let public = World::public_with(waived, CALLBACK).await;
    public.sign_in("ada");
    let mut asked = public.asking();
    asked.code_challenge = None;
    let answer = public.ask(&mut Browser::default(), &asked).await;
    assert_eq!(answer.query("error"), "invalid_request");
    assert!(answer.query("error_description").contains("code_challenge"));
}

#[tokio::test]
async fn a_client_may_not_ask_for_what_it_was_not_registered_for() {
    use quadrille::provider::GrantType;
    let only_itself = |new: NewClient| new.grant_types([GrantType::ClientCredentials]);
    let world = World::with(Policy::safe(), only_itself).await;
    world.sign_in("ada");
    let answer = world.ask(&mut Browser::default(), &world.asking()).await;
    assert_eq!(answer.query("error"), "unauthorized_client");
}

#[tokio::test]
async fn without_a_redirect_uri_the_only_one_is_meant() {
    let world = World::with(Policy::safe(), NewClient::first_party).await;
    world.sign_in("ada");
    let mut asked = world.asking();
    asked.redirect_uri = None;
    let back = world.ask(&mut Browser::default(), &asked).await;
    assert!(back.location().starts_with(CALLBACK));

    let two = |new: NewClient| new.redirect_uri("https://app.example/other").first_party();
    let world = World::with(Policy::safe(), two).await;
    let mut asked = world.asking();
    asked.redirect_uri = None;
    let page = world.ask(&mut Browser::default(), &asked).await;
    assert_eq!(page.reason(), "redirect_uri_missing");
}

trait ParseScopes {
    fn parse_scopes(&self) -> quadrille::Scopes;
}

impl ParseScopes for str {
    fn parse_scopes(&self) -> quadrille::Scopes {
        quadrille::Scopes::parse(self).unwrap()
    }
}
