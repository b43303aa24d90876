//! Clients at work, who remember what they were answered.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::process::{Program, eventually};

/// Long enough for a database that recovers from a kill.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of rounds of a test that kills: a few, or as `make kill` says.
pub(crate) fn rounds(few: usize) -> usize {
    let rounds = std::env::var("QUADRILLE_TEST_ROUNDS").ok();
    rounds.map_or(few, |rounds| rounds.parse().unwrap())
}

fn http() -> Client {
    let http = Client::builder().no_proxy().timeout(PATIENCE);
    http.tls_certs_only([]).build().unwrap()
}

/// Whether the tests take the time that `make kill` gives them.
pub(crate) fn in_full() -> bool {
    std::env::var_os("QUADRILLE_TEST_ROUNDS").is_some()
}

/// One refresh token that is rotated, and clients that get tokens of their own, until it is stopped.
pub(crate) struct Load {
    work: Arc<Work>,
    tasks: JoinSet<()>,
}

struct Work {
    http: Client,
    issuer: String,
    is_over: AtomicBool,
    answered: AtomicUsize,
    refused: AtomicUsize,
    access: Mutex<Vec<String>>,
    refresh: Mutex<String>,
}

impl Load {
    pub(crate) fn on(program: &Program, client: &Value, refresh: &str, machine: &Value) -> Self {
        let work = Arc::new(Work {
            http: http(),
            issuer: program.issuer.clone(),
            is_over: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            access: Mutex::default(),
            refresh: Mutex::new(refresh.to_owned()),
        });
        let mut tasks = JoinSet::new();
        let (renewing, client) = (Arc::clone(&work), client.clone());
        tasks.spawn(async move { renewing.renew(&client).await });
        for _ in 0..3 {
            let (working, machine) = (Arc::clone(&work), machine.clone());
            tasks.spawn(async move { working.work(&machine).await });
        }
        Self { work, tasks }
    }

    /// The numbers of requests that were answered and refused.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let (work, order) = (&self.work, Ordering::Relaxed);
        (work.answered.load(order), work.refused.load(order))
    }

    /// Waits until so many more requests are answered.
    pub(crate) async fn answers(&self, more: usize) {
        let (before, _) = self.counts();
        let enough = || async { self.counts().0 >= before + more };
        assert!(eventually(PATIENCE, enough).await, "{:?}", self.counts());
    }

    /// Waits until so many more requests are refused.
    pub(crate) async fn refusals(&self, more: usize) {
        let (_, before) = self.counts();
        let enough = || async { self.counts().1 >= before + more };
        assert!(eventually(PATIENCE, enough).await, "{:?}", self.counts());
    }

    /// Stops. Everything that was answered must be good, and nothing issued twice. Returns the newest
    /// refresh token.
    pub(crate) async fn kept_by(mut self, program: &Program) -> String {
        self.work.is_over.store(true, Ordering::Relaxed);
        while let Some(task) = self.tasks.join_next().await {
            task.unwrap();
        }
        let access = std::mem::take(&mut *self.work.access.lock().unwrap());
        let different: BTreeSet<_> = access.iter().collect();
        assert_eq!(different.len(), access.len(), "a token was issued twice");
        for token in &access {
            let request = self.work.http.get(program.url("/api/me")).bearer_auth(token);
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::OK, "a token of {} is lost", access.len());
        }
        self.work.refresh.lock().unwrap().clone()
    }
}

impl Work {
    /// A complete answer is a promise.
    async fn ask(&self, client: &Value, fields: &[(&str, &str)]) -> Option<Value> {
        let request = self
            .http
            .post(format!("{}/oauth/token", self.issuer))
            .basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str())
            .form(fields);
        let answer = async {
            let response = request.send().await.ok()?;
            let (status, headers) = (response.status(), response.headers().clone());
            let answer: Value = response.json().await.ok()?;
            if status == StatusCode::SERVICE_UNAVAILABLE {
                assert!(headers.contains_key("retry-after"), "{answer}");
                return None;
            }
            assert_eq!(status, StatusCode::OK, "{answer}");
            Some(answer)
        };
        let answer = answer.await;
        match &answer {
            Some(answer) => {
                let access = answer["access_token"].as_str().unwrap().to_owned();
                self.access.lock().unwrap().push(access);
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                // As a patient client does, if not as long.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        answer
    }

    async fn renew(&self, client: &Value) {
        while !self.is_over.load(Ordering::Relaxed) {
            let newest = self.refresh.lock().unwrap().clone();
            let fields = [("grant_type", "refresh_token"), ("refresh_token", &*newest)];
            if let Some(answer) = self.ask(client, &fields).await {
                let next = answer["refresh_token"].as_str().unwrap().to_owned();
                *self.refresh.lock().unwrap() = next;
            }
        }
    }

    async fn work(&self, machine: &Value) {
        while !self.is_over.load(Ordering::Relaxed) {
            self.ask(machine, &[("grant_type", "client_credentials")]).await;
        }
    }
}
