//! Codes of logins without a page in a cache, which may lose them.

use std::{path::Path, process::Command, time::Duration};

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT, SCOPES, Stage, VERIFIER, token},
    process::{Folder, Program, eventually, json, quadrille, run, text},
    redis_server::Server as Redis,
    servers,
};

const SECONDS: Duration = Duration::from_secs(20);

impl Stage {
    /// The code of a user who has consented before.
    async fn code(&self, browser: &Browser) -> String {
        let page = browser.get(&self.authorize_url()).await;
        page.parameter("code").unwrap_or_else(|| panic!("{}", page.html))
    }

    async fn redeem_code(&self, program: &Program, code: &str) -> (StatusCode, Value) {
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        token(program, &self.client, &redeem).await
    }
}

/// A provider with this cache, in its embedded database.
fn with_cache(cache: &str) -> Stage {
    Stage::with(&["--cache", cache])
}

async fn get(program: &Program, path: &str) -> (StatusCode, String) {
    let http = Client::builder().no_proxy().build().unwrap();
    let answer = http.get(program.url(path)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_code_of_one_process_is_redeemed_at_another_through_redis() {
    let (redis, url) = (Redis::start(), servers::postgres_database());
    let folder = Folder::new();
    let served = [&SCOPES[..], &["--database", &url, "--cache", &redis.url]].concat();
    let program = Program::start_with(&folder, &served);
    let user = ["user", "add", "Ada", "--password-stdin", "--database", &url];
    json(&program.data, &user, &format!("{PASSWORD}\n"));
    let client = ["client", "add", "Printer", "--redirect-uri", REDIRECT, "--database", &url];
    let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
    let client = json(&program.data, &[&client[..], &scopes].concat(), "");
    let stage = Stage { program, client, folder };
    let other = Folder::new();
    std::fs::create_dir(other.data()).unwrap();
    std::fs::copy(stage.program.data.join("keys"), other.data().join("keys")).unwrap();
    let mut second = Program::start_with(&other, &served);
    second.issuer = format!("http://{}", second.listening);

    let browser = Browser::new();
    stage.dance(&browser).await;
    let code = stage.code(&browser).await;
    let keys: Vec<String> = redis.query(&["KEYS", "*"]).await;
    assert!(keys.iter().any(|key| key.contains(":code-")), "{keys:?}");
    let (status, tokens) = stage.redeem_code(&second, &code).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    for program in [&stage.program, &second] {
        let (status, answer) = stage.redeem_code(program, &code).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &"invalid_grant".into()));
    }
    // What the cache loses buys nothing, and the next one does.
    let code = stage.code(&browser).await;
    redis.run(&["FLUSHALL"]).await;
    let (status, answer) = stage.redeem_code(&second, &code).await;
    assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &"invalid_grant".into()));
    let code = stage.code(&browser).await;
    assert_eq!(stage.redeem_code(&second, &code).await.0, StatusCode::OK);
    assert!(stage.program.log().contains("the cache in Redis has lost what it had"));
    second.stop();
    stage.program.stop();
}

#[tokio::test]
async fn every_cache_keeps_the_codes_of_logins_without_a_page() {
    let folder = Folder::new();
    let files = format!("files:{}", folder.path().join("cache").display());
    for cache in ["none", "memory", &files] {
        let stage = with_cache(cache);
        let browser = Browser::new();
        stage.dance(&browser).await;
        let code = stage.code(&browser).await;
        assert_eq!(stage.redeem_code(&stage.program, &code).await.0, StatusCode::OK, "{cache}");
        assert_eq!(stage.redeem_code(&stage.program, &code).await.0, StatusCode::BAD_REQUEST);
        let (status, ready) = get(&stage.program, "/ready").await;
        assert_eq!((status, ready.contains(r#""cache":"ok""#)), (StatusCode::OK, cache != "none"));
        stage.program.stop();
    }
    assert!(std::fs::read_dir(folder.path().join("cache")).unwrap().count() > 1);
}

#[tokio::test]
async fn a_folder_that_is_no_cache_is_refused_and_one_that_is_gone_is_told() {
    let folder = Folder::new();
    let (data, cache) = (folder.data(), folder.path().join("cache"));
    let files = |path: &Path| format!("files:{}", path.display());
    let stage = with_cache(&files(&cache));
    let theirs = files(&stage.program.data);
    stage.program.stop();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--cache", &theirs];
    let output = run(&data, &serve, "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("is no file of a cache"), "{said}");
    let program = Program::start_with(&folder, &["--cache", &files(&cache)]);
    std::fs::remove_dir_all(&cache).unwrap();
    let (status, ready) = get(&program, "/ready").await;
    assert_eq!(status, StatusCode::OK);
    assert!(ready.contains(r#""cache":"cache_unavailable""#), "{ready}");
}

#[tokio::test]
async fn a_cache_that_is_away_breaks_off_logins_without_a_page_alone() {
    let redis = Redis::start();
    let stage = with_cache(&redis.url);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    redis.stop().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(stage.token(&refresh).await.0, StatusCode::OK);
    let (status, ready) = get(&stage.program, "/ready").await;
    assert_eq!(status, StatusCode::OK, "the other processes have no other cache");
    assert!(ready.contains(r#""cache":"cache_unavailable""#), "{ready}");
    let page = browser.get(&stage.authorize_url()).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(stage.program.log().contains("the cache is unavailable"));
}

#[tokio::test]
async fn a_cache_that_comes_back_is_used_again() {
    let redis = Redis::start();
    let (port, stage) = (redis.port(), with_cache(&redis.url));
    let browser = Browser::new();
    stage.dance(&browser).await;
    redis.stop().await;
    let _again = Redis::at(&port);
    let is_back = || async { get(&stage.program, "/ready").await.1.contains(r#""cache":"ok""#) };
    assert!(eventually(SECONDS, is_back).await);
    let code = stage.code(&browser).await;
    assert_eq!(stage.redeem_code(&stage.program, &code).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_named_at_the_start_without_its_password() {
    let folder = Folder::new();
    let serve = |cache: &str, more: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
        let mut command = quadrille(&[&serve[..], more].concat());
        command.env("QUADRILLE_CACHE", cache).arg("--data-dir").arg(folder.data());
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let redis = Redis::start();
    let nobody = crate::ports::free_port();
    let (code, said) = serve(&format!("redis://:hunter2@127.0.0.1:{nobody}"), &[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("redis://:***@127.0.0.1") && said.contains("check that it runs"),
        "{said}"
    );
    let (code, with_password) = serve(&redis.url.replace("://", "://:hunter2@"), &[]);
    assert_eq!(code, Some(4), "it has no password: {with_password}");
    assert!(!said.contains("hunter2") && !with_password.contains("hunter2"));
    let (code, said) = serve(&format!("memcached://127.0.0.1:{nobody}"), &[]);
    assert_eq!(code, Some(4), "{said}");
    let (code, said) = serve("redis", &[]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("rediss://cache.internal"), "{said}");
    let arguments = ["serve", "--cache", "redis://:hunter2@127.0.0.1"];
    let said = text(&run(&folder.data(), &arguments, "").stderr);
    assert!(said.contains("QUADRILLE_CACHE") && !said.contains("hunter2"), "{said}");

    redis.run(&["CONFIG", "SET", "maxmemory", "100mb"]).await;
    redis.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    let (code, said) = serve(&redis.url, &[]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("maxmemory-policy noeviction"), "{said}");
    let may = ["--cache", &redis.url, "--set", "let_the_cache_evict_what_is_under_way=true"];
    Program::start_with(&folder, &may).stop();
}

#[tokio::test]
async fn the_verbs_of_a_cache_are_measured_and_its_password_is_in_no_log() {
    let redis = Redis::start();
    redis.run(&["CONFIG", "SET", "requirepass", "hunter2-canary"]).await;
    let (folder, url) = (Folder::new(), redis.url.replace("://", "://:hunter2-canary@"));
    let set_url = |command: &mut Command| {
        command.env("QUADRILLE_CACHE", &url);
    };
    let measured = [&SCOPES[..], &["--set", "metrics_listen=127.0.0.1:0"]].concat();
    let program = Program::start_by(&folder, &measured, set_url);
    let http = Client::builder().no_proxy().build().unwrap();
    let metrics = http.get(format!("http://{}/metrics", program.metrics)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let line = r#"quadrille_cache_verbs_total{verb="newest",result="yes"}"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(!program.log().contains("canary"));
    program.stop();
}
