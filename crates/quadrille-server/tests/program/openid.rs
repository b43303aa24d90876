//! OpenID Connect.

use quadrille::jose::{
    Algorithm, ContentEncryption, DecryptingKey, Decryption, Encrypted, KeyManagement, KeySet,
    Protected, SigningKey, Unverified,
};
use reqwest::Url;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, REDIRECT},
    logouts::TO_THIS_MACHINE,
    process::{Folder, Program, failure, json, run, text},
};

async fn get(url: &str) -> Value {
    serde_json::from_str(&Browser::new().get(url).await.html).unwrap()
}

#[tokio::test]
async fn with_the_setting_the_program_is_a_provider_with_a_key_for_rs256() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "openid=true"]);
    let discovered = get(&program.url("/.well-known/openid-configuration")).await;
    assert_eq!(discovered["issuer"], program.url(""));
    let scopes = json!(["address", "email", "openid", "phone", "profile"]);
    assert_eq!(discovered["scopes_supported"], scopes);
    assert_eq!(discovered["id_token_signing_alg_values_supported"], json!(["RS256"]));
    let keys = get(discovered["jwks_uri"].as_str().unwrap()).await;
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    // Clients can be registered with the scopes, by a command in another process.
    let callback = ["--redirect-uri", "https://app.example/cb", "--scope", "openid"];
    let client = program.json(&[&["client", "add", "App"], &callback[..]].concat());
    assert!(client["client_id"].is_string(), "{client}");
}

#[test]
fn a_rotation_that_takes_rs256_away_says_so() {
    let folder = Folder::new();
    drop(Program::start_with(&folder, &["--set", "openid=true"]));
    let rotate = |algorithm: &[&str], rs256_is_gone: bool| {
        let rotate = ["keys", "rotate", "--at-once", "--set", "openid=true"];
        let output = run(&folder.data(), &[&rotate[..], algorithm].concat(), "");
        assert!(output.status.success());
        let said = text(&output.stderr);
        assert_eq!(said.contains("The newest key is not for RS256"), rs256_is_gone, "{said}");
    };
    rotate(&[], false);
    // The old keys stay published, and sign no more.
    rotate(&["--algorithm", "ES256"], true);
}

/// Dynamic Client Registration, section 2: a client is answered by its registered algorithm alone.
#[test]
fn a_rotation_leaves_clients_the_algorithm_for_which_they_are_registered() {
    let folder = Folder::new();
    drop(Program::start_with(&folder, &["--set", "openid=true"]));
    let run = |arguments: &[&str]| {
        let output = run(&folder.data(), &[arguments, &["--set", "openid=true"]].concat(), "");
        (output.status.success(), text(&output.stderr))
    };
    let although = "--although-clients-lose-their-algorithm";
    let new = ["client", "add", "App", "--redirect-uri", "https://app.example/cb"];
    let add = |option: &'static str| {
        let (done, said) = run(&[&new[..], &[option, "RS256"]].concat());
        assert!(done, "{said}");
    };
    let rotate = ["keys", "rotate", "--algorithm", "ES256"];
    add("--id-token-alg");
    add("--userinfo-alg");
    for at_once in [&[][..], &["--at-once"]] {
        let (done, said) = run(&[&rotate[..], at_once].concat());
        assert!(
            !done && said.contains("and another client are registered for the algorithm RS256")
        );
    }
    let list = ["keys", "list", "--set", "openid=true"];
    let first = json(&folder.data(), &list, "")["keys"][0]["kid"].to_string();
    let remove = ["keys", "remove", "--yes", first.trim_matches('"')];
    let (done, said) = run(&remove);
    assert!(done, "it is replaced by another key of RS256: {said}");
    assert!(run(&["keys", "rotate", "--algorithm", "RS256"]).0);
    assert!(run(&["keys", "rotate"]).0);
    assert!(run(&[&rotate[..], &[although]].concat()).0);
    // The next keys have the algorithm of the newest one, which does not sign yet.
    assert!(!run(&["keys", "rotate", "--at-once"]).0);
    let (done, said) = run(&[&new[..], &["--id-token-alg", "RS256"]].concat());
    assert!(!done && said.contains("RS256"), "{said}");
    assert!(run(&[&new[..], &["--id-token-alg", "ES256"]].concat()).0);
}

/// Core, section 8.1.
#[test]
fn a_client_with_pairwise_subjects_is_said_to_get_no_jwts() {
    let folder = Folder::new();
    drop(Program::start_with(&folder, &["--set", "openid=true"]));
    let redirect_uri = ["--redirect-uri", "https://app.example/cb"];
    for (options, is_remarked) in [
        (&["--subject-type", "pairwise", "--access-token-format", "jwt"][..], true),
        (&["--subject-type", "pairwise"], false),
        (&["--access-token-format", "jwt"], false),
    ] {
        let add = [&["client", "add", "App"], &redirect_uri[..], options].concat();
        let output = run(&folder.data(), &add, "");
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said.contains("gets opaque access tokens"), is_remarked, "{said}");
    }
}

#[tokio::test]
async fn without_the_setting_there_is_no_discovery() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let answer = reqwest::get(program.url("/.well-known/openid-configuration")).await.unwrap();
    assert_eq!(answer.status(), 404);
}

/// A public provider has it by the setting alone, also where the issuer is known already.
#[tokio::test]
async fn a_public_provider_has_openid_connect_by_the_setting_alone() {
    let folder = Folder::new();
    let without_setting = |arguments: &[&str]| {
        Program::start_by(&folder, arguments, |command| {
            command.env_remove("QUADRILLE_OPENID");
        })
    };
    let public = ["--issuer", "https://id.example"];
    for arguments in [&public[..], &[]] {
        let program = without_setting(arguments);
        let path = "/.well-known/openid-configuration";
        let url = format!("http://{}{path}", program.listening);
        let answer = reqwest::Client::new().get(url).header("host", "id.example").send().await;
        assert_eq!(answer.unwrap().status(), 404, "{arguments:?}");
        assert!(!folder.data().join("signing-keys").exists());
        program.stop();
    }
}

/// A provider on which ID tokens are in redirects, and a client with all addresses for logout.
struct Stage {
    program: Program,
    id: String,
    _folder: Folder,
}

const BYE: &str = "http://127.0.0.1:9/bye";

impl Stage {
    fn new() -> Self {
        let folder = Folder::new();
        let on = ["--set", "openid=true", "--set", "openid_response_types=id_token,code id_token"];
        let on = [&on[..], &["--set", TO_THIS_MACHINE]].concat();
        let program = Program::start_with(&folder, &on);
        program.add_user("Ada", PASSWORD);
        let add = ["client", "add", "Old app", "--redirect-uri", REDIRECT, "--scope", "openid"];
        let openid = ["--response-type", "id_token code", "--post-logout-redirect-uri", BYE];
        let frame = origin(REDIRECT) + "/front";
        let logout = ["--frontchannel-logout-uri", &frame, "--set", TO_THIS_MACHINE];
        let client = program.json(&[&add[..], &openid, &logout].concat());
        let id = client["client_id"].as_str().unwrap().to_owned();
        Self { program, id, _folder: folder }
    }

    /// The page after the user has signed in and consented.
    async fn ask(&self, browser: &Browser) -> Page {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let query = [
            ("response_type", "code id_token"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("scope", "openid"),
            ("nonce", "n"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&self.program.url("/oauth/authorize"), query).unwrap();
        let page = browser.get(url.as_str()).await;
        let page = browser.sign_in(&page, "ada", PASSWORD).await;
        browser.submit(&page.form("ticket").with("decision", "allow")).await
    }
}

fn origin(uri: &str) -> String {
    Url::parse(uri).unwrap().origin().ascii_serialization()
}

fn parameter(page: &Page, name: &str) -> Option<String> {
    let url = Url::parse(&format!("http://fragment/?{}", page.url.fragment()?)).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn an_application_gets_an_id_token_beside_its_code_and_signs_its_user_out_again() {
    let stage = Stage::new();
    let discovered = get(&stage.program.url("/.well-known/openid-configuration")).await;
    let types = json!(["code", "id_token", "code id_token"]);
    assert_eq!(discovered["response_types_supported"], types);
    let browser = Browser::new();
    let page = stage.ask(&browser).await;
    let hint = parameter(&page, "id_token").unwrap();
    assert!(parameter(&page, "code").is_some());
    let end = discovered["end_session_endpoint"].as_str().unwrap();
    let query = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let url = Url::parse_with_params(end, query).unwrap();
    // A frame tells the application, and then the user goes on.
    let page = browser.get(url.as_str()).await;
    assert_eq!(page.header("refresh"), format!("5; url={BYE}?state=s"));
    assert!(page.html.contains("/front?iss=http%3A%2F%2F"), "{}", page.html);
    let policy = page.header("content-security-policy");
    let frames = format!("frame-src {};", origin(REDIRECT));
    assert!(policy.contains(&frames) && policy.contains("style-src 'self'"), "{policy}");
    let home = browser.get(&stage.program.url("/")).await;
    assert!(home.url.path().ends_with("/sign-in"), "{}", home.url);
}

/// Front-Channel Logout, section 3: the session of a user ends if another one signs in in the browser.
#[tokio::test]
async fn frames_tell_applications_that_another_user_has_signed_in() {
    let stage = Stage::new();
    stage.program.add_user("Bob", PASSWORD);
    let browser = Browser::new();
    stage.ask(&browser).await;
    let sign_in = async |name: &str| {
        let page = browser.get(&stage.program.url("/sign-in?next=/?a=b")).await;
        browser.sign_in(&page, name, PASSWORD).await
    };
    let again = sign_in("ada").await;
    assert_eq!(again.header("refresh"), "", "her session goes on");
    let page = sign_in("bob").await;
    assert_eq!(page.header("refresh"), "5; url=/?a=b");
    assert!(page.html.contains("You are signed in") && page.html.contains("href=\"&#x2f;?a=b\""));
    assert!(page.html.contains("/front?iss=http%3A%2F%2F"), "{}", page.html);
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("frame-src {};", origin(REDIRECT))), "{policy}");
    let home = browser.get(&stage.program.url("/")).await;
    assert!(home.html.contains("Bob") && !home.html.contains("Ada"), "{}", home.html);
    // Bob has no application here.
    assert_eq!(sign_in("ada").await.header("refresh"), "");
}

#[tokio::test]
async fn a_user_is_asked_before_an_application_without_an_id_token_signs_it_out() {
    let stage = Stage::new();
    let browser = Browser::new();
    stage.ask(&browser).await;
    let end = stage.program.url("/oauth/logout");
    let query = [("client_id", &*stage.id), ("post_logout_redirect_uri", BYE)];
    let page = browser.get(Url::parse_with_params(&end, query).unwrap().as_str()).await;
    assert!(page.html.contains("Old app") && page.html.contains("127.0.0.1:9"));
    let home = browser.get(&stage.program.url("/")).await;
    assert!(!home.url.path().ends_with("/sign-in"), "still signed in");
    let page = browser.submit(&page.form("ticket")).await;
    assert_eq!(page.header("refresh"), format!("5; url={BYE}"));
    let home = browser.get(&stage.program.url("/")).await;
    assert!(home.url.path().ends_with("/sign-in"), "{}", home.url);
}

#[test]
fn settings_and_flags_without_effect_are_pointed_out() {
    let folder = Folder::new();
    let remarks = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().flat_map(|it| ["--set", *it]).collect();
        let output = run(&folder.data(), &[&["config"], &settings[..]].concat(), "");
        assert!(output.status.success());
        text(&output.stderr)
    };
    let types = "openid_response_types=id_token,id_token token";
    let said = remarks(&["openid=false", types]);
    assert_eq!(said, "openid_response_types has no effect without openid.\n");
    let said = remarks(&["openid=true", types]);
    let leaks = "send_access_tokens_in_redirects_so_that_they_can_leak";
    let no_effect = "id_token token in openid_response_types has no effect without";
    assert_eq!(said, format!("{no_effect} {leaks}.\n"));
    assert_eq!(remarks(&["openid=true", types, &format!("{leaks}=true")]), "");
    let inside = "fetch_from_this_machine_so_that_strangers_can_send_to_its_services";
    let on = format!("{inside}=true");
    assert_eq!(remarks(&["openid=true", &on]), "", "an issuer on this machine");
    let said = remarks(&["openid=true", &on, "issuer=https://id.example"]);
    assert_eq!(
        said,
        format!("{inside} is for tests and development: this issuer is for other people.\n")
    );
    let program = Program::start_with(&folder, &["--set", "openid=true", "--set", types]);
    assert!(program.log().contains(no_effect), "{}", program.log());
    let add = ["client", "add", "App", "--redirect-uri", REDIRECT];
    let types = ["--response-type", "code id_token", "--response-type", "id_token code"];
    let output = run(&program.data, &[&add[..], &types, &["--json"]].concat(), "");
    let said = text(&output.stderr);
    assert!(said.contains("without openid: --scope openid"), "{said}");
    assert!(said.contains("offers the response type code id_token"), "{said}");
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(added["openid"]["response_types"], json!(["code id_token"]));
}

#[tokio::test]
async fn commands_set_and_show_the_metadata_of_a_client() {
    let stage = Stage::new();
    let edit = ["client", "edit", &stage.id, "--id-token-alg", "RS256", "--default-max-age", "600"];
    let edited = stage.program.json(&[&edit[..], &["--set", TO_THIS_MACHINE]].concat());
    assert_eq!(edited["openid"]["id_token_signed_response_alg"], "RS256");
    assert_eq!(edited["openid"]["default_max_age"], 600);
    assert_eq!(edited["openid"]["response_types"], json!(["code id_token"]));
    let wrong = ["client", "edit", &stage.id, "--response-type", "none"];
    let refused = run(&stage.program.data, &wrong, "");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("code id_token token"), "{words}");
}

/// The settings for what few applications need, and a client with all of it.
#[tokio::test]
async fn request_objects_encryption_and_pairwise_subjects_are_switched_by_settings() {
    let folder = Folder::new();
    let keys = folder.data().join("jwks.json");
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let theirs = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let set = KeySet::from_iter([key.verifying_key().clone()]);
    let set = set.with_encrypting([theirs.encrypting_key().clone()]);
    let secret = "0f".repeat(32);
    let on =
        ["openid", "openid_request_objects", "openid_encrypted_responses", "openid_offline_access"];
    let on: Vec<String> =
        on.iter().flat_map(|name| ["--set".to_owned(), format!("{name}=true")]).collect();
    let on: Vec<&str> = on.iter().map(String::as_str).collect();
    let program = Program::start_by(&folder, &on, |command| {
        command.env("QUADRILLE_OPENID_PAIRWISE_SECRET", &secret);
    });
    std::fs::write(&keys, set.to_json()).unwrap();
    program.add_user("Ada", PASSWORD);
    let discovered = get(&program.url("/.well-known/openid-configuration")).await;
    assert_eq!(discovered["request_parameter_supported"], true);
    assert_eq!(discovered["require_request_uri_registration"], true);
    assert_eq!(discovered["subject_types_supported"], json!(["public", "pairwise"]));
    let scopes = discovered["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("offline_access")), "{scopes:?}");
    let algs = discovered["request_object_signing_alg_values_supported"].to_string();
    assert!(!algs.contains("none"), "{algs}");
    assert!(discovered["id_token_encryption_alg_values_supported"].is_array());
    let published = get(discovered["jwks_uri"].as_str().unwrap()).await.to_string();
    let published = KeySet::parse(published.as_bytes()).unwrap();
    let ours = published.encrypting_by(KeyManagement::EcdhEs).unwrap();

    let file = keys.to_str().unwrap();
    let add = ["client", "add", "Bank", "--redirect-uri", REDIRECT, "--scope", "openid"];
    let openid = [
        "--message-jwks",
        file,
        "--request-object-alg",
        "ES256",
        "--request-uri",
        "https://bank.example/request.jwt",
        "--id-token-encryption",
        "ECDH-ES,A256GCM",
        "--subject-type",
        "pairwise",
        "--require-auth-time",
        "true",
        "--initiate-login-uri",
        "https://bank.example/login",
        "--default-acr-value",
        "urn:two-factors",
    ];
    let client = program.json(&[&add[..], &openid].concat());
    let id = client["client_id"].as_str().unwrap().to_owned();
    assert_eq!(client["openid"]["request_object_signing_alg"], "ES256", "{client}");
    assert_eq!(client["openid"]["id_token_encrypted_response"]["enc"], "A256GCM");

    let inside = json!({
        "client_id": id, "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid",
        "state": "signed", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    });
    let signed = key.sign(&Protected::plain(), inside.to_string().as_bytes()).unwrap();
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    let sent = ours.encrypt(alg, enc, &Protected::plain().cty("JWT"), signed.as_bytes()).unwrap();
    let query = [("response_type", "code"), ("client_id", &*id), ("request", &*sent)];
    let url = Url::parse_with_params(&program.url("/oauth/authorize"), query).unwrap();
    let browser = Browser::new();
    let page = browser.get(url.as_str()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let answer: std::collections::BTreeMap<String, String> =
        page.url.query_pairs().into_owned().collect();
    assert_eq!(answer["state"], "signed", "{}", page.url);

    let token = reqwest::Client::new()
        .post(program.url("/oauth/token"))
        .basic_auth(&id, client["client_secret"].as_str())
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &*answer["code"]),
            ("redirect_uri", REDIRECT),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ]);
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    assert!(token.get("refresh_token").is_none(), "without offline_access: {token}");
    let encrypted = Encrypted::parse(token["id_token"].as_str().unwrap()).unwrap();
    let rules = Decryption::only(alg, ContentEncryption::A256Gcm);
    let opened = encrypted.decrypt(rules, [&theirs]).unwrap();
    let id_token = Unverified::parse(opened.nested().unwrap()).unwrap();
    let subject = id_token.claims_of_anybody().unwrap().sub.unwrap();
    assert_eq!(subject.len(), 43, "a pairwise one: {subject}");
    // Nor does the program's own API give more of the user away.
    let me = reqwest::Client::new()
        .get(program.url("/api/me"))
        .bearer_auth(token["access_token"].as_str().unwrap());
    let me: Value = me.send().await.unwrap().json().await.unwrap();
    assert_eq!(me, json!({ "sub": subject, "client_id": id, "scope": "openid" }));
    drop(program);
    let without = Program::start_with(&folder, &on);
    let log = without.log();
    assert!(log.contains("pairwise subjects, which need openid_pairwise_secret"), "{log}");
}

#[test]
fn addresses_of_logout_are_taken_away_and_a_lost_scope_says_how() {
    let folder = Folder::new();
    let data = folder.data();
    let on = ["--set", "openid=true", "--set", "scopes=groups=Groups"];
    let uris = ["--frontchannel-logout-uri", "https://app.example/front"];
    let further = ["--backchannel-logout-uri", "https://app.example/back"];
    let bye = ["--post-logout-redirect-uri", "https://app.example/bye"];
    let scopes = ["--scope", "openid", "--scope", "groups"];
    let add = ["client", "add", "App", "--redirect-uri", "https://app.example/cb"];
    let all = [&add[..], &uris, &further, &bye, &scopes, &on].concat();
    let added = json(&data, &all, "");
    let id = added["client_id"].as_str().unwrap();
    let edit =
        |further: &[&str]| json(&data, &[&["client", "edit", id], further, &on].concat(), "");
    let before = edit(&["--name", "Shop"]).to_string();
    for (option, uri) in [
        ("--without-frontchannel-logout-uri", "https://app.example/front"),
        ("--without-backchannel-logout-uri", "https://app.example/back"),
        ("--without-post-logout-redirect-uris", "https://app.example/bye"),
    ] {
        assert!(before.contains(uri), "{before}");
        let after = edit(&[option]).to_string();
        assert!(!after.contains(uri), "{after}");
    }
    let both = [&["client", "edit", id, "--without-frontchannel-logout-uri"], &uris[..]].concat();
    assert_eq!(failure(&data, &both).0, 2);

    let edit = ["client", "edit", id, "--name", "Shop", "--set", "openid=true"];
    let (code, said) = failure(&data, &edit);
    assert!(code == 2 && said.contains("--remove-scope \"groups\" takes it away"), "{said}");
    json(&data, &[&edit[..], &["--remove-scope", "groups"]].concat(), "");
    let (_, said) = failure(&data, &["client", "edit", id, "--name", "x", "--set", "openid=false"]);
    assert!(said.contains("openid = true adds it"), "{said}");
}

#[test]
fn metadata_that_only_a_setting_gives_an_effect_are_pointed_out() {
    let folder = Folder::new();
    let add =
        ["client", "add", "App", "--redirect-uri", "https://app.example/cb", "--scope", "openid"];
    let uri =
        ["--request-uri", "https://app.example/request.jwt", "--default-acr-value", "urn:one"];
    let add = [&add[..], &uri, &["--set", "openid=true"]].concat();
    let said =
        |further: &[&str]| text(&run(&folder.data(), &[&add[..], further].concat(), "").stderr);
    let without = said(&[]);
    assert!(without.contains("`quadrille serve` needs openid_request_objects"), "{without}");
    assert!(without.contains("urn:one here: see openid_acr_values"), "{without}");
    let set = ["--set", "openid_request_objects=true", "--set", "openid_acr_values=urn:one"];
    let with = said(&set);
    assert!(!with.contains("openid_"), "{with}");
}

/// Core, section 6.1: keys of the operator's own beside the ring.
#[tokio::test]
async fn request_objects_may_be_encrypted_to_an_rsa_key_in_a_file() {
    let folder = Folder::new();
    let (file, other) = (folder.path().join("rsa.jwk"), folder.path().join("other.jwk"));
    let key = DecryptingKey::generate(KeyManagement::RsaOaep256).unwrap();
    std::fs::write(&file, key.to_private_jwk().unwrap().expose()).unwrap();
    std::fs::write(&other, r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA","alg":"A128KW"}"#).unwrap();
    let setting = format!("openid_request_object_keys={}", file.display());
    let on = ["--set", "openid=true", "--set", "openid_request_objects=true", "--set", &setting];
    let program = Program::start_with(&folder, &on);
    assert!(program.log().contains("can be read by other users"), "{}", program.log());
    let discovered = get(&program.url("/.well-known/openid-configuration")).await;
    let algs = "RSA-OAEP-256 ECDH-ES ECDH-ES+A128KW ECDH-ES+A256KW A128KW A256KW dir";
    let algs: Vec<_> = algs.split(' ').collect();
    assert_eq!(discovered["request_object_encryption_alg_values_supported"], json!(algs));
    let jwks = get(discovered["jwks_uri"].as_str().unwrap()).await;
    let published =
        jwks["keys"].as_array().unwrap().iter().find(|one| one["alg"] == "RSA-OAEP-256");
    assert_eq!(published.unwrap()["use"], "enc");
    program.stop();
    let setting = format!("openid_request_object_keys={}", other.display());
    let on = ["serve", "--listen", "127.0.0.1:0", "--set", "openid=true", "--set", &setting];
    let on = [&on[..], &["--set", "openid_request_objects=true"]].concat();
    let (code, said) = failure(&folder.data(), &on);
    assert!(code == 2 && said.contains("one private JWK for RSA"), "{said}");
}
