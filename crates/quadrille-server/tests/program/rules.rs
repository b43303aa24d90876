//! The settings that move paths, and those of the rules of the authorization server.

use reqwest::Url;
use serde_json::Value;

use crate::{
    browser::Browser,
    flow::{CHALLENGE, PASSWORD, REDIRECT, VERIFIER},
    issuers::metadata,
    process::{Folder, Program, failure, json},
};

async fn post(program: &Program, path: &str, client: &Value, form: &[(&str, &str)]) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(program.url(path)).form(form);
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str());
    request.basic_auth(id, secret).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn endpoints_and_the_device_page_are_where_the_settings_say() {
    let folder = Folder::new();
    let program = Program::start_with(
        &folder,
        &[
            "--device",
            "--oauth1",
            "--set",
            "endpoints_path=/oauth2/v1",
            "--set",
            "device.page=/activate",
        ],
    );
    program.add_user("Ada", PASSWORD);
    let metadata = metadata(&program).await;
    for (member, path) in [
        ("token_endpoint", "/oauth2/v1/token"),
        ("authorization_endpoint", "/oauth2/v1/authorize"),
        ("introspection_endpoint", "/oauth2/v1/introspect"),
    ] {
        assert_eq!(metadata[member], program.url(path));
    }
    let add = ["client", "add", "Television", "--grant", "device_code"];
    let client = program.json(&add);
    let codes = post(&program, "/oauth2/v1/device_authorization", &client, &[]).await;
    assert_eq!(codes["verification_uri"], program.url("/activate"));
    let browser = Browser::new();
    let page = browser.get(&program.url("/activate")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let typed = page.form("user_code").with("user_code", codes["user_code"].as_str().unwrap());
    let page = browser.submit(&typed).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    assert!(page.html.contains("Television"), "{}", page.html);
    let device_code = codes["device_code"].as_str().unwrap();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let form = [("grant_type", grant), ("device_code", device_code)];
    let tokens = post(&program, "/oauth2/v1/token", &client, &form).await;
    assert!(tokens["access_token"].is_string(), "{tokens}");
    for gone in ["/oauth/token", "/device", "/oauth/authorize"] {
        assert_eq!(browser.get(&program.url(gone)).await.status, 404, "{gone}");
    }
}

#[test]
fn a_path_that_is_taken_or_no_path_is_refused_before_the_start() {
    let folder = Folder::new();
    for (setting, reason) in [
        ("endpoints_path=/tokens", "at or below /tokens"),
        ("endpoints_path=/health", "at or below /health"),
        ("endpoints_path=/api/oauth", "at or below /api"),
        ("device.page=/sign-in", "at or below /sign-in"),
        ("device.page=/oauth/token", "at or below /oauth"),
        ("endpoints_path=oauth", "such as /oauth or /oauth2/v1"),
        ("endpoints_path=/{x}", "such as /oauth or /oauth2/v1"),
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--set", setting];
        let (code, said) = failure(&folder.data(), &serve);
        assert!(code == 3 && said.contains(reason), "{setting}: {said}");
    }
}

#[tokio::test]
async fn a_scope_does_what_those_permit_that_it_implies() {
    let folder = Folder::new();
    let scopes = "scopes=photos=Your photos;photos:read=See your photos";
    let tree = "scope_tree=photos=photos:read";
    let program = Program::start_with(&folder, &["--set", scopes, "--set", tree]);
    program.add_user("Ada", PASSWORD);
    let add = ["client", "add", "App", "--redirect-uri", REDIRECT, "--scope", "photos photos:read"];
    let client = program.json(&add);
    let url = |scope: &str| {
        let query = [
            ("response_type", "code"),
            ("client_id", client["client_id"].as_str().unwrap()),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Url::parse_with_params(&program.url("/oauth/authorize"), query).unwrap()
    };
    let browser = Browser::new();
    let page = browser.get(url("photos").as_str()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &page.parameter("code").unwrap()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let tokens = post(&program, "/oauth/token", &client, &form).await;
    assert_eq!(tokens["scope"], "photos");
    // The consent covers what the scope implies, and a refresh may narrow the token to that.
    let page = browser.get(url("photos:read").as_str()).await;
    assert!(page.parameter("code").is_some(), "{}", page.html);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "photos:read")];
    let tokens = post(&program, "/oauth/token", &client, &form).await;
    assert_eq!(tokens["scope"], "photos:read", "{tokens}");
}

#[test]
fn a_scope_tree_is_shown_and_an_unknown_scope_in_it_named_with_the_nearest() {
    let folder = Folder::new();
    let scopes = "scopes=photos;photos:read";
    let config = |tree: &str| ["config", "--set", scopes, "--set", tree].map(str::to_owned);
    let shown = config("scope_tree=photos=photos:read");
    let shown = json(&folder.data(), &shown.each_ref().map(String::as_str), "");
    let find = |setting: &&Value| setting["key"] == "scope_tree";
    let shown = shown.as_array().unwrap().iter().find(find).unwrap();
    assert_eq!(shown["value"], "photos=photos:read");
    for (tree, reason) in [
        ("scope_tree=photos=photos:raed", "did you mean \"photos:read\"?"),
        ("scope_tree=foto=photos:read", "there is no scope \"foto\""),
        ("scope_tree=photos", "photos=photos:read,photos:write"),
        ("scope_trees=photos=photos:read", "did you mean \"scope_tree\"?"),
    ] {
        let tree = config(tree);
        let (code, said) = failure(&folder.data(), &tree.each_ref().map(String::as_str));
        assert!(code == 3 && said.contains(reason), "{said}");
    }
    let openid = ["--set", "openid=true", "--set", "scope_tree=photos=openid"];
    let tree = [&["config", "--set", scopes][..], &openid].concat();
    let (code, said) = failure(&folder.data(), &tree);
    assert!(code == 3 && said.contains("no scope implies \"openid\""), "{said}");
}
