//! No secret is in anything that the program writes about itself.

use std::{fs, path::Path};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    collector::Collector,
    flow::{PASSWORD, Stage, VERIFIER, token},
    issuers::Partner,
    process::{Folder, Program, json as command, run, text},
};

const WRONG: &str = "canary of a mistyped password";

/// What the program wrote about itself: its log, its audit log, its measurements and its traces.
async fn written(program: Program, audit: &Path, collector: &Collector) -> String {
    let http = Client::builder().no_proxy().build().unwrap();
    let metrics = http.get(format!("http://{}/metrics", program.metrics)).send().await.unwrap();
    let (metrics, audit) = (metrics.text().await.unwrap(), fs::read_to_string(audit).unwrap());
    for (text, part) in [(&metrics, "quadrille_requests_total"), (&audit, "consent_given")] {
        assert!(text.contains(part), "{text}");
    }
    // The last traces are sent at the end.
    program.signal("-TERM");
    let (status, log) = program.ended();
    assert!(status.success(), "{log}");
    let routes = collector.spans();
    assert!(routes.iter().any(|span| span.is("POST /oauth/token")));
    [log, audit, metrics, collector.text()].concat()
}

/// Puts each secret that the program sees through it, and returns them with their names.
async fn spend(stage: &Stage, partner: &Partner) -> Vec<(&'static str, String)> {
    let (program, browser) = (&stage.program, Browser::new());
    let http = Client::builder().no_proxy().build().unwrap();
    let of = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let mut secrets = vec![
        ("password", PASSWORD.to_owned()),
        ("mistyped password", WRONG.to_owned()),
        ("client secret", of(&stage.client, "client_secret")),
        ("PKCE verifier", VERIFIER.to_owned()),
    ];
    // A user signs in, and lets a client in.
    let page = browser.get(&stage.authorize_url()).await;
    browser.sign_in(&page, "ada", WRONG).await;
    browser.sign_in(&page, WRONG, PASSWORD).await;
    let page = stage.consent_page(&browser).await;
    let form = page.form("ticket").with("decision", "allow");
    let ticket = form.fields.iter().find(|(name, _)| name == "ticket").unwrap().1.clone();
    secrets.push(("ticket", ticket));
    let page = browser.submit(&form).await;
    secrets.push(("code", page.parameter("code").unwrap()));
    let tokens = stage.redeem(&page).await;
    // A code that is used again, and one that a client makes up.
    let code = page.parameter("code").unwrap();
    for code in [&*code, "canary-of-a-made-up-code-xyz"] {
        let form = [("grant_type", "authorization_code"), ("code", code)];
        assert_ne!(stage.token(&form).await.0, 200);
    }
    secrets.push(("made-up code", "canary-of-a-made-up-code-xyz".to_owned()));
    secrets.push(("access token", of(&tokens, "access_token")));
    secrets.push(("refresh token", of(&tokens, "refresh_token")));
    for what in ["session", "form", "device"] {
        let cookie = browser.cookie(what);
        secrets.extend(cookie.map(|(_, value)| ("cookie", value)));
    }
    // Tokens at the API, at the other endpoints, and in wrong places.
    let (access, refresh) = (of(&tokens, "access_token"), of(&tokens, "refresh_token"));
    for wrong in [&*access, "canary-of-a-made-up-token"] {
        let url = format!("{}?access_token={wrong}", program.url("/api/me"));
        http.get(&url).bearer_auth(wrong).send().await.unwrap();
        http.get(program.url("/nowhere")).header("x-request-id", wrong).send().await.unwrap();
    }
    http.get(program.url(&format!("/api/{access}"))).send().await.unwrap();
    secrets.push(("made-up token", "canary-of-a-made-up-token".to_owned()));
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*refresh)];
    let (_, refreshed) = stage.token(&form).await;
    secrets.push(("second refresh token", of(&refreshed, "refresh_token")));
    let id = of(&stage.client, "client_id");
    let secret = of(&stage.client, "client_secret");
    for path in ["/oauth/introspect", "/oauth/revoke", "/oauth/token"] {
        for secret in [&*secret, "canary-of-a-made-up-secret"] {
            let form = [("token", &*access), ("client_id", &*id), ("client_secret", secret)];
            http.post(program.url(path)).form(&form).send().await.unwrap();
            let swapped = [("client_id", secret), ("grant_type", &*access), ("scope", &*refresh)];
            http.post(program.url(path)).form(&swapped).send().await.unwrap();
        }
    }
    secrets.push(("made-up secret", "canary-of-a-made-up-secret".to_owned()));
    // A device.
    let device = program.json(&[
        "client",
        "add",
        "Tele",
        "--public",
        "--grant",
        "device_code",
        "--scope",
        "photos:read",
    ]);
    let device_id = of(&device, "client_id");
    let codes = http.post(program.url("/oauth/device_authorization"));
    let codes = codes.form(&[("client_id", &*device_id)]).send().await.unwrap();
    let codes: Value = codes.json().await.unwrap();
    let device_code = of(&codes, "device_code");
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", &*device_code),
    ];
    assert_ne!(token(program, &device, &form).await.0, 200, "not yet");
    let page = browser.get(&program.url("/device")).await;
    let form = page.form("user_code").with("user_code", &of(&codes, "user_code"));
    browser.submit(&form).await;
    secrets.push(("device code", device_code));
    secrets.push(("user code", of(&codes, "user_code")));
    // Assertions.
    let sync = program.json(&["client", "add", "Sync", "--grant", "jwt_bearer"]);
    for user in ["Ada", "nobody"] {
        let assertion = partner.jwt(program, user, &json!({}));
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &*assertion),
        ];
        assert_eq!(token(program, &sync, &form).await.0 == 200, user == "Ada");
        secrets.push(("assertion", assertion));
    }
    // A form of another site, with a cookie.
    browser.send(Method::POST, &program.url("/sign-out"), None).await;
    secrets
}

#[tokio::test]
async fn no_secret_is_in_the_log_the_audit_log_the_measurements_or_the_traces() {
    let (folder, partner) = (Folder::new(), Partner::new());
    let collector = Collector::start();
    let traces = collector.setting();
    let audit = folder.path().join("audit.jsonl");
    let audit_log = format!("audit_log={}", audit.display());
    let trusted = partner.setting("trusted_for = ['jwt-bearer'], subjects = 'user-names'");
    let stage = Stage::with(&[
        "--log",
        "trace",
        "--device",
        "--trusted-proxy",
        "192.0.2.1",
        "--set",
        "metrics_listen=127.0.0.1:0",
        "--set",
        &audit_log,
        "--set",
        &traces,
        "--set",
        &trusted,
    ]);
    let mut secrets = spend(&stage, &partner).await;
    // Commands.
    let program = &stage.program;
    let on = ["--set", &*audit_log, "--log", "trace"];
    let mut said = String::new();
    let personal = ["user", "token", "add", "ada", "backup", "--scope", "photos:read"];
    let personal = command(&program.data, &[&personal[..], &on[..2]].concat(), "");
    let personal = personal["access_token"].as_str().unwrap().to_owned();
    let initial = ["registration", "add-token", "Ada's"];
    let initial = command(&program.data, &[&initial[..], &on[..2]].concat(), "");
    let initial = initial["initial_access_token"].as_str().unwrap().to_owned();
    let id = stage.client["client_id"].as_str().unwrap();
    let new = "canary of a new password";
    for (arguments, input) in [
        (&["user", "set-password", "ada", "--password-stdin"][..], new),
        (&["token", "revoke", "--token-stdin"], &*personal),
        (&["client", "secret", "add", id, "--secret-stdin"], "canary-of-a-chosen-secret"),
    ] {
        let output = run(&program.data, &[arguments, &on].concat(), &format!("{input}\n"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        said.push_str(&text(&output.stderr));
    }
    secrets.extend([
        ("personal token", personal),
        ("initial access token", initial),
        ("new password", new.to_owned()),
        ("chosen secret", "canary-of-a-chosen-secret".to_owned()),
    ]);
    let written = written(stage.program, &audit, &collector).await + &said;
    assert!(written.contains("DEBUG"), "everything is logged");
    for (name, secret) in secrets {
        assert!(secret.len() >= 8, "{name}");
        let at = written.find(&secret);
        let line = at.map(|at| written[..at].lines().last().unwrap_or_default().to_owned());
        assert_eq!(line, None, "the log has the {name} {secret}");
    }
}
