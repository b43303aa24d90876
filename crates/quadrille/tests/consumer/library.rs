use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{RawQuery, State},
    routing::get,
};
use http::{HeaderMap, Request};
use quadrille::{
    Error, GitHub, KeyRing, Login, Owner, Service, Spec, SpecBuf,
    consumer::{Begin, BrowserError, Jar, MemoryStorage, OperatorError, Protocol},
    scope::ScopeSeparator,
};
use tower::ServiceExt as _;
use url::Url;

use crate::support::{Browser, SECRET, SITE, World, pages};

/// The cookies of one answer as the next request's header.
pub(crate) fn carry(jar: &Jar) -> HeaderMap {
    let pairs: Vec<_> = jar
        .close()
        .iter()
        .map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned())
        .collect();
    let mut headers = HeaderMap::new();
    headers.insert("cookie", pairs.join("; ").parse().unwrap());
    headers
}

#[tokio::test]
async fn any_program_can_do_a_login_without_a_web_framework() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let leaving = Jar::new(&HeaderMap::new());
    let owner = Owner::user("ada");
    let begin = Begin::new("github").next("/album").owner(&owner).parameter("login", "ada");
    let url = login.begin(&leaving, &begin).await.unwrap();
    assert!(url.contains("login=ada"));
    let query = world.service.consent(&url, 7).unwrap();

    let other_browser = Jar::new(&HeaderMap::new());
    let error = login.finish(&other_browser, "github", &query, &owner).await.unwrap_err();
    assert_eq!(error, BrowserError::AttemptCookieMissing.into());
    let coming_back = Jar::new(&carry(&leaving));
    let bob = Owner::user("bob");
    let error = login.finish(&coming_back, "github", &query, &bob).await.unwrap_err();
    assert_eq!(error, BrowserError::UserChanged.into());
    let done = login.finish(&coming_back, "github", &query, &owner).await.unwrap();
    assert_eq!((&*done.next, &*done.account.subject), ("/album", "7"));
    let github = login.linked::<GitHub>(&done.account).await.unwrap();
    let me: serde_json::Value = github.get("user").await.unwrap();
    assert_eq!(me["login"], "user-7");
}

#[tokio::test]
async fn any_program_finds_the_account_of_a_requests_user_in_every_storage() {
    let world = World::new();
    let (ada, bob) = (Owner::user("ada"), Owner::user("bob"));
    for login in [world.login(), world.login().storage(MemoryStorage::new())] {
        for owner in [&Owner::NOBODY, &ada] {
            let leaving = Jar::new(&HeaderMap::new());
            let url = login.begin(&leaving, &Begin::new("github").owner(owner)).await.unwrap();
            let query = world.service.consent(&url, 7).unwrap();
            let back = Jar::new(&carry(&leaving));
            login.finish(&back, "github", &query, owner).await.unwrap();

            let later = Jar::new(&carry(&back));
            let github = login.linked_in_request::<GitHub>(&later, owner).await.unwrap();
            let me: serde_json::Value = github.get("user").await.unwrap();
            assert_eq!(me["login"], "user-7");
            let error = login.linked_in_request::<GitHub>(&later, &bob).await.unwrap_err();
            let Error::NotLinked(who) = error else { panic!("{error}") };
            assert_eq!(who.login_url, "/login/github");

            github.unlink().await.unwrap();
            let gone = login.linked_in_request::<GitHub>(&later, owner).await;
            assert!(matches!(gone, Err(Error::NotLinked(_))));
        }
    }
}

#[tokio::test]
async fn routes_of_ones_own_take_the_jar_and_return_it() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    // One request has one jar for all extractors.
    let begin = async |State(login): State<Login>, jar: Jar, same: Jar| {
        let url = login.begin(&jar, &Begin::new("github").next("/album")).await?;
        Ok::<_, Error>((same, url))
    };
    let finish = async |State(login): State<Login>, jar: Jar, RawQuery(query): RawQuery| {
        let done = login.finish(&jar, "github", &query.unwrap_or_default(), &Owner::NOBODY).await?;
        Ok::<_, Error>((jar, done.next))
    };
    let app =
        Router::new().route("/leave", get(begin)).route("/back", get(finish)).with_state(login);
    let ask = async |uri: &str, cookies: &HeaderMap| {
        let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        *request.headers_mut() = cookies.clone();
        let response = app.clone().oneshot(request).await.unwrap();
        let mut set = HeaderMap::new();
        for line in response.headers().get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            set.append("cookie", pair.parse().unwrap());
        }
        let body = to_bytes(response.into_body(), 9999).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), set)
    };
    let (url, cookies) = ask("/leave", &HeaderMap::new()).await;
    let query = world.service.consent(&url, 7).unwrap();
    let (next, removed) = ask(&format!("/back?{query}"), &cookies).await;
    assert_eq!(next, "/album");
    assert!(!removed.is_empty(), "the attempt's cookie is good once");
}

#[tokio::test]
async fn services_known_at_run_time_only_work_the_same() {
    let world = World::new();
    let mut login = Login::new(KeyRing::ephemeral(), SITE).http(world.service.clone());
    for tenant in 1..=3 {
        let base = format!("https://tenant-{tenant}.example");
        let mut spec = SpecBuf::oauth2(
            format!("tenant-{tenant}"),
            format!("{base}/authorize"),
            format!("{base}/token"),
            format!("{base}/api"),
        );
        spec.identity = Some(("user".into(), "id".into()));
        login = login.with(spec.client("our-id", SECRET));
    }
    async fn page(
        visitor: quadrille::Visitor,
        axum::extract::Path(tenant): axum::extract::Path<String>,
    ) -> quadrille::Result<String> {
        let account = visitor.linked(&tenant).await?;
        let me: serde_json::Value = account.get("user").await?;
        Ok(format!("{} is {}", account.service(), me["login"]))
    }
    let routes = Router::new().route("/at/{tenant}", get(page));
    let mut browser = Browser::new(login.attach(routes));
    for tenant in 1..=3_u64 {
        let away = browser.go(&format!("/at/tenant-{tenant}")).await;
        assert!(
            away.location().starts_with(&format!("https://tenant-{tenant}.example/authorize?"))
        );
        let query = world.service.consent(away.location(), tenant).unwrap();
        let page = browser.go(&format!("/login/tenant-{tenant}/authorized?{query}")).await;
        assert_eq!(page.text, format!("tenant-{tenant} is \"user-{tenant}\""));
    }
}

/// A service with every peculiarity that a row can say.
struct Odd;

impl Service for Odd {
    const SPEC: Spec = Spec::oauth2(
        "odd",
        "https://odd.example/authorize?tenant=a%20b",
        "https://odd.example/token",
        "https://odd.example/api/",
    )
    .title("Odd")
    .scopes("read write")
    .resources("https://odd.example/api urn:odd")
    .parameters(&[("prompt", "consent"), ("audience", "api & more")])
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .issuer_in_every_answer("https://odd.example")
    .secret_in_body()
    .without_pkce_because_the_service_fails_with_it()
    .build();
}

#[tokio::test]
async fn what_a_services_row_says_is_what_is_asked() {
    let world = World::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Odd::client("our-id", SECRET).parameter("lang", "en"))
        .http(world.service.clone());
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("odd")).await.unwrap();
    let parsed = Url::parse(&url).unwrap();
    let pairs: Vec<_> = parsed.query_pairs().map(|(k, v)| format!("{k}={v}")).collect();
    for pair in [
        "tenant=a b",
        "scope=read,write",
        "resource=https://odd.example/api",
        "resource=urn:odd",
        "prompt=consent",
        "audience=api & more",
        "lang=en",
    ] {
        assert!(pairs.iter().any(|known| known == pair), "{pair} in {pairs:?}");
    }
    assert!(!url.contains("code_challenge"));

    let query = world.service.consent(&url, 7).unwrap();
    let jar = Jar::new(&carry(&jar));
    let error = login.finish(&jar, "odd", &query, &Owner::NOBODY).await.unwrap_err();
    assert_eq!(error, BrowserError::WrongIssuer.into(), "it always names itself");
    let query = format!("{query}&iss=https%3A%2F%2Fodd.example");
    let done = login.finish(&jar, "odd", &query, &Owner::NOBODY).await.unwrap();
    assert_eq!(&*done.account.subject, "", "nothing says who it is");
    let asked = world.service.asked();
    let body = String::from_utf8_lossy(asked.last().unwrap().request.body()).into_owned();
    assert!(body.contains("resource=https%3A%2F%2Fodd.example%2Fapi&resource=urn%3Aodd"), "{body}");

    let wrong = Odd::client("our-id", SECRET).with_spec(|spec| {
        if let Protocol::OAuth2(oauth2) = &mut spec.protocol {
            oauth2.resources = "/api".into();
        }
    });
    let error = Login::new(KeyRing::ephemeral(), SITE).with(wrong).check().unwrap_err();
    assert_eq!(error, OperatorError::ResourceMalformed { service: "odd".into() }.into());
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_send() {
    let world = World::new();
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
        .with(GitHub::public_client("our-id"))
        .http(world.service.clone());
    let mut browser = Browser::new(login.attach(pages()));
    let page = browser.log_in(&world.service, "/album", 7).await;
    assert!(page.has_code("client_refused"), "this service wants one: {page:?}");
    let asked = world.service.asked();
    let body = String::from_utf8_lossy(asked[0].request.body()).into_owned();
    assert!(body.contains("client_id=our-id") && !body.contains("client_secret"), "{body}");
    assert!(browser.cookies.keys().all(|name| name.starts_with("quadrille-")), "http, loopback");
}
