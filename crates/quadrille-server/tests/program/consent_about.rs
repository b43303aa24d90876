//! The facts about an application that its users see on the consent page.

use std::time::Duration;

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, REDIRECT, Stage, add_client, authorize_url},
    process::{Folder, Program, eventually, failure, json, run, text},
};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0 not much of a picture";

async fn consent(stage: &Stage, browser: &Browser, client: &Value) -> Page {
    let page = browser.get(&authorize_url(&stage.program, client)).await;
    match page.html.contains("name=\"username\"") {
        true => browser.sign_in(&page, "ada", PASSWORD).await,
        false => page,
    }
}

#[tokio::test]
async fn users_see_whose_an_application_is_and_how_it_treats_their_data() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let id = stage.client["client_id"].as_str().unwrap();
    let page = consent(&stage, &browser, &stage.client).await;
    assert!(!page.html.contains("privacy policy"), "{}", page.html);
    assert!(page.html.contains("You have not allowed it anything before"), "{}", page.html);
    assert!(page.html.contains("After 365 days at the latest"), "{}", page.html);
    let facts = [
        "--owner",
        "Prints <& Frames",
        "--client-uri",
        "https://printer.example/about",
        "--policy-uri",
        "https://printer.example/privacy",
        "--tos-uri",
        "https://printer.example/terms",
        "--contact",
        "help@printer.example",
    ];
    let shown = program.json(&[&["client", "edit", id], &facts[..]].concat());
    assert_eq!(shown["about"]["owner"], "Prints <& Frames");
    assert_eq!(shown["about"]["contacts"][0], "help@printer.example");
    let knows = async || {
        let page = consent(&stage, &browser, &stage.client).await;
        page.html.contains("Prints &lt;&amp; Frames")
    };
    // A process notices a change of another one after a while.
    assert!(eventually(Duration::from_secs(20), knows).await);
    let page = consent(&stage, &browser, &stage.client).await;
    for said in [">printer.example</a>", ">privacy policy</a>", ">terms of service</a>", "help@"] {
        assert!(page.html.contains(said), "{said}: {}", page.html);
    }
    assert!(page.html.len() < 10_000, "{}", page.html.len());
    browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let account = browser.get(&program.url("/")).await;
    assert!(account.html.contains("by <bdi>Prints &lt;&amp; Frames</bdi>"), "{}", account.html);

    program.json(&["client", "edit", id, "--owner", "", "--contact", ""]);
    let shown = program.json(&["client", "show", id]);
    assert_eq!(shown["about"].as_object().unwrap().len(), 3, "{shown}");
    for (flag, value, said) in [
        ("--policy-uri", "http://printer.example/", "policy_uri: an https URL"),
        ("--logo-uri", "javascript:alert(1)", "logo_uri: an https URL"),
        ("--owner", "a\u{202e}b", "owner: text"),
    ] {
        let (code, text) = failure(&program.data, &["client", "edit", id, flag, value]);
        assert!(code == 2 && text.contains(said), "{code} {text}");
    }
}

#[tokio::test]
async fn a_name_that_looks_like_that_of_an_allowed_application_is_pointed_out() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let page = consent(&stage, &browser, &stage.client).await;
    assert!(!page.html.contains("This is not the"), "{}", page.html);
    browser.submit(&page.form("ticket").with("decision", "allow")).await;
    for name in ["PHOTO-Printer", "Photo Printer Official"] {
        let like = add_client(program, name);
        let page = consent(&stage, &browser, &like).await;
        let said = "This is not the <bdi>Photo &lt;printer&gt;</bdi>";
        assert!(page.html.contains(said), "{name}: {}", page.html);
    }
    let other = add_client(program, "Photo painter");
    let page = consent(&stage, &browser, &other).await;
    assert!(!page.html.contains("This is not the"), "{}", page.html);
}

#[test]
fn the_operator_is_told_of_a_name_that_looks_like_that_of_another_client() {
    let folder = Folder::new();
    let data = folder.data();
    let add = |name: &str| {
        let add = ["client", "add", name, "--redirect-uri", REDIRECT, "--json"];
        let output = run(&data, &add, "");
        let added: Value = serde_json::from_slice(&output.stdout).unwrap();
        (added["client_id"].as_str().unwrap().to_owned(), text(&output.stderr))
    };
    let (first, said) = add("PayPal");
    assert!(!said.contains("looks like it"), "{said}");
    // A capital I for the small l.
    let (_, said) = add("PayPaI");
    assert!(said.contains("looks like it") && said.contains(&first), "{said}");
    let (_, said) = add("PayPal (verified)");
    assert!(said.contains("looks like it"), "{said}");
    let (other, said) = add("Photo painter");
    assert!(!said.contains("looks like it"), "{said}");
    let edit = |arguments: &[&str]| {
        let output = run(&data, &[&["client", "edit", &other], arguments].concat(), "");
        assert!(output.status.success());
        text(&output.stderr)
    };
    let said = edit(&["--name", "paypal"]);
    assert!(said.contains("looks like it") && said.contains("client edit"), "{said}");
    let said = edit(&["--owner", "Ada"]);
    assert!(!said.contains("looks like it"), "the name is as before: {said}");
}

#[tokio::test]
async fn a_logo_is_fetched_by_the_program_and_shown_from_its_own_origin() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let svg = || async { ([(CONTENT_TYPE, "image/png")], "<svg onload=\"alert(1)\"/>") };
    let site = Router::new()
        .route("/logo.png", get(|| async { ([(CONTENT_TYPE, "text/plain")], PNG) }))
        .route("/logo.svg", get(svg));
    let serving = tokio::spawn(async move { axum::serve(listener, site).await.unwrap() });

    let here = "fetch_from_this_machine_so_that_strangers_can_send_to_its_services=true";
    let stage = Stage::with(&["--set", here]);
    let (program, browser) = (&stage.program, Browser::new());
    let add = |name: &str, logo: &str| {
        let logo = format!("http://{address}/{logo}");
        let add = ["client", "add", name, "--redirect-uri", REDIRECT, "--logo-uri", &logo];
        let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
        program.json(&[&add[..], &scopes].concat())
    };
    let (good, bad) = (add("Album", "logo.png"), add("Trap", "logo.svg"));
    let img = |page: &Page| {
        let rest = page.html.split("<img class=\"tile\" src=\"").nth(1)?;
        Some(rest.split('"').next()?.replace("&#x2f;", "/"))
    };
    let has_logo = async || img(&consent(&stage, &browser, &good).await).is_some();
    assert!(eventually(Duration::from_secs(20), has_logo).await);
    let page = consent(&stage, &browser, &good).await;
    let path = img(&page).unwrap();
    assert!(path.starts_with("/assets/") && path.ends_with(".png"), "{path}");
    assert!(!page.html.contains(&address.to_string()), "{}", page.html);
    let logo = browser.send(Method::GET, &program.url(&path), None).await;
    assert_eq!(logo.status(), StatusCode::OK);
    assert_eq!(logo.headers()["content-type"], "image/png");
    assert_eq!(logo.headers()["x-content-type-options"], "nosniff");
    assert_eq!(&logo.bytes().await.unwrap()[..], PNG);

    consent(&stage, &browser, &bad).await;
    let refused = async || program.log().contains("the logo of a client is not shown");
    assert!(eventually(Duration::from_secs(20), refused).await);
    let log = program.log();
    let line = log.lines().find(|line| line.contains("the logo of a client is not shown")).unwrap();
    for part in [bad["client_id"].as_str().unwrap(), "127.0.0.1", "an SVG can hold scripts"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!log.contains("logo.svg"), "a path or a query can hold a secret: {log}");
    let page = consent(&stage, &browser, &bad).await;
    assert_eq!(img(&page), None, "{}", page.html);

    // It is in the database: the next process has it, and it goes with the client.
    serving.abort();
    let Stage { program, folder, .. } = stage;
    program.stop();
    let program = Program::start_with(&folder, &["--set", here]);
    let logo = browser.send(Method::GET, &program.url(&path), None).await;
    assert_eq!(&logo.bytes().await.unwrap()[..], PNG);
    let id = good["client_id"].as_str().unwrap();
    program.stop();
    json(&folder.data(), &["client", "remove", id, "--yes"], "");
    let program = Program::start_with(&folder, &["--set", here]);
    let logo = browser.send(Method::GET, &program.url(&path), None).await;
    assert_eq!(logo.status(), StatusCode::NOT_FOUND);
}
