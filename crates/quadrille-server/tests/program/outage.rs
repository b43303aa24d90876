//! A database that is away, slow, full, or not to be written, while the program serves.

use std::time::Duration;

use quadrille::Env;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::{
    browser::Browser,
    cluster::Cluster,
    flow::Stage,
    load::in_full,
    me::me,
    postgres::{another, field, machine, stage},
    process::{Folder, Program, eventually, json, preloaded},
    proxy::Network,
};

const HTML: &str = "text/html; charset=utf-8";
pub(crate) const SECONDS: Duration = Duration::from_secs(30);

/// An answer of the program.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    wait: Option<String>,
    body: String,
    pub(crate) took: Duration,
}

/// Without certificates, since reading those of the system takes a while.
fn http() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

async fn get(url: &str) -> Answer {
    answered(http().get(url)).await
}

async fn answered(request: reqwest::RequestBuilder) -> Answer {
    let began = Env::system().steady();
    let response = request.timeout(Duration::from_secs(60)).send().await.unwrap();
    let wait = response.headers().get("retry-after");
    let wait = wait.map(|wait| wait.to_str().unwrap().to_owned());
    let status = response.status();
    Answer {
        status,
        wait,
        body: response.text().await.unwrap(),
        took: Env::system().steady().since(began),
    }
}

/// The token endpoint's answer to a client that has no user.
pub(crate) async fn request_token(program: &Program, machine: &Value) -> Answer {
    let request = http()
        .post(program.url("/oauth/token"))
        .basic_auth(field(machine, "client_id"), machine["client_secret"].as_str())
        .form(&[("grant_type", "client_credentials")]);
    answered(request).await
}

pub(crate) async fn issues(program: &Program, machine: &Value) -> bool {
    request_token(program, machine).await.status == StatusCode::OK
}

pub(crate) fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(answer.body.contains("temporarily_unavailable"), "{}", answer.body);
    assert_eq!(answer.wait.as_deref(), Some("1"));
}

async fn readiness(program: &Program) -> (StatusCode, String) {
    let ready = get(&program.url("/ready")).await;
    let parts: Value = serde_json::from_str(&ready.body).unwrap();
    (ready.status, field(&parts, "store"))
}

/// The readiness, once it is no longer that of a second ago.
pub(crate) async fn becomes(program: &Program, status: StatusCode, store: &str) {
    let is_it = || async { readiness(program).await == (status, store.to_owned()) };
    assert!(eventually(SECONDS, is_it).await, "{:?}", readiness(program).await);
}

pub(crate) fn add_machine(data: &std::path::Path, url: &str) -> Value {
    json(
        data,
        &["client", "add", "Machine", "--grant", "client_credentials", "--database", url],
        "",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_all_are_told_at_once_and_it_is_not_overrun_when_it_is_back() {
    let mut cluster = Cluster::new();
    let network = Network::to(cluster.port);
    let url = cluster.url_at(network.port);
    let stage = stage(&url, &["--set", "database_connections=4"]);
    let machine = add_machine(&stage.program.data, &url);
    let tokens = stage.dance(&Browser::new()).await;
    let access = field(&tokens, "access_token");
    becomes(&stage.program, StatusCode::OK, "ok").await;

    cluster.kill();
    is_unavailable(&request_token(&stage.program, &machine).await);
    // An application reads it: no page, whether the token or its user cannot be looked up.
    let (status, headers, _) = me(&stage.program, Method::GET, &access).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(headers.get("content-type").map_or("", |it| it.to_str().unwrap()), HTML);
    assert!(headers.contains_key("retry-after"));
    let before = network.connections();
    let away = Duration::from_secs(if in_full() { 60 } else { 3 });
    let began = Env::system().steady();
    let mut refused = 0;
    while Env::system().steady().since(began) < away {
        let all = (0..20).map(|_| request_token(&stage.program, &machine));
        for answer in join_all(all).await {
            is_unavailable(&answer);
            assert!(answer.took < Duration::from_secs(1), "{:?}", answer.took);
            refused += 1;
        }
    }
    let looks = network.connections() - before;
    let expected = 8 + away.as_secs() as usize;
    assert!(looks <= expected, "{looks} connections for {refused} requests in {away:?}");
    assert_eq!(get(&stage.program.url("/health")).await.status, StatusCode::OK);
    becomes(&stage.program, StatusCode::SERVICE_UNAVAILABLE, "unavailable").await;

    let mut clients = tokio::task::JoinSet::new();
    let back = network.connections();
    cluster.start();
    for _ in 0..50 {
        let (issuer, machine) = (stage.program.issuer.clone(), machine.clone());
        clients.spawn(async move {
            let http = http();
            loop {
                let request = http
                    .post(format!("{issuer}/oauth/token"))
                    .basic_auth(field(&machine, "client_id"), machine["client_secret"].as_str())
                    .form(&[("grant_type", "client_credentials")]);
                if request.send().await.unwrap().status() == StatusCode::OK {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    clients.join_all().await;
    let connections = network.connections() - back;
    assert!(connections <= 4 + 4, "{connections} connections for 50 clients");
    let (status, ..) = me(&stage.program, Method::GET, &access).await;
    assert_eq!(status, StatusCode::OK);
    becomes(&stage.program, StatusCode::OK, "ok").await;
    let log = stage.program.log();
    assert_eq!(log.matches("the database is out of reach").count(), 1, "{log}");
    assert!(log.contains("the database is within reach again"), "{log}");
    println!("{refused} requests refused in {away:?} with {looks} looks; {connections} afterwards");
    stage.program.stop();
}

pub(crate) async fn join_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).map(Some).collect();
    let mut done: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (one, done) in all.iter_mut().zip(&mut done) {
            if let Some(running) = one
                && let std::task::Poll::Ready(result) = running.as_mut().poll(cx)
            {
                (*one, *done) = (None, Some(result));
            }
        }
        match all.iter().all(Option::is_none) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_why_a_server_refuses_connections_is_told_and_requests_for_one_token_are_one_look_up()
 {
    let mut cluster = Cluster::with(&["log_statement=all"], &[]);
    let network = Network::to(cluster.port);
    let first = stage(&cluster.url(), &[]);
    let tokens = first.dance(&Browser::new()).await;
    let access = field(&tokens, "access_token");
    let folder = machine(&first.program);
    let measured = ["--set", "metrics_listen=127.0.0.1:0"];
    let second = another(&folder, &cluster.url_at(network.port), &measured);

    // The second process has not seen the token.
    let look_ups = || cluster.log().matches("FROM quadrille_access_tokens WHERE").count();
    let before = look_ups();
    network.drops_packets();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let request = http().get(second.url("/api/me")).bearer_auth(&access);
        all.spawn(async move { answered(request).await.status });
    }
    let are_there = || async {
        let metrics = get(&format!("http://{}/metrics", second.metrics)).await.body;
        let line = metrics.lines().find(|line| line.starts_with("quadrille_connections "));
        line.unwrap().rsplit(' ').next().unwrap().parse::<u32>().unwrap() >= 50
    };
    assert!(eventually(SECONDS, are_there).await);
    network.is_mended();
    assert!(all.join_all().await.iter().all(|status| *status == StatusCode::OK));
    // One for those that came within half a second.
    let look_ups = look_ups() - before;
    assert!((1..=5).contains(&look_ups), "{look_ups} for 50 requests");

    cluster.kill();
    // The first one may have a connection that the server has ended.
    let is_told = || async {
        is_unavailable(&answered(refresh(&first, &tokens)).await);
        first.program.log().contains("Connection refused")
    };
    assert!(eventually(SECONDS, is_told).await, "{}", first.program.log());
    cluster.start();
    for program in [first.program, second] {
        program.stop();
    }
}

/// A refresh, which needs the database.
fn refresh(stage: &Stage, tokens: &Value) -> reqwest::RequestBuilder {
    http()
        .post(stage.program.url("/oauth/token"))
        .basic_auth(field(&stage.client, "client_id"), stage.client["client_secret"].as_str())
        .form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &field(tokens, "refresh_token")),
        ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_drops_packets_makes_nobody_wait_for_long() {
    let cluster = Cluster::new();
    let network = Network::to(cluster.port);
    let url = cluster.url_at(network.port);
    let stage = stage(&url, &["--set", "database_statement_timeout=1s"]);
    let machine = add_machine(&stage.program.data, &url);
    assert!(issues(&stage.program, &machine).await);

    network.drops_packets();
    // The first wait for a statement, or for a connection.
    for answer in join_all((0..20).map(|_| request_token(&stage.program, &machine))).await {
        is_unavailable(&answer);
        assert!(answer.took < Duration::from_secs(9), "{:?}", answer.took);
    }
    let later = request_token(&stage.program, &machine).await;
    is_unavailable(&later);
    assert!(later.took < Duration::from_secs(1), "{:?}", later.took);
    assert_eq!(get(&stage.program.url("/health")).await.status, StatusCode::OK);
    becomes(&stage.program, StatusCode::SERVICE_UNAVAILABLE, "unavailable").await;

    network.is_mended();
    assert!(eventually(SECONDS, || issues(&stage.program, &machine)).await);
    becomes(&stage.program, StatusCode::OK, "ok").await;
    stage.program.stop();
}

/// The family of refresh tokens in the database: how often it was rotated.
fn rotations(cluster: &Cluster) -> String {
    cluster.sql("SELECT generation FROM quadrille_families")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_the_database_carried_out_while_the_client_got_503_logs_nobody_out() {
    let cluster = Cluster::new();
    let network = Network::to(cluster.port);
    let url = cluster.url_at(network.port);
    // The client is told after eleven seconds, which the time for repeats outlasts.
    let stage = stage(&url, &["--set", "database_statement_timeout=9s"]);
    let tokens = stage.dance(&Browser::new()).await;

    network.drops_packets_at("UPDATE quadrille_families t SET", true);
    is_unavailable(&answered(refresh(&stage, &tokens)).await);
    assert!(network.is_dropping());
    assert_eq!(rotations(&cluster), "1", "it is carried out");
    network.is_mended();
    let again = || async { answered(refresh(&stage, &tokens)).await };
    assert!(eventually(SECONDS, || async { again().await.status == StatusCode::OK }).await);
    let (first, second) = (again().await, again().await);
    let [first, second]: [Value; 2] =
        [first, second].map(|answer| serde_json::from_str(&answer.body).unwrap());
    assert_eq!(first["refresh_token"], second["refresh_token"], "one successor");
    assert_eq!(rotations(&cluster), "1");
    let next = answered(refresh(&stage, &first)).await;
    assert_eq!(next.status, StatusCode::OK, "{}", next.body);
    assert_eq!(rotations(&cluster), "2");
    stage.program.stop();
}

/// What another session has locked, until this is dropped.
pub(crate) struct Locked {
    session: std::process::Child,
}

impl Locked {
    fn tables(url: &str) -> Self {
        Self::with(url, "LOCK TABLE quadrille_access_tokens, quadrille_families")
    }

    /// What a statement locks.
    pub(crate) fn with(url: &str, statement: &str) -> Self {
        let mut session = std::process::Command::new(crate::servers::program("psql"));
        session.args(["-X", url]).stdin(std::process::Stdio::piped());
        let mut session = session.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let lock = format!("BEGIN; {statement}; SELECT 'held';\n");
        std::io::Write::write_all(session.stdin.as_mut().unwrap(), lock.as_bytes()).unwrap();
        let (mut said, mut line) = (session.stdout.take().unwrap(), [0]);
        let mut text = String::new();
        while !text.contains("held") {
            std::io::Read::read_exact(&mut said, &mut line).unwrap();
            text.push(char::from(line[0]));
        }
        Self { session }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        drop(self.session.stdin.take());
        let _ = self.session.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_is_503_in_time_behind_a_pooler_too() {
    for pooled in [false, true] {
        let direct = crate::servers::postgres_database();
        let port = |server: &crate::servers::Server| format!(":{}/", server.port);
        let to = (port(crate::servers::postgres()), port(crate::servers::pgbouncer()));
        let url = if pooled { direct.replace(&to.0, &to.1) } else { direct.clone() };
        let stage = stage(&url, &["--set", "database_lock_timeout=1s"]);
        let machine = add_machine(&stage.program.data, &url);
        let tokens = stage.dance(&Browser::new()).await;
        let locked = Locked::tables(&direct);
        for answer in join_all((0..40).map(|_| request_token(&stage.program, &machine))).await {
            is_unavailable(&answer);
            assert!(answer.took < Duration::from_secs(9), "{pooled} {:?}", answer.took);
        }
        drop(locked);
        assert!(issues(&stage.program, &machine).await);
        assert_eq!(answered(refresh(&stage, &tokens)).await.status, StatusCode::OK);
        assert!(stage.program.log().contains("lock timeout"), "{}", stage.program.log());
        stage.program.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_whose_connections_are_all_in_use_is_503_until_one_is_free() {
    let url = crate::servers::postgres_database();
    let patient = [
        ["--set", "database_connections=2"],
        ["--set", "database_lock_timeout=1m"],
        ["--set", "database_statement_timeout=1m"],
        ["--set", "refresh_repeat_window=2m"],
    ];
    let stage = stage(&url, patient.as_flattened());
    let machine = add_machine(&stage.program.data, &url);
    let tokens = stage.dance(&Browser::new()).await;
    let locked = Locked::tables(&url);
    let mut waiting = tokio::task::JoinSet::new();
    let waits = || async {
        let count = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        let psql = std::process::Command::new(crate::servers::program("psql"))
            .args(["-X", "-At", "-c", count, &url])
            .output();
        psql.unwrap().stdout
    };
    for number in [b"1\n", b"2\n"] {
        let http = http().post(stage.program.url("/oauth/token"));
        let secret = machine["client_secret"].as_str();
        let request = http.basic_auth(field(&machine, "client_id"), secret);
        let request = request.form(&[("grant_type", "client_credentials")]);
        waiting.spawn(async move { answered(request).await.status });
        assert!(eventually(SECONDS, || async { waits().await == number }).await);
    }
    is_unavailable(&answered(refresh(&stage, &tokens)).await);
    let log = stage.program.log();
    assert!(log.contains("all 2 of this process are in use"), "{log}");
    drop(locked);
    assert!(waiting.join_all().await.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(answered(refresh(&stage, &tokens)).await.status, StatusCode::OK);
    stage.program.stop();
}

/// The log tells the operator to look at rights and disks, not at the network.
fn says_that_it_is_not_written(program: &Program) {
    let log = program.log();
    assert!(log.contains("the store answers, and cannot be written"), "{log}");
    assert!(!log.contains("the store does not answer"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_be_written_is_not_ready_and_answers_what_only_reads() {
    let cluster = Cluster::new();
    let stage = stage(&cluster.url(), &[]);
    let machine = add_machine(&stage.program.data, &cluster.url());
    let tokens = stage.dance(&Browser::new()).await;
    cluster.set("default_transaction_read_only = on");
    let refused = || async { !issues(&stage.program, &machine).await };
    assert!(eventually(SECONDS, refused).await);
    is_unavailable(&request_token(&stage.program, &machine).await);
    let access = field(&tokens, "access_token");
    assert_eq!(me(&stage.program, Method::GET, &access).await.0, StatusCode::OK);
    becomes(&stage.program, StatusCode::SERVICE_UNAVAILABLE, "read_only").await;
    says_that_it_is_not_written(&stage.program);
    let add = ["user", "add", "Bob", "--password-stdin", "--json", "--database", &cluster.url()];
    let output = crate::process::run(&stage.program.data, &add, "a long password of Bob\n");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((output.status.code(), &*field(&error, "error")), (Some(4), "database_read_only"));
    assert!(field(&error, "message").contains("standby"), "{error}");
    cluster.sql("ALTER SYSTEM RESET default_transaction_read_only");
    cluster.sql("SELECT pg_reload_conf()");
    assert!(eventually(SECONDS, || issues(&stage.program, &machine)).await);
    becomes(&stage.program, StatusCode::OK, "ok").await;
    stage.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_database_loses_nothing_and_needs_no_restart() {
    let folder = Folder::new();
    let (library, disk) = (preloaded(&folder, "failing_disk.c"), folder.path().join("disk"));
    // The server runs as another user.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let cluster = Cluster::with(
        &[],
        &[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("FAILING_DISK", disk.to_str().unwrap()),
            ("FAILING_FILES", "base/"),
        ],
    );
    let stage = stage(&cluster.url(), &[]);
    let machine = add_machine(&stage.program.data, &cluster.url());
    std::fs::write(&disk, "28").unwrap();
    let mut issued = Vec::new();
    // A page of the table has room for some rows.
    let full = loop {
        let answer = request_token(&stage.program, &machine).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        issued.push(field(&answer, "access_token"));
        assert!(issued.len() < 2000);
    };
    is_unavailable(&full);
    assert!(stage.program.log().contains("full; make room"), "{}", stage.program.log());
    becomes(&stage.program, StatusCode::SERVICE_UNAVAILABLE, "full").await;
    says_that_it_is_not_written(&stage.program);
    std::fs::remove_file(&disk).unwrap();
    assert!(eventually(SECONDS, || issues(&stage.program, &machine)).await);
    becomes(&stage.program, StatusCode::OK, "ok").await;
    for token in &issued {
        assert_eq!(me(&stage.program, Method::GET, token).await.0, StatusCode::OK);
    }
    stage.program.stop();
}
