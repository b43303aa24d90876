//! Clients that get access tokens in their redirects.

use reqwest::Url;
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, REDIRECT, SCOPES},
    process::{Folder, Program, run},
};

const ON: [&str; 2] = ["--set", "send_access_tokens_in_redirects_so_that_they_can_leak=true"];

struct Stage {
    program: Program,
    client: Value,
    _folder: Folder,
}

impl Stage {
    fn with(arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SCOPES[..], arguments].concat());
        program.add_user("Ada", PASSWORD);
        let add = ["client", "add", "Old app", "--public", "--grant", "implicit"];
        let redirect = ["--redirect-uri", REDIRECT, "--scope", "photos:read"];
        let client = program.json(&[&add[..], &redirect].concat());
        Self { program, client, _folder: folder }
    }

    fn id(&self) -> &str {
        self.client["client_id"].as_str().unwrap()
    }

    /// The last page of a user who signs in and presses a button.
    async fn decide(&self, browser: &Browser, decision: &str) -> Page {
        let query = [("response_type", "token"), ("client_id", self.id()), ("state", "s&t=1")];
        let url = Url::parse_with_params(&self.program.url("/oauth/authorize"), query).unwrap();
        let page = browser.get(url.as_str()).await;
        if page.url.fragment().is_some() {
            return page;
        }
        let page = browser.sign_in(&page, "ada", PASSWORD).await;
        browser.submit(&page.form("ticket").with("decision", decision)).await
    }
}

fn parameter(page: &Page, name: &str) -> Option<String> {
    assert!(page.url.as_str().starts_with(REDIRECT) && page.url.query().is_none(), "{}", page.url);
    let query = format!("http://fragment/?{}", page.url.fragment()?);
    let url = Url::parse(&query).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn the_grant_is_off_unless_the_setting_says_so() {
    let stage = Stage::with(&[]);
    let page = stage.decide(&Browser::new(), "allow").await;
    assert_eq!(parameter(&page, "error").as_deref(), Some("unsupported_response_type"));
    let add = ["client", "add", "Other", "--grant", "implicit", "--redirect-uri", REDIRECT];
    let added = run(&stage.program.data, &add, "");
    let notes = String::from_utf8_lossy(&added.stderr).into_owned();
    assert!(
        notes.contains(ON[1].trim_end_matches("=true")) && notes.contains("can leak"),
        "{notes}"
    );
    let listed = stage.program.json(&["config"]);
    let rows = listed.as_array().unwrap().iter();
    let rows: Vec<_> = rows.filter(|row| row["key"] == "grant implicit").collect();
    assert_eq!((rows.len(), &rows[0]["value"]), (1, &"off".into()));
}

#[tokio::test]
async fn an_old_application_gets_a_token_in_the_fragment() {
    let stage = Stage::with(&ON);
    let browser = Browser::new();
    let page = stage.decide(&browser, "allow").await;
    let token = parameter(&page, "access_token").unwrap();
    assert_eq!(parameter(&page, "state").as_deref(), Some("s&t=1"));
    assert_eq!(parameter(&page, "scope").as_deref(), Some("photos:read"));
    assert_eq!((parameter(&page, "code"), parameter(&page, "refresh_token")), (None, None));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let me = http.get(stage.program.url("/api/me")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["username"], "Ada");
    let account = browser.get(&stage.program.url("/")).await;
    assert!(account.html.contains("Old app"), "the user sees the application: {}", account.html);

    let edit = ["client", "edit", stage.id(), "--grant", "authorization_code"];
    assert!(run(&stage.program.data, &edit, "").status.success());
    let exported = run(&stage.program.data, &["client", "export"], "");
    let exported: Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!(exported["grant_types"], serde_json::json!(["authorization_code"]));
    let back = ["client", "edit", stage.id(), "--grant", "implicit"];
    assert!(run(&stage.program.data, &back, "").status.success());
    let denied = stage.decide(&Browser::new(), "deny").await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));

    let lines = run(&stage.program.data, &["client", "export"], "").stdout;
    let (folder, lines) = (Folder::new(), String::from_utf8(lines).unwrap());
    let other = Program::start_with(&folder, &[&SCOPES[..], &ON].concat());
    assert!(run(&other.data, &["client", "import", "-"], &lines).status.success());
    let shown = other.json(&["client", "show", stage.id()]);
    assert_eq!(shown["grant_types"], serde_json::json!(["implicit"]));
}
