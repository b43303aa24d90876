//! Each fact that a row can say about a service of OAuth 2, against a fake service that has it.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use quadrille::{
    Apple, Error, KeyRing, Linked, Login, Owner, Scopes, Service, Spec, SpecBuf, Zoho,
    consumer::{
        Account, Begin, BrowserError, CookieStorage, Jar, MemoryStorage, OAuth2, OAuth2Buf,
        OperatorError, Protocol, Revocation, RevokedAtService, ServiceError, Token,
    },
    scope::ScopeSeparator,
    testing::{Asked, Emulated, FakeService, Manners, ManualClock, Refresh},
    transport::Purpose,
};

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Begins a service with the usual endpoints.
const fn acme() -> Spec<OAuth2> {
    Spec::oauth2(
        "acme",
        "https://acme.example/authorize",
        "https://acme.example/token",
        "https://api.acme.example/v1",
    )
}

/// Makes a service of a spec and manners.
macro_rules! service {
    ($service:ident, $spec:expr, { $($manner:ident: $value:expr),* $(,)? }) => {
        struct $service;
        impl Service for $service {
            const SPEC: Spec = $spec.build();
        }
        impl Emulated for $service {
            const MANNERS: Manners = {
                #[allow(unused_mut)]
                let mut manners = Manners::STANDARD;
                $(manners.$manner = $value;)*
                manners
            };
        }
    };
}

/// An application with the service `S`.
struct World {
    fake: FakeService,
    login: Login,
    clock: ManualClock,
}

impl World {
    fn of<S: Emulated>() -> Self {
        let (fake, clock) = (FakeService::of::<S>("our-id", SECRET), ManualClock::new());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(S::client("our-id", SECRET))
            .storage(MemoryStorage::new())
            .http(fake.clone())
            .env(clock.env());
        login.check().unwrap();
        Self { fake, login, clock }
    }

    async fn account(&self) -> quadrille::Result<Account> {
        let (jar, owner) = (Jar::new(&HeaderMap::new()), Owner::user(1));
        let begin = Begin::new("acme").owner(&owner);
        let url = self.login.begin(&jar, &begin).await?;
        let query = self.fake.consent(&url, 7).expect("a right request");
        let jar = Jar::new(&carry(&jar));
        Ok(self.login.finish(&jar, "acme", &query, &owner).await?.account)
    }

    async fn linked<S: Service>(&self) -> Linked<S> {
        self.login.linked(&self.account().await.unwrap()).await.unwrap()
    }

    fn last(&self) -> Asked {
        self.fake.asked().pop().unwrap()
    }
}

fn url(asked: &Asked) -> String {
    asked.request.uri().to_string()
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.request.headers()[name].to_str().unwrap()
}

async fn call<S: Service>(linked: &Linked<S>) -> quadrille::Result<serde_json::Value> {
    linked.get("anything").await
}

service!(Refreshing, acme().identity("me", "id").refresh_endpoint("https://acme.example/refresh"), {
    refresh: Refresh::Lasting,
    lifetime: Some(HOUR),
});

#[tokio::test]
async fn a_refresh_goes_to_its_own_endpoint_and_keeps_a_token_that_is_not_replaced() {
    let world = World::of::<Refreshing>();
    let linked = world.linked::<Refreshing>().await;
    for round in 1..=3 {
        world.clock.advance(HOUR);
        call(&linked).await.unwrap();
        assert_eq!(world.fake.times_asked(Purpose::Refresh), round);
    }
    let asked = world.fake.asked();
    let urls = |purpose| asked.iter().filter(move |asked| asked.purpose == purpose).map(url);
    assert!(urls(Purpose::Refresh).all(|url| url == "https://acme.example/refresh"));
    assert!(urls(Purpose::RedeemCode).all(|url| url == "https://acme.example/token"));
}

const HEADERS: &[(&str, &str)] =
    &[("Client-Id", "{client_id}"), ("Accept", "application/vnd.acme+json; version=3")];

service!(
    Particular,
    acme().identity("me", "id").call_headers(HEADERS).token_scheme("Acme-token"),
    {}
);

#[tokio::test]
async fn each_call_has_the_services_headers_and_scheme() {
    let world = World::of::<Particular>();
    let linked = world.linked::<Particular>().await;
    assert_eq!(world.last().purpose, Purpose::Identity, "{:?}", world.last());
    call(&linked).await.unwrap();
    let asked = world.last();
    assert_eq!(header(&asked, "client-id"), "our-id");
    assert_eq!(header(&asked, "accept"), "application/vnd.acme+json; version=3");
    assert!(header(&asked, "authorization").starts_with("Acme-token access-canary"));
    let error = linked.request(Method::GET, "x").header("accept", "text/plain").send().await;
    assert!(matches!(error, Err(Error::Api { .. })), "the fake service requires its own");
    assert_eq!(header(&world.last(), "accept"), "text/plain", "the call decides");
}

service!(
    Scattered,
    acme().identity("me", "id").api_in_token("instance_url", "acme.example acme-eu.example"),
    {
        api_origin: Some("https://na7.acme.example"),
        refresh: Refresh::Lasting,
        lifetime: Some(HOUR),
    }
);

#[tokio::test]
async fn calls_go_to_the_accounts_own_host() {
    let world = World::of::<Scattered>();
    let linked = world.linked::<Scattered>().await;
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/me");
    call(&linked).await.unwrap();
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
    let at_home = linked.get::<serde_json::Value>("https://api.acme.example/v1/x").await;
    assert_eq!(at_home.unwrap_err(), OperatorError::ForeignOrigin.into());
    // A refresh may name no host, or another one.
    let answer = r#"{"access_token":"access-canary-1"}"#;
    world.fake.answers_next(Purpose::Refresh, StatusCode::OK, answer);
    world.clock.advance(HOUR);
    let _ = call(&linked).await;
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
}

#[tokio::test]
async fn no_token_goes_to_a_host_that_is_not_the_services() {
    for origin in [
        "https://evil.example",
        "https://acme.example.evil.example",
        "https://evilacme.example",
        "http://na7.acme.example",
        "https://acme.example@evil.example",
        "https://user@na7.acme.example",
        "//na7.acme.example",
        "na7.acme.example",
        "",
    ] {
        let world = World::of::<Scattered>();
        let answer = serde_json::json!({ "access_token": "a", "instance_url": origin });
        world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer.to_string());
        let error = world.account().await.unwrap_err();
        let malformed = ServiceError::Malformed { status: StatusCode::OK };
        let expected = Error::Service { service: "acme".into(), error: malformed };
        assert_eq!(error, expected, "{origin}");
        assert_eq!(world.last().purpose, Purpose::RedeemCode, "{origin}");
    }
    for odd in ["7", "[]", "{}"] {
        let world = World::of::<Scattered>();
        let answer = format!(r#"{{"access_token":"a","instance_url":{odd}}}"#);
        world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
        assert!(world.account().await.is_err(), "{odd}");
    }
}

#[tokio::test]
async fn a_stored_token_is_not_sent_to_a_host_that_is_not_the_services() {
    let fake = FakeService::of::<Scattered>("our-id", SECRET);
    let token = Token::new("secret").api("https://evil.example");
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Scattered::client("our-id", SECRET))
        .storage(MemoryStorage::everyone_has("acme", token))
        .http(fake.clone());
    let account = Account { owner: Owner::user(1), service: "acme".into(), subject: "".into() };
    let linked = login.linked::<Scattered>(&account).await.unwrap();
    assert_eq!(call(&linked).await.unwrap_err(), OperatorError::ForeignOrigin.into());
    assert_eq!(linked.profile().await.unwrap_err(), OperatorError::ForeignOrigin.into());
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_cookie_remembers_the_accounts_host() {
    let world = World::of::<Scattered>();
    let login = world.login.clone().storage(CookieStorage);
    let jar = Jar::new(&HeaderMap::new());
    let link = login.begin(&jar, &Begin::new("acme")).await.unwrap();
    let query = world.fake.consent(&link, 7).unwrap();
    let jar = Jar::new(&carry(&jar));
    login.finish(&jar, "acme", &query, &Owner::NOBODY).await.unwrap();
    let routes = axum::Router::new().route(
        "/",
        axum::routing::get(async |acme: Linked<Scattered>| call(&acme).await.map(|_| "called")),
    );
    let mut browser = crate::support::Browser::new(login.attach(routes));
    let cookies = carry(&jar);
    for pair in cookies["cookie"].to_str().unwrap().split("; ") {
        let (name, value) = pair.split_once('=').unwrap();
        browser.cookies.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(browser.visit("/").await.text, "called");
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
}

service!(Json, acme().identity("me", "id").secret_in_json_body().scopes("read"), {
    refresh: Refresh::Rotating,
    lifetime: Some(HOUR),
});

#[tokio::test]
async fn the_token_request_may_be_json() {
    let world = World::of::<Json>();
    let linked = world.linked::<Json>().await;
    world.clock.advance(HOUR);
    call(&linked).await.unwrap();
    for purpose in [Purpose::RedeemCode, Purpose::Refresh] {
        let asked = world.fake.asked();
        let asked = asked.iter().find(|asked| asked.purpose == purpose).unwrap();
        assert_eq!(header(asked, "content-type"), "application/json");
        assert!(!asked.request.headers().contains_key("authorization"));
        let body: serde_json::Value = serde_json::from_slice(asked.request.body()).unwrap();
        assert_eq!(
            (&body["client_id"], &body["client_secret"]),
            (&"our-id".into(), &SECRET.into())
        );
    }
}

service!(Posting, acme().identity("me", "id").identity_by_post(""), {});
service!(Querying, acme().identity("me", "id").identity_by_post("{\"query\":\"x\"}"), {});

#[tokio::test]
async fn claims_may_be_requested_by_post() {
    let world = World::of::<Posting>();
    let account = world.account().await.unwrap();
    assert_eq!(&*account.subject, "7");
    assert_eq!(*world.last().request.method(), Method::POST);
    assert!(world.last().request.body().is_empty());
    let world = World::of::<Querying>();
    let account = world.account().await.unwrap();
    assert_eq!(&*account.subject, "7");
    assert_eq!(&world.last().request.body()[..], br#"{"query":"x"}"#);
    assert_eq!(header(&world.last(), "content-type"), "application/json");
    // A token that the service refuses is confirmed by the same request.
    let linked = world.login.linked::<Querying>(&account).await.unwrap();
    world.clock.advance(HOUR);
    world.fake.answers_next(Purpose::Api, StatusCode::UNAUTHORIZED, "");
    assert!(matches!(call(&linked).await, Err(Error::Api { .. })), "the token is alive");
    assert_eq!(&world.last().request.body()[..], br#"{"query":"x"}"#);
}

service!(
    Telling,
    acme()
        .identity("users/{subject}", "id")
        .identity_in_token("who.id")
        .profile(&[("name", "login")]),
    {}
);

#[tokio::test]
async fn a_token_response_may_say_who_it_is() {
    let world = World::of::<Telling>();
    let linked = world.linked::<Telling>().await;
    assert_eq!(&*linked.subject(), "7");
    assert_eq!(world.fake.times_asked(Purpose::Identity), 0, "nothing is asked for it");
    let profile = linked.profile().await.unwrap();
    assert_eq!((&*profile.subject, profile.name.as_deref()), ("7", Some("user-7")));
    assert_eq!(url(&world.last()), "https://api.acme.example/v1/users/7");

    let answer = r#"{"access_token":"a","who":{"id":7.5}}"#;
    world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
    let error = world.account().await.unwrap_err();
    let expected = Error::Service { service: "acme".into(), error: ServiceError::SubjectMissing };
    assert_eq!(error, expected);
}

service!(Silent, acme().identity_in_token("uid"), {});
service!(Nameless, acme(), {});

#[tokio::test]
async fn a_service_without_claims_has_a_profile_only_if_it_identifies() {
    let world = World::of::<Silent>();
    let profile = world.linked::<Silent>().await.profile().await.unwrap();
    assert_eq!((&*profile.subject, profile.name), ("7", None));
    let world = World::of::<Nameless>();
    let error = world.linked::<Nameless>().await.profile().await.unwrap_err();
    assert_eq!(error, OperatorError::ServiceMismatch { service: "acme".into() }.into());
}

service!(Listing, acme().scopes("a b"), { scope_as_array: true });
service!(
    Redirecting,
    acme()
        .scopes("a b")
        .scopes_in_callback()
        .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma),
    { scope_in_callback: true, scope_separator: ScopeSeparator::Comma, scopes: Some("a") }
);

#[tokio::test]
async fn granted_scopes_are_an_array_or_in_the_callback() {
    let world = World::of::<Listing>();
    world.fake.change(|its| its.scopes = Some("a c"));
    assert_eq!(world.linked::<Listing>().await.scopes(), Scopes::of(["a", "c"]));
    let world = World::of::<Redirecting>();
    assert_eq!(world.linked::<Redirecting>().await.scopes(), Scopes::of(["a"]));
}

service!(Flagging, acme().identity("me", "id").failure_flag("ok"), {});

#[tokio::test]
async fn a_failure_under_200_is_an_error() {
    let world = World::of::<Flagging>();
    let linked = world.linked::<Flagging>().await;
    call(&linked).await.unwrap();
    let no = r#"{"ok":false,"error":"channel_not_found"}"#;
    world.fake.answers_next(Purpose::Api, StatusCode::OK, no);
    let error = call(&linked).await.unwrap_err();
    let Error::Api { status, body, .. } = error else { panic!("{error:?}") };
    assert_eq!((status, &*body), (StatusCode::OK, no.as_bytes()));
    world.fake.answers_next(Purpose::Identity, StatusCode::OK, no);
    assert!(matches!(linked.profile().await, Err(Error::Api { .. })));
    world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, r#"{"ok":false,"error":"x"}"#);
    let refused = ServiceError::TokenRefused { error: "x".into() };
    let expected = Error::Service { service: "acme".into(), error: refused };
    assert_eq!(world.account().await.unwrap_err(), expected);
}

service!(
    Saying,
    acme().identity("me", "id").failure_flag("ok").dead_token("error.code", "190 invalid_auth"),
    {}
);

#[tokio::test]
async fn a_service_may_say_in_its_own_way_that_a_token_is_invalid() {
    for (status, body, is_dead) in [
        (400, r#"{"error":{"code":190}}"#, true),
        (200, r#"{"ok":false,"error":{"code":"invalid_auth"}}"#, true),
        (400, r#"{"error":{"code":4}}"#, false),
        (200, r#"{"ok":false,"error":{"code":"no_channel"}}"#, false),
        (200, r#"{"ok":true,"error":{"code":"invalid_auth"}}"#, false),
        (500, r#"{"error":{"code":190}}"#, false),
    ] {
        let world = World::of::<Saying>();
        let linked = world.linked::<Saying>().await;
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Api, status, body);
        let young = call(&linked).await;
        assert!(!matches!(young, Err(Error::NotLinked(_))), "a new token is not known everywhere");
        world.clock.advance(HOUR);
        world.fake.answers_next(Purpose::Api, status, body);
        let answer = call(&linked).await;
        assert_eq!(matches!(answer, Err(Error::NotLinked(_))), is_dead, "{status} {body}");
        let again = world.login.linked::<Saying>(&linked.account()).await;
        assert_eq!(again.is_err(), is_dead, "{status} {body}");
    }
}

const PROFILE: &[(&str, &str)] = &[
    ("preferred_username", "login"),
    ("name", "{first} {last}"),
    ("email", "mail"),
    ("email_verified", "checked"),
    ("picture", "pictures.0.url"),
];

service!(Describing, acme().identity("me", "id").profile(PROFILE), {
    account: r#"{"id":$ID,"login":"ada","first":"Ada","last":"Lovelace","mail":"ada@example.com",
        "checked":true,"pictures":[{"url":"https://p.example/ada.png"}],"more":[1]}"#,
});
service!(Mailing, acme().identity("me", "id").profile(PROFILE).email_list("me/emails"), {
    account: r#"{"id":$ID,"login":"ada","mail":null}"#,
});

#[tokio::test]
async fn a_profile_is_read_from_the_services_claims() {
    let world = World::of::<Describing>();
    let profile = world.linked::<Describing>().await.profile().await.unwrap();
    assert_eq!(profile.subject, "7");
    assert_eq!(profile.user_name.as_deref(), Some("ada"));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.email_verified, Some(true));
    assert_eq!(profile.picture.as_deref(), Some("https://p.example/ada.png"));
    assert_eq!(profile.raw["more"][0], 1);
}

#[tokio::test]
async fn an_address_from_a_list_is_the_primary_one_and_no_address_is_no_error() {
    let world = World::of::<Mailing>();
    let linked = world.linked::<Mailing>().await;
    let profile = linked.profile().await.unwrap();
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.email_verified, Some(true));
    let me = r#"{"id":7,"mail":"public@example.com"}"#;
    for (status, is_error) in [(403, false), (404, false), (503, true), (429, true)] {
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Identity, StatusCode::OK, me);
        world.fake.answers_next(Purpose::Identity, status, "{}");
        let profile = linked.profile().await;
        assert_eq!(profile.is_err(), is_error, "{status}");
        if let Ok(profile) = profile {
            assert_eq!(profile.email.as_deref(), Some("public@example.com"));
            assert_eq!(profile.email_verified, None, "nothing says that it is");
        }
    }
}

#[test]
fn a_malformed_fact_is_named_at_start() {
    let check = |change: fn(&mut SpecBuf)| {
        let client = Nameless::client("our-id", SECRET).with_spec(change);
        Login::new(KeyRing::ephemeral(), SITE).with(client).check().unwrap_err()
    };
    let service = || "acme".into();
    let member = Error::from(OperatorError::MemberMalformed { service: service() });
    let endpoint = Error::from(OperatorError::EndpointMalformed { service: service() });
    assert_eq!(check(|its| its.profile = vec![("nick".into(), "name".into())]), member);
    assert_eq!(check(|its| its.profile = vec![("name".into(), "{name".into())]), member);
    assert_eq!(check(|its| its.required_claim = Some(("hd".into(), "*".into()))), member);
    assert_eq!(check(|its| its.call_headers = vec![("a b".into(), "c".into())]), endpoint);
    assert_eq!(check(|its| its.email_list = Some("http://acme.example/emails".into())), endpoint);
    let oauth2 = |its: &mut SpecBuf, change: fn(&mut OAuth2Buf)| {
        let Protocol::OAuth2(oauth2) = &mut its.protocol else { panic!("it is OAuth 2") };
        change(oauth2);
    };
    for change in [
        (|its| its.refresh = Some("http://acme.example/refresh".into())) as fn(&mut OAuth2Buf),
        |its| its.token_scheme = "a\nb".into(),
        |its| its.revocation = Some(("http://acme.example/x".into(), Revocation::Standard)),
    ] {
        let client = Nameless::client("our-id", SECRET).with_spec(|its| oauth2(its, change));
        let error = Login::new(KeyRing::ephemeral(), SITE).with(client).check().unwrap_err();
        assert_eq!(error, endpoint);
    }
}

service!(
    Selective,
    acme()
        .identity("me", "id")
        .profile(&[("name", "login")])
        .required_claim("hd", "acme.example"),
    { account: r#"{"id":$ID,"login":"ada","hd":"acme.example"}"# }
);

#[tokio::test]
async fn an_account_without_the_required_claim_is_not_linked() {
    let world = World::of::<Selective>();
    world.account().await.unwrap();
    for account in [
        r#"{"id":$ID,"login":"ada","hd":"other.example"}"#,
        r#"{"id":$ID,"login":"ada","hd":""}"#,
        r#"{"id":$ID,"login":"ada"}"#,
    ] {
        let world = World::of::<Selective>();
        world.fake.change(|its| its.account = account);
        let error = world.account().await.unwrap_err();
        assert_eq!(error, BrowserError::AccountNotAllowed.into(), "{account}");
        let accounts = world.login.accounts::<Selective>().unwrap().next().await;
        assert!(accounts.is_none(), "nothing is stored: {accounts:?}");
    }
}

const REVOKE: &str = "https://acme.example/revoke";
service!(Standard, acme().identity("me", "id").revocation(REVOKE, Revocation::Standard), {
    refresh: Refresh::Lasting,
});
service!(Bare, acme().identity("me", "id").revocation(REVOKE, Revocation::WithoutSecret), {});
service!(
    Deleting,
    acme().identity("me", "id").revocation("apps/{client_id}/token", Revocation::DeleteByClient),
    {}
);
service!(Posted, acme().identity("me", "id").revocation(REVOKE, Revocation::PostAccessToken), {});
service!(Bearing, acme().identity("me", "id").revocation("revoke", Revocation::PostBearer), {});
service!(
    Permitting,
    acme().identity("me", "id").revocation("{subject}/permissions", Revocation::DeleteBearer),
    {}
);

async fn revokes<S: Emulated>(method: Method, to: &str, body: &str) {
    let world = World::of::<S>();
    let linked = world.linked::<S>().await;
    assert_eq!(linked.revoke_at_service().await, RevokedAtService::Revoked, "{to}");
    let asked = world.last();
    assert_eq!((asked.purpose, asked.request.method()), (Purpose::Revoke, &method), "{to}");
    assert_eq!(url(&asked), to);
    assert_eq!(String::from_utf8_lossy(asked.request.body()), body, "{to}");
    world.clock.advance(HOUR);
    assert!(matches!(call(&linked).await, Err(Error::NotLinked(_))), "{to}");
    // The account is still there until it is unlinked.
    world.fake.answers_next(Purpose::Revoke, StatusCode::SERVICE_UNAVAILABLE, "later");
    let linked = world.linked::<S>().await;
    let outcome = linked.revoke_at_service().await;
    let RevokedAtService::Failed(Error::Api { status, .. }) = outcome else {
        panic!("{to}: {outcome:?}");
    };
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{to}");
    call(&linked).await.unwrap();
}

#[tokio::test]
async fn a_token_is_revoked_as_the_service_reads_it() {
    let (post, delete) = (Method::POST, Method::DELETE);
    let body = "token=refresh-canary-2&token_type_hint=refresh_token";
    revokes::<Standard>(post.clone(), REVOKE, body).await;
    let body = "token=access-canary-2&token_type_hint=access_token&client_id=our-id";
    revokes::<Bare>(post.clone(), REVOKE, body).await;
    let to = "https://api.acme.example/v1/apps/our-id/token";
    revokes::<Deleting>(delete.clone(), to, r#"{"access_token":"access-canary-2"}"#).await;
    revokes::<Posted>(post.clone(), REVOKE, "access_token=access-canary-2").await;
    revokes::<Bearing>(post, "https://api.acme.example/v1/revoke", "").await;
    revokes::<Permitting>(delete, "https://api.acme.example/v1/7/permissions", "").await;
}

#[tokio::test]
async fn a_service_without_revocation_says_so_and_a_token_that_is_gone_is_revoked() {
    let world = World::of::<Nameless>();
    let linked = world.linked::<Nameless>().await;
    assert_eq!(linked.revoke_at_service().await, RevokedAtService::Unsupported);
    let world = World::of::<Bare>();
    let linked = world.linked::<Bare>().await;
    let gone = r#"{"error":"invalid_token"}"#;
    for (status, body, is_revoked) in [
        (400, gone, true),
        (400, r#"{"error":"invalid_client"}"#, false),
        (401, gone, false),
        (404, "", false),
        (302, "", false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Revoke, status, body);
        let outcome = linked.revoke_at_service().await;
        assert_eq!(outcome == RevokedAtService::Revoked, is_revoked, "{status} {body}");
    }
}

/// A login at Zoho whose callback names this authorization server.
async fn at_zoho(server: &str) -> (FakeService, ManualClock, Login, quadrille::Result<Account>) {
    let fake = FakeService::of::<Zoho>("our-id", SECRET);
    let origin = match server {
        "https://accounts.zoho.eu" => "https://www.zohoapis.eu",
        "https://accounts.zohocloud.ca" => "https://www.zohoapis.ca",
        _ => "https://www.zohoapis.com",
    };
    fake.change(|manners| manners.api_origin = Some(origin));
    let clock = ManualClock::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Zoho::new("our-id", SECRET).offline())
        .storage(MemoryStorage::new())
        .http(fake.clone())
        .env(clock.env());
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("zoho").owner(&Owner::user(1))).await.unwrap();
    let query = fake.consent(&url, 7).unwrap();
    let query = format!("{query}&location=x&accounts-server={}", server.replace(':', "%3A"));
    let jar = Jar::new(&carry(&jar));
    let done = login.finish(&jar, "zoho", &query, &Owner::user(1)).await;
    (fake, clock, login, done.map(|done| done.account))
}

#[tokio::test]
async fn the_account_is_served_by_the_data_centre_that_the_callback_names() {
    for (server, host, api) in [
        ("https://accounts.zoho.com", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("https://accounts.zoho.eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        (
            "https://accounts.zohocloud.ca",
            "https://accounts.zohocloud.ca",
            "https://www.zohoapis.ca",
        ),
    ] {
        let (fake, clock, login, done) = at_zoho(server).await;
        let account = done.unwrap();
        fake.ends_access_tokens();
        clock.advance(Duration::from_secs(7200));
        let zoho = login.linked::<Zoho>(&account).await.unwrap();
        zoho.get::<serde_json::Value>("crm/v8/users").await.unwrap();
        assert_eq!(zoho.revoke_at_service().await, RevokedAtService::Revoked);
        let urls: Vec<_> = fake.asked().iter().map(url).collect();
        let expected = [
            format!("{host}/oauth/v2/token"),
            format!("{host}/oauth/user/info"),
            format!("{host}/oauth/v2/token"),
            format!("{api}/crm/v8/users"),
            format!("{host}/oauth/v2/token/revoke"),
        ];
        assert_eq!(urls, expected, "{server}");
    }
}

#[tokio::test]
async fn no_code_goes_to_a_data_centre_that_is_not_the_services() {
    for server in [
        "https://evil.example",
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.eu.evil.example/",
        "https://accounts.zoho.com@evil.example",
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu:444",
        "accounts.zoho.eu",
    ] {
        let (fake, _, _, done) = at_zoho(server).await;
        assert_eq!(done.unwrap_err(), BrowserError::WrongIssuer.into(), "{server}");
        assert!(fake.asked().is_empty(), "{server}");
    }
    let twice = "https://accounts.zoho.eu&accounts-server=https://accounts.zoho.com";
    let (_, _, _, done) = at_zoho(twice).await;
    assert_eq!(done.unwrap_err(), BrowserError::CallbackMalformed.into());
}

#[tokio::test]
async fn a_secret_that_expires_is_made_for_each_request() {
    let fake = FakeService::of::<Apple>("our-id", "jwt-of-0");
    let clock = ManualClock::new();
    let start = clock.now();
    let apple =
        Apple::public_client("our-id").secret_by(move |now| match now.since(start).as_secs() {
            seconds if seconds < 5000 => Ok(format!("jwt-of-{seconds}")),
            _ => Err("no key"),
        });
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(apple)
        .storage(MemoryStorage::new())
        .http(fake.clone())
        .env(clock.env());
    login.check().unwrap();
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("apple").owner(&Owner::user(1))).await.unwrap();
    let (query, jar) = (fake.consent(&url, 7).unwrap(), Jar::new(&carry(&jar)));
    let done = login.finish(&jar, "apple", &query, &Owner::user(1)).await.unwrap();
    clock.advance(HOUR + Duration::from_secs(7));
    fake.ends_access_tokens();
    fake.changes_secret("jwt-of-3607");
    let linked = login.linked::<Apple>(&done.account).await.unwrap();
    linked.get::<serde_json::Value>("x").await.unwrap();
    clock.advance(HOUR);
    let error = linked.revoke_at_service().await;
    let expected = OperatorError::SecretNotMade { service: "apple".into() };
    assert_eq!(error, RevokedAtService::Failed(expected.into()));
}
