//! Clients that describe themselves, as far as they can be tested without the public Internet.

use std::{io::ErrorKind, net::TcpListener};

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::CHALLENGE,
    process::{Folder, Program},
};

const SUPPORTED: &str = "client_id_metadata_document_supported";

async fn metadata(program: &Program) -> Value {
    let url = format!("{}/.well-known/oauth-authorization-server", program.issuer);
    serde_json::from_str(&Browser::new().get(&url).await.html).unwrap()
}

async fn ask(program: &Program, client_id: &str) -> Page {
    let query = format!("client_id={client_id}&response_type=code&code_challenge={CHALLENGE}");
    let url = format!("{}/oauth/authorize?{query}", program.issuer);
    Browser::new().get(&format!("{url}&code_challenge_method=S256")).await
}

#[tokio::test]
async fn they_are_let_in_when_that_is_switched_on_and_nothing_inside_is_reached_through_them() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let ids = ["127.0.0.1", "localhost"].map(|host| format!("https://{host}:{port}/client.json"));

    let folder = Folder::new();
    let off = Program::start_with(&folder, &[]);
    assert_eq!(metadata(&off).await.get(SUPPORTED), None);
    for id in &ids {
        let page = ask(&off, id).await;
        assert!(page.html.contains("unknown_client"), "{}", page.html);
    }

    let folder = Folder::new();
    let on = Program::start_with(&folder, &["--set", "client_metadata_documents=true"]);
    assert_eq!(metadata(&on).await[SUPPORTED], true);
    for id in &ids {
        let page = ask(&on, id).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.html.contains("client_document"), "{}", page.html);
    }
    assert_eq!(inside.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
