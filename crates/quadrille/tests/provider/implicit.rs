//! Access tokens in redirects (RFC 6749, section 4.2).

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, Scopes,
    jose::{Algorithm, SigningKey, SigningKeys},
    oauth2::{AuthorizationRequest, Resources, ResponseType},
    provider::{
        AccessTokenFormat, AuthorizationServer, GrantType, Lifetimes, NewClient, NotIssued,
        Occasion,
        store::{MemoryStore, SqliteStore},
    },
    testing::ManualClock,
};
use serde_json::json;

use crate::{
    races::at_once,
    support::{API, Answer, Browser, CALLBACK, World},
};

pub(crate) fn on(server: AuthorizationServer) -> AuthorizationServer {
    server.send_access_tokens_in_redirects_so_that_they_can_leak()
}

pub(crate) fn old(new: NewClient) -> NewClient {
    new.grant_types([GrantType::Implicit])
}

pub(crate) async fn world() -> World {
    World::set_up(Policy::safe(), old, on).await
}

/// A good request for a token.
fn asking(world: &World) -> AuthorizationRequest<'_> {
    let mut request = AuthorizationRequest::new(&*world.client.id);
    request.response_type = ResponseType::Token;
    request.redirect_uri = world.client.redirect_uris.first().map(|uri| uri.as_str().into());
    request.state = Some("xyz".into());
    request
}

/// The answer to a user who signs in and approves everything, on a page if there is one.
async fn approved(world: &World, asked: &AuthorizationRequest<'_>) -> Answer {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, asked).await;
    match page.status() {
        200 => browser.answer(world, &page, "decision=all").await,
        _ => page,
    }
}

/// The answer to a request with further parameters.
async fn told(world: &World, further: &str) -> Answer {
    let query = format!("client_id={}&response_type=token&state=xyz", world.client.id);
    Browser::default().get(world, &format!("/oauth/authorize?{query}{further}")).await
}

async fn a_user_gives_a_client_a_token(world: World) {
    let asked = asking(&world);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asked).await;
    assert!(page.text().contains("scope=photos:read See your photos"), "{page:?}");
    let back = browser.answer(&world, &page, "decision=only&scope=photos:read").await;
    assert!(back.location().starts_with("https://app.example/cb#access_token="), "{back:?}");
    assert!(!back.location().contains('?'));
    assert_eq!(
        (back.header("cache-control"), back.header("referrer-policy")),
        ("no-store", "no-referrer")
    );
    let expected = [
        ("token_type", Some("Bearer")),
        ("expires_in", Some("3600")),
        ("scope", Some("photos:read")),
        ("state", Some("xyz")),
        ("iss", Some("https://id.example")),
        ("code", None),
        ("refresh_token", None),
    ];
    for (name, value) in expected {
        assert_eq!(back.fragment(name).as_deref(), value, "{name}");
    }
    let token = back.fragment("access_token").unwrap();
    let photos = world.photos(&token).await;
    assert_eq!(photos.text(), format!("User(\"ada\") by {}", world.client.id));
    let consents = world.server.consents("ada").await.unwrap();
    assert_eq!(consents.len(), 1, "the user sees the client, and can end its access");
    assert_eq!(consents[0].grants.len(), 1);
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    assert!(!world.is_good(&token).await);

    let again = approved(&world, &asked).await.fragment("access_token").unwrap();
    world.clock.advance(Duration::from_secs(3599));
    assert!(world.is_good(&again).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.is_good(&again).await);
}

#[tokio::test]
async fn a_client_gets_a_token_in_the_fragment_when_its_user_approves() {
    a_user_gives_a_client_a_token(world().await).await;
}

#[tokio::test]
async fn on_disk_too_a_client_gets_a_token_in_the_fragment() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let new = old(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    a_user_gives_a_client_a_token(World::build(store, clock, Policy::safe(), new, on).await).await;
}

#[tokio::test]
async fn the_grant_is_off_until_it_is_switched_on_and_metadata_has_it_exactly_then() {
    let metadata = async |world: &World| {
        let path = "/.well-known/oauth-authorization-server";
        let json = world.request("GET", path, "", "").await.json();
        let names = ["response_types", "response_modes", "grant_types"];
        names.map(|name| json[format!("{name}_supported")].clone())
    };
    let named = |world: &World| world.server.clone().grant_types([GrantType::Implicit]);
    let off = World::set_up(Policy::safe(), old, |server| server).await;
    let codes = ["authorization_code", "client_credentials", "refresh_token"];
    assert_eq!(metadata(&off).await, [json!(["code"]), json!(["query"]), json!(codes)]);
    off.sign_in("ada");
    let answer = off.ask(&mut Browser::default(), &asking(&off)).await;
    assert_eq!(answer.fragment("error").unwrap(), "unsupported_response_type");
    let path = format!("/oauth/authorize?response_type=token&client_id={}", off.client.id);
    let request = Request::get(path).body(bytes::Bytes::new()).unwrap();
    let refused: http::Response<bytes::Bytes> =
        named(&off).authorize(request).await.unwrap_err().into();
    let location = Answer::of(refused);
    assert_eq!(
        location.fragment("error").unwrap(),
        "unsupported_response_type",
        "its name is long"
    );

    let world = world().await;
    let with = ["authorization_code", "client_credentials", "refresh_token", "implicit"];
    let both = [json!(["code", "token"]), json!(["query", "fragment"]), json!(with)];
    assert_eq!(metadata(&world).await, both);
    let only = |server: AuthorizationServer| on(server).grant_types([]);
    let only = World::set_up(Policy::safe(), old, only).await;
    let token = [json!(["token"]), json!(["fragment"]), json!(["implicit"])];
    assert_eq!(metadata(&only).await, token);
    assert!(approved(&only, &asking(&only)).await.fragment("access_token").is_some());
}

#[tokio::test]
async fn errors_are_in_the_fragment_with_state_and_issuer() {
    let world = world().await;
    for (further, error) in [
        ("&prompt=none", "login_required"),
        ("&scope=photos:delete", "invalid_scope"),
        ("&scope=%22", "invalid_scope"),
        ("&scope=a&scope=b", "invalid_request"),
        ("&resource=urn:nowhere", "invalid_target"),
        ("&response_mode=query", "invalid_request"),
        ("&response_mode=form_post", "invalid_request"),
        ("&response_mode=fragment&response_mode=fragment", "invalid_request"),
        ("&response_mode=%zz", "invalid_request"),
        ("&response_type=token", "invalid_request"),
        ("&response_type=code", "invalid_request"),
        ("&request=eyJ", "request_not_supported"),
        ("&prompt=none%20login", "invalid_request"),
        ("&max_age=x", "invalid_request"),
    ] {
        let answer = told(&world, further).await;
        assert!(answer.location().starts_with("https://app.example/cb#error="), "{answer:?}");
        assert_eq!(answer.fragment("error").as_deref(), Some(error), "{further}");
        assert_eq!(answer.fragment("state").as_deref(), Some("xyz"), "{further}");
        assert_eq!(answer.fragment("iss").as_deref(), Some("https://id.example"), "{further}");
    }
    world.sign_in("ada");
    assert_eq!(told(&world, "&prompt=none").await.fragment("error").unwrap(), "consent_required");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world)).await;
    let denied = browser.answer(&world, &page, "decision=no").await;
    assert_eq!(denied.fragment("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.fragment("state").as_deref(), Some("xyz"));

    let codes = World::set_up(Policy::safe(), |new| new, on).await;
    assert_eq!(told(&codes, "").await.fragment("error").unwrap(), "unauthorized_client");
    let answer = codes.ask(&mut Browser::default(), &codes.asking()).await;
    assert!(answer.location().starts_with("/sign-in?"), "codes work as before: {answer:?}");
    let mut asked = world.asking();
    asked.response_type = ResponseType::Code;
    let answer = world.ask(&mut Browser::default(), &asked).await;
    assert_eq!(answer.query("error"), "unauthorized_client");
}

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_gets_a_page_and_never_a_redirect() {
    let world = world().await;
    for (query, reason) in [
        ("client_id=nobody", "unknown_client"),
        ("client_id={id}&redirect_uri=https://evil.example/", "redirect_uri_not_registered"),
        ("client_id={id}&redirect_uri=https://app.example/cb%23", "redirect_uri_not_registered"),
    ] {
        let query = query.replace("{id}", &world.client.id);
        let path = format!("/oauth/authorize?response_type=token&{query}");
        let answer = Browser::default().get(&world, &path).await;
        assert_eq!((answer.status(), answer.header("location")), (400, ""), "{query}");
        assert_eq!(answer.reason(), reason, "{query}");
    }
}

#[tokio::test]
async fn what_binds_a_code_is_ignored() {
    let world = World::set_up(Policy::safe(), |new| old(new).first_party(), on).await;
    world.sign_in("ada");
    for further in [
        "",
        "&response_mode=fragment",
        "&code_challenge=x",
        "&code_challenge_method=S512",
        "&code_challenge=a&code_challenge=b",
        "&code_challenge=%zz",
        "&nonce=n&nonce=n",
    ] {
        let answer = told(&world, further).await;
        assert!(world.is_good(&answer.fragment("access_token").unwrap()).await, "{further}");
    }
    let public = NewClient::public("Photo app").redirect_uri(CALLBACK).first_party().require_pkce();
    let clock = ManualClock::new();
    let store = MemoryStore::new(clock.env());
    let world = World::build(store, clock, Policy::safe(), old(public), on).await;
    assert!(approved(&world, &asking(&world)).await.fragment("access_token").is_some());
}

#[tokio::test]
async fn users_are_asked_once_where_the_redirect_reaches_the_client_alone() {
    let world = world().await;
    let asked = asking(&world);
    assert!(approved(&world, &asked).await.fragment("access_token").is_some());
    let mut none = asking(&world);
    none.extra.push(("prompt".into(), "none".into()));
    let again = world.ask(&mut Browser::default(), &none).await;
    assert!(world.is_good(&again.fragment("access_token").unwrap()).await);
    let grants = &world.server.consents("ada").await.unwrap()[0].grants;
    assert_eq!(grants.len(), 2);
    let mut consent = asking(&world);
    consent.extra.push(("prompt".into(), "consent".into()));
    let page = world.ask(&mut Browser::default(), &consent).await;
    assert!(!page.ticket().is_empty());
    world.sign_in("grace");
    assert!(!world.ask(&mut Browser::default(), &asked).await.ticket().is_empty());

    // The secret of the client protects a code there. A token needs none.
    for uri in ["http://127.0.0.1/cb", "com.example.photos:/cb"] {
        let native = |new: NewClient| {
            new.redirect_uris([uri])
                .grant_types([GrantType::AuthorizationCode, GrantType::Implicit])
                .first_party()
        };
        let world = World::set_up(Policy::safe(), native, on).await;
        world.sign_in("ada");
        for _ in 0..2 {
            let mut browser = Browser::default();
            let page = world.ask(&mut browser, &asking(&world)).await;
            let back = browser.answer(&world, &page, "decision=all").await;
            assert!(back.location().starts_with(&format!("{uri}#access_token=")), "{back:?}");
        }
        let code = world.ask(&mut Browser::default(), &world.asking()).await;
        assert!(code.location().starts_with(&format!("{uri}?code=")), "{code:?}");
    }
}

#[tokio::test]
async fn a_page_that_gives_a_token_gives_one_and_every_further_answer_gets_a_page() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world)).await;
    let back = browser.answer(&world, &page, "decision=all").await;
    let token = back.fragment("access_token").unwrap();
    assert!(world.is_good(&token).await);
    assert_eq!(world.server.consents("ada").await.unwrap()[0].grants.len(), 1);
    for other in ["decision=all", "decision=only&scope=photos:read", "decision=no"] {
        let answer = browser.answer(&world, &page, other).await;
        assert_eq!((answer.status(), answer.reason()), (409, "ticket_answered"));
    }
    world.clock.advance(Duration::from_secs(61));
    let late = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((late.status(), late.reason()), (409, "ticket_answered"));
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    assert!(!world.is_good(&token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_who_answer_a_page_one_gets_a_token() {
    let world = Arc::new(world().await);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = Arc::new(world.ask(&mut browser, &asking(&world)).await);
    let answers = at_once(&world, |world| {
        let (mut browser, page) = (browser.clone(), page.clone());
        async move { browser.answer(&world, &page, "decision=all").await }
    });
    let mut tokens = BTreeSet::new();
    for answer in answers.await {
        match answer.status() {
            409 => assert_eq!(answer.reason(), "ticket_answered"),
            _ => assert!(tokens.insert(answer.fragment("access_token").unwrap())),
        }
    }
    assert_eq!(tokens.len(), 1);
    let consents = world.server.consents("ada").await.unwrap();
    assert_eq!((consents.len(), consents[0].grants.len()), (1, 1));
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    for token in tokens {
        assert!(!world.is_good(&token).await);
    }
}

#[tokio::test]
async fn the_application_is_asked_before_the_token_is_issued() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let hook = move |server| {
        on(server).before_issue(move |mut token| {
            let call = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                assert_eq!(*token.occasion(), Occasion::Grant(GrantType::Implicit));
                match call {
                    0 => return Err(NotIssued::unavailable("the database is away")),
                    1 => return Err(NotIssued::refused("the account is disabled")),
                    _ => {}
                }
                for name in ["state", "iss", "code", "access_token", "error", "refresh_token"] {
                    token.add_member(name, "x".into()).unwrap_err();
                }
                token.add_member("tenant", "north & south".into())?;
                token.add_member("album", 7.into())?;
                token.keep_scopes(&Scopes::of(["photos:read"]));
                token.set_lifetime(Duration::from_secs(60));
                Ok(token)
            }
        })
    };
    let world = World::set_up(Policy::safe(), old, hook).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world)).await;
    let failed = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((failed.status(), failed.header("location")), (503, ""));
    let refused = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(refused.fragment("error").as_deref(), Some("access_denied"));
    assert_eq!(refused.fragment("state").as_deref(), Some("xyz"));
    assert_eq!(refused.fragment("access_token"), None);
    let back = browser.answer(&world, &page, "decision=all").await;
    for (name, value) in [
        ("tenant", "north & south"),
        ("album", "7"),
        ("scope", "photos:read"),
        ("expires_in", "60"),
        ("state", "xyz"),
    ] {
        assert_eq!(back.fragment(name).as_deref(), Some(value), "{name}");
    }
    assert!(world.is_good(&back.fragment("access_token").unwrap()).await);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_token_has_the_audience_the_format_the_lifetime_and_the_data_of_any_other() {
    let lifetimes =
        Lifetimes { access_token: Some(Duration::from_secs(300)), ..Lifetimes::default() };
    let client = |new: NewClient| old(new).lifetimes(lifetimes);
    let server = |server: AuthorizationServer| {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let keys = SigningKeys::new(key, quadrille::Timestamp::from_seconds(0)).unwrap();
        let server = on(server).signing_keys(keys);
        server.access_token_format_for(API, AccessTokenFormat::Jwt).unwrap()
    };
    let world = World::set_up(Policy::safe(), client, server).await;
    world.sign_in("ada");
    let mut asked = asking(&world);
    asked.resource = Resources::of([API]).unwrap();
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asked).await;
    let back = browser.answer(&world, &page, "decision=all&album=7").await;
    assert_eq!(back.fragment("expires_in").as_deref(), Some("300"));
    let token = back.fragment("access_token").unwrap();
    assert_eq!(token.split('.').count(), 3, "{token}");
    let api = NewClient::confidential("API").resource_server(Resources::of([API]).unwrap());
    let api = world.server.register(api).await.unwrap();
    let mut form = quadrille::form::FormWriter::new();
    form.append("token", &token);
    form.append("client_id", &api.client.id);
    form.append("client_secret", api.secret.unwrap().expose());
    let request = Request::post("/oauth/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.finish()))
        .unwrap();
    let answer = world.send(request).await.json();
    assert_eq!((&answer["active"], &answer["sub"]), (&json!(true), &json!("ada")));
    assert_eq!((&answer["aud"], &answer["album"]), (&json!(API), &json!(7)));
    assert_eq!(answer["client_id"], json!(&*world.client.id));
}

#[tokio::test]
async fn with_it_codes_may_be_in_the_fragment_too() {
    let both = |new: NewClient| new.grant_types([GrantType::AuthorizationCode]);
    let world = World::set_up(Policy::safe(), both, on).await;
    let mut asked = world.asking();
    asked.extra.push(("response_mode".into(), "fragment".into()));
    let back = approved(&world, &asked).await;
    assert!(back.location().starts_with("https://app.example/cb#code="), "{back:?}");
    let tokens = world.redeem(&back.fragment("code").unwrap()).await.tokens();
    assert!(world.is_good(&tokens.access).await);
    asked.scope = Some(Scopes::of(["photos:delete"]));
    let error = world.ask(&mut Browser::default(), &asked).await;
    assert_eq!(error.fragment("error").as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn a_page_that_was_open_when_the_grant_ended_gives_no_token() {
    let both =
        |new: NewClient| new.grant_types([GrantType::AuthorizationCode, GrantType::Implicit]);
    let world = World::set_up(Policy::safe(), both, on).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world)).await;
    let fewer = |_: &_, new: NewClient| new.grant_types([GrantType::AuthorizationCode]);
    world.server.edit_client(&world.client.id, fewer).await.unwrap();
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((answer.status(), answer.reason()), (400, "client_changed"));

    // Another process, on the same database, which does not offer it.
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let process = async |set: fn(AuthorizationServer) -> AuthorizationServer| {
        let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
        let new = old(NewClient::confidential("Printer").redirect_uri(CALLBACK));
        World::build(store, clock.clone(), Policy::safe(), new, set).await
    };
    let (world, other) = (process(on).await, process(|server| server).await);
    for world in [&world, &other] {
        world.sign_in("ada");
    }
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world)).await;
    let answer = browser.answer(&other, &page, "decision=all").await;
    assert_eq!((answer.status(), answer.header("location")), (400, ""));
    assert!(browser.answer(&world, &page, "decision=all").await.fragment("access_token").is_some());
}
