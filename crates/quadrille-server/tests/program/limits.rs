//! Bad input, and clients that break the protocol.

use std::{io::Write as _, net::TcpStream, time::Duration};

use reqwest::{Method, StatusCode};

use crate::{
    browser::Browser,
    process::{Folder, Program, rest_of},
};

/// The answer of the program to these bytes.
fn answer(program: &Program, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&program.listening).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The program may close the connection before everything is sent.
    let _ = stream.write_all(request);
    rest_of(&mut stream)
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_body_over_the_limit_or_that_never_ends_or_never_comes_is_refused() {
    let folder = Folder::new();
    let program =
        Program::start_with(&folder, &["--set", "body_timeout=1s", "--set", "header_timeout=1s"]);
    let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let long = format!("{head}content-length: 1000000000\r\n\r\n");
    let said = answer(&program, long.as_bytes());
    assert_eq!(status(&said), 413, "{said}");
    assert!(said.contains("\"error\":\"invalid_request\""), "{said}");

    // Errors of the OAuth endpoints are JSON, whatever `Accept` says.
    for endpoint in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/request_token"] {
        let asks = head.replace("/oauth/token", endpoint) + "accept: text/html,*/*;q=0.8\r\n";
        let said = answer(&program, format!("{asks}content-length: 70000\r\n\r\n").as_bytes());
        assert_eq!(status(&said), 413, "{endpoint}: {said}");
        assert!(said.contains("content-type: application/json"), "{endpoint}: {said}");
    }
    let browser = head.replace("/oauth/token", "/sign-in") + "accept: text/html,*/*;q=0.8\r\n";
    let said = answer(&program, format!("{browser}content-length: 70000\r\n\r\n").as_bytes());
    assert_eq!(status(&said), 413, "{said}");
    assert!(said.contains("content-type: text/html") && said.contains("64 KiB"), "{said}");

    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let endless = format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(3));
    assert_eq!(status(&answer(&program, endless.as_bytes())), 413);

    let slow = format!("{head}content-length: 100\r\n\r\ngrant_type=");
    let said = answer(&program, slow.as_bytes());
    assert_eq!(status(&said), 408, "{said}");

    // A head that never ends is cut off.
    let said = answer(&program, b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
    assert!(!said.starts_with("HTTP/1.1 200"), "{said}");
    let huge = format!("GET / HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(status(&answer(&program, huge.as_bytes())), 431);
    let long = format!("GET /?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&answer(&program, long.as_bytes())), 431);
    let page = "host: x\r\naccept: text/html\r\n\r\n";
    let long = format!("GET /sign-in?next=/{} HTTP/1.1\r\n{page}", "x".repeat(20_000));
    let said = answer(&program, long.as_bytes());
    assert_eq!(status(&said), 431, "{said}");
    assert!(said.contains("content-type: text/html") && said.contains("16 KiB"), "{said}");
    // Each in the language of the browser, with the number of the request.
    let page = "host: x\r\naccept: text/html\r\naccept-language: de, en;q=0.5\r\n\r\n";
    let long = format!("GET /sign-in?next=/{} HTTP/1.1\r\n{page}", "x".repeat(20_000));
    let said = answer(&program, long.as_bytes());
    assert!(
        said.contains("lang=\"de\"") && said.contains("Diese Anfrage wurde abgelehnt"),
        "{said}"
    );
    assert!(said.contains("nennen Sie dem Betreiber"), "{said}");
    assert_eq!(status(&answer(&program, b"\x16\x03\x01 no HTTP at all\r\n\r\n")), 400);
    program.stop();
}

#[test]
fn a_request_without_a_host_or_with_two_or_a_malformed_one_is_refused_at_every_path() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    for path in ["/sign-in", "/oauth/token", "/oauth/authorize", "/api/me", "/health", "/nowhere"] {
        for hosts in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n", "host: a@b\r\n"] {
            for method in ["GET", "POST"] {
                let request = format!("{method} {path} HTTP/1.1\r\n{hosts}\r\n");
                let said = answer(&program, request.as_bytes());
                assert_eq!(status(&said), 400, "{request}: {said}");
            }
        }
    }
    let old = answer(&program, b"GET /health HTTP/1.0\r\n\r\n");
    assert_eq!(status(&old), 200, "{old}");
    program.stop();
}

#[tokio::test]
async fn what_is_no_form_is_a_page_that_says_so() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--device"]);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent =
        http.post(program.url("/sign-in")).body("{}").header("content-type", "application/json");
    let response = sent.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(response.text().await.unwrap().contains("cannot be read"));
    for path in [
        "/sign-in",
        "/sign-out",
        "/sign-out/everywhere",
        "/applications/withdraw",
        "/sessions/end",
        "/sessions/end-others",
        "/password",
        "/account/export",
        "/tokens/revoke",
        "/oauth/consent",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
    ] {
        let sent = http.post(program.url(path)).body("form=x&client_id=x&token=x");
        let sent = sent.header("content-type", "application/x-www-form-urlencoded");
        let response = sent.header("content-type", "text/plain").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let sent = http.post(program.url(path)).form(&[("form", "x"), ("token", "x")]);
        let response = sent.header("content-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let text = response.text().await.unwrap();
        let words = ["Content-Encoding", "cannot be read", "asked in a way that cannot be"];
        assert!(words.iter().any(|word| text.contains(word)), "{path}: {text}");
    }
    for body in ["username=%ff&password=x", "username=a&username=b", "=", "%"] {
        let sent = http
            .post(program.url("/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = sent.send().await.unwrap();
        assert!(response.status().is_client_error(), "{body}: {}", response.status());
        assert!(response.text().await.unwrap().contains("<h1>"), "{body}");
    }
    for (method, path, status) in [
        (Method::DELETE, "/sign-in", 405),
        (Method::GET, "/oauth/consent", 405),
        (Method::DELETE, "/device", 405),
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/assets/none.css", 404),
        (Method::GET, "/sign-in?next=%ff&next=b", 200),
    ] {
        let response = Browser::new().send(method, &program.url(path), None).await;
        assert_eq!(response.status(), status, "{path}");
        assert!(response.text().await.unwrap().contains("<h1>"), "{path}: a page says it");
    }
    program.stop();
}

#[tokio::test]
async fn a_browser_that_came_by_another_loopback_name_is_sent_to_the_public_one() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let url = format!("http://{}/sign-in?next=%2F", program.listening);
    let response = Browser::new().send(Method::GET, &url, None).await;
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()["location"], program.url("/sign-in?next=%2F"));
    // Programs that do not ask for HTML are answered at either address.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let metadata = format!("http://{}/.well-known/oauth-authorization-server", program.listening);
    let metadata: serde_json::Value =
        http.get(metadata).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], *program.issuer);
}

#[tokio::test]
async fn an_issuer_with_a_path_keeps_everything_below_it() {
    let folder = Folder::new();
    let listening = format!("127.0.0.1:{}", crate::ports::free_port());
    let issuer = format!("http://{listening}/id");
    let program = Program::start_with(&folder, &["--listen", &listening, "--issuer", &issuer]);
    let browser = Browser::new();
    let page = browser.get(&program.url("/")).await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/id/sign-in"));
    program.add_user("ada", "correct horse");
    let home = browser.sign_in(&page, "ada", "correct horse").await;
    assert_eq!(home.url.path(), "/id/", "{}", home.html);
    for path in [
        "/.well-known/oauth-authorization-server/id",
        "/id/.well-known/oauth-authorization-server",
        "/health",
    ] {
        let response = browser.send(Method::GET, &format!("http://{listening}{path}"), None).await;
        assert_eq!(response.status(), 200, "{path}");
    }
    assert!(!program.log().contains("strips /id from the path"), "{}", program.log());
    for path in ["/nowhere", "/sign-in", "/oauth/token", "/"] {
        let response = browser.send(Method::GET, &format!("http://{listening}{path}"), None).await;
        assert_eq!(response.status(), 404, "{path}");
    }
    assert_eq!(program.log().matches("strips /id from the path").count(), 1, "{}", program.log());
}

#[tokio::test]
async fn a_proxy_that_was_not_declared_is_pointed_out_once() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    for _ in 0..3 {
        let browser = Browser::at("203.0.113.9");
        assert_eq!(browser.get(&program.url("/")).await.status, StatusCode::OK);
    }
    assert_eq!(program.log().matches("add --trusted-proxy 127.0.0.1").count(), 1);
    program.stop();
    let trusting = Program::start_with(&folder, &["--trusted-proxy", "127.0.0.1"]);
    Browser::at("203.0.113.9").get(&trusting.url("/")).await;
    assert!(!trusting.log().contains("--trusted-proxy"));
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    // Browsers send no session cookie with a form of another site, but obey the answer.
    let form = http.post(program.url("/sign-out")).form(&[("form", "x")]);
    let foreign = form.try_clone().unwrap().header("origin", "https://evil.example");
    let foreign = foreign.send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert!(!foreign.headers().contains_key("set-cookie"));
    let own = form.send().await.unwrap();
    assert_eq!(own.status(), 200, "whoever has no session is signed out already");
}
