//! Guessing of passwords, and its effect on the owner of the account.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::{
    browser::Browser,
    flow::{PASSWORD, Stage},
    process::{Program, eventually},
};

/// The promise is "within seconds".
const SECONDS: Duration = Duration::from_secs(15);

/// Guesses passwords of a name, one after the other or all at once. Returns the number of guesses
/// that were checked.
async fn guess(stage: &Stage, name: &str, addresses: &[String], each: usize) -> usize {
    let mut guessers = JoinSet::new();
    for address in addresses {
        for _ in 0..each {
            let (browser, name) = (Browser::at(address), name.to_owned());
            let url = stage.program.url("/sign-in");
            guessers.spawn(async move {
                let page = browser.get(&url).await;
                browser.sign_in(&page, &name, "wrong password").await.status
            });
        }
    }
    let all = guessers.join_all().await;
    all.iter().filter(|status| **status == StatusCode::FORBIDDEN).count()
}

#[expect(clippy::disallowed_methods, reason = "the time that a person waits is what is measured")]
fn watch() -> Instant {
    Instant::now()
}

/// Signs in, within the promised time.
async fn gets_in(program: &Program, browser: &Browser) {
    let began = watch();
    let page = browser.get(&program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/"), "{}", page.html);
    assert!(began.elapsed() < SECONDS, "{:?}", began.elapsed());
}

fn proxied() -> Stage {
    Stage::with(&["--trusted-proxy", "127.0.0.1"])
}

fn addresses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("198.51.{}.{}", n / 250, n % 250 + 1)).collect()
}

#[tokio::test]
async fn guesses_from_everywhere_do_not_lock_the_person_out_not_even_over_a_restart() {
    let stage = proxied();
    for addresses in addresses(120).chunks(8) {
        assert_eq!(guess(&stage, "ada", addresses, 1).await, 8);
    }
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;

    let Stage { program, folder, client } = stage;
    let issuer = program.listening.clone();
    program.stop();
    let program =
        Program::start_with(&folder, &["--listen", &issuer, "--trusted-proxy", "127.0.0.1"]);
    let stage = Stage { program, folder, client };
    gets_in(&stage.program, &Browser::at("192.0.2.2")).await;
    let looked_at = guess(&stage, "ada", &["203.0.113.1".to_owned()], 30).await;
    assert!(looked_at < 14, "what was counted still counts: {looked_at} were looked at");
}

/// Sends these bytes on separate connections, a hundred at a time, and reads nothing.
async fn send_all(program: &Program, requests: impl Iterator<Item = String>) -> Vec<TcpStream> {
    let mut sending = JoinSet::new();
    let mut sent = Vec::new();
    for request in requests {
        if sending.len() == 100 {
            sent.extend(sending.join_next().await);
        }
        let to = program.listening.clone();
        sending.spawn(async move {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream
        });
    }
    sent.into_iter().map(Result::unwrap).chain(sending.join_all().await).collect()
}

#[tokio::test]
async fn a_guess_from_each_of_thousands_of_networks_at_once_keeps_nobody_out() {
    may_open_files(4000);
    let stage = proxied();
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let form = page.form("username");
    let sealed = &form.fields.iter().find(|(name, _)| name == "form").unwrap().1;
    let (name, value) = browser.cookie("form").unwrap();
    let body = format!("username=ada&password=wrong+password&form={sealed}");
    let flood = addresses(1500).into_iter().map(|address| {
        format!(
            "POST /sign-in HTTP/1.1\r\nhost: {}\r\nx-forwarded-for: {address}\r\n\
             cookie: {name}={value}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            stage.program.listening,
            body.len()
        )
    });
    let flood = send_all(&stage.program, flood).await;
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;

    // The guesses answered by then count as any others.
    let mut answered = 0;
    for stream in &flood {
        let mut head = [0; 12];
        if let Ok(read) = stream.try_read(&mut head) {
            let said = std::str::from_utf8(&head[..read]).unwrap();
            let fair = ["HTTP/1.1 403", "HTTP/1.1 429", "HTTP/1.1 503"];
            assert!(fair.contains(&said), "{said}");
            answered += 1;
        }
    }
    assert!(answered > 0);

    // A flood writes one line for each refused attempt, and hardly any other loud ones.
    let is_refused = || stage.program.log().contains("event=\"sign_in_refused\"");
    assert!(eventually(SECONDS, async || is_refused()).await, "{}", stage.program.log());
    let log = stage.program.log();
    let overload = log.matches("more people sign in than passwords can be checked").count();
    assert!(overload <= 2, "{overload}");
    assert!(!log.contains(" ERROR "), "{log}");
}

/// Raises the limit of open files for this process, as the program does for itself.
fn may_open_files(count: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit }).unwrap();
    }
}

/// Guesses that go on until this is dropped: each guesser makes the next when the last was
/// answered.
struct Flood {
    _guessers: JoinSet<()>,
    looked_at: Arc<AtomicUsize>,
}

impl Flood {
    /// So many at once from these addresses, at the name that is made of the number of the guess.
    async fn start(
        program: &Program,
        addresses: Vec<String>,
        at_once: usize,
        name: fn(usize) -> String,
    ) -> Self {
        let browser = Browser::new();
        let form = browser.get(&program.url("/sign-in")).await.form("username");
        let form = form.with("password", "wrong password");
        let (cookie, value) = browser.cookie("form").unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (mut guessers, looked_at) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for (n, address) in addresses.into_iter().cycle().take(at_once).enumerate() {
            let (http, form, looked_at) = (http.clone(), form.clone(), looked_at.clone());
            let cookie = format!("{cookie}={value}");
            guessers.spawn(async move {
                for guess in 0.. {
                    let form = form.clone().with("username", &name(guess * 10_000 + n));
                    let request = http.post(form.action).header("cookie", &cookie);
                    let request = request.header("x-forwarded-for", &address).form(&form.fields);
                    let status = request.send().await.unwrap().status();
                    let is_looked_at = status == StatusCode::FORBIDDEN;
                    looked_at.fetch_add(usize::from(is_looked_at), Ordering::Relaxed);
                }
            });
        }
        Self { _guessers: guessers, looked_at }
    }

    async fn until(self, looked_at: usize) -> Self {
        let enough = async || self.looked_at.load(Ordering::Relaxed) >= looked_at;
        assert!(eventually(SECONDS * 4, enough).await, "{:?}", self.looked_at);
        self
    }
}

#[tokio::test]
async fn failures_at_other_names_put_nobody_behind_the_guesses_of_many_networks_at_their_own() {
    may_open_files(4000);
    let stage = proxied();
    // An office where people mistype.
    for n in 0..10 {
        assert_eq!(guess(&stage, &format!("name {n}"), &["192.0.2.1".to_owned()], 2).await, 2);
    }
    let ada = |_| "ada".to_owned();
    let flood = Flood::start(&stage.program, addresses(250), 250, ada).await.until(250).await;
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;
    drop(flood);

    let Stage { program, folder, .. } = stage;
    let issuer = program.listening.clone();
    program.stop();
    let program =
        Program::start_with(&folder, &["--listen", &issuer, "--trusted-proxy", "127.0.0.1"]);
    let _flood = Flood::start(&program, addresses(250), 250, ada).await.until(100).await;
    gets_in(&program, &Browser::at("192.0.2.1")).await;
}

#[tokio::test]
async fn a_person_who_mistyped_gets_in_beside_a_network_that_tries_ever_new_names() {
    let stage = proxied();
    assert_eq!(guess(&stage, "ada", &["192.0.2.1".to_owned()], 1).await, 1);
    let names = |n| format!("name {n}");
    let one = vec!["203.0.113.1".to_owned()];
    let _flood = Flood::start(&stage.program, one, 60, names).await.until(100).await;
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;
}

#[tokio::test]
async fn a_person_with_any_failures_gets_in_beside_hundreds_of_networks_with_ever_new_names() {
    may_open_files(4000);
    let stage = proxied();
    assert_eq!(guess(&stage, "ada", &["192.0.2.1".to_owned()], 5).await, 5);
    let names = |n| format!("name {n}");
    let _flood = Flood::start(&stage.program, addresses(200), 600, names).await.until(200).await;
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;
}

#[tokio::test]
async fn guesses_from_the_persons_own_address_do_not_lock_them_out() {
    let stage = Stage::new();
    let guesser = Browser::new();
    let mut page = guesser.get(&stage.program.url("/sign-in")).await;
    for _ in 0..12 {
        page = guesser.sign_in(&page, "ada", "wrong password").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    gets_in(&stage.program, &Browser::new()).await;
}

#[tokio::test]
async fn who_shares_a_network_with_a_flood_is_told_so_and_gets_in_from_another() {
    let stage = proxied();
    let shared = vec!["192.0.2.1".to_owned()];
    let ada = |_| "ada".to_owned();
    let _flood = Flood::start(&stage.program, shared, 40, ada).await.until(10).await;
    let browser = Browser::at("192.0.2.1");
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((10..=301).contains(&wait), "{wait}");
    assert!(page.html.contains("from another network"), "{}", page.html);
    gets_in(&stage.program, &Browser::at("192.0.2.2")).await;
}

#[tokio::test]
async fn a_flood_that_fills_every_seat_does_not_touch_a_browser_that_is_known() {
    let stage = proxied();
    let home = Browser::at("192.0.2.1");
    gets_in(&stage.program, &home).await;
    let mut page = home.get(&stage.program.url("/")).await.form("form");
    page.action = stage.program.url("/sign-out").parse().unwrap();
    home.submit(&page).await;
    assert!(home.cookie("device").is_some() && home.cookie("session").is_none());

    // Also from the same address.
    let flood = ["192.0.2.1".to_owned()];
    let (looked_at, ()) = tokio::join!(guess(&stage, "ada", &flood, 60), async {
        let is_flooded = async || stage.program.log().contains("a sign-in was not looked at");
        assert!(eventually(Duration::from_secs(30), is_flooded).await, "{}", stage.program.log());
        gets_in(&stage.program, &home).await;
    });
    assert!(looked_at <= 15, "{looked_at} of 60 guesses at once were looked at");
}

#[tokio::test]
async fn a_stolen_device_cookie_is_good_for_ten_guesses() {
    let stage = proxied();
    let (home, thief) = (Browser::at("192.0.2.1"), Browser::at("203.0.113.7"));
    gets_in(&stage.program, &home).await;
    thief.keep(home.cookie("device").unwrap());
    let page = thief.get(&stage.program.url("/sign-in")).await;
    assert!(page.html.contains("name=\"password\""), "it opens nothing");
    let mut guesses = JoinSet::new();
    let thief = Arc::new(thief);
    let form = page.form("username").with("username", "ada").with("password", "wrong password");
    for _ in 0..60 {
        let (thief, form) = (thief.clone(), form.clone());
        guesses.spawn(async move { thief.submit(&form).await.status });
    }
    let statuses = guesses.join_all().await;
    let looked_at = statuses.iter().filter(|status| **status == StatusCode::FORBIDDEN).count();
    assert!((20..=30).contains(&looked_at), "{looked_at} of 60 guesses at once were looked at");
    // For the owner, this is one of several devices.
    home.cookies.lock().unwrap().retain(|name, _| name.contains("device"));
    gets_in(&stage.program, &home).await;
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_guesser_whatever_address_it_takes() {
    let stage = proxied();
    let one: Vec<_> = (0..40).map(|n| format!("2001:db8:0:7::{n:x}")).collect();
    let looked_at = guess(&stage, "ada", &one, 1).await;
    assert!(looked_at <= 15, "{looked_at} of 40 guesses at once were looked at");
    gets_in(&stage.program, &Browser::at("2001:db8:0:8::1")).await;
}

#[tokio::test]
async fn a_network_that_tries_every_name_makes_its_people_wait_and_no_more() {
    let stage = proxied();
    let office = ["192.0.2.1".to_owned()];
    for n in 0..10 {
        assert_eq!(guess(&stage, &format!("name {n}"), &office, 10).await, 10);
    }
    let looked_at = guess(&stage, "name 10", &office, 30).await;
    assert!(looked_at < 14, "{looked_at} of 30 guesses at once were looked at");
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;
}

#[tokio::test]
async fn what_happened_to_an_account_is_in_the_log_and_what_was_typed_by_mistake_is_not() {
    let stage = proxied();
    let browser = Browser::at("192.0.2.1");
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", "wrong password").await;
    browser.sign_in(&page, "typed my passw0rd here", "wrong password").await;
    stage.dance(&browser).await;
    let log = stage.program.log();
    let audit: Vec<_> = log.lines().filter(|line| line.contains("audit")).collect();
    for (event, account) in [
        ("sign_in_failed", true),
        ("sign_in_failed", false),
        ("sign_in", true),
        ("consent_given", true),
    ] {
        let found = audit.iter().any(|line| {
            line.contains(&format!("event=\"{event}\""))
                && line.contains("address=192.0.2.1")
                && line.contains("account=\"Ada\"") == account
        });
        assert!(found, "{event} {account}: {audit:#?}");
    }
    assert!(!log.contains("passw0rd"), "{log}");
}
