//! Clients that register themselves, at the program.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::CHALLENGE,
    process::{Folder, Program, failure, run, text},
};

const OPEN: &str = "registration=open-to-anybody-so-that-strangers-add-clients";
const SCOPES: &str = "scopes=photos:read=See your photos;photos:write=Add photos";
const CALLBACK: &str = "http://127.0.0.1:9/callback";

fn metadata() -> Value {
    json!({
        "client_name": "Photo app",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
}

async fn send(
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> (StatusCode, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let status = response.status();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

/// The registration endpoint in the metadata.
async fn endpoint(program: &Program) -> Option<String> {
    let url = format!("{}/.well-known/oauth-authorization-server", program.issuer);
    let metadata: Value = serde_json::from_str(&Browser::new().get(&url).await.html).unwrap();
    metadata["registration_endpoint"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn it_is_off_until_it_is_switched_on() {
    let program = Program::start(&Folder::new());
    assert_eq!(endpoint(&program).await, None);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(program.url("/oauth/register")).json(&metadata()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let folder = Folder::new();
    let (code, said) = failure(&folder.data(), &["config", "--set", "registration=open"]);
    assert_eq!(code, 3);
    assert!(said.contains("open-to-anybody-so-that-strangers-add-clients"), "{said}");
    let wrong = ["config", "--set", SCOPES, "--set", "registration_scopes=photos:raed"];
    let (code, said) = failure(&folder.data(), &wrong);
    assert!(code == 3 && said.contains("photos:read"), "{said}");
}

#[tokio::test]
async fn a_client_that_registered_itself_moves_with_its_registration() {
    let (folder, other) = (Folder::new(), Folder::new());
    let arguments = ["--set", SCOPES, "--set", OPEN];
    let [here, there] = [&folder, &other].map(|folder| Program::start_with(folder, &arguments));
    let mut asked = metadata();
    asked["token_endpoint_auth_method"] = "client_secret_basic".into();
    asked["contacts"] = json!(["ada@app.example"]);
    let (_, client) = send(Method::POST, &endpoint(&here).await.unwrap(), None, Some(&asked)).await;
    let export = |program: &Program| text(&run(&program.data, &["client", "export"], "").stdout);
    let lines = export(&here);
    let imported = run(&there.data, &["client", "import", "-"], &lines);
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(export(&there), lines);
    let at = client["registration_client_uri"].as_str().unwrap();
    let at = at.replace(&here.issuer, &there.issuer);
    let token = client["registration_access_token"].as_str();
    let (status, read) = send(Method::GET, &at, token, None).await;
    assert_eq!((status, &read["contacts"]), (StatusCode::OK, &asked["contacts"]), "{read}");
}

#[tokio::test]
async fn a_stranger_is_shown_for_one_and_lives_from_registration_to_deletion() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", SCOPES, "--set", OPEN]);
    program.add_user("ada", "correct horse battery");
    let endpoint = endpoint(&program).await.unwrap();
    let (status, client) = send(Method::POST, &endpoint, None, Some(&metadata())).await;
    assert_eq!(status, StatusCode::CREATED, "{client}");
    let id = client["client_id"].as_str().unwrap();
    let query = format!("client_id={id}&response_type=code&code_challenge={CHALLENGE}");
    let browser = Browser::new();
    let ask = format!("{}/oauth/authorize?{query}&code_challenge_method=S256", program.issuer);
    let page = browser.get(&ask).await;
    let page = browser.sign_in(&page, "ada", "correct horse battery").await;
    assert!(page.html.contains("registered itself"), "{}", page.html);
    assert!(page.html.contains("127.0.0.1:9</strong>, where the answer"), "{}", page.html);

    browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let account = browser.get(&program.issuer).await;
    assert!(account.html.contains("It registered itself"), "{}", account.html);
    assert!(account.html.contains("127.0.0.1:9</strong>"), "{}", account.html);
    assert!(!account.html.contains("after you allowed it"), "{}", account.html);
    let access = program.json(&["user", "access", "ada"]);
    assert_eq!(access["clients"][0]["registered_itself"], true);

    let list = program.json(&["client", "list"]);
    assert_eq!(list[0]["registered"], "by a stranger");
    let shown = text(&run(&program.data, &["client", "list"], "").stdout);
    assert!(shown.contains("by a stranger"), "{shown}");

    let uri = client["registration_client_uri"].as_str().unwrap();
    let token = client["registration_access_token"].as_str();
    let (status, read) = send(Method::GET, uri, token, None).await;
    assert_eq!((status, &read["client_name"]), (StatusCode::OK, &json!("Photo app")));
    let mut changed = metadata();
    changed["client_id"] = id.into();
    changed["client_name"] = "Photo app 2".into();
    let (status, updated) = send(Method::PUT, uri, token, Some(&changed)).await;
    assert_eq!((status, &updated["client_name"]), (StatusCode::OK, &json!("Photo app 2")));
    let account = browser.get(&program.issuer).await;
    assert!(account.html.contains("Photo app 2"), "{}", account.html);
    assert!(account.html.contains("after you allowed it"), "{}", account.html);
    let shown = text(&run(&program.data, &["user", "access", "ada"], "").stdout);
    assert!(shown.contains("registered itself, for http://127.0.0.1:9"), "{shown}");
    assert!(shown.contains("changed its name or address"), "{shown}");
    let token = updated["registration_access_token"].as_str();
    let (status, _) = send(Method::DELETE, uri, token, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, refused) = send(Method::GET, uri, token, None).await;
    assert_eq!((status, &refused["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));
    assert_eq!(program.json(&["client", "list"]), json!([]));
}

#[tokio::test]
async fn the_operator_gives_tokens_to_developers_and_takes_them_back() {
    let folder = Folder::new();
    let set = ["--set", "registration=initial-access-token", "--set", SCOPES];
    let program = Program::start_with(
        &folder,
        &[&set[..], &["--set", "registration_scopes=photos:read"]].concat(),
    );
    let endpoint = endpoint(&program).await.unwrap();
    let (status, refused) = send(Method::POST, &endpoint, None, Some(&metadata())).await;
    assert_eq!((status, &refused["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));

    let add = |name: &str| program.json(&["registration", "add-token", name, "--uses", "2"]);
    let (ada, other) = (add("Ada"), add("Other"));
    let token = ada["initial_access_token"].as_str();
    let (status, client) = send(Method::POST, &endpoint, token, Some(&metadata())).await;
    assert_eq!((status, &client["scope"]), (StatusCode::CREATED, &json!("photos:read")));
    let list = program.json(&["registration", "list"]);
    assert_eq!((&list[0]["name"], &list[0]["uses"]), (&json!("Ada"), &json!(1)));
    assert_eq!(list[0].get("initial_access_token"), None, "shown once");
    assert_eq!(program.json(&["client", "list"])[0]["registered"], "with the token Ada");

    let number = other["number"].as_str().unwrap().to_owned();
    program.json(&["registration", "revoke-token", &number]);
    let token = other["initial_access_token"].as_str();
    let (status, _) = send(Method::POST, &endpoint, token, Some(&metadata())).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (code, said) = failure(&program.data, &["registration", "revoke-token", &number]);
    assert_eq!(code, 6, "{said}");
    let plain = text(&run(&program.data, &["registration", "list"], "").stdout);
    assert!(plain.contains("Ada") && plain.contains("1 left"), "{plain}");
}

#[tokio::test]
async fn a_script_reads_refusals_that_no_handler_makes() {
    let program = Program::start(&Folder::new());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/api/me", "/oauth/token"] {
        let long = "x".repeat(70_000);
        let answer = http.post(program.url(path)).body(long).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{path}");
        let wrong = http.delete(program.url(path)).send().await.unwrap();
        assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(wrong.headers()["access-control-allow-origin"], "*", "{path}");
    }
    // Pages are for browsers that came by themselves.
    let page = http.post(program.url("/sign-in")).header("accept", "text/html");
    let page = page.body("x".repeat(70_000)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(page.headers().get("access-control-allow-origin"), None);
}

#[test]
fn grant_types_that_do_not_exist_or_are_off_are_refused_at_the_start() {
    let folder = Folder::new();
    let refused = |arguments: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--set"];
        let by_token = ["--set", "registration=initial-access-token"];
        failure(&folder.data(), &[&serve[..], arguments, &by_token].concat())
    };
    for (value, expected) in [
        ("device_cod", "there is no grant type \"device_cod\"; did you mean \"device_code\"?"),
        ("urn:example:kiosk", "there is no grant type \"urn:example:kiosk\""),
        ("device_code", "is not offered without the setting device.enabled"),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "without the setting trusted_issuers"),
        ("token_exchange", "without the setting token_exchange"),
        ("password", "without the setting let_clients_see_passwords_of_users"),
    ] {
        let setting = format!("registration_grant_types=authorization_code,{value}");
        let (code, said) = refused(&[&setting]);
        assert!(code == 3 && said.contains(expected), "{value}: {code} {said}");
    }
}

#[tokio::test]
async fn grant_types_are_set_by_their_short_names_and_by_their_urns() {
    for name in ["device_code", "urn:ietf:params:oauth:grant-type:device_code"] {
        let folder = Folder::new();
        let setting = format!("registration_grant_types={name}");
        let open = "registration=open-to-anybody-so-that-strangers-add-clients";
        let program = Program::start_with(&folder, &["--device", "--set", &setting, "--set", open]);
        let answer = reqwest::Client::new()
            .post(program.url("/oauth/register"))
            .json(&json!({
                "client_name": "TV",
                "token_endpoint_auth_method": "none",
                "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
                "response_types": [],
            }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201, "{name}: {}", answer.text().await.unwrap());
    }
}

/// Dynamic Client Registration, section 2: its logins are those that fail, and it is told apart.
#[tokio::test]
async fn a_stranger_s_client_does_not_keep_the_operator_from_another_algorithm() {
    let folder = Folder::new();
    let on = ["--set", "openid=true"];
    let program =
        Program::start_with(&folder, &[&["--set", SCOPES, "--set", OPEN], &on[..]].concat());
    program.add_user("ada", "correct horse battery");
    let mut asked = metadata();
    asked["id_token_signed_response_alg"] = "RS256".into();
    let endpoint = endpoint(&program).await.unwrap();
    let (_, client) = send(Method::POST, &endpoint, None, Some(&asked)).await;
    let id = client["client_id"].as_str().unwrap();
    // The stranger uses it, too.
    let query = format!("client_id={id}&response_type=code&code_challenge={CHALLENGE}");
    let browser = Browser::new();
    let ask = format!("{}/oauth/authorize?{query}&code_challenge_method=S256", program.issuer);
    let page = browser.get(&ask).await;
    let page = browser.sign_in(&page, "ada", "correct horse battery").await;
    browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let rotated = run(&program.data, &["keys", "rotate", "--algorithm", "ES256", on[0], on[1]], "");
    let said = text(&rotated.stderr);
    assert!(rotated.status.success(), "{said}");
    assert!(said.contains("1 client that registered or described itself loses the"), "{said}");
}
