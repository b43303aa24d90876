//! An issuer of JWT access tokens, and an API that trusts it, for the tests of examples.

use std::process::Stdio;

use axum::Router;
use quadrille::{
    Env, Scopes,
    jose::{Algorithm, SigningKey, SigningKeys},
    provider::{AccessTokenFormat, AuthorizationServer, NewClient, store::MemoryStore},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

pub(crate) const API: &str = "https://api.example";
/// Another API of the issuer.
pub(crate) const MAIL: &str = "https://mail.example";

/// A running issuer, with a client that acts for itself.
pub(crate) struct Issuer {
    url: String,
    pub(crate) client_id: String,
    secret: String,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let env = Env::system();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let server = AuthorizationServer::new(&url, MemoryStore::new(env.clone()))
            .unwrap()
            .scopes([("photos:read", "See your photos"), ("photos:write", "Change your photos")])
            .signing_keys(SigningKeys::new(key, env.now()).unwrap())
            .access_token_format_for(API, AccessTokenFormat::Jwt)
            .unwrap()
            .resource(MAIL)
            .unwrap();
        let scopes = Scopes::of(["photos:read", "photos:write"]);
        let registered =
            server.register(NewClient::confidential("Worker").scopes(scopes)).await.unwrap();
        let secret = registered.secret.unwrap().expose().to_owned();
        let routes: Router = server.routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, client_id: registered.client.id.to_string(), secret }
    }

    /// An access token with these scopes for this API.
    pub(crate) async fn token(&self, scope: &str, resource: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", scope), ("resource", resource)];
        let request = reqwest::Client::new().post(format!("{}/oauth/token", self.url));
        let request = request.basic_auth(&self.client_id, Some(&self.secret)).form(&form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The API as a process, and its address.
    pub(crate) async fn api(&self, program: &str) -> (Child, String) {
        let mut child = Command::new(program)
            .env("PORT", "0")
            .env("ISSUER", &self.url)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the API says where it is");
        (child, line.strip_prefix("Open ").unwrap().to_owned())
    }
}
