//! JWTs of issuers elsewhere: assertions, software statements, and keys of clients.

use axum::{Router, routing::get};
use quadrille::{
    Env,
    jose::{Algorithm, Claims, KeySet, Protected, SigningKey},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    flow::{PASSWORD, SCOPES},
    process::{Folder, Program, failure},
};

const PARTNER: &str = "https://partner.example";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Anybody registers clients with a software statement.
const OPEN: [&str; 4] = [
    "--set",
    "registration=open-to-anybody-so-that-strangers-add-clients",
    "--set",
    "registration_requires_software_statement=true",
];

/// An issuer elsewhere, with its key.
pub(crate) struct Partner(SigningKey);

impl Partner {
    pub(crate) fn new() -> Self {
        Self(SigningKey::generate(Algorithm::Es256).unwrap())
    }

    pub(crate) fn jwks(&self) -> String {
        KeySet::from_iter([self.0.verifying_key().clone()]).to_json()
    }

    /// The setting with this partner, whose keys are inline.
    pub(crate) fn setting(&self, rest: &str) -> String {
        format!("trusted_issuers={{ \"{PARTNER}\" = {{ jwks = '{}', {rest} }} }}", self.jwks())
    }

    /// A server of the keys, and their URL.
    async fn serving(&self) -> (JoinHandle<std::io::Result<()>>, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let jwks_uri = format!("http://{}/jwks", listener.local_addr().unwrap());
        let jwks = self.jwks();
        let keys = Router::new().route("/jwks", get(async move || jwks));
        (tokio::spawn(async move { axum::serve(listener, keys).await }), jwks_uri)
    }

    /// A JWT about `sub` for the program.
    pub(crate) fn jwt(&self, program: &Program, sub: &str, extra: &Value) -> String {
        self.signed(PARTNER, &program.issuer, sub, extra)
    }

    fn signed(&self, iss: &str, aud: &str, sub: &str, extra: &Value) -> String {
        let id = Env::system().random::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.identified(iss, aud, sub, Some(id), extra)
    }

    /// A JWT with this payload.
    pub(crate) fn jwt_of(&self, payload: &Value) -> String {
        self.0.sign(&Protected::typ("JWT"), payload.to_string().as_bytes()).unwrap()
    }

    fn identified(
        &self,
        iss: &str,
        aud: &str,
        sub: &str,
        jti: Option<String>,
        extra: &Value,
    ) -> String {
        let env = Env::system();
        let mut claims = Claims::default();
        claims.iss = Some(iss.into());
        claims.sub = Some(sub.into());
        claims.aud = vec![aud.into()];
        claims.exp = Some(env.now() + std::time::Duration::from_secs(300));
        claims.jti = jti;
        claims.extra = extra.as_object().unwrap().clone();
        self.0.sign_claims(&Protected::typ("JWT"), &claims).unwrap()
    }
}

pub(crate) async fn metadata(program: &Program) -> Value {
    let url = program.url("/.well-known/oauth-authorization-server");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn assertions_that_give_something_up_are_taken_by_long_names_only() {
    let partner = Partner::new();
    let rest = "trusted_for = ['jwt-bearer'], subjects = 'user-names'";
    let without_jti =
        format!("{rest}, accept_assertions_without_jti_so_that_they_can_be_replayed = true");
    let safe = partner.setting(rest);
    let replayed = partner.setting(&without_jti);
    let obtained =
        "accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them=true";
    for (settings, takes) in [
        (&[&*safe][..], [false, false]),
        (&[&*replayed], [true, false]),
        (&[&*safe, obtained], [false, true]),
    ] {
        let folder = Folder::new();
        let set = settings.iter().flat_map(|setting| ["--set", setting]);
        let program =
            Program::start_with(&folder, &SCOPES.into_iter().chain(set).collect::<Vec<_>>());
        program.add_user("Ada", PASSWORD);
        let client = Client::add(&program, &["--grant", "jwt_bearer", "--scope", "photos:read"]);
        let issuer = &*program.issuer;
        let endpoint = program.url("/oauth/token");
        let id = Some("once".to_owned());
        let unidentified = partner.identified(PARTNER, issuer, "Ada", None, &json!({}));
        let elsewhere = partner.identified(PARTNER, &endpoint, "Ada", id, &json!({}));
        for (assertion, is_taken) in [unidentified, elsewhere].iter().zip(takes) {
            let (status, answer) = client.assert(&program, assertion).await;
            assert_eq!(status == StatusCode::OK, is_taken, "{settings:?}: {answer}");
        }
    }
}

/// A client that authenticates by its secret.
struct Client {
    id: String,
    secret: String,
}

impl Client {
    fn add(program: &Program, arguments: &[&str]) -> Self {
        let client = program.json(&[&["client", "add", "Sync"], arguments].concat());
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    async fn assert(&self, program: &Program, assertion: &str) -> (StatusCode, Value) {
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion)];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(program.url("/oauth/token")).form(&form);
        let answer = request.basic_auth(&self.id, Some(&self.secret)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

async fn me(program: &Program, tokens: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let me = http.get(program.url("/api/me")).bearer_auth(token).send().await.unwrap();
    me.json().await.unwrap()
}

#[tokio::test]
async fn a_partner_gets_tokens_for_users_by_name_exactly_when_the_settings_say_so() {
    let partner = Partner::new();
    let folder = Folder::new();
    let program = Program::start_with(
        &folder,
        &[
            &SCOPES[..],
            &["--set", &partner.setting("trusted_for = ['jwt-bearer'], subjects = 'user-names'")],
        ]
        .concat(),
    );
    program.add_user("Ada", PASSWORD);
    assert!(metadata(&program).await["grant_types_supported"].to_string().contains(JWT_BEARER));
    let client = Client::add(&program, &["--grant", "jwt_bearer", "--scope", "photos:read"]);
    let assertion = partner.jwt(&program, "Ada", &json!({}));
    let (status, tokens) = client.assert(&program, &assertion).await;
    assert_eq!((status, &tokens["scope"]), (StatusCode::OK, &json!("photos:read")), "{tokens}");
    assert_eq!(tokens.get("refresh_token"), None);
    assert_eq!(me(&program, &tokens).await["username"], "Ada");
    let stranger = Partner::new().jwt(&program, "Ada", &json!({}));
    let nobody = partner.jwt(&program, "bob", &json!({}));
    let elsewhere = partner.signed(PARTNER, "https://other.example", "Ada", &json!({}));
    // Users may sign in with these; a subject of the partner is another one with each of them.
    let others = ["ada", "ADA", "\u{ff21}da", "\u{ff21}\u{ff44}\u{ff41}", "Ada\u{ad}", " Ada"];
    let others = others.map(|sub| partner.jwt(&program, sub, &json!({})));
    for wrong in [assertion, stranger, nobody, elsewhere].into_iter().chain(others) {
        let (status, refused) = client.assert(&program, &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(refused["error"], "invalid_grant", "{refused}");
    }
    let without = Client::add(&program, &["--grant", "client_credentials"]);
    let (_, refused) = without.assert(&program, &partner.jwt(&program, "Ada", &json!({}))).await;
    assert_eq!(refused["error"], "unauthorized_client");

    // An issuer that is trusted for something else has no grant.
    let folder = Folder::new();
    let set = partner.setting("trusted_for = ['software-statements']");
    let off = Program::start_with(&folder, &["--set", &set]);
    assert!(!metadata(&off).await.to_string().contains("jwt-bearer\""));
    let client = Client::add(&off, &["--grant", "jwt_bearer"]);
    let (_, refused) = client.assert(&off, &partner.jwt(&off, "ada", &json!({}))).await;
    assert_eq!(refused["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn subjects_are_users_by_a_table_in_the_file_and_keys_are_fetched() {
    let partner = Partner::new();
    let (serving, jwks_uri) = partner.serving().await;
    let folder = Folder::new();
    let file = folder.path().join("quadrille.toml");
    let written = format!(
        "[trusted_issuers.\"{PARTNER}\"]\njwks_uri = \"{jwks_uri}\"\n\
         trusted_for = [\"jwt-bearer\"]\nsubjects = {{ \"17\" = \"ada\" }}\n"
    );
    std::fs::write(&file, &written).unwrap();
    let program = Program::start_with(&folder, &["--config", file.to_str().unwrap()]);
    program.add_user("Ada", PASSWORD);
    let client = Client::add(&program, &["--grant", "jwt_bearer"]);
    let (_, tokens) = client.assert(&program, &partner.jwt(&program, "17", &json!({}))).await;
    assert_eq!(me(&program, &tokens).await["username"], "Ada", "{}", program.log());
    for unknown in ["18", "ada"] {
        let (_, refused) =
            client.assert(&program, &partner.jwt(&program, unknown, &json!({}))).await;
        assert_eq!(refused["error"], "invalid_grant", "{unknown}");
    }
    let folder = Folder::new();
    let wrong = written.replace("trusted_for", "trusted_fro");
    std::fs::write(&file, wrong).unwrap();
    let (code, said) = failure(&folder.data(), &["config", "--config", file.to_str().unwrap()]);
    assert!(code == 3 && said.contains(PARTNER) && said.contains("trusted_fro"), "{said}");
    serving.abort();
}

#[tokio::test]
async fn keys_of_software_statements_are_in_a_file_or_fetched() {
    let directory = Partner::new();
    let (serving, jwks_uri) = directory.serving().await;
    let folder = Folder::new();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, directory.jwks()).unwrap();
    let sources = [format!("jwks_file = '{}'", file.display()), format!("jwks_uri = '{jwks_uri}'")];
    for source in sources {
        let trusted = format!(
            "trusted_issuers={{ \"{PARTNER}\" = {{ {source}, \
             trusted_for = ['software-statements'] }} }}"
        );
        let program = Program::start_with(&folder, &[&OPEN[..], &["--set", &trusted]].concat());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let register = async |by: &Partner| {
            let statement = by.jwt(&program, "robot", &json!({ "client_name": "Robot" }));
            let body = json!({
                "redirect_uris": ["https://robot.example/callback"],
                "software_statement": statement,
            });
            let request = http.post(program.url("/oauth/register")).json(&body);
            request.send().await.unwrap().json::<Value>().await.unwrap()
        };
        assert_eq!(register(&directory).await["client_name"], "Robot", "{}", program.log());
        assert_eq!(register(&Partner::new()).await["error"], "invalid_software_statement");
    }
    serving.abort();
}

#[test]
fn statements_that_nobody_can_have_are_an_error_at_the_start() {
    let folder = Folder::new();
    let serve = [&["serve", "--listen", "127.0.0.1:0"], &OPEN[..]].concat();
    let trusted = Partner::new().setting("trusted_for = ['jwt-bearer'], subjects = 'user-names'");
    for further in [&[][..], &["--set", &trusted]] {
        let (code, said) = failure(&folder.data(), &[&serve[..], further].concat());
        assert!(code == 3 && said.contains("trusted_for software-statements"), "{said}");
    }
}

#[tokio::test]
async fn clients_register_with_a_statement_and_with_keys_of_their_own() {
    let directory = Partner::new();
    let folder = Folder::new();
    let program = Program::start_with(
        &folder,
        &[
            "--set",
            &directory.setting("trusted_for = ['software-statements']"),
            "--set",
            "registration_grant_types=client_credentials",
        ]
        .iter()
        .copied()
        .chain(OPEN)
        .collect::<Vec<_>>(),
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let register = async |body: &Value| -> Value {
        let request = http.post(program.url("/oauth/register")).json(body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let statement = |by: &Partner| by.jwt(&program, "robot", &json!({ "client_name": "Robot" }));
    let robot = Partner::new();
    let jwks: Value = serde_json::from_str(&robot.jwks()).unwrap();
    let mut body = json!({
        "client_name": "Something else",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks,
    });
    assert_eq!(register(&body).await["error"], "invalid_client_metadata");
    body["software_statement"] = statement(&robot).into();
    assert_eq!(register(&body).await["error"], "invalid_software_statement");
    body["software_statement"] = statement(&directory).into();
    let client = register(&body).await;
    assert_eq!(client["client_name"], "Robot", "{client}");
    let ask = async |client: &Value| -> Value {
        let id = client["client_id"].as_str().unwrap();
        let assertion = robot.signed(id, &program.issuer, id, &json!({}));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let request = http.post(program.url("/oauth/token")).form(&form);
        request.send().await.unwrap().json().await.unwrap()
    };
    assert!(ask(&client).await["access_token"].is_string(), "{}", program.log());

    // Keys at a URL are fetched, and nothing inside is reached for them.
    body.as_object_mut().unwrap().remove("jwks");
    body["jwks_uri"] = "https://127.0.0.1/jwks".into();
    assert_eq!(register(&body).await["error"], "invalid_client_metadata");
    body["jwks_uri"] = "https://robot.invalid/jwks".into();
    let client = register(&body).await;
    assert_eq!(client["jwks_uri"], "https://robot.invalid/jwks", "{client}");
    // The client may be right: the server could not look.
    assert_eq!(ask(&client).await["error"], "temporarily_unavailable");
}
