//! A start on a database that does not answer yet, or that waiting does not mend.

use std::{path::Path, time::Duration};

use quadrille::Env;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::{
    cluster::Cluster,
    postgres::{field, served},
    process::{Folder, Program, eventually, json, quadrille, run, text},
    servers,
};

const SECONDS: Duration = Duration::from_secs(30);

/// Whether a log in this folder has these words.
fn is_logged(folder: &Folder, words: &str) -> bool {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let mut logs = files.filter(|file| file.to_string_lossy().contains("/log-"));
    logs.any(|log| std::fs::read_to_string(log).unwrap().contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let mut cluster = Cluster::new();
    cluster.kill();
    let folder = Folder::new();
    let aside = format!("127.0.0.1:{}", crate::ports::free_port());
    let (url, listen) = (cluster.url(), format!("metrics_listen={aside}"));
    let starting = std::thread::scope(|scope| {
        let start =
            scope.spawn(|| Program::start_with(&folder, &served(&url, &["--set", &listen])));
        let get = |path: &str| {
            let request = reqwest::Url::parse(&format!("http://{aside}{path}")).unwrap();
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    let http = Client::builder().no_proxy().build().unwrap();
                    let response = http.get(request).send().await.ok()?;
                    Some((response.status(), response.text().await.unwrap()))
                })
            })
        };
        while !is_logged(&folder, "waiting for the database") {
            assert!(!start.is_finished(), "it ended");
            std::thread::yield_now();
        }
        let starting = (get("/ready").unwrap(), get("/health").unwrap());
        cluster.start();
        start.join().unwrap().stop();
        starting
    });
    let ((ready, parts), (health, _)) = starting;
    assert_eq!((ready, health), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    assert!(parts.contains(r#""process":"starting""#), "{parts}");
    assert!(is_logged(&folder, "Connection refused"));

    cluster.kill();
    let began = Env::system().steady();
    let output = run(
        &folder.data(),
        &["serve", "--json", "--database", &url, "--set", "database_wait=1s"],
        "",
    );
    assert!(Env::system().steady().since(began) < Duration::from_secs(10));
    fails_with(&output, 4, "database_unavailable", "Connection refused");
}

fn fails_with(output: &std::process::Output, code: i32, error: &str, why: &str) {
    let said = text(&output.stderr);
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((output.status.code(), &*field(&told, "error")), (Some(code), error), "{said}");
    assert!(field(&told, "message").contains(why), "{said}");
    assert!(!field(&told, "message").contains("folder writable") || error.ends_with("read_only"));
}

/// `serve`, which must end by itself, and at once.
fn serve(data: &Path, url: &str) -> std::process::Output {
    let began = Env::system().steady();
    let mut command = quadrille(&["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.env("QUADRILLE_DATABASE", url).arg("--data-dir").arg(data);
    let output = command.output().unwrap();
    assert!(
        Env::system().steady().since(began) < Duration::from_secs(10),
        "{}",
        text(&output.stderr)
    );
    output
}

#[test]
fn what_waiting_does_not_mend_is_told_at_once() {
    let cluster = Cluster::new();
    let rules = std::fs::read_to_string(cluster.rules()).unwrap();
    let rule = "host all secret 127.0.0.1/32 scram-sha-256\n";
    std::fs::write(cluster.rules(), [rule, &rules].concat()).unwrap();
    cluster.sql("SELECT pg_reload_conf()");
    cluster.sql("CREATE ROLE secret LOGIN PASSWORD 'right'");
    cluster.sql("CREATE ROLE nobody LOGIN");
    let (folder, port) = (Folder::new(), cluster.port);
    let at = |user: &str, rest: &str| format!("postgres://{user}@127.0.0.1:{port}/{rest}");
    for (url, code, error, why) in [
        (at("secret:wrong", "postgres"), 4, "database_denied", "password"),
        (at("postgres", "nowhere"), 4, "database_denied", "\"nowhere\" does not exist"),
        (at("nobody", "postgres"), 4, "database_denied", "permission denied"),
        (at("postgres", "postgres?sslmode=require"), 4, "database_insecure", "sslmode"),
        (at("postgres", "postgres?sslmode=perhaps"), 3, "config", "verify-full"),
        (at("postgres", "postgres?sslmode=require&port=x"), 3, "config", "URL"),
        (
            at("postgres", "postgres?options=-c%20default_transaction_read_only%3Don"),
            4,
            "database_read_only",
            "standby",
        ),
    ] {
        fails_with(&serve(&folder.data(), &url), code, error, why);
    }
    let url = cluster.url();
    json(&folder.data(), &["migrate", "--database", &url], "");
    cluster.sql("INSERT INTO quadrille_store_migrations (version) VALUES (7)");
    fails_with(&serve(&folder.data(), &url), 4, "database_newer", "version 7");
}

#[test]
fn two_who_migrate_at_once_both_succeed_and_nothing_is_logged_but_that() {
    let cluster = Cluster::new();
    let (url, folder) = (cluster.url(), Folder::new());
    let all: Vec<_> = (0..4)
        .map(|_| {
            let mut command = quadrille(&["migrate", "--json"]);
            command.env("QUADRILLE_DATABASE", &url).arg("--data-dir").arg(folder.data());
            command.stdout(std::process::Stdio::null());
            command.stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for one in all {
        let output = one.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("CREATE TABLE") && !said.contains("slow"), "{said}");
    }
    let count = cluster.sql("SELECT count(*) FROM quadrille_store_migrations");
    let most = cluster.sql("SELECT max(version) FROM quadrille_store_migrations");
    assert_eq!(count, most);
    let program = Program::start_with(&folder, &served(&url, &[]));
    program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connections_to_the_database_are_counted() {
    let (url, folder) = (servers::postgres_database(), Folder::new());
    let arguments = ["--set", "metrics_listen=127.0.0.1:0", "--set", "database_connections=3"];
    let program = Program::start_with(&folder, &served(&url, &arguments));
    let shown = || async {
        let http = Client::builder().no_proxy().build().unwrap();
        let metrics = http.get(format!("http://{}/metrics", program.metrics)).send().await.unwrap();
        metrics.text().await.unwrap()
    };
    let has = |shown: &str, state: &str, number: u32| {
        let line = format!("quadrille_database_connections{{state=\"{state}\"}} {number}\n");
        shown.contains(&line)
    };
    let is_idle = || async {
        let shown = shown().await;
        has(&shown, "max", 3) && has(&shown, "in_use", 0) && !has(&shown, "idle", 0)
    };
    assert!(eventually(SECONDS, is_idle).await, "{}", shown().await);
    program.stop();
}
