//! Pages under `Referrer-Policy: no-referrer`, whose forms Chromium sends with `Origin: null`.

use axum::{
    Router,
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};
use quadrille::{
    Authentication, Env, Scopes, Secret,
    provider::{
        Authorization, AuthorizationServer, Decision, NewClient, Reply, Step, store::MemoryStore,
    },
    scopes,
};
use serde::de::IgnoredAny;

use crate::support::{
    Client, Folder, Provider, Site, consumer, decide, heading, in_a_browser, press, sign_in,
};

scopes! {
    Photos = "photos:read", "See your photos";
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_own_pages_work_without_a_referrer() {
    in_a_browser("referrer-program", async |browser| {
        let templates = Folder::new();
        let base = include_str!("../../../crates/quadrille-server/templates/base.html");
        let quiet = "<head><meta name=\"referrer\" content=\"no-referrer\">";
        let base = base.replace("<head>", quiet);
        std::fs::write(templates.path().join("base.html"), base).unwrap();
        let provider = Provider::start(&["--templates", templates.path().to_str().unwrap()]);
        let callback = Site::blank().await;
        let client = provider.add("Printer", &callback.far("/callback"), &[]);

        browser.goto(client.question()).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        client.redeem(&browser.wait_until_at(&callback.far("/callback?code=")).await).await;
        browser.goto(provider.url("/")).await.unwrap();
        press(browser, "Withdraw").await;
        heading(browser, "Withdraw the access of").await;
        press(browser, "Withdraw").await;
        heading(browser, "Your applications").await;
        press(browser, "Sign out everywhere").await;
        heading(browser, "You are signed out everywhere").await;
        assert_eq!(browser.origins_sent().await, ["null"; 4], "the policy is in force");
    })
    .await;
}

/// The address of the page before would leave no room for that of the request.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_authorization_request_goes_on_after_the_sign_in() {
    in_a_browser("referrer-long", async |browser| {
        let provider = Provider::start(&[]);
        let callback = Site::blank().await;
        let client = provider.add("Printer", &callback.far("/callback"), &[]);
        let long = client.question().replace("state=s", &format!("state={}", "s".repeat(9000)));
        browser.goto(long).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        client.redeem(&browser.wait_until_at(&callback.far("/callback?code=")).await).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applications_own_consent_page_works_without_a_referrer() {
    in_a_browser("referrer-consent", async |browser| {
        let callback = Site::blank().await;
        let redirect_uri = callback.far("/callback");
        let mut client = None;
        let _site = Site::start(async |port| {
            let issuer = format!("http://localhost:{port}");
            let server = AuthorizationServer::new(&issuer, MemoryStore::new(Env::system()));
            let server = server.unwrap().scope::<Photos>();
            let new = NewClient::confidential("Printer").redirect_uri(&redirect_uri);
            let added = server.register(new.scopes(Scopes::of(["photos:read"]))).await.unwrap();
            let secret = added.secret.as_ref().map(Secret::expose);
            client = Some(Client::new(&issuer, &added.client.id, secret, &redirect_uri));
            let routes = Router::new()
                .route("/oauth/authorize", get(ask))
                .route("/oauth/consent", post(answer));
            server.attach(routes)
        })
        .await;
        let client = client.unwrap();
        browser.goto(client.question()).await.unwrap();
        press(browser, "Allow").await;
        client.redeem(&browser.wait_until_at(&callback.far("/callback?code=")).await).await;
        assert_eq!(browser.origins_sent().await, ["null"], "the policy is in force");
    })
    .await;
}

async fn ask(request: Authorization) -> Response {
    match request.step(Some(ada())).await {
        Step::SignIn(_) => panic!("ada is signed in"),
        Step::Done(reply) => reply.into_response(),
        Step::Consent(page) => {
            let fields = page.form_fields().into_iter();
            let fields = fields
                .map(|(name, value)| format!("<input type=hidden name={name} value=\"{value}\">"));
            let (action, fields) = (&page.action, fields.collect::<String>());
            let form = format!("<form method=post action={action}>{fields}<button>Allow</button>");
            Html(format!("<!doctype html><title>Consent</title>{form}</form>")).into_response()
        }
    }
}

async fn answer(decision: Decision<IgnoredAny>) -> Reply {
    decision.by(ada()).all().await
}

fn ada() -> Authentication {
    Authentication::new("ada", Env::system().now())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applications_own_login_form_works_without_a_referrer() {
    in_a_browser("referrer-login", async |browser| {
        let provider = Provider::start(&[]);
        let album = consumer::with_users(&provider).await;
        browser.goto(album.near("/as/44")).await.unwrap();
        browser.goto(album.near("/quiet")).await.unwrap();
        press(browser, "Link by form").await;
        sign_in(browser).await;
        decide(browser, "allow").await;
        heading(browser, "44 is linked").await;
        let origins = browser.origins_sent().await;
        assert_eq!(origins[0], "null", "the policy is in force");
    })
    .await;
}
