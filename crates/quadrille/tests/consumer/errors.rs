use std::error::Error as StdError;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use quadrille::{
    Error, GitHub, KeyRing, Linked, Login, Service, Spec,
    consumer::{MemoryStorage, OperatorError},
    recover,
    transport::Purpose,
};

use crate::support::{Browser, SECRET, SITE, World, pages};

/// An application's own error type, around anything.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made")]
struct AppError(#[source] Box<dyn StdError + Send + Sync>);

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for AppErrorBox {
    fn from(error: E) -> Self {
        Self(AppError(error.into()))
    }
}

struct AppErrorBox(AppError);

impl IntoResponse for AppErrorBox {
    fn into_response(self) -> Response {
        recover(&self.0).unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
    }
}

#[tokio::test]
async fn an_applications_own_error_type_sends_visitors_to_log_in() {
    async fn deep(visitor: quadrille::Visitor) -> Result<String, AppErrorBox> {
        let github = visitor.linked("github").await?;
        let _: serde_json::Value = github.get("missing").await?;
        Ok(String::new())
    }
    async fn other() -> Result<(), AppErrorBox> {
        Err(std::io::Error::other("disk").into())
    }
    let world = World::new();
    let app = Router::new().route("/deep", get(deep)).route("/other", get(other));
    let mut browser = Browser::new(world.login().attach(app));
    assert_eq!(browser.visit("/deep?x=1").await.location(), "/login/github?next=%2Fdeep%3Fx%3D1");
    assert_eq!(browser.visit("/other").await.status, StatusCode::IM_A_TEAPOT);
}

/// A request of a script on a page of this site.
async fn fetch(browser: &mut Browser, path: &str) -> crate::support::Page {
    let request = http::Request::get(path)
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-site", "same-origin")
        .header("accept", "*/*");
    browser.send(request.body(axum::body::Body::empty()).unwrap()).await
}

fn json(page: &crate::support::Page) -> serde_json::Value {
    assert_eq!(page.headers["content-type"], "application/json", "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store", "{page:?}");
    serde_json::from_str(&page.text).unwrap()
}

#[tokio::test]
async fn a_layer_without_the_routes_of_the_login_says_so() {
    let world = World::new();
    let mut browser = Browser::new(pages().layer(world.login().layer()));
    let to_login = browser.visit("/").await;
    let page = browser.visit(to_login.location()).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.has_code("routes_missing"), "{}", page.text);
    for elsewhere in ["/login/unknown", "/login", "/nowhere"] {
        assert_eq!(browser.visit(elsewhere).await.status, StatusCode::NOT_FOUND, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_handler_whose_router_was_not_attached_says_so() {
    let mut browser = Browser::new(pages());
    for path in ["/", "/maybe"] {
        let page = browser.visit(path).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.has_code("not_attached"));
        assert!(page.text.contains("call Login::attach"), "{}", page.text);
        let told = fetch(&mut browser, path).await;
        assert_eq!(told.status, StatusCode::INTERNAL_SERVER_ERROR);
        let told = json(&told);
        assert_eq!(told["error"], "not_attached");
        assert!(told["message"].as_str().unwrap().contains("call Login::attach"), "{told}");
    }
}

#[tokio::test]
async fn a_handler_for_a_service_that_was_not_added_says_so() {
    let world = World::new();
    let other = Login::new(KeyRing::ephemeral(), SITE)
        .with(quadrille::Twitter::new("our-key", SECRET))
        .http(world.service.clone());
    let none = Login::new(KeyRing::ephemeral(), SITE);
    for (login, code) in [(other, "service_not_added"), (none, "no_services")] {
        let mut browser = Browser::new(login.attach(pages()));
        let page = browser.visit("/").await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "a mistake of ours");
        assert!(page.has_code(code) && page.text.contains("Login::with"), "{page:?}");
        let told = json(&fetch(&mut browser, "/maybe").await);
        assert_eq!(told["error"], code);
    }
}

#[tokio::test]
async fn a_fetch_is_told_every_error_as_json_and_a_person_by_a_page() {
    async fn api(github: Linked<GitHub>) -> quadrille::Result<()> {
        let _: serde_json::Value = github.get("missing").await?;
        Ok(())
    }
    let world = World::new();
    let app = pages().route("/api", get(api));
    let mut browser = Browser::new(world.login().attach(app));
    browser.log_in(&world.service, "/login/github", 7).await;
    let refuse = || {
        world.service.answers_next(Purpose::Api, StatusCode::NOT_FOUND, "no such thing");
    };
    refuse();
    let page = browser.visit("/api").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.has_code("api_error") && page.text.contains("github"), "{}", page.text);
    assert!(!page.text.contains("makes no login") && !page.text.contains("no such thing"));
    refuse();
    let page = fetch(&mut browser, "/api").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    let told = json(&page);
    assert_eq!((&told["error"], &told["service"]), (&"api_error".into(), &"github".into()));
    assert!(!page.headers.contains_key("content-security-policy"));
    // A form's answer is looked at by a person.
    let login = |mode: &'static str| {
        let request = http::Request::get("/login/gitlab").header("sec-fetch-mode", mode);
        request.body(axum::body::Body::empty()).unwrap()
    };
    assert!(browser.send(login("navigate")).await.has_code("service_unknown"));
    let told = browser.send(login("cors")).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
    assert_eq!(json(&told)["error"], "service_unknown");
    let told = fetch(&mut browser, "/login/github/authorized?code=x&state=y").await;
    assert_eq!(json(&told)["error"], "state_unknown");
    let told = fetch(&mut browser, "/login/github/arrived?code=x&state=y").await;
    assert_eq!(json(&told)["error"], "state_unknown");
}

#[test]
fn what_main_prints_of_an_error_is_for_people() {
    let missing = GitHub::from_env().unwrap_err();
    let expected = "set the environment variable GITHUB_OAUTH_CLIENT_ID (variable_missing)";
    assert_eq!(format!("{missing:?}"), expected);
    let missing = KeyRing::from_env("QUADRILLE_TEST_NO_SUCH_KEYS").unwrap_err();
    assert!(format!("{missing:?}").starts_with("set QUADRILLE_TEST_NO_SUCH_KEYS to one"));
}

#[test]
fn a_wrong_configuration_is_named_at_start() {
    struct Odd<const N: usize>;
    impl<const N: usize> Service for Odd<N> {
        const SPEC: Spec = [
            Spec::oauth2(
                "odd one",
                "https://a.example/a",
                "https://a.example/t",
                "https://a.example",
            )
            .build(),
            Spec::oauth2("odd", "http://a.example/a", "https://a.example/t", "https://a.example")
                .build(),
            Spec::oauth2("odd", "https://a.example/a", "/token", "https://a.example").build(),
            Spec::oauth2("odd", "https://a.example/a", "https://a.example/t", "api").build(),
        ][N];
    }
    let code = |login: Login| login.check().err().map(|error| error.code());
    let site = |url: &str| Login::new(KeyRing::ephemeral(), url);
    let github = || GitHub::new("our-id", SECRET);
    let azure = |tenant: &str| quadrille::Microsoft::new("our-id", SECRET).tenant(tenant);
    for (login, expected) in [
        (site("https://app.example").with(github()), None),
        (site("https://app.example/app/").with(github()), None),
        (site("http://localhost:3000").with(github()), None),
        (site("http://127.0.0.1:3000").with(github()), None),
        (site("http://[::1]:3000").with(github()), None),
        (site("http://app.localhost:3000").with(github()), None),
        (site(SITE), Some("no_services")),
        (site(SITE).with(GitHub::new("", SECRET)), Some("client_id_malformed")),
        (site(SITE).with(GitHub::new(" ", SECRET)), Some("client_id_malformed")),
        (site(SITE).with(GitHub::new("our-id\n", SECRET)), Some("client_id_malformed")),
        (site(SITE).with(GitHub::new(" our-id", SECRET)), Some("client_id_malformed")),
        (site(SITE).with(GitHub::public_client("")), Some("client_id_malformed")),
        (site(SITE).with(GitHub::new("our-id", "")), Some("secret_missing")),
        (site(SITE).with(GitHub::new("our-id", " ")), Some("secret_missing")),
        (site(SITE).with(quadrille::Twitter::new("", SECRET)), Some("client_id_malformed")),
        (site(SITE).with(quadrille::Twitter::new("our-key", "")), Some("secret_missing")),
        (site(SITE).with(github().scopes("user \"gist\"")), Some("scope_malformed")),
        (site(SITE).with(github().scopes("user\ngist")), Some("scope_malformed")),
        (site(SITE).with(github().allow_scopes("gi\u{df}t")), Some("scope_malformed")),
        (site(SITE).with(azure("")), Some("endpoint_malformed")),
        (site(SITE).with(azure("{tenant}")), Some("endpoint_malformed")),
        (site(SITE).with(azure("a b")), Some("endpoint_malformed")),
        (site(SITE).with(azure("acme.example")), None),
        (site("http://app.example"), Some("public_url_insecure")),
        (site("http://localhost.example"), Some("public_url_insecure")),
        (site("http://10.0.0.1"), Some("public_url_insecure")),
        (site("app.example"), Some("public_url_malformed")),
        (site(""), Some("public_url_malformed")),
        (site("https://app.example/?x=1"), Some("public_url_malformed")),
        (site("https://app.example/#x"), Some("public_url_malformed")),
        (site("https://user@app.example"), Some("public_url_malformed")),
        (site("ftp://app.example"), Some("public_url_malformed")),
        (site("https://app.example/?"), Some("public_url_malformed")),
        (site("https://app.example/#"), Some("public_url_malformed")),
        (site("https://:secret@app.example"), Some("public_url_malformed")),
        (site("https://@app.example"), Some("public_url_malformed")),
        (site(" https://app.example"), Some("public_url_malformed")),
        (site("https://app.example\n"), Some("public_url_malformed")),
        (site("https://app.exa\tmple"), Some("public_url_malformed")),
        (site(SITE).at("login"), Some("mount_malformed")),
        (site(SITE).at("/"), Some("mount_malformed")),
        (site(SITE).at("/a//b"), Some("mount_malformed")),
        (site(SITE).at("/a/../b"), Some("mount_malformed")),
        (site(SITE).at("/{a}"), Some("mount_malformed")),
        (site(SITE).at("/admin/login").with(github()), None),
        (site(SITE).with(github()).with(github()), Some("service_repeated")),
        (site(SITE).with(github()).with(github().named("github-admin")), None),
        (site(SITE).with(Odd::<0>::client("a", "b")), Some("service_name_malformed")),
        (site(SITE).with(Odd::<1>::client("a", "b")), Some("endpoint_malformed")),
        (site(SITE).with(Odd::<2>::client("a", "b")), Some("endpoint_malformed")),
        (site(SITE).with(Odd::<3>::client("a", "b")), Some("endpoint_malformed")),
    ] {
        let shown = format!("{login:?}");
        assert_eq!(code(login), expected, "{shown}");
        assert!(!shown.contains(SECRET));
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_a_page_too() {
    let login = Login::new(KeyRing::ephemeral(), "http://app.example").with(GitHub::new("a", "b"));
    let mut browser = Browser::new(login.attach(pages()));
    for path in ["/", "/login/github", "/login/github/authorized?code=x&state=y"] {
        let page = browser.visit(path).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(page.has_code("public_url_insecure"), "{path}");
    }
    let login = Login::new(KeyRing::ephemeral(), SITE).at("nonsense");
    let _: Router = login.attach(Router::new());
}

#[test]
fn a_missing_variable_is_named() {
    let error = GitHub::from_env().err();
    let Some(Error::Operator(OperatorError::VariableMissing { name, .. })) = error else {
        panic!("{error:?}")
    };
    assert_eq!(&*name, "GITHUB_OAUTH_CLIENT_ID");
    struct MyGitea;
    impl Service for MyGitea {
        const SPEC: Spec = Spec::oauth2(
            "my-gitea",
            "https://git.example/a",
            "https://git.example/t",
            "https://git.example/",
        )
        .build();
    }
    let error = MyGitea::client_from_env().unwrap_err();
    assert_eq!(error.to_string(), "set the environment variable MY_GITEA_OAUTH_CLIENT_ID");
}

/// A storage that says it lasts.
struct Lasting(MemoryStorage);

mod lasting {
    use quadrille::{
        Owner, Result,
        consumer::{Account, Change, Context, Replaced, Stored, Token, TokenStorage},
    };

    impl TokenStorage for super::Lasting {
        fn is_durable(&self) -> bool {
            true
        }
        async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
            self.0.link(cx, account, token).await
        }
        async fn load(
            &self,
            cx: &Context<'_>,
            owner: &Owner,
            service: &str,
            subject: Option<&str>,
        ) -> Result<Option<Stored>> {
            self.0.load(cx, owner, service, subject).await
        }
        async fn replace(
            &self,
            cx: &Context<'_>,
            seen: &Stored,
            change: Change<'_>,
        ) -> Result<Replaced> {
            self.0.replace(cx, seen, change).await
        }
        async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
            self.0.unlink(cx, account).await
        }
        async fn accounts(
            &self,
            cx: &Context<'_>,
            service: &str,
            after: Option<&Account>,
            limit: usize,
        ) -> Result<Vec<Stored>> {
            self.0.accounts(cx, service, after, limit).await
        }
    }
}

#[test]
fn keys_that_end_with_the_process_are_refused_beside_a_storage_that_lasts() {
    let world = World::new();
    let login = world.login().storage(Lasting(MemoryStorage::new()));
    assert_eq!(login.check().unwrap_err(), OperatorError::EphemeralKeys.into());
    let lasting = KeyRing::new([&[7; 32]]).unwrap();
    let login = world.login_with(lasting).storage(Lasting(MemoryStorage::new()));
    assert_eq!(login.check(), Ok(()));
}

#[tokio::test]
async fn the_type_in_a_handler_stands_for_its_service() {
    let world = World::new();
    async fn who(github: Linked<GitHub>) -> String {
        github.service().to_owned()
    }
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET).named("code"))
        .http(world.service.clone());
    let mut browser = Browser::new(login.attach(Router::new().route("/who", get(who))));
    let away = browser.go("/who").await;
    assert!(away.location().contains("%2Flogin%2Fcode%2Fauthorized"), "{away:?}");
    let query = world.service.consent(away.location(), 7).unwrap();
    assert_eq!(browser.go(&format!("/login/code/authorized?{query}")).await.text, "code");
}

#[test]
fn what_others_made_up_breaks_no_line_of_the_log() {
    let world = World::new();
    let log = crate::canary::logged(async {
        let mut browser = Browser::new(world.login().attach(pages()));
        let long = "n".repeat(30_000);
        let names = ["%0Aname", "%1B%5B2Jname", "n%E2%80%AEame", "a%00b", &*long];
        for name in names {
            for path in [format!("/login/{name}"), format!("/login/{name}/authorized?state=x")] {
                let page = browser.visit(&path).await;
                assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");
            }
        }
        let hostile = format!("x\\n\\u001b[2J{}", "y".repeat(100_000));
        for body in [
            format!("{{\"access_token\":\"a\",\"token_type\":\"{hostile}\"}}"),
            format!("{{\"access_token\":\"a\",\"token_type\":[\"{hostile}\"]}}"),
            format!("{{\"error\":\"{hostile}\",\"error_description\":\"{hostile}\"}}"),
            format!("{{\"error\":{{\"type\":\"{hostile}\",\"message\":\"{hostile}\"}}}}"),
            format!("{{\"error\":{}}}", "1".repeat(100_000)),
            hostile.clone(),
        ] {
            world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, body);
            let page = browser.log_in(&world.service, "/album", 7).await;
            assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{page:?}");
        }
        for query in ["error=x%0Ay%1B", "error=%0A&error_description=%0A%1B"] {
            let away = browser.go("/album").await;
            let good = world.service.consent(away.location(), 7).unwrap();
            let state = good.split('&').find(|pair| pair.starts_with("state=")).unwrap();
            browser.visit(&format!("/login/github/authorized?{query}&{state}")).await;
        }
    });
    let ours: Vec<_> = log.lines().filter(|line| line.contains("quadrille")).collect();
    assert!(ours.len() > 15, "{log}");
    for line in ours {
        assert!(line.len() < 600, "{} bytes: {}", line.len(), &line[..200]);
    }
    for char in log.chars().filter(|char| *char != '\n') {
        assert!(!char.is_control() && char != '\u{202e}', "{char:?} in {log}");
    }
    assert!(log.lines().all(|line| line.starts_with('2')), "each line begins with its time: {log}");
}

/// RFC 6749, section 4.1.2.1.
#[test]
fn a_refusal_of_the_service_is_none_of_its_response_and_the_log_has_its_words() {
    let world = World::new();
    let log = crate::canary::logged(async {
        let mut browser = Browser::new(world.login().attach(pages()));
        let away = browser.go("/album").await;
        let refused = world.service.refuse(away.location(), "invalid_scope".into()).unwrap();
        let words = "error_description=no%20such%20scope%0A%E2%80%AE";
        let page = browser.visit(&format!("/login/github/authorized?{refused}&{words}")).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{page:?}");
        assert!(page.text.contains("refused this login (invalid_scope)"), "{page:?}");
        assert!(!page.text.contains("cannot be used"), "{page:?}");
    });
    let words = "error=\"invalid_scope\" error_description=\"no such scope\"";
    assert!(log.contains(words), "{log}");
}
