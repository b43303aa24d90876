//! `quadrille check`.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    process::{Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
    routing::{any, get},
};
use serde_json::{Value, json};

use crate::{
    ports::free_port,
    process::{Folder, Program, quadrille, text},
};

async fn check(url: &str, further: &[&str]) -> Output {
    let mut command = quadrille(&["check", url]);
    command.args(further);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The requirements with an outcome.
fn with(report: &Value, outcome: &str) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|one| one["outcome"] == outcome)
        .map(|one| one["requirement"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_meets_every_requirement() {
    let folder = Folder::new();
    let program = Program::start_with(
        &folder,
        &[
            "--device",
            "--set",
            "openid=true",
            "--set",
            "registration=open-to-anybody-so-that-strangers-add-clients",
        ],
    );
    let callback = "https://app.example/cb?of=this";
    let added = ["client", "add", "App", "--redirect-uri", callback, "--scope", "openid"];
    let client = program.json(&added);
    let id = client["client_id"].as_str().unwrap();
    let issuer = program.url("");
    let output = check(&issuer, &["--json", "--client-id", id, "--redirect-uri", callback]).await;
    assert!(output.status.success(), "{}", text(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(with(&report, "error"), Vec::<String>::new());
    // These response types would give tokens to redirects.
    assert_eq!(
        with(&report, "warning"),
        [
            "`response_types_supported` has `id_token`, as clients may register",
            "`response_types_supported` has `id_token token`, as clients may register"
        ]
    );
    let parts: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    for part in [
        "metadata",
        "oauth_metadata",
        "keys",
        "authorization",
        "token",
        "userinfo",
        "revocation",
        "introspection",
        "registration",
        "device_authorization",
    ] {
        assert!(parts.iter().any(|one| one["part"] == part), "{part}");
    }
}

/// Its limit on wrong secrets is used up by a few checks.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_limits_attempts_is_not_blamed_for_it() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    for _ in 0..20 {
        let output = check(&program.issuer, &["--json"]).await;
        assert!(output.status.success(), "{}", text(&output.stdout));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        if !with(&report, "not_checked").is_empty() {
            let output = check(&program.issuer, &[]).await;
            assert!(output.status.success());
            let said = text(&output.stdout);
            let limited = "  not checked  an unknown client in `Authorization` gets 401\n";
            assert!(said.contains(limited), "{said}");
            assert!(
                said.contains("found: status 429: the provider limits attempts, and"),
                "{said}"
            );
            assert!(said.contains(" 0 errors, "), "{said}");
            return;
        }
    }
    panic!("the limit was never reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_of_a_document_is_told_with_the_issuer() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    for name in ["openid-configuration", "oauth-authorization-server"] {
        let output = check(&program.url(&format!("/.well-known/{name}")), &[]).await;
        assert_eq!(output.status.code(), Some(9));
        let said = text(&output.stdout);
        let command = format!("The issuer is wanted: quadrille check {}\n", program.issuer);
        assert!(said.contains(&command), "{said}");
        assert!(said.contains("\n1 requirement: "), "{said}");
    }
}

/// A first try, without any setting.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_is_an_openid_provider_on_this_machine_without_configuration() {
    let folder = Folder::new();
    let program = Program::start_by(&folder, &[], |command| {
        command.env_remove("QUADRILLE_OPENID");
    });
    let output = check(&program.issuer, &["--json"]).await;
    assert!(output.status.success(), "{}", text(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(with(&report, "error"), Vec::<String>::new());
    assert!(report["findings"].as_array().unwrap().iter().any(|one| one["part"] == "userinfo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_of_this_machine_is_told_with_the_command_for_the_right_one() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let by_address = program.issuer.replace("localhost", "127.0.0.1");
    assert_ne!(by_address, program.issuer);
    let output = check(&by_address, &[]).await;
    assert_eq!(output.status.code(), Some(9));
    let command = format!("Check it by that name: quadrille check {}\n", program.issuer);
    assert!(text(&output.stdout).contains(&command), "{}", text(&output.stdout));
    // Another provider of this machine is no other name of this one.
    let other = serve(liar("http://127.0.0.1:9")).await;
    let output = check(&other, &[]).await;
    assert!(!text(&output.stdout).contains("by that name"), "{}", text(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_registered_is_one_finding_and_no_fault_of_the_provider() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "openid=true"]);
    let callback = "https://app.example/cb";
    let client = program.json(&["client", "add", "App", "--redirect-uri", callback]);
    let id = client["client_id"].as_str().unwrap();
    for (id, callback) in [("nope", callback), (id, "https://app.example/other")] {
        let output = check(&program.issuer, &["--client-id", id, "--redirect-uri", callback]).await;
        assert_eq!(output.status.code(), Some(9));
        let said = text(&output.stdout);
        assert!(said.contains("1 error\n"), "{said}");
        assert!(said.contains("this redirect URI is not registered there"), "{said}");
    }
}

/// A server of TLS whose certificate is its own authority.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_is_told_with_the_way_to_trust_it() {
    let folder = Folder::new();
    let openssl = |arguments: &[&str]| {
        let mut command = std::process::Command::new("openssl");
        command.args(arguments).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let made = |name: &str, further: &[&str]| {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        let new =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let names = ["-subj", "/CN=Test of a check", "-addext", "subjectAltName=DNS:localhost"];
        let files = ["-keyout", &key, "-out", &cert];
        let made = openssl(&[&new[..], &names, &files, further].concat()).status().unwrap();
        assert!(made.success());
    };
    made("own", &["-addext", "basicConstraints=critical,CA:FALSE"]);
    made("authority", &[]);
    let start = |name: &str| {
        let port = free_port().to_string();
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        let serve = ["s_server", "-quiet", "-WWW", "-accept", &port, "-key", &key, "-cert", &cert];
        (openssl(&serve).spawn().unwrap(), format!("https://localhost:{port}"))
    };
    let trusting = |name: &str| {
        let file = folder.path().join(format!("{name}.pem"));
        format!("certificate_authorities={}", file.display())
    };
    let said = async |url: &str, further: &[&str]| {
        for _ in 0..400 {
            let output = check(url, further).await;
            let error = text(&output.stderr);
            if !error.contains("refused") {
                return (output.status.code(), error);
            }
        }
        panic!("the server does not start");
    };
    let (mut own, url) = start("own");
    let (code, error) = said(&url, &[]).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("certificate_authorities or the variable SSL_CERT_FILE"), "{error}");
    // The server has no metadata, which is another thing.
    let (code, error) = said(&url, &["--set", &trusting("own")]).await;
    assert_eq!(code, Some(9), "{error}");
    let (mut authority, url) = start("authority");
    let (code, error) = said(&url, &["--set", &trusting("authority")]).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("basicConstraints=critical,CA:FALSE"), "{error}");
    for server in [&mut own, &mut authority] {
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

/// A provider that does everything wrong.
fn liar(issuer: &str) -> Router {
    let at = |path: &str| format!("{issuer}{path}");
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/keys"),
        "registration_endpoint": at("/register"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "device_authorization_endpoint": at("/device"),
        "end_session_endpoint": at("/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    });
    let keys = json!({ "keys": [
        { "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i" },
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" },
    ] });
    let metadata = move || async move { Json(metadata) };
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/keys", get(move || async move { Json(keys) }))
        .route("/authorize", get(redirects))
        .route("/end", get(redirects))
        .route("/token", any(|| async { Json(json!({ "access_token": "for anybody" })) }))
        .route("/userinfo", any(|| async { Json(json!({ "sub": "1" })) }))
        .route("/register", any(|| async { (StatusCode::CREATED, "a client") }))
        .route("/revoke", any(|| async { "done" }))
        .route("/introspect", any(|| async { Json(json!({ "active": true })) }))
        .route("/device", any(|| async { "a code" }))
        .with_state(issuer.to_owned())
}

/// A redirect to the URI that the request names.
async fn redirects(
    State(issuer): State<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let to = query.get("redirect_uri").or_else(|| query.get("post_logout_redirect_uri"));
    Redirect::to(to.unwrap_or(&issuer)).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_everything_wrong_is_told_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let app = liar(&issuer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let known = ["--client-id", "app", "--redirect-uri", "https://app.example/cb"];
    let output = check(&issuer, &[&["--json"], &known[..]].concat()).await;
    assert_eq!(output.status.code(), Some(9));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = with(&report, "error");
    for wrong in [
        "no key has a member of a private or a shared key",
        "each of several keys has a `kid`",
        "there is a key for ES256, which the metadata name",
        "an unknown client's redirect URI gets no answer",
        "a redirect URI without a client gets no answer",
        "authorization requests may be sent by POST",
        "`prompt=none` of a user who is not signed in gets `login_required`",
        "an error has the `state`",
        "an unknown response type is refused at the client",
        "a redirect URI that is not registered gets no answer: \"https://app.example/cb/further\"",
        "token requests by GET are refused",
        "a request without a grant type is refused",
        "an unknown client in `Authorization` gets 401",
        "a parameter twice is refused",
        "an unknown token gets 401",
        "and a challenge of Bearer",
        "an unknown client is refused",
        "a request without credentials is refused",
        "a redirect URI that is none is refused",
        "a post-logout redirect URI that is not registered gets no answer",
    ] {
        assert!(errors.iter().any(|error| error == wrong), "{wrong}: {errors:#?}");
    }
    // Texts for people have the section and the value.
    let output = check(&issuer, &[]).await;
    let (said, error) = (text(&output.stdout), text(&output.stderr));
    assert!(
        said.contains("Token endpoint\n  ERROR    token requests by GET are refused"),
        "{said}"
    );
    assert!(said.contains("found: status 200\n           RFC 6749, section 3.2"), "{said}");
    assert!(!said.contains("passed   "), "{said}");
    assert!(error.contains("requirements are not met"), "{error}");
}

/// The document of another issuer says nothing about this one, and leads nobody anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn of_another_issuer_nothing_is_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let document = json!({
        "issuer": "https://id.example",
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    });
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(move || async move { Json(document) }))
        .fallback(any(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            StatusCode::NOT_FOUND
        }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let output = check(&issuer, &["--json"]).await;
    assert_eq!(output.status.code(), Some(9));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let wrong = format!("`issuer` is \"{issuer}\", character by character");
    assert!(with(&report, "error").contains(&wrong), "{report}");
    // The other path of metadata.
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// A server for `router`, and its issuer.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_printed_before_a_slow_provider_has_answered_all() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(move || async move { Json(document) }))
        .route("/keys", any(std::future::pending::<StatusCode>));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut child = quadrille(&["check", &issuer]).stdout(Stdio::piped()).spawn().unwrap();
    let first = tokio::task::spawn_blocking(move || {
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it waits for the keys");
        child.kill().unwrap();
        child.wait().unwrap();
        first
    });
    assert_eq!(first.await.unwrap(), "Metadata (OpenID Connect Discovery)\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_is_called_so_and_one_error_is_one() {
    let long = format!("{{\"issuer\":\"{}\"}}", "x".repeat(300 * 1024));
    let json = [("content-type", "application/json")];
    let document = move || async move { (json, long) };
    let app = Router::new().route("/.well-known/openid-configuration", get(document));
    let output = check(&serve(app).await, &[]).await;
    let said = text(&output.stdout);
    assert!(said.contains("found: an answer of more than 256 KiB"), "{said}");
    // The document is wrong, not missing.
    assert!(said.contains(", 1 error"), "{said}");
    let output = check(&serve(Router::new()).await, &[]).await;
    let (said, error) = (text(&output.stdout), text(&output.stderr));
    assert!(said.ends_with("0 warnings, 1 error\n"), "{said}");
    assert!(error.contains("1 requirement is not met"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_is_no_report() {
    for (url, code, message) in [
        ("https://id.example/?a=1", 2, "the issuer must be a URL of https"),
        ("http://id.example", 2, "the issuer must be a URL of https"),
        ("nonsense", 2, "the issuer must be a URL of https"),
        ("http://127.0.0.1:9", 1, "\"127.0.0.1\" does not respond"),
    ] {
        let output = check(url, &[]).await;
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{url}: {error}");
        assert!(error.contains(message), "{url}: {error}");
        assert!(output.stdout.is_empty());
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let output = check(&issuer, &[]).await;
    assert_eq!(output.status.code(), Some(9));
    let said = text(&output.stdout);
    assert!(said.contains("has metadata at one of the two well-known paths"), "{said}");
}
