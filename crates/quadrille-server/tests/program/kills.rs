//! Processes and databases that are killed at work: what was answered is kept, and nothing is issued
//! twice. A few rounds; `make kill` has more.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    browser::Browser,
    clock::Clock,
    cluster::Cluster,
    flow::{REDIRECT, Stage, VERIFIER, token},
    load::{Load, rounds},
    me::me,
    postgres::{another, field, machine, revoke, served, stage},
    process::{Folder, Program, eventually, json},
    proxy::Network,
    servers,
};

const SECONDS: std::time::Duration = std::time::Duration::from_secs(30);

fn add_machine(stage: &Stage, url: &str) -> Value {
    let add = ["client", "add", "Machine", "--grant", "client_credentials", "--database", url];
    json(&stage.program.data, &add, "")
}

/// Asks with this refresh token, which must be good.
async fn refreshes(program: &Program, client: &Value, refresh: &str) -> Value {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, answer) = token(program, client, &fields).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_by_a_process_that_is_killed_is_kept() {
    let url = servers::postgres_database();
    let stage = stage(&url, &[]);
    let machine_client = add_machine(&stage, &url);
    let tokens = stage.dance(&Browser::new()).await;
    let folder = machine(&stage.program);
    let mut victim = another(&folder, &url, &[]);
    let listen = victim.listening.clone();
    let refresh = field(&tokens, "refresh_token");
    let load = Load::on(&victim, &stage.client, &refresh, &machine_client);
    let rounds = rounds(3);
    for round in 0..rounds {
        // The moment within a request varies.
        load.answers(10 + round).await;
        victim.signal("-KILL");
        load.refusals(1).await;
        drop(victim);
        victim = another(&folder, &url, &["--listen", &listen]);
    }
    load.answers(10).await;
    let counts = load.counts();
    let refresh = load.kept_by(&stage.program).await;
    refreshes(&stage.program, &stage.client, &refresh).await;
    println!("{rounds} kills of a process: {counts:?} answered and refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_the_database_is_killed_is_kept() {
    let mut cluster = Cluster::new();
    let url = cluster.url();
    let stage = stage(&url, &[]);
    let machine_client = add_machine(&stage, &url);
    let tokens = stage.dance(&Browser::new()).await;
    let refresh = field(&tokens, "refresh_token");
    let load = Load::on(&stage.program, &stage.client, &refresh, &machine_client);
    let rounds = rounds(3);
    for round in 0..rounds {
        load.answers(10 + round).await;
        cluster.kill();
        load.refusals(1).await;
        cluster.start();
    }
    load.answers(10).await;
    let counts = load.counts();
    let refresh = load.kept_by(&stage.program).await;
    refreshes(&stage.program, &stage.client, &refresh).await;
    println!("{rounds} kills of the database: {counts:?} answered and refused");
    stage.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_the_primary_is_killed_is_on_its_standby() {
    let rounds = rounds(1);
    let mut primary = Cluster::new();
    let network = Network::to(primary.port);
    let url = primary.url_at(network.port);
    let stage = stage(&url, &[]);
    let machine_client = add_machine(&stage, &url);
    let browser = Browser::new();
    let mut refresh = field(&stage.dance(&browser).await, "refresh_token");
    let mut sum = (0, 0);
    for round in 0..rounds {
        let standby = primary.standby();
        let mut codes = Vec::new();
        for _ in 0..8 {
            let page = browser.get(&stage.authorize_url()).await;
            codes.push(page.parameter("code").unwrap());
        }
        let load = Load::on(&stage.program, &stage.client, &refresh, &machine_client);
        load.answers(10 + round).await;
        let mut bought: BTreeMap<&str, u32> = BTreeMap::new();
        // Some before, and the others in a primary that dies.
        let (before, during) = codes.split_at(4);
        for code in before {
            *bought.entry(code).or_default() += u32::from(redeems(&stage, code).await);
        }
        let kill = async {
            tokio::task::yield_now().await;
            primary.kill();
        };
        let at_once = async {
            let mut all = Vec::new();
            for code in during {
                all.push(redeems(&stage, code).await);
            }
            all
        };
        let (all, ()) = tokio::join!(at_once, kill);
        for (code, once) in during.iter().zip(all) {
            *bought.entry(code).or_default() += u32::from(once);
        }
        standby.promote();
        network.leads_to(standby.port);
        load.answers(10).await;
        for code in &codes {
            *bought.entry(code).or_default() += u32::from(redeems(&stage, code).await);
        }
        assert!(bought.values().all(|times| *times <= 1), "a code bought tokens twice: {bought:?}");
        for code in before {
            assert_eq!(bought[&**code], 1);
        }
        let (answered, refused) = load.counts();
        sum = (sum.0 + answered, sum.1 + refused);
        let newest = load.kept_by(&stage.program).await;
        refresh = field(&refreshes(&stage.program, &stage.client, &newest).await, "refresh_token");
        primary = standby;
    }
    println!("{rounds} kills of a primary: {sum:?} answered and refused");
    stage.program.stop();
}

/// Whether a code bought tokens. An answer that never came counts as none.
async fn redeems(stage: &Stage, code: &str) -> bool {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, answer) = stage.token(&fields).await;
    let expected = [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE];
    assert!(expected.contains(&status), "{status} {answer}");
    status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_lost_its_lease_issues_nothing_until_it_has_another_one() {
    let cluster = Cluster::new();
    let network = Network::to(cluster.port);
    let first = stage(&cluster.url(), &["--set", "access_token_format=jwt"]);
    let machine_client = add_machine(&first, &cluster.url());
    let folder = machine(&first.program);
    let clock = Clock::new(&folder);
    let here = cluster.url_at(network.port);
    let jwt = ["--set", "access_token_format=jwt", "--set", "database_statement_timeout=1s"];
    let mut second = clock.serve(&folder, &[&["--database", &*here][..], &jwt].concat());
    second.issuer = format!("http://{}", second.listening);
    let form = [("grant_type", "client_credentials")];
    assert_eq!(token(&second, &machine_client, &form).await.0, StatusCode::OK);
    // Commands give their numbers back.
    let holders = "SELECT count(*) FROM quadrille_workers
        WHERE expires > extract(epoch FROM now()) * 1000 + 60000";
    assert_eq!(cluster.sql(holders), "2");

    network.drops_packets();
    // The lease is over: by its own clock before anybody else may have its number.
    clock.is_ahead_by(301);
    for _ in 0..3 {
        let (status, answer) = token(&second, &machine_client, &form).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    }
    // Another process takes the number that has been free for longest, and then this one.
    let taken = "UPDATE quadrille_workers SET holder = decode(repeat('ab', 16), 'hex'),
        expires = expires + 600000 WHERE expires = (SELECT max(expires) FROM quadrille_workers)
        RETURNING number";
    let number = cluster.sql(taken).lines().next().unwrap().to_owned();
    network.is_mended();
    let issues = || async { token(&second, &machine_client, &form).await.0 == StatusCode::OK };
    assert!(eventually(SECONDS, issues).await, "{}", second.log());
    let held =
        format!("SELECT encode(holder, 'hex') FROM quadrille_workers WHERE number = {number}");
    assert_eq!(cluster.sql(&held), "ab".repeat(16), "it has another number now");
    second.stop();
    first.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_an_hour_on_one_of_two_processes_makes_nothing_twice_or_valid_again()
{
    const HOUR: i64 = 3600;
    let url = servers::postgres_database();
    let lifetime = ["--set", "access_token_lifetime=4h"];
    let stage = stage(&url, &lifetime);
    let machine_client = add_machine(&stage, &url);
    let folder = machine(&stage.program);
    let clock = Clock::new(&folder);
    clock.is_ahead_by(HOUR);
    let arguments = served(&url, &lifetime);
    // `serve` of a clock names the scopes itself.
    let mut second = clock.serve(&folder, &arguments[2..]);
    second.issuer = format!("http://{}", second.listening);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let load = Load::on(&second, &stage.client, &field(&tokens, "refresh_token"), &machine_client);
    load.answers(20).await;
    let code = browser.get(&stage.authorize_url()).await.parameter("code").unwrap();
    assert!(redeems(&stage, &code).await);

    clock.is_ahead_by(0);
    load.answers(40).await;
    let there = |program| Stage { program, client: stage.client.clone(), folder: Folder::new() };
    let second = there(second);
    assert!(!redeems(&second, &code).await, "it was redeemed in what is the future now");
    let refresh = load.kept_by(&stage.program).await;
    let renewed = refreshes(&second.program, &stage.client, &refresh).await;
    let access = field(&renewed, "access_token");
    assert_eq!(revoke(&second.program, &stage.client, &access).await, StatusCode::OK);
    for program in [&stage.program, &second.program] {
        let refused = || async { me(program, Method::GET, &access).await.0 != StatusCode::OK };
        assert!(eventually(SECONDS, refused).await);
    }
    assert!(second.program.log().contains("the clock went back"), "{}", second.program.log());
    second.program.stop();
    stage.program.stop();
}
