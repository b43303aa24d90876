//! A provider of OAuth 1.0a built on oauthlib (`interop/servers/oauthlib_provider.py`).
//!
//! Where oauthlib departs from the RFC or its extensions, we follow those:
//!
//! * It decodes parameters that begin with `oauth_` and stand in a query or a body twice; RFC 5849,
//!   section 3.4.1.3.1 has them decoded once. That makes a difference where a percent sign is left
//!   after the first time, which is so with PLAINTEXT: its signature is the encoded secrets
//!   (section
//!   3.4.4). Such clients need a secret there whose encoding is the secret itself.
//! * Its client makes `oauth_body_hash`, its server never looks at it. The provider does.
//! * It takes nonces of 20 to 30 letters and digits only; RFC 5849, section 3.3 allows any text.
//!   Ours are of that kind.
//! * It has nothing for a user who says no; the provider answers with the `oauth_problem` of the
//!   problem reporting extension.

use axum::{Router, extract::Path, routing::get};
use http::Method;
use quadrille::{
    KeyRing, Linked, Login, Owner, Result, SpecBuf, Visitor,
    consumer::{Begin, Client, Dynamic, MemoryStorage},
    oauth1::{Placement, SignatureMethod},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Running, python, visit};

// Lengths and alphabets are oauthlib's own; the secret has what encoding is there for.
const KEY: &str = "abcdefghijklmnopqrst";
const SECRET: &str = "a secret: 100% + a bit & more";
const PLAIN_SECRET: &str = "nothing-to-encode";
const RSA_KEY: &str = include_str!("../consumer/oauth1/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../consumer/oauth1/rsa-public.pem");

/// The services' names: each method in each place.
fn variants() -> Vec<(String, SignatureMethod, Placement)> {
    let mut methods = vec![
        SignatureMethod::HmacSha1,
        SignatureMethod::HmacSha256,
        SignatureMethod::HmacSha512,
        SignatureMethod::RsaSha256,
        SignatureMethod::RsaSha512,
        SignatureMethod::Plaintext,
    ];
    if cfg!(feature = "rsa-sha1") {
        methods.push(SignatureMethod::RsaSha1);
    }
    let mut all = Vec::new();
    for method in methods {
        for placement in [Placement::Header, Placement::Query, Placement::Body] {
            let name = format!("{}-{placement:?}", method.as_str()).to_lowercase();
            all.push((name, method, placement));
        }
    }
    all
}

/// What oauthlib would decode once too often.
fn is_decoded_twice(method: SignatureMethod, placement: Placement) -> bool {
    method == SignatureMethod::Plaintext && placement != Placement::Header
}

async fn start(site: &str, secret: &str) -> Running {
    let callbacks: Vec<_> =
        variants().iter().map(|(name, ..)| format!("{site}/login/{name}/authorized")).collect();
    let client = json!({
        "client_key": KEY,
        "client_secret": secret,
        "rsa_key": RSA_PUBLIC,
        "callbacks": callbacks,
    });
    Running::start(python("servers/oauthlib_provider.py"), &client).await
}

fn client(
    service: &Running,
    secret: &str,
    (name, method, placement): &(String, SignatureMethod, Placement),
) -> Client<Dynamic> {
    let issuer = &service.issuer;
    let mut spec = SpecBuf::oauth1(
        name.clone(),
        format!("{issuer}/request_token"),
        format!("{issuer}/authorize"),
        format!("{issuer}/access_token"),
        format!("{issuer}/api"),
    )
    .identity("me", "id")
    .signature_method(*method)
    .placement(*placement);
    if *placement == Placement::Header {
        // It can stand nowhere else. To oauthlib it is a list of scopes.
        spec = spec.realm("photos:read");
    }
    match method.is_rsa() {
        true => spec.client_with_key(KEY, RSA_KEY),
        false => spec.client(KEY, secret),
    }
}

#[tokio::test]
async fn a_visitor_logs_in_and_calls_are_signed_by_every_method_in_every_place() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let service = start(&site, SECRET).await;
    let plain = start(&site, PLAIN_SECRET).await;
    let mut login = Login::new(KeyRing::ephemeral(), &site);
    for variant in variants() {
        login = login.with(match is_decoded_twice(variant.1, variant.2) {
            true => client(&plain, PLAIN_SECRET, &variant),
            false => client(&service, SECRET, &variant),
        });
    }
    login.check().unwrap();
    let app = login.attach(Router::new().route("/calls/{service}", get(calls)));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let urls: Vec<_> =
        variants().iter().map(|(name, ..)| format!("{site}/calls/{name}?x=1")).collect();
    let seen = visit(&urls, &json!({ "login": "margot", "decision": "allow" })).await;
    for (page, (name, method, placement)) in seen.as_array().unwrap().iter().zip(variants()) {
        assert_eq!(page["status"], 200, "{name}: {page}");
        assert_eq!(page["url"], format!("{site}/calls/{name}?x=1"), "back at the page");
        let said: Value = serde_json::from_str(page["text"].as_str().unwrap()).unwrap();
        let [get, form, json, moved] = said.as_array().unwrap().as_slice() else { panic!() };
        for call in [get, form, json, moved] {
            assert_eq!((&call["id"], &call["method"]), (&json!("margot"), &json!(method.as_str())));
            let realms =
                if placement == Placement::Header { json!(["photos:read"]) } else { json!([]) };
            assert_eq!(call["realms"], realms, "{name}");
        }
        assert_eq!(get["signed"], json!(["empty", "q", "q"]), "{name}");
        assert_eq!(form["signed"], json!(["a b", "c"]), "{name}");
        assert!(form["body"].as_str().unwrap().starts_with("a+b=d%26e%2B%25&c="), "{name}");
        // PLAINTEXT signs nothing.
        assert_eq!(json["body_hash"], json!(method != SignatureMethod::Plaintext), "{name}");
        assert_eq!(json["body"], json!("{\"a\":\"ü\"}"), "{name}");
        assert_eq!(moved["signed"], json!(["moved"]), "{name}: signed again");
    }
}

async fn calls(visitor: Visitor, Path(service): Path<String>) -> Result<String> {
    let service: Linked<Dynamic> = visitor.linked(&service).await?;
    let get = service.request(Method::GET, ["echo", "a b"]);
    let get = get.query("q", "1 + 1 & ü").query("empty", "").query("q", "0%20");
    let form = service.request(Method::POST, "echo").form_body([("a b", "d&e+%"), ("c", "")]);
    let said: [Value; 4] = [
        get.json().await?,
        form.json().await?,
        service.post("echo", &json!({ "a": "ü" })).await?,
        service.get("moved").await?,
    ];
    Ok(Value::from(said.to_vec()).to_string())
}

#[tokio::test]
async fn a_visitor_who_says_no_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let service = start(&site, SECRET).await;
    let variant = variants().remove(0);
    let login = Login::new(KeyRing::ephemeral(), &site).with(client(&service, SECRET, &variant));
    let app = login.attach(Router::new().route("/calls/{service}", get(calls)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let fill = json!({ "login": "margot", "decision": "deny" });
    let seen = visit(&[format!("{site}/calls/{}", variant.0)], &fill).await;
    assert_eq!(seen[0]["status"], 403, "{seen}");
    assert!(seen[0]["text"].as_str().unwrap().contains("access_denied"), "{seen}");
}

#[tokio::test]
async fn a_program_without_a_browser_finishes_by_pin() {
    let service = start("http://127.0.0.1", SECRET).await;
    let variant = variants().remove(0);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(client(&service, SECRET, &variant))
        .storage(MemoryStorage::new());
    let begun = login.begin_out_of_band(&Begin::new(&variant.0)).await.unwrap();
    let fill = json!({ "login": "margot", "decision": "allow" });
    let seen = visit(&[begun.url], &fill).await;
    let text = seen[0]["text"].as_str().unwrap();
    let pin = text.split('&').find_map(|pair| pair.strip_prefix("oauth_verifier=")).unwrap();
    let done = login.finish_out_of_band(&begun.attempt, pin, &Owner::NOBODY).await.unwrap();
    assert_eq!(&*done.account.subject, "margot");
}
