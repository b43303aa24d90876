//! The demo, a browser in front of it, and the pages as people see them.

mod browser;

pub(crate) use browser::Browser;

use std::{net::SocketAddr, time::Duration};

use quadrille_server::demo::{Demo, PASSWORD, USER};
use thirtyfour::prelude::*;
use tokio::{sync::oneshot, task::JoinHandle};

/// How long a page may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const OFTEN: Duration = Duration::from_millis(25);

/// The demo, running in this process on ports of its own until it is dropped.
pub(crate) struct Running {
    pub(crate) website: String,
    pub(crate) provider: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let demo = Demo::start(Some(any_port), Some(any_port)).await.expect("the demo starts");
        let (website, provider) = (demo.website().to_owned(), demo.provider().to_owned());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(demo.run(async {
            let _ = stopped.await;
        }));
        Self { website, provider, stop: Some(stop), task: Some(task) }
    }

    /// Stops it, and sees that it does.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            tokio::time::timeout(PATIENCE, task).await.expect("the demo stops").unwrap();
        }
    }
}

/// What a test does: `async |browser: Browser, demo| ...` against a fresh demo. Afterwards the browser's log
/// must hold no violation of a Content-Security-Policy.
pub(crate) async fn visit<T>(
    name: &'static str,
    test: impl AsyncFn(&Browser, &Running) -> T + 'static,
) where
    T: 'static,
{
    let demo = Running::start().await;
    let browser = Browser::start(name).await;
    let tasks = tokio::task::LocalSet::new();
    let (browser, demo) = (std::rc::Rc::new(browser), std::rc::Rc::new(demo));
    let outcome = tasks
        .run_until(async {
            let (browser, demo) = (browser.clone(), demo.clone());
            // On a task of its own, so that the browser is closed also when the test fails.
            tokio::task::spawn_local(async move {
                test(&browser, &demo).await;
            })
            .await
        })
        .await;
    drop(tasks);
    let browser = std::rc::Rc::into_inner(browser).expect("the test has ended");
    let demo = std::rc::Rc::into_inner(demo).expect("the test has ended");
    if outcome.is_err() {
        browser.keep("failed").await;
        eprintln!("the browser was at {}", browser.place().await);
    }
    let violations = browser.quit().await;
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
    demo.stop().await;
    assert!(violations.is_empty(), "the browser complains: {violations:#?}");
}

/// Waits until the page has this heading.
pub(crate) async fn heading(browser: &WebDriver, text: &str) {
    element(browser, &format!("//h1[contains(normalize-space(.), \"{text}\")]")).await;
}

/// Waits for what `xpath` names.
pub(crate) async fn element(browser: &WebDriver, xpath: &str) -> WebElement {
    let found = browser.query(By::XPath(xpath)).wait(PATIENCE, OFTEN).first().await;
    match found {
        Ok(element) => element,
        Err(error) => {
            let text = match browser.find(By::Tag("body")).await {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            let at = browser.current_url().await.map(String::from).unwrap_or_default();
            panic!("no {xpath} at {at} ({error}). The page says:\n{text}");
        }
    }
}

/// Presses the button, or follows the link, with this text.
pub(crate) async fn press(browser: &WebDriver, text: &str) {
    let xpath = format!("//*[self::button or self::a][contains(normalize-space(.), \"{text}\")]");
    click(&element(browser, &xpath).await).await;
}

/// Clicks what leads to another page, and waits until this one is gone: the next page may have the same heading.
async fn click(leads_on: &WebElement) {
    leads_on.click().await.unwrap();
    leads_on.wait_until().wait(PATIENCE, OFTEN).stale().await.expect("another page");
}

/// Fills in the provider's sign-in form and sends it.
pub(crate) async fn sign_in(browser: &WebDriver) {
    let name = element(browser, "//input[@name='username']").await;
    name.clear().await.unwrap();
    name.send_keys(USER).await.unwrap();
    let password = element(browser, "//input[@name='password']").await;
    password.send_keys(PASSWORD).await.unwrap();
    password.send_keys(Key::Enter + "").await.unwrap();
    password.wait_until().wait(PATIENCE, OFTEN).stale().await.expect("another page");
}

/// Waits for the consent page and answers it.
pub(crate) async fn decide(browser: &WebDriver, decision: &str) {
    let button = format!("//button[@name='decision'][@value='{decision}']");
    click(&element(browser, &button).await).await;
}
