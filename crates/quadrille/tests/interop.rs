//! Our consumer logs in with a service that others wrote: npm's oidc-provider, used as a plain
//! OAuth 2 service. Both listen on loopback; a person with a browser
//! (`interop/clients/node/visit.js`) goes through its forms.

#![cfg(all(feature = "consumer", feature = "axum", feature = "testing"))]

use std::{path::Path, process::Stdio, time::Duration};

use axum::{Router, extract::State, routing::get};
use quadrille::{KeyRing, Linked, Login, Result, Service, Spec, testing::ManualClock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    process::{Child, ChildStdin, Command},
};

// Everything that the form-encoding of RFC 6749, section 2.3.1 is there for.
const CLIENT_ID: &str = "quadrille:website";
const CLIENT_SECRET: &str = "a secret: 100% + a bit & more";

struct OidcProvider;

impl Service for OidcProvider {
    const SPEC: Spec = Spec::oauth2("oidc-provider", "", "", "").scopes("api:read");
}

#[tokio::test]
async fn a_visitor_logs_in_with_a_service_that_others_wrote_and_stays_so_when_the_token_expires() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let service = Running::start(&format!("{site}/login/oidc-provider/authorized")).await;
    let clock = ManualClock::new();
    let client = OidcProvider::client(CLIENT_ID, CLIENT_SECRET).with_spec(|spec| {
        spec.authorize = format!("{}/auth", service.issuer).into();
        spec.token = format!("{}/token", service.issuer).into();
        spec.api = format!("{}/api", service.issuer).into();
        spec.issuer = Some(service.issuer.clone().into());
        spec.issuer_required = true;
    });
    let login = Login::new(KeyRing::ephemeral(), &site).env(clock.env()).with(client);
    login.check().unwrap();
    let pages = Router::new().route("/photos", get(who)).route("/tomorrow", get(who_tomorrow));
    let app = login.attach(pages.with_state(clock));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let wanted = format!("{site}/photos?album=2");
    let seen = visit(&[&wanted, &format!("{site}/photos"), &format!("{site}/tomorrow")]).await;

    let text = |page: usize| seen[page]["text"].as_str().unwrap();
    assert!(seen.as_array().unwrap().iter().all(|page| page["status"] == 200), "{seen}");
    assert_eq!(seen[0]["url"], wanted, "back at the page that was wanted");
    assert!(text(0).starts_with("margot by token "), "{seen}");
    assert_eq!(text(1), text(0), "the same token serves until it expires");
    assert!(text(2).starts_with("margot by token "), "{seen}");
    assert_ne!(text(2), text(0), "a token that has expired is refreshed on the way");
}

async fn who(service: Linked<OidcProvider>) -> Result<String> {
    let me: Value = service.get("me").await?;
    let text = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
    Ok(format!("{} by token {}", text("login"), text("token")))
}

async fn who_tomorrow(
    State(clock): State<ManualClock>,
    service: Linked<OidcProvider>,
) -> Result<String> {
    clock.advance(Duration::from_secs(24 * 3600));
    who(service).await
}

/// The service, as long as this lives.
struct Running {
    issuer: String,
    _child: Child,
    _ends_when_closed: ChildStdin,
}

impl Running {
    async fn start(redirect_uri: &str) -> Self {
        let mut child = node("servers/oidc-provider.js")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is missing; install it: apt-get install nodejs npm");
        let client = json!({
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uri": redirect_uri,
        });
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{client}\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("oidc-provider ended before it began");
        let started: Value = serde_json::from_str(&line).unwrap();
        let issuer = started["issuer"].as_str().unwrap().to_owned();
        Self { issuer, _child: child, _ends_when_closed: stdin }
    }
}

/// A person opens these pages, in turn and in one browser, and signs in where asked.
async fn visit(urls: &[&str]) -> Value {
    let fill = json!({ "login": "margot", "password": "anything" });
    let out = node("clients/node/visit.js")
        .arg(json!({ "urls": urls, "fill": fill }).to_string())
        .output()
        .await
        .expect("node is missing; install it: apt-get install nodejs npm");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn node(script: &str) -> Command {
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop");
    assert!(
        interop.join("node_modules/oidc-provider").is_dir(),
        "npm's oidc-provider is missing; install it: npm ci --prefix interop"
    );
    let mut command = Command::new("node");
    command.current_dir(interop).arg(script).kill_on_drop(true);
    command
}
