//! Session management: a page of an application asks the frame of the provider whether its user is
//! still signed in there (OpenID Connect Session Management 1.0).

use axum::{Router, response::Html, routing::get};

use crate::support::{
    Browser, Client, Provider, Site, element, heading, in_a_browser, press, sign_in,
};

/// The page at the redirect URI: it frames the provider's page, and asks it when it is told to. The
/// provider's page is also in a frame of another origin, whose messages it must not answer.
fn page(frame: &str, client: &str) -> String {
    format!(
        "<!doctype html><title>Shop</title><h1>Shop</h1><output></output>
         <iframe id=provider src='{frame}'></iframe><iframe id=stranger></iframe>
         <script>
           const answer = new URLSearchParams(location.search);
           const provider = document.querySelector('#provider');
           const origin = new URL(provider.src).origin;
           const loaded = new Promise(done => provider.onload = done);
           window.ask = async (text) => {{
             await loaded;
             const heard = new Promise(done => addEventListener('message', event => {{
               if (event.source === provider.contentWindow && event.origin === origin)
                 done(event.data);
             }}, {{ once: true }}));
             provider.contentWindow.postMessage(text, origin);
             return heard;
           }};
           window.mine = '{client} ' + answer.get('session_state');
           document.querySelector('output').textContent = answer.get('error') || 'logged in';
         </script>"
    )
}

/// The page of another origin: it asks the frame of the page around it.
fn stranger(asked: &str) -> String {
    format!(
        "<!doctype html><script>
           addEventListener('message', event => parent.postMessage('heard ' + event.data, '*'));
           parent.frames[0].postMessage('{asked}', '*');
         </script>"
    )
}

/// The answer of the provider's frame to a message.
async fn ask(browser: &Browser, expression: &str) -> String {
    let script =
        format!("const [done] = arguments; window.ask({expression}).then(done, e => done('' + e))");
    let answer = browser.execute_async(script, vec![]).await.unwrap();
    answer.json().as_str().unwrap().to_owned()
}

async fn told(browser: &Browser) -> String {
    heading(browser, "Shop").await;
    element(browser, "//output[text()]").await.text().await.unwrap()
}

/// The URL of an authorization request.
fn asking(client: &Client, further: &str) -> String {
    format!("{}{further}", client.question().replace("photos%3Aread", "openid"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_notices_that_its_user_signs_out_at_the_provider_in_another_tab() {
    in_a_browser("session-frames", async |browser| {
        let on = ["--set", "openid=true", "--set", "openid_session_management=true"];
        let provider = Provider::start(&on);
        let frame = provider.url("/oauth/check_session");
        // The page knows its `client_id` only after the site has its port.
        let known = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
        let (of_page, of_stranger) = (known.clone(), known.clone());
        let site = Site::start(async |_| {
            let shop = async move || {
                let client = of_page.get().map(String::as_str).unwrap_or_default();
                Html(page(&frame, client))
            };
            let stranger = async move || {
                let client = of_stranger.get().map(String::as_str).unwrap_or_default();
                Html(stranger(&format!("{client} {}", "0".repeat(64))))
            };
            Router::new().route("/shop", get(shop)).route("/stranger", get(stranger))
        })
        .await;
        let shop = site.near("/shop");
        let client = provider.add("Shop", &shop, &["--scope", "openid", "--first-party"]);
        known.set(client.id.clone()).unwrap();

        browser.goto(asking(&client, "")).await.unwrap();
        sign_in(browser).await;
        assert_eq!(told(browser).await, "logged in");
        assert_eq!(ask(browser, "window.mine").await, "unchanged");
        assert_eq!(ask(browser, "window.mine.replace(' ', 'x ')").await, "changed");
        for malformed in ["'x'", "'x '", "' x'", "''", "{ a: 1 }", "undefined"] {
            assert_eq!(ask(browser, malformed).await, "error", "{malformed}");
        }
        // A frame of another origin on the page is refused: it learns nothing but that.
        let heard = "const [url, done] = arguments; \
                     addEventListener('message', event => { \
                         if (String(event.data).startsWith('heard ')) done(event.data); }); \
                     document.querySelector('#stranger').src = url;";
        let url = site.far("/stranger").into();
        let heard = browser.execute_async(heard, vec![url]).await.unwrap();
        assert_eq!(heard.json(), "heard error");

        // The same user, asked again without a page, is another salt of the same state.
        browser.goto(asking(&client, "&prompt=none")).await.unwrap();
        assert_eq!(told(browser).await, "logged in");
        assert_eq!(ask(browser, "window.mine").await, "unchanged");

        let here = browser.window().await.unwrap();
        let there = browser.new_tab().await.unwrap();
        browser.turn_to(&there).await;
        browser.goto(provider.url("/")).await.unwrap();
        press(browser, "Sign out").await;
        heading(browser, "You are signed out").await;
        browser.turn_to(&here).await;
        assert_eq!(ask(browser, "window.mine").await, "changed");
        browser.goto(asking(&client, "&prompt=none")).await.unwrap();
        assert_eq!(told(browser).await, "login_required");
        // The page waits for the next sign-in with what it got beside the error.
        assert_eq!(ask(browser, "window.mine").await, "unchanged");
        browser.turn_to(&there).await;
        browser.goto(provider.url("/")).await.unwrap();
        sign_in(browser).await;
        heading(browser, "Your applications").await;
        browser.turn_to(&here).await;
        assert_eq!(ask(browser, "window.mine").await, "changed");
    })
    .await;
}
