//! Chromium under chromedriver. Each has a fresh profile, and both end with the test.

use std::{
    cell::{Cell, RefCell},
    ops::Deref,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use thirtyfour::{
    ChromiumCapabilities, ChromiumLikeCapabilities as _, LoggingPrefsLogLevel, WindowHandle,
    prelude::*,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{PATIENCE, axe, databases::ports::free_port};

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// The colors that a user prefers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    Light,
    Dark,
    /// The system's own few colors, in place of those of a page, for people who see little.
    Forced,
}

impl Colors {
    pub(crate) const ALL: [(Self, &str); 3] =
        [(Self::Light, "light"), (Self::Dark, "dark"), (Self::Forced, "forced")];
}

/// A browser window; dereferences to the [`WebDriver`].
pub(crate) struct Browser {
    name: &'static str,
    window: WebDriver,
    driver: Child,
    profile: PathBuf,
    /// The lines of the console so far.
    log: RefCell<Vec<String>>,
    /// The screen of the page, if it is not that of the window.
    screen: Cell<Option<Screen>>,
}

/// A screen, by its size in pixels of the page.
#[derive(Clone, Copy)]
struct Screen {
    width: u32,
    height: u32,
    /// The pixels of the screen for each of the page.
    scale: f64,
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
                "{program} is missing: apt-get install --no-install-recommends chromium \
                 chromium-driver"
            );
        }
        let (driver, port) = start_driver().await;
        let profile =
            std::env::temp_dir().join(format!("quadrille-browser-{name}-{}", std::process::id()));
        let mut wishes = ChromiumCapabilities::new();
        // The driver knows Debian's browser only by the name of its family.
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
        for log in ["browser", "performance"] {
            wishes.set_logging_prefs(log, LoggingPrefsLogLevel::All).unwrap();
        }
        let window = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes).await.unwrap();
        window.set_script_timeout(PATIENCE).await.unwrap();
        Self { name, window, driver, profile, log: RefCell::default(), screen: Cell::new(None) }
    }

    /// Keeps a screenshot of the window as `test-output/browser/{test}-{what}.png`.
    pub(crate) async fn keep(&self, what: &str) {
        let path = output(&format!("{}-{what}.png", self.name));
        if let Err(error) = self.window.screenshot(&path).await {
            eprintln!("no screenshot {}: {error}", path.display());
        }
    }

    /// Keeps a screenshot of the whole page, however long.
    pub(crate) async fn keep_whole(&self, what: &str) -> PathBuf {
        let path = output(&format!("{}-{what}.png", self.name));
        // A sticky header would hide content.
        self.window.execute("window.scrollTo(0, 0)", vec![]).await.unwrap();
        // A picture of more than the window has no ground below the window, so the window is as long as
        // the page.
        let measure = "const page = document.documentElement; \
            return [innerWidth, Math.max(innerHeight, page.scrollHeight)]";
        let size = self.window.execute(measure, vec![]).await.unwrap();
        let [width, height] =
            [0, 1].map(|at| u32::try_from(size.json()[at].as_u64().unwrap()).unwrap());
        let scale = self.screen.get().map_or(1.0, |screen| screen.scale);
        self.set_screen(Screen { width, height, scale }).await;
        let shot = self.cdp("Page.captureScreenshot", json!({})).await;
        let base64 = shot["data"].as_str().unwrap();
        std::fs::write(&path, BASE64_STANDARD.decode(base64).unwrap()).unwrap();
        self.look_at(self.screen.get()).await;
        path
    }

    /// Sets the size of the screen, in pixels; a width of 0 restores the window's own.
    pub(crate) async fn width(&self, width: u32, height: u32) {
        let screen = Screen { width, height, scale: 1.0 };
        self.look_at(Some(screen).filter(|_| width > 0)).await;
    }

    /// Gives the page this screen, or that of the window.
    async fn look_at(&self, screen: Option<Screen>) {
        self.screen.set(screen);
        match screen {
            Some(screen) => self.set_screen(screen).await,
            None => drop(self.cdp("Emulation.clearDeviceMetricsOverride", json!({})).await),
        }
    }

    async fn set_screen(&self, Screen { width, height, scale }: Screen) {
        // A picture of a screen that is called mobile has no ground.
        let size = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": scale,
            "mobile": false,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the colors that the user prefers.
    pub(crate) async fn colors(&self, colors: Colors) {
        let (scheme, forced) = match colors {
            Colors::Light => ("light", "none"),
            Colors::Dark => ("dark", "none"),
            Colors::Forced => ("light", "active"),
        };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "forced-colors", "value": forced },
            // Transitions end, so that no color is in between.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Keeps pictures of the page in each of the colors, on a desktop and on the narrowest phone, and in the
    /// light on a usual phone and magnified twice. Checks that nothing is wider than the screen, and that
    /// the page is accessible.
    pub(crate) async fn looks_good(&self, what: &str) {
        for width in [0, 320] {
            self.width(width, 640).await;
            self.fits(width).await;
            for (colors, name) in Colors::ALL {
                self.colors(colors).await;
                self.keep_whole(&format!("{what}-{name}-{width}")).await;
                self.is_accessible(&format!("{what}, {name}, {width}")).await;
            }
        }
        self.colors(Colors::Light).await;
        for (width, scale, name) in [(360, 1.0, "360"), (640, 2.0, "200-percent")] {
            self.look_at(Some(Screen { width, height: 640, scale })).await;
            self.fits(width).await;
            self.keep_whole(&format!("{what}-light-{name}")).await;
        }
        self.look_at(None).await;
    }

    /// Checks that the page breaks no rule of accessibility.
    pub(crate) async fn is_accessible(&self, what: &str) {
        let violations = axe::violations(&self.window).await;
        assert!(
            violations.is_empty(),
            "{} {what}, {}:\n{violations}",
            self.name,
            self.place().await
        );
    }

    /// Checks that no element is wider than the window, or than its container.
    pub(crate) async fn fits(&self, width: u32) {
        let overflow = "const root = document.documentElement; \
             return [...document.body.querySelectorAll('*')] \
                 .filter(part => part.getBoundingClientRect().right > root.clientWidth + 1 \
                     || part.getBoundingClientRect().left < -1 \
                     || (part.scrollWidth > part.clientWidth + 1 && part.matches('a, button, p, h1, h2, li, label'))) \
                 .filter(part => getComputedStyle(part).display != 'inline') \
                 .map(part => part.outerHTML.slice(0, 100)) \
                 .concat(root.scrollWidth > root.clientWidth ? ['the page'] : [])";
        let wide = self.window.execute(overflow, vec![]).await.unwrap();
        let wide = wide.json().as_array().unwrap();
        assert!(wide.is_empty(), "{} at {width}: {wide:#?}", self.place().await);
    }

    /// Keeps a small screenshot of a part of the page, with some room around it, as
    /// `test-output/browser/{test}-{what}.webp`.
    pub(crate) async fn keep_part(&self, what: &str, part: &WebElement) -> PathBuf {
        const ROOM: f64 = 12.0;
        let path = output(&format!("{}-{what}.webp", self.name));
        self.window.execute("window.scrollTo(0, 0)", vec![]).await.unwrap();
        let script = "const at = arguments[0].getBoundingClientRect(); \
                      return [at.x, at.y, at.width, at.height]";
        let place = self.window.execute(script, vec![part.to_json().unwrap()]).await.unwrap();
        let [x, y, width, height] =
            serde_json::from_value::<[f64; 4]>(place.json().clone()).unwrap();
        let clip = json!({
            "x": (x - ROOM).max(0.0),
            "y": (y - ROOM).max(0.0),
            "width": width + 2.0 * ROOM,
            "height": height + 2.0 * ROOM,
            "scale": 1,
        });
        let how = json!({
            "captureBeyondViewport": true, "clip": clip, "format": "webp", "quality": 50,
        });
        let shot = self.cdp("Page.captureScreenshot", how).await;
        let base64 = shot["data"].as_str().unwrap();
        std::fs::write(&path, BASE64_STANDARD.decode(base64).unwrap()).unwrap();
        path
    }

    pub(crate) async fn cdp(&self, command: &str, arguments: Value) -> Value {
        self.window.cdp().send_raw(command, arguments).await.unwrap()
    }

    /// Switches to another tab, and brings it to the front as a user would.
    pub(crate) async fn turn_to(&self, tab: &WindowHandle) {
        self.window.switch_to_window(tab.clone()).await.unwrap();
        self.cdp("Page.bringToFront", json!({})).await;
    }

    /// Waits until the URL of the window begins with `begins`. Returns the URL.
    pub(crate) async fn wait_until_at(&self, begins: &str) -> String {
        // On another page the script does not end by itself: the next page ends it.
        let script = "const [begins, done] = arguments; \
                      if (location.href.startsWith(begins)) done();";
        loop {
            match self.window.execute_async(script, vec![json!(begins)]).await {
                Ok(_) => return self.place().await,
                Err(error) if was_unloaded(&error) => {}
                Err(error) => panic!("still at {}: {error}", self.place().await),
            }
        }
    }

    pub(crate) async fn place(&self) -> String {
        self.window.current_url().await.map(String::from).unwrap_or_default()
    }

    /// Runs `act`, which must violate a policy of the page, and waits for the violation. Returns
    /// its line in the log, and removes the line from the log.
    pub(crate) async fn violate(&self, directive: &str, act: impl AsyncFnOnce()) -> String {
        let listen = "window.violated = new Promise(resolve => \
                      document.addEventListener('securitypolicyviolation', resolve))";
        self.window.execute(listen, vec![]).await.unwrap();
        act().await;
        let wait = "const [done] = arguments; window.violated.then(() => done())";
        self.window.execute_async(wait, vec![]).await.expect("a violation");
        self.read_log().await;
        let mut log = self.log.borrow_mut();
        let at = log.iter().position(|line| line.contains(directive));
        let Some(at) = at else { panic!("nothing about {directive}: {log:#?}") };
        log.remove(at)
    }

    /// The URL with this beginning that the browser just requested, whether or not a server answers
    /// there.
    pub(crate) async fn just_asked_for(&self, url: &str) -> String {
        let mut seen = Vec::new();
        let asked = timeout(PATIENCE, async {
            loop {
                let events = self.new_events("Network.requestWillBeSent").await;
                let urls = events.iter().filter_map(|event| event["documentURL"].as_str());
                seen.extend(urls.map(str::to_owned));
                if let Some(asked) = seen.iter().find(|asked| asked.starts_with(url)) {
                    return asked.clone();
                }
            }
        });
        let asked = asked.await;
        asked.unwrap_or_else(|_| panic!("{url} was not asked for, but {seen:#?}"))
    }

    /// The `Origin` headers of the requests since the last call.
    pub(crate) async fn origins_sent(&self) -> Vec<String> {
        let events = self.new_events("Network.requestWillBeSentExtraInfo").await;
        let origins = events.iter().filter_map(|event| event["headers"]["Origin"].as_str());
        origins.map(str::to_owned).collect()
    }

    /// The network events since the last call. The driver reports each event once.
    async fn new_events(&self, method: &str) -> Vec<Value> {
        let lines = self.window.get_log("performance").await.unwrap().into_iter();
        let events = lines.map(|line| serde_json::from_str::<Value>(&line.message).unwrap());
        let messages = events.map(|mut event| event["message"].take());
        let wanted = messages.filter(|message| message["method"] == method);
        wanted.map(|mut message| message["params"].take()).collect()
    }

    /// The driver reports each line once.
    async fn read_log(&self) {
        let lines = self.window.browser_log().await.unwrap();
        self.log.borrow_mut().extend(lines.into_iter().map(|line| line.message));
    }

    /// Closes browser and driver. Returns the violations of policies.
    pub(crate) async fn quit(mut self) -> Vec<String> {
        self.read_log().await;
        let mut log = self.log.into_inner();
        log.retain(|line| is_violation(line));
        let quit = self.window.clone().quit().await;
        let _ = self.driver.kill().await;
        let _ = std::fs::remove_dir_all(&self.profile);
        quit.unwrap();
        log
    }
}

/// Whether a line of the console reports a violation of a Content-Security-Policy.
pub(crate) fn is_violation(line: &str) -> bool {
    line.contains("Content Security Policy") || line.contains("Refused to ")
}

/// Whether a script ended because the page was replaced.
fn was_unloaded(error: &WebDriverError) -> bool {
    error.to_string().contains("document unloaded")
}

/// Starts a driver, and returns it with its port. The driver wants its port of IPv6 too, which
/// nobody has looked at: it gets a second and a third one.
async fn start_driver() -> (Child, u16) {
    let mut refusals = Vec::new();
    for _ in 0..3 {
        let port = free_port();
        match try_driver(port).await {
            Ok(driver) => return (driver, port),
            Err(refusal) => refusals.push(format!("port {port}: {refusal}")),
        }
    }
    panic!("chromedriver does not start: {}", refusals.join("; "));
}

/// Starts a driver at a port, or returns the messages with which it ended.
async fn try_driver(port: u16) -> Result<Child, String> {
    let mut driver = Command::new(DRIVER)
        .arg(format!("--port={port}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut errors = driver.stderr.take().unwrap();
    // The driver stops if nobody reads its output.
    let errors = tokio::spawn(async move {
        let mut said = String::new();
        let _ = errors.read_to_string(&mut said).await;
        said
    });
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("started successfully on port ") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(driver);
        }
        said.push_str(&line);
        said.push(' ');
    }
    said.push_str(&errors.await.unwrap());
    Err(said)
}

fn output(file: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-output/browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(file)
}
