//! Clients of OAuth 1.0a that sign for themselves, without a token: at `/api/me`, and at an API
//! elsewhere, which asks the introspection endpoint.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    flow::REDIRECT,
    oauth1::{Keys, send},
    process::{Folder, Program},
};

/// A provider with OAuth 1.0a, and clients.
struct Stage {
    program: Program,
    machine: Keys,
    _folder: Folder,
}

impl Stage {
    fn new() -> Self {
        let folder = Folder::new();
        let scopes = "scopes=photos:read=See your photos;photos:write=Add photos";
        let program = Program::start_with(&folder, &["--oauth1", "--set", scopes]);
        let machine = ["client", "add", "Machine", "--oauth1", "--two-legged", "--scope"];
        let machine = Keys::of(&program.json(&[&machine[..], &["photos:read"]].concat()));
        Self { program, machine, _folder: folder }
    }

    /// A client with the same keys, but for users.
    fn for_users(&self) -> Keys {
        let add = ["client", "add", "App", "--oauth1", "--redirect-uri", REDIRECT];
        Keys::of(&self.program.json(&add))
    }

    /// The answer of `/api/me` to this header.
    async fn me(&self, header: &str) -> (StatusCode, String) {
        let answer = send(&self.program, "/api/me", header).await;
        (answer.status(), answer.text().await.unwrap())
    }

    /// The answer of the introspection endpoint to `api`, about a request with this header.
    async fn introspect(&self, api: &Value, header: &str, further: &[(&str, &str)]) -> Value {
        let form = [
            ("request_method", "POST"),
            ("request_url", "https://api.example/photos"),
            ("request_authorization", header),
        ];
        let form = [&form[..], further].concat();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(self.program.url("/oauth/introspect")).form(&form);
        let (id, secret) = (api["client_id"].as_str().unwrap(), api["client_secret"].as_str());
        request.basic_auth(id, secret).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test]
async fn a_client_that_signs_for_itself_learns_what_it_may_do() {
    let stage = Stage::new();
    let url = stage.program.url("/api/me");
    let header = stage.machine.sign(&url, &[]);
    let (status, me) = stage.me(&header).await;
    assert_eq!(status, StatusCode::OK, "{me}");
    let me: Value = serde_json::from_str(&me).unwrap();
    // As for a token of the client credentials grant: without a user.
    assert_eq!(me, json!({ "client_id": stage.machine.client, "scope": "photos:read" }));

    let problem = |name: &str| format!("oauth_problem={name}");
    assert_eq!(stage.me(&header).await, (StatusCode::UNAUTHORIZED, problem("nonce_used")));
    let forged = Keys { secret: "a guess".into(), ..stage.machine.clone() }.sign(&url, &[]);
    assert_eq!(stage.me(&forged).await, (StatusCode::UNAUTHORIZED, problem("signature_invalid")));
    let without_user = stage.for_users().sign(&url, &[]);
    let (status, said) = stage.me(&without_user).await;
    assert_eq!((status, said), (StatusCode::FORBIDDEN, problem("permission_denied")));
}

#[tokio::test]
async fn where_the_client_credentials_grant_is_off_no_client_signs_for_itself() {
    let folder = Folder::new();
    let off = ["--set", "grant_types=authorization_code,refresh_token"];
    let settings = ["--oauth1", "--set", "scopes=photos:read=See your photos"];
    let program = Program::start_with(&folder, &[&settings[..], &off].concat());
    let machine = ["client", "add", "Machine", "--oauth1", "--two-legged"];
    let machine = Keys::of(&program.json(&machine));
    let url = program.url("/api/me");
    let answer = send(&program, "/api/me", &machine.sign(&url, &[])).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.text().await.unwrap(), "oauth_problem=permission_denied");
}

#[tokio::test]
async fn an_api_elsewhere_asks_about_such_a_request_without_a_token() {
    let stage = Stage::new();
    let api = stage.program.json(&["client", "add", "API", "--resource-server"]);
    let url = "https://api.example/photos";
    let header = stage.machine.sign(url, &[]);
    let inactive = |problem: &str| json!({ "active": false, "oauth_problem": problem });

    let with_token = [("token", stage.machine.client.as_str())];
    let answer = stage.introspect(&api, &header, &with_token).await;
    assert_eq!(answer, inactive("token_rejected"), "it was signed without one");
    let expected = json!({
        "active": true,
        "token_type": "oauth1",
        "iss": stage.program.issuer,
        "client_id": stage.machine.client,
        "scope": "photos:read",
    });
    assert_eq!(stage.introspect(&api, &header, &[]).await, expected);
    assert_eq!(stage.introspect(&api, &header, &[]).await, inactive("nonce_used"));

    let forged = Keys { secret: "a guess".into(), ..stage.machine.clone() }.sign(url, &[]);
    assert_eq!(stage.introspect(&api, &forged, &[]).await, inactive("signature_invalid"));
    let without_user = stage.for_users().sign(url, &[]);
    assert_eq!(stage.introspect(&api, &without_user, &[]).await, inactive("permission_denied"));

    let stranger = stage.program.json(&["client", "add", "Other", "--grant", "client_credentials"]);
    let header = stage.machine.sign(url, &[]);
    assert_eq!(stage.introspect(&stranger, &header, &[]).await, json!({ "active": false }));

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let nothing = http.post(stage.program.url("/oauth/introspect")).form(&[("x", "y")]);
    let (id, secret) = (api["client_id"].as_str().unwrap(), api["client_secret"].as_str());
    let answer = nothing.basic_auth(id, secret).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "no token, and no request");
}
