//! Chromium under chromedriver, each with a fresh profile, both gone after the test.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use thirtyfour::{
    ChromiumCapabilities, ChromiumLikeCapabilities as _, LoggingPrefsLogLevel, WindowHandle,
    prelude::*,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// A browser window; dereferences to the [`WebDriver`].
pub(crate) struct Browser {
    name: &'static str,
    window: WebDriver,
    driver: Child,
    profile: PathBuf,
}

impl Deref for Browser {
    type Target = WebDriver;
    fn deref(&self) -> &WebDriver {
        &self.window
    }
}

impl Browser {
    pub(crate) async fn start(name: &'static str) -> Self {
        for program in [CHROMIUM, DRIVER] {
            assert!(
                Path::new(program).exists(),
                "{program} is missing: apt-get install --no-install-recommends chromium chromium-driver"
            );
        }
        let (driver, port) = start_driver().await;
        let profile =
            std::env::temp_dir().join(format!("quadrille-browser-{name}-{}", std::process::id()));
        let mut wishes = ChromiumCapabilities::new();
        // The driver knows Debian's browser by its family's name only.
        wishes.set("browserName", json!("chrome")).unwrap();
        wishes.set_binary(CHROMIUM).unwrap();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--hide-scrollbars",
            "--window-size=1280,1000",
        ] {
            wishes.add_arg(argument).unwrap();
        }
        wishes.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        wishes.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let window = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes).await.unwrap();
        Self { name, window, driver, profile }
    }

    /// Keeps what the window shows as `test-output/browser/{test}-{what}.png`.
    pub(crate) async fn keep(&self, what: &str) {
        let path = output(&format!("{}-{what}.png", self.name));
        if let Err(error) = self.window.screenshot(&path).await {
            eprintln!("no screenshot {}: {error}", path.display());
        }
    }

    /// Keeps the whole page, however long.
    pub(crate) async fn keep_whole(&self, what: &str) -> PathBuf {
        let path = output(&format!("{}-{what}.png", self.name));
        // What sticks to the top of the window would hide what is there.
        self.window.execute("window.scrollTo(0, 0)", vec![]).await.unwrap();
        let shot =
            self.cdp("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        let base64 = shot["data"].as_str().unwrap();
        std::fs::write(&path, BASE64_STANDARD.decode(base64).unwrap()).unwrap();
        path
    }

    /// Shows pages as on a screen of this width, in pixels; 0 for the window's own.
    pub(crate) async fn width(&self, width: u32, height: u32) {
        if width == 0 {
            self.cdp("Emulation.clearDeviceMetricsOverride", json!({})).await;
            return;
        }
        let mobile = width < 600;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Shows pages as people see them who prefer dark ones.
    pub(crate) async fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub(crate) async fn cdp(
        &self,
        command: &str,
        arguments: serde_json::Value,
    ) -> serde_json::Value {
        self.window.cdp().send_raw(command, arguments).await.unwrap()
    }

    /// Turns to another tab, which is in front then, as it is for people.
    pub(crate) async fn turn_to(&self, tab: &WindowHandle) {
        self.window.switch_to_window(tab.clone()).await.unwrap();
        self.cdp("Page.bringToFront", json!({})).await;
    }

    /// Waits until the window is at a page of `site`.
    pub(crate) async fn wait_until_at(&self, site: &str) {
        let there = async {
            while !self.place().await.starts_with(site) {
                tokio::time::sleep(super::OFTEN).await;
            }
        };
        if tokio::time::timeout(super::PATIENCE, there).await.is_err() {
            panic!("still at {}", self.place().await);
        }
    }

    pub(crate) async fn place(&self) -> String {
        self.window.current_url().await.map(String::from).unwrap_or_default()
    }

    /// Closes browser and driver. Says which policies the pages violated.
    pub(crate) async fn quit(mut self) -> Vec<String> {
        let log = self.window.browser_log().await;
        let quit = self.window.clone().quit().await;
        let _ = self.driver.kill().await;
        let _ = std::fs::remove_dir_all(&self.profile);
        quit.unwrap();
        log.unwrap()
            .into_iter()
            .map(|entry| entry.message)
            .filter(|message| {
                message.contains("Content Security Policy") || message.contains("Refused to ")
            })
            .collect()
    }
}

async fn start_driver() -> (Child, u16) {
    let mut driver = Command::new(DRIVER)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("chromedriver says where it listens");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            break port.trim_end_matches('.').parse().unwrap();
        }
    };
    // It stops when nobody reads what it says.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (driver, port)
}

fn output(file: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-output/browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(file)
}
