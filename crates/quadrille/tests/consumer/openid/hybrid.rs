//! The hybrid flow: tokens that the browser brings beside the code.

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use quadrille::{
    Error, KeyRing, Login, Owner, SpecBuf,
    consumer::{Account, Begin, BrowserError, Hybrid, ServiceError},
    oidc::IdTokenRejected as Rejected,
    testing::{Browser, FakeService, OpenIdFault as Fault},
    transport::Purpose,
};

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

const ALL: [Hybrid; 3] = [Hybrid::CodeIdToken, Hybrid::CodeIdTokenToken, Hybrid::CodeToken];

fn world(flow: Hybrid) -> World {
    World::with(|spec| spec.hybrid(flow))
}

/// The end of a login with this form.
async fn arrive(
    world: &World,
    cookies: &http::HeaderMap,
    form: &str,
) -> quadrille::Result<Account> {
    let query = world.login.posted_callback("acme", form.as_bytes()).await?;
    world.arrive(cookies, &query).await.map(|done| done.account)
}

async fn leave(world: &World) -> (String, http::HeaderMap) {
    world.leave(&Begin::new("acme").owner(&Owner::user("ada"))).await.unwrap()
}

async fn log_in(world: &World, user: u64) -> quadrille::Result<Account> {
    let (url, cookies) = leave(world).await;
    let form = world.service.consent(&url, user).expect("a right request");
    arrive(world, &cookies, &form).await
}

/// The error of an ID token beside a code: the browser has brought it.
fn rejected(reason: Rejected) -> Error {
    BrowserError::IdTokenRejected(reason).into()
}

/// The pair of a form with this name.
fn pair(form: &str, name: &str) -> String {
    let start = format!("{name}=");
    form.split('&').find(|pair| pair.starts_with(&start)).unwrap().to_owned()
}

fn without(form: &str, name: &str) -> String {
    let dropped = pair(form, name);
    form.split('&').filter(|pair| *pair != dropped).collect::<Vec<_>>().join("&")
}

/// OpenID Connect Core, section 3.3.2.11; Form Post Response Mode, section 2.
#[tokio::test]
async fn each_flow_logs_in_by_a_form() {
    for (flow, words) in
        ALL.into_iter().zip(["code+id_token&", "code+id_token+token&", "code+token&"])
    {
        let world = world(flow);
        let (url, cookies) = leave(&world).await;
        assert!(url.contains(&format!("response_type={words}")), "{url}");
        assert!(url.contains("response_mode=form_post"), "{url}");
        let form = world.service.consent(&url, 7).unwrap();
        let account = arrive(&world, &cookies, &form).await.unwrap();
        assert_eq!(&*account.subject, format!("{ISSUER}#7"));
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
    }
}

/// OpenID Connect Core, sections 3.2.2.9, 3.2.2.10, 3.2.2.11, 3.3.2.10, 3.3.2.11 and 3.3.2.12.
#[tokio::test]
async fn a_token_beside_a_code_that_breaks_a_rule_uses_no_code_up() {
    use Hybrid::{CodeIdToken, CodeIdTokenToken, CodeToken};
    let malformed = || Error::from(BrowserError::CallbackMalformed);
    for (flow, fault, expected) in [
        (CodeIdToken, Fault::NonceMissing, rejected(Rejected::NonceMissing)),
        (CodeIdToken, Fault::NonceOther, rejected(Rejected::NonceOther)),
        (CodeIdToken, Fault::CodeHashOther, rejected(Rejected::CodeHash)),
        (CodeIdToken, Fault::CodeHashMissing, rejected(Rejected::CodeHash)),
        (CodeIdToken, Fault::StateHashOther, rejected(Rejected::StateHash)),
        (CodeIdToken, Fault::IdTokenMissing, malformed()),
        (CodeIdTokenToken, Fault::IdTokenMissing, malformed()),
        (CodeIdTokenToken, Fault::CodeHashMissing, rejected(Rejected::CodeHash)),
        (CodeIdTokenToken, Fault::AccessTokenHashOther, rejected(Rejected::AccessTokenHash)),
        (CodeIdTokenToken, Fault::AccessTokenHashMissing, rejected(Rejected::AccessTokenHash)),
    ] {
        let world = world(flow);
        world.service.misidentifies(fault);
        assert_eq!(log_in(&world, 7).await, Err(expected), "{flow:?} {fault:?}");
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "{flow:?} {fault:?}");
        world.service.recovers();
        log_in(&world, 7).await.unwrap();
    }
    for (flow, fault) in
        [(CodeIdToken, Fault::AccessTokenHashMissing), (CodeToken, Fault::CodeHashMissing)]
    {
        let world = world(flow);
        world.service.misidentifies(fault);
        log_in(&world, 7).await.unwrap_or_else(|error| panic!("{flow:?} {fault:?}: {error}"));
    }
}

/// OpenID Connect Core, section 3.3.3.6.
#[tokio::test]
async fn both_id_tokens_of_a_login_are_about_one_user() {
    for flow in [Hybrid::CodeIdToken, Hybrid::CodeIdTokenToken] {
        let world = world(flow);
        world.service.misidentifies(Fault::SubjectOtherBesideCode);
        let error = ServiceError::IdTokenRejected(Rejected::OtherUserThanBeside);
        let error = Error::Service { service: "acme".into(), error };
        assert_eq!(error.status(), StatusCode::BAD_GATEWAY, "of the token endpoint");
        assert_eq!(log_in(&world, 7).await, Err(error));
        let mut accounts = world.login.accounts_by_name("acme").await.unwrap();
        assert!(accounts.next().await.is_none(), "nothing is stored");
    }
}

/// OpenID Connect Core, sections 3.2.2.11 and 3.3.2.10.
#[tokio::test]
async fn parts_of_another_login_are_of_no_use() {
    let world = world(Hybrid::CodeIdToken);
    let (victims, cookies) = leave(&world).await;
    let (attackers, _) = leave(&world).await;
    let ours = world.service.consent(&victims, 7).unwrap();
    let theirs = world.service.consent(&attackers, 8).unwrap();
    for (name, expected) in [("id_token", Rejected::NonceOther), ("code", Rejected::CodeHash)] {
        let mixed = ours.replace(&pair(&ours, name), &pair(&theirs, name));
        let error = arrive(&world, &cookies, &mixed).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST, "the browser's fault");
        assert_eq!(error, rejected(expected), "{name}");
    }
    arrive(&world, &cookies, &ours).await.unwrap();
}

/// OpenID Connect Core, section 3.2.2.8; Form Post Response Mode, section 2.
#[tokio::test]
async fn a_response_has_what_was_requested_and_comes_by_post() {
    let malformed = || Err(Error::from(BrowserError::CallbackMalformed));
    for flow in ALL {
        let world = world(flow);
        let (url, cookies) = leave(&world).await;
        let form = world.service.consent(&url, 7).unwrap();
        for name in ["id_token", "access_token"] {
            if form.contains(&format!("{name}=")) {
                let less = without(&form, name);
                assert_eq!(arrive(&world, &cookies, &less).await, malformed(), "{flow:?} {name}");
            } else {
                let more = format!("{form}&{name}=x");
                assert_eq!(arrive(&world, &cookies, &more).await, malformed(), "{flow:?} {name}");
            }
        }
        let in_a_url = world.arrive(&cookies, &form).await.map(|done| done.account);
        assert_eq!(in_a_url, malformed(), "{flow:?}: a URL is logged");
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
        // A refusal may come either way.
        let denied = world.service.deny(&url).unwrap();
        let denied = world.arrive(&cookies, &denied).await.map(|done| done.account);
        assert_eq!(denied, Err(BrowserError::Denied.into()));
    }
}

/// RFC 9207, section 4.
#[tokio::test]
async fn the_issuer_may_be_named_by_the_id_token_alone() {
    for flow in ALL {
        let world = world(flow);
        let (url, cookies) = leave(&world).await;
        let form = world.service.consent(&url, 7).unwrap();
        let wrong = Err(Error::from(BrowserError::WrongIssuer));
        let other = form.replace(&pair(&form, "iss"), "iss=https%3A%2F%2Fevil.example");
        assert_eq!(arrive(&world, &cookies, &other).await, wrong, "{flow:?}");
        let arrived = arrive(&world, &cookies, &without(&form, "iss")).await;
        match flow {
            Hybrid::CodeToken => assert_eq!(arrived, wrong, "nothing names the issuer"),
            _ => assert_eq!(&*arrived.unwrap().subject, format!("{ISSUER}#7")),
        }
    }
}

#[tokio::test]
async fn a_browser_brings_the_form_to_the_usual_callback() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let spec = SpecBuf::oidc("acme", ISSUER).hybrid(Hybrid::CodeIdTokenToken);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(spec.client("our-id", SECRET))
        .http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new()));
    let away = browser.visit("/login/acme?next=/album").await;
    let form = service.consent(away.location(), 7).unwrap();
    assert!(form.contains("id_token=") && form.contains("access_token="), "{form}");
    let request = Request::post("/login/acme/authorized")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    let hop = browser.send(request.body(Body::from(form.clone())).unwrap()).await;
    let to = hop.refresh().unwrap().to_owned();
    for secret in ["code-canary", &*pair(&form, "id_token")] {
        assert!(!to.contains(secret) && !hop.text.contains(secret), "{to}");
    }
    let arrived = browser.visit(&to).await;
    assert_eq!((arrived.status, arrived.location()), (StatusCode::SEE_OTHER, "/album"));
}

/// OpenID Connect Core, sections 3.3.2.10 and 3.3.2.12.
#[tokio::test]
async fn a_form_that_the_browser_has_changed_gets_a_page_that_says_so() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let spec = SpecBuf::oidc("acme", ISSUER).hybrid(Hybrid::CodeIdToken);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(spec.client("our-id", SECRET))
        .http(service.clone());
    for (name, changed) in [("code", "another"), ("id_token", "a.b.c"), ("id_token", "a")] {
        let mut browser = Browser::new(login.attach(Router::new()));
        let away = browser.visit("/login/acme?next=/album").await;
        let form = service.consent(away.location(), 7).unwrap();
        let form = form.replace(&pair(&form, name), &format!("{name}={changed}"));
        let request = Request::post("/login/acme/authorized")
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        let hop = browser.send(request.body(Body::from(form)).unwrap()).await;
        let page = browser.visit(hop.refresh().unwrap()).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{name}={changed}: {page:?}");
        assert!(page.has_code("id_token_rejected"), "{page:?}");
        assert!(page.text.contains("What your browser brought from acme"), "{page:?}");
        assert!(page.text.contains("/login/acme?next=%2Falbum"), "{page:?}");
    }
    assert_eq!(service.times_asked(Purpose::RedeemCode), 0);
}

#[tokio::test]
async fn where_nothing_takes_a_form_a_login_requests_a_code_alone() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let spec = SpecBuf::oidc("acme", ISSUER).hybrid(Hybrid::CodeIdToken);
    let client = spec.client("our-id", SECRET).json_callback("https://app.example/app");
    let login = Login::new(KeyRing::ephemeral(), SITE).with(client).http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new()).merge(login.json_routes()));
    let send = |path: &str, body: String| {
        Request::post(path)
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap()
    };
    let begun = browser.send(send("/login/acme/begin", "{}".to_owned())).await;
    let begun: serde_json::Value = serde_json::from_str(&begun.text).unwrap();
    let url = begun["url"].as_str().unwrap();
    assert!(url.contains("response_type=code&") && !url.contains("response_mode"), "{url}");
    let query = service.consent(url, 7).unwrap();
    let members: serde_json::Map<_, _> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    let members = serde_json::Value::Object(members).to_string();
    let done = browser.send(send("/login/acme/finish", members)).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
}

#[test]
fn a_flow_that_cannot_work_is_refused_at_start() {
    let check = |client| {
        let login = Login::new(KeyRing::ephemeral(), SITE).with(client);
        login.check().unwrap_err().code()
    };
    let spec = || SpecBuf::oidc("acme", ISSUER).hybrid(Hybrid::CodeIdToken);
    for mode in ["query", "fragment", "form_post"] {
        let client = spec().client("our-id", SECRET).parameter("response_mode", mode);
        assert_eq!(check(client), "parameter_reserved", "{mode}");
    }
    let plain = SpecBuf::oauth2(
        "acme",
        "https://acme.example/a",
        "https://acme.example/t",
        "https://acme.example",
    );
    assert_eq!(check(plain.hybrid(Hybrid::CodeToken).client("our-id", SECRET)), "not_openid");
}
