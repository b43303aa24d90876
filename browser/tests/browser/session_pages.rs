//! Session management: a website made with the consumer notices by a frame of its own that its user
//! has signed out at the provider (OpenID Connect Session Management 1.0, section 3.1).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use quadrille::{
    After, Authorized, Failed, Hooks, KeyRing, Login, SpecBuf, consumer::MemoryStorage,
};

use crate::support::{Browser, Provider, Site, heading, in_a_browser, press, sign_in};

const GUIDE: &str = include_str!("../../../docs/src/consumer/openid-logout.md");

/// The frame and the script of the guide.
fn of_the_guide() -> &'static str {
    let blocks = GUIDE.split("```html\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.contains("quadrille-session")).unwrap()
}

/// The website, which has one visitor.
#[derive(Default)]
struct Shop {
    /// The `session_state` of the visitor's login.
    session: Mutex<Option<String>>,
    logins: AtomicUsize,
}

async fn home(State(shop): State<Arc<Shop>>) -> Html<String> {
    let is_in = shop.session.lock().unwrap().is_some();
    let body = match is_in {
        true => format!("<h1>Your basket</h1>{}", of_the_guide()),
        false => "<h1>Nobody is logged in</h1><a href=/login/acme>Log in</a>".to_owned(),
    };
    Html(format!("<!doctype html><title>Shop</title>{body}"))
}

async fn session(login: Login, State(shop): State<Arc<Shop>>) -> quadrille::Result<Response> {
    let state = shop.session.lock().unwrap().clone().unwrap_or_default();
    let page = login.session_page("acme", &state).await?;
    Ok(page.map_or(StatusCode::NOT_FOUND.into_response(), |page| page.map(Body::from)))
}

async fn arrived(new: Authorized, State(shop): State<Arc<Shop>>) {
    shop.logins.fetch_add(1, Ordering::Relaxed);
    *shop.session.lock().unwrap() = new.callback_parameter("session_state").map(str::to_owned);
}

async fn failed(failed: Failed, State(shop): State<Arc<Shop>>) -> After {
    assert_eq!(failed.error.status(), StatusCode::FORBIDDEN, "{}", failed.error);
    *shop.session.lock().unwrap() = None;
    After::answer(Redirect::to("/"))
}

/// The next answer of the provider's frame to that of the website.
async fn heard(browser: &Browser) -> String {
    let script = "const [done] = arguments, frame = document.querySelector('iframe');
         const listen = () => frame.contentWindow.addEventListener('message', e => done(e.data));
         frame.addEventListener('load', listen);
         listen();";
    let heard = browser.execute_async(script, vec![]).await.unwrap();
    heard.json().as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_website_notices_that_its_user_signs_out_at_the_provider_in_another_tab() {
    in_a_browser("session-pages", async |browser| {
        let on = ["--set", "openid=true", "--set", "openid_session_management=true"];
        let provider = Provider::start(&on);
        let shop = Arc::new(Shop::default());
        let site = Site::start(async |port| {
            let url = format!("http://localhost:{port}");
            let callback = format!("{url}/login/acme/authorized");
            let client =
                provider.add_with("Shop", &callback, &["--scope", "openid", "--first-party"]);
            let acme =
                SpecBuf::oidc("acme", client.issuer).client(client.id, client.secret.unwrap());
            let login = Login::new(KeyRing::ephemeral(), url)
                .with(acme.allow_parameters(["prompt"]))
                .storage(MemoryStorage::new())
                .hooks(Hooks::new(shop.clone()).on_authorized(arrived).on_error(failed));
            login.check().unwrap();
            let of_login = login.clone();
            let framed = async move |shop: State<Arc<Shop>>| session(of_login, shop).await;
            let pages = Router::new().route("/", get(home)).route("/session", get(framed));
            login.attach(pages.with_state(shop.clone()))
        })
        .await;
        browser.goto(site.near("/")).await.unwrap();
        press(browser, "Log in").await;
        sign_in(browser).await;
        heading(browser, "Your basket").await;
        assert_eq!(heard(browser).await, "unchanged");

        let here = browser.window().await.unwrap();
        let there = browser.new_tab().await.unwrap();
        browser.turn_to(&there).await;
        browser.goto(provider.url("/")).await.unwrap();
        press(browser, "Sign out").await;
        heading(browser, "You are signed out").await;
        browser.turn_to(&here).await;
        heading(browser, "Nobody is logged in").await;
        assert_eq!(shop.logins.load(Ordering::Relaxed), 1);
    })
    .await;
}
