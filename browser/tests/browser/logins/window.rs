//! A login in a window of its own.

use axum::{Router, response::Html, routing::get};

use thirtyfour::WindowHandle;

use super::Emulator;
use crate::support::{Browser, PATIENCE, Site, element, heading, in_a_browser, press};

/// A page with a button that opens the login, and a list of the messages that arrive.
fn opener(login: &str) -> String {
    format!(
        "<!doctype html><title>Opener</title><h1>An album</h1><button>Log in</button><ul></ul>
         <script>
           document.querySelector('button').onclick = () =>
             open('{login}/login/github?popup=1&next=/album', 'login', 'popup,width=480,height=640');
           addEventListener('message', ({{ origin, data }}) => {{
             const line = document.createElement('li');
             line.textContent = origin + ' ' + JSON.stringify(data);
             document.querySelector('ul').append(line);
           }});
         </script>"
    )
}

/// Presses the button. Returns the window that it opens.
async fn open_login(browser: &Browser) -> WindowHandle {
    let known = browser.windows().await.unwrap();
    element(browser, "//button").await.click().await.unwrap();
    let opening = tokio::time::timeout(PATIENCE, async {
        loop {
            let all = browser.windows().await.unwrap();
            if let Some(new) = all.into_iter().find(|window| !known.contains(window)) {
                return new;
            }
        }
    });
    opening.await.expect("another window")
}

/// Approves the request in the window, and waits until the window has closed itself.
async fn allow_and_close(browser: &Browser, window: &WindowHandle, opener: &WindowHandle) {
    heading(browser, "Log in with GitHub").await;
    browser.keep("window").await;
    element(browser, "//button[contains(., 'Allow as ada')]").await.click().await.unwrap();
    let closing = tokio::time::timeout(PATIENCE, async {
        while browser.windows().await.unwrap().contains(window) {}
    });
    closing.await.expect("the window closes itself");
    browser.switch_to_window(opener.clone()).await.unwrap();
}

/// The messages that the opener got, up to one that it sends to itself: messages keep their order.
async fn messages(browser: &Browser) -> Vec<String> {
    browser.execute("window.postMessage('the last', '*')", vec![]).await.unwrap();
    element(browser, "//li[contains(., 'the last')]").await;
    let lines = "return [...document.querySelectorAll('li')].map(line => line.textContent)";
    let lines = browser.execute(lines, vec![]).await.unwrap();
    let mut lines: Vec<String> = serde_json::from_value(lines.json().clone()).unwrap();
    lines.pop();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_tells_the_outcome_to_the_one_origin() {
    in_a_browser("window", async |browser| {
        let emulator = Emulator::start().await;
        let site = Site::start(async |port| {
            let own = format!("http://localhost:{port}");
            let login = emulator.login(port).pop_up(&own);
            login.check().unwrap();
            let page = opener(&own);
            let home = Router::new()
                .route("/", get(async || Html(page)))
                .route("/album", get(super::home));
            login.attach(home)
        })
        .await;
        browser.goto(site.near("/")).await.unwrap();
        let first = browser.window().await.unwrap();
        let window = open_login(browser).await;
        browser.switch_to_window(window.clone()).await.unwrap();
        allow_and_close(browser, &window, &first).await;
        let origin = site.near("");
        let told = r#"{"type":"quadrille","service":"github","next":"/album"}"#;
        assert_eq!(messages(browser).await, [format!("{origin} {told}")]);
        browser.keep("told").await;
        browser.goto(site.near("/album")).await.unwrap();
        heading(browser, "The album of Ada Lovelace").await;

        // A page of another origin opens the same window: the user may log in, but the page learns
        // nothing of it.
        let page = opener(&origin);
        let elsewhere = Router::new().route("/", get(async || Html(page)));
        let elsewhere = Site::start(async |_| elsewhere).await;
        browser.goto(elsewhere.far("/")).await.unwrap();
        let window = open_login(browser).await;
        browser.switch_to_window(window.clone()).await.unwrap();
        heading(browser, "Log in with GitHub?").await;
        browser.keep("asked").await;
        press(browser, "Go on to GitHub").await;
        allow_and_close(browser, &window, &first).await;
        assert_eq!(messages(browser).await, [""; 0]);
    })
    .await;
}
