//! `quadrille keys`, and access tokens that are JWTs.

use std::{io::Write as _, net::TcpStream, time::Duration};

use quadrille::jose::Unverified;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    clock::Clock,
    ports::free_port,
    process::{Folder, Program, eventually, failure, json as run_json, rest_of, run, text},
};

const LIMIT: Duration = Duration::from_secs(20);
const JWTS: [&str; 2] = ["--set", "access_token_format=jwt"];

async fn get(url: &str) -> Value {
    serde_json::from_str(&Browser::new().get(url).await.html).unwrap()
}

async fn metadata(program: &Program) -> Value {
    get(&program.url("/.well-known/oauth-authorization-server")).await
}

async fn jwks(program: &Program) -> Vec<Value> {
    let metadata = metadata(program).await;
    let keys = get(metadata["jwks_uri"].as_str().unwrap()).await;
    keys["keys"].as_array().unwrap().clone()
}

/// An access token for a client of the program itself.
async fn token(program: &Program, client: &Value) -> String {
    let form = [("grant_type", "client_credentials")];
    let answer = reqwest::Client::new()
        .post(program.url("/oauth/token"))
        .basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str())
        .form(&form)
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The identifier of the key that signed a token.
fn signed_by(jwt: &str) -> Value {
    json!(Unverified::parse(jwt).unwrap().header().kid())
}

#[tokio::test]
async fn without_the_setting_tokens_are_opaque_and_no_keys_are_made() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    assert_eq!(metadata(&program).await.get("jwks_uri"), None);
    assert!(!folder.data().join("signing-keys").exists());
    assert_eq!(program.json(&["keys", "list"]), json!({ "keys": [] }));
}

#[tokio::test]
async fn jwts_are_signed_by_keys_that_commands_rotate_while_the_program_serves() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &JWTS);
    let file = folder.data().join("signing-keys");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let client = program.json(&["client", "add", "Worker", "--grant", "client_credentials"]);
    let jwt = token(&program, &client).await;
    let first = jwks(&program).await;
    assert_eq!((first.len(), &first[0]["alg"]), (1, &json!("ES256")));
    assert_eq!(jwt.split('.').count(), 3);

    let rotated = program.json(&["keys", "rotate", "--algorithm", "EdDSA"]);
    let states = |keys: &Value| -> Vec<String> {
        let keys = keys["keys"].as_array().unwrap().iter();
        keys.map(|key| format!("{} {}", key["algorithm"], key["state"])).collect()
    };
    assert_eq!(states(&rotated), [r#""ES256" "signs""#, r#""EdDSA" "next""#]);
    let rotated = program.json(&["keys", "rotate", "--algorithm", "ES384"]);
    let expected = [r#""ES256" "signs""#, r#""EdDSA" "next""#, r#""ES384" "next""#];
    assert_eq!(states(&rotated), expected);
    assert!(eventually(LIMIT, async || jwks(&program).await.len() == 3).await);
    assert_eq!(signed_by(&token(&program, &client).await), first[0]["kid"]);

    // The keys that wait were in the file that was stolen.
    let rotated = program.json(&["keys", "rotate", "--at-once"]);
    assert_eq!(states(&rotated), [r#""ES256" "signed""#, r#""ES384" "signs""#]);
    let stolen = first[0]["kid"].as_str().unwrap();
    let left = program.json(&["keys", "remove", stolen, "--yes"]);
    assert_eq!(states(&left), [r#""ES384" "signs""#]);
    assert!(eventually(LIMIT, async || jwks(&program).await.len() == 1).await);
    let new = token(&program, &client).await;
    assert_eq!(signed_by(&new), left["keys"][0]["kid"]);
    let (code, said) = failure(&folder.data(), &["keys", "remove", stolen]);
    assert!(code == 6 && said.contains("there is no key"), "{code} {said}");
    // An identifier may begin with a hyphen.
    let (code, said) = failure(&folder.data(), &["keys", "remove", "-R81Duw", "--json"]);
    assert!(code == 6 && said.contains("-R81Duw"), "{code} {said}");

    // Another process has the same keys, and revokes a token by command.
    drop(program);
    let program = Program::start(&folder);
    assert_eq!(jwks(&program).await.len(), 1);
}

#[test]
fn the_removal_of_the_key_that_signs_says_which_one_signs_now() {
    let folder = Folder::new();
    run_json(&folder.data(), &["migrate"], "");
    let first = run_json(&folder.data(), &["keys", "rotate"], "");
    let first = first["keys"][0]["kid"].as_str().unwrap();
    let both = run_json(&folder.data(), &["keys", "rotate"], "");
    let (next, tomorrow) =
        (both["keys"][1]["kid"].as_str().unwrap(), &both["keys"][1]["signs_from"]);
    let removed = run(&folder.data(), &["keys", "remove", first, "--yes", "--json"], "");
    let said = text(&removed.stderr);
    assert!(said.contains(&format!("The key {next} signs now. It was to sign later")), "{said}");
    let left: Value = serde_json::from_slice(&removed.stdout).unwrap();
    assert_eq!(
        (&left["keys"][0]["state"], left["keys"].as_array().unwrap().len()),
        (&json!("signs"), 1)
    );
    assert_ne!(&left["keys"][0]["signs_from"], tomorrow);
}

#[tokio::test]
async fn a_program_without_keys_notices_those_that_a_command_makes() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    assert_eq!(metadata(&program).await.get("jwks_uri"), None);
    program.json(&["keys", "rotate"]);
    let has_keys = async || metadata(&program).await.get("jwks_uri").is_some();
    assert!(eventually(LIMIT, has_keys).await, "{}", program.log());
    let machine = ["--grant", "client_credentials"];
    let add =
        [&["client", "add", "Verifies", "--access-token-format", "jwt"][..], &machine].concat();
    let client = program.json(&add);
    let jwt = token(&program, &client).await;
    assert_eq!(signed_by(&jwt), jwks(&program).await[0]["kid"]);
    // A file that goes is reported once.
    std::fs::rename(folder.data().join("signing-keys"), folder.data().join("elsewhere")).unwrap();
    let warnings = || program.log().matches("is missing").count();
    assert!(eventually(LIMIT, async || warnings() == 1).await, "{}", program.log());
    token(&program, &client).await;
}

#[tokio::test]
async fn one_client_gets_jwts_where_the_others_get_opaque_tokens() {
    let folder = Folder::new();
    let data = folder.data();
    let machine = ["--grant", "client_credentials"];
    let add =
        [&["client", "add", "Verifies", "--access-token-format", "jwt"][..], &machine].concat();
    run_json(&data, &["migrate"], "");
    let (code, said) = failure(&data, &add);
    assert!(code == 2 && said.contains("`quadrille keys rotate` makes one"), "{said}");
    run_json(&data, &["keys", "rotate"], "");
    let program = Program::start(&folder);
    let asks = program.json(&[&["client", "add", "Asks"][..], &machine].concat());
    let verifies = program.json(&add);
    assert_eq!(verifies["access_token_format"], "jwt");
    let token_of = async |client| token(&program, client).await;
    assert_eq!(signed_by(&token_of(&verifies).await), jwks(&program).await[0]["kid"]);
    assert!(!token_of(&asks).await.contains('.'));
    let id = verifies["client_id"].as_str().unwrap();
    let edit = ["client", "edit", id, "--access-token-format", "default"];
    assert_eq!(program.json(&edit).get("access_token_format"), None);
    let is_opaque = async || !token_of(&verifies).await.contains('.');
    assert!(eventually(LIMIT, is_opaque).await);
    let (code, said) = failure(&data, &["client", "edit", id, "--access-token-format", "xml"]);
    assert!(code == 2 && said.contains("opaque, jwt, default"), "{said}");
}

#[tokio::test]
async fn keys_rotate_by_the_clock_and_are_published_before_they_sign() {
    const DAY: i64 = 24 * 3600;
    let folder = Folder::new();
    let clock = Clock::new(&folder);
    let every = ["--set", "signing_keys_rotate_every=30d"];
    let program = clock.serve(&folder, &[&JWTS[..], &every].concat());
    // Another process of the same folder has the same keys.
    let issuer = ["--issuer", &program.issuer];
    let other = clock.serve(&folder, &[&JWTS[..], &every, &issuer].concat());
    let client = program.json(&["client", "add", "Worker", "--grant", "client_credentials"]);
    let first = jwks(&program).await[0]["kid"].clone();
    let kids = async || {
        let keys = jwks(&program).await.into_iter();
        keys.map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    clock.is_ahead_by(29 * DAY + 60);
    assert!(eventually(LIMIT, async || kids().await.len() == 2).await, "{}", program.log());
    let second = kids().await[1].clone();
    assert_eq!(signed_by(&token(&program, &client).await), first);
    clock.is_ahead_by(30 * DAY + 60);
    assert_eq!(signed_by(&token(&program, &client).await), second);
    clock.is_ahead_by(59 * DAY + 120);
    let has_new = async || kids().await.last() != Some(&second);
    assert!(eventually(LIMIT, has_new).await, "{}", program.log());
    assert_eq!(signed_by(&token(&program, &client).await), second);

    // A clock that runs ahead costs no key, and stops no rotation when it is right again.
    let third = kids().await.last().unwrap().clone();
    clock.is_ahead_by(4000 * DAY);
    let has_wrong = async || *kids().await.last().unwrap() != third;
    assert!(eventually(LIMIT, has_wrong).await, "{}", program.log());
    clock.is_ahead_by(59 * DAY + 300);
    let mended =
        || [&program, &other].iter().any(|it| it.log().contains("times of a clock that ran ahead"));
    assert!(eventually(LIMIT, async || mended()).await, "{}", program.log());
    let now = kids().await;
    assert!(now.contains(&second) && now.contains(&third), "{now:?}");
    assert_eq!(signed_by(&token(&program, &client).await), second);
    clock.is_ahead_by(60 * DAY + 360);
    let has_turned = async || signed_by(&token(&program, &client).await) == now[now.len() - 1];
    assert!(eventually(LIMIT, has_turned).await, "{}", other.log());

    for wrong in ["23h", "0", "monthly"] {
        let set = format!("signing_keys_rotate_every={wrong}");
        let (code, said) = failure(&folder.data(), &["config", "--set", &set]);
        assert!(code == 3 && said.contains("from 1d"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_of_keys_is_named() {
    let folder = Folder::new();
    drop(Program::start_with(&folder, &JWTS));
    std::fs::write(folder.data().join("signing-keys"), "{}").unwrap();
    let (code, said) = failure(&folder.data(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(code == 3 && said.contains("signing-keys: "), "{code} {said}");
    let (code, said) = failure(&folder.data(), &["keys", "rotate", "--algorithm", "HS256"]);
    assert!(code == 2 && said.contains("ES256, ES384"), "{code} {said}");
}

#[test]
fn an_api_whose_tokens_are_jwts_is_one_of_resources() {
    let folder = Folder::new();
    let arguments = ["config", "--set", "jwt_resources=https://api.example"];
    let (code, said) = failure(&folder.data(), &arguments);
    assert!(code == 3 && said.contains("among the setting resources"), "{code} {said}");
    let both = [&arguments[..], &["--set", "resources=https://api.example"]].concat();
    run_json(&folder.data(), &both, "");
}

/// The key of a first start takes a while to make, which a lock of the test stands for.
#[test]
fn a_first_start_listens_while_its_key_is_made_and_requests_and_commands_wait() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.data()).unwrap();
    let making = std::fs::File::create(folder.data().join("signing-keys.lock")).unwrap();
    making.lock().unwrap();
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let listen = ["--listen", &address, "--set", "openid=true"];
    let add = ["client", "add", "App", "--redirect-uri", "https://app.example/cb"];
    let rs256 = ["--scope", "openid", "--id-token-alg", "RS256", "--set", "openid=true"];
    let add = [&add[..], &rs256].concat();
    std::thread::scope(|scope| {
        let start = scope.spawn(|| Program::start_with(&folder, &listen));
        let mut early = loop {
            match TcpStream::connect(&address) {
                Ok(stream) => break stream,
                Err(_) => assert!(!start.is_finished(), "it ended"),
            }
        };
        let request = "GET /oauth/jwks HTTP/1.1\r\nconnection: close\r\n";
        write!(early, "{request}host: localhost:{port}\r\n\r\n").unwrap();
        let command = scope.spawn(|| run(&folder.data(), &add, ""));
        assert!(!folder.data().join("signing-keys").exists());
        assert!(!start.is_finished());
        drop(making);
        let added = command.join().unwrap();
        assert!(added.status.success(), "{}", text(&added.stderr));
        let answer = rest_of(&mut early);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("RS256"), "{answer}");
        start.join().unwrap().stop();
    });
}
/// The file is read at the start, and again and again.
#[cfg(unix)]
#[tokio::test]
async fn a_file_of_keys_that_others_can_read_is_named_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let on = ["--set", "openid=true"];
    Program::start_with(&folder, &on).stop();
    let file = folder.data().join("signing-keys");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let program = Program::start_with(&folder, &on);
    get(&program.url("/.well-known/openid-configuration")).await;
    let log = program.log();
    assert_eq!(log.matches("signing-keys can be read by other users").count(), 1, "{log}");
}
