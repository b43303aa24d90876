//! The account of a user: sessions that end one by one, and personal access tokens.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, SCOPES, Stage},
    me::me,
    process::{Folder, Program, eventually, failure, run, text},
};

const LIMIT: Duration = Duration::from_secs(20);

/// A browser in which the user is signed in, at the account page.
async fn signed_in(program: &Program, name: &str) -> (Browser, Page) {
    let browser = Browser::new();
    let page = browser.get(&program.url("/sign-in")).await;
    let page = browser.sign_in(&page, name, PASSWORD).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    (browser, page)
}

async fn is_signed_in(program: &Program, browser: &Browser) -> bool {
    browser.get(&program.url("/")).await.html.contains("Signed in as")
}

fn token(program: &Program, arguments: &[&str]) -> Value {
    program.json(&[&["user", "token", "add", "ada"], arguments].concat())
}

async fn acts(program: &Program, token: &Value) -> bool {
    let token = token["access_token"].as_str().unwrap();
    me(program, Method::GET, token).await.0 == StatusCode::OK
}

#[tokio::test]
async fn one_session_ends_and_the_others_stay() {
    let stage = Stage::new();
    let program = &stage.program;
    let (home, _) = signed_in(program, "ada").await;
    let (office, page) = signed_in(program, "ada").await;
    let form = page.form("session");
    let page = office.submit(&form).await;
    assert!(page.html.contains("Signed out there"), "{}", page.html);
    assert!(!page.html.contains("name=\"session\""), "none is left but this one");
    assert!(!is_signed_in(program, &home).await);
    assert!(program.log().contains("session_ended"));
    let again = office.submit(&form).await;
    assert!(again.html.contains("It had ended before"), "{}", again.html);

    let (home, _) = signed_in(program, "ada").await;
    let sessions = program.json(&["user", "access", "ada"])["sessions"].clone();
    let id = sessions[0]["session"].as_str().unwrap().to_owned();
    assert_eq!((sessions.as_array().unwrap().len(), id.len()), (2, 16));
    let ended = program.json(&["user", "sign-out", "ada", "--session", &id]);
    assert_eq!(ended, json!({ "signed_out": "Ada", "session": id }));
    let left = [is_signed_in(program, &home).await, is_signed_in(program, &office).await];
    assert_eq!(left.iter().filter(|is_in| **is_in).count(), 1, "{left:?}");
    for wrong in [&*id, "", "0"] {
        let end = ["user", "sign-out", "ada", "--session", wrong];
        let (code, said) = failure(&program.data, &end);
        assert!(code == 6 && said.contains("there is no session"), "{said}");
    }
}

#[tokio::test]
async fn nobody_ends_the_sessions_and_tokens_of_another() {
    let stage = Stage::new();
    let program = &stage.program;
    program.add_user("bob", PASSWORD);
    let minted = token(program, &["backup", "--scope", "photos:read"]);
    let (other, _) = signed_in(program, "ada").await;
    let (ada, page) = signed_in(program, "ada").await;
    let (bob, of_bob) = signed_in(program, "bob").await;
    assert!(!of_bob.html.contains("backup"), "{}", of_bob.html);
    for control in ["session", "token"] {
        // Bob's own form with a field of Ada's, and Ada's whole form from Bob's browser.
        let of_ada = page.form(control);
        let value = of_ada.fields.iter().find(|(name, _)| name == control).unwrap().1.clone();
        let mut form = of_bob.form("form").with(control, &value);
        form.action = of_ada.action.clone();
        let answer = bob.submit(&form).await;
        assert!(answer.html.contains("It had ended before"), "{}", answer.html);
        let answer = bob.submit(&of_ada).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.html);
        let nobodys = ada.submit(&of_ada.clone().with("form", "")).await;
        assert_eq!(nobodys.status, StatusCode::FORBIDDEN, "{}", nobodys.html);
        for wrong in ["x", "-1", "9223372036854775808"] {
            let answer = ada.submit(&of_ada.clone().with(control, wrong)).await;
            assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.html);
        }
    }
    assert!(is_signed_in(program, &other).await && acts(program, &minted).await);
    assert!(!program.log().contains("session_ended") && !program.log().contains("token_revoked"));
}

const OFFER: [&str; 4] = [
    "--set",
    "personal_access_token_scopes=photos:read",
    "--set",
    "personal_access_token_max_lifetime=30d",
];

#[tokio::test]
async fn a_user_makes_a_personal_access_token_and_sees_it_once() {
    let stage = Stage::with(&OFFER);
    let program = &stage.program;
    let (browser, page) = signed_in(program, "ada").await;
    let filled = page.form("days").with("name", " backup <script> ").with("days", "30");
    let filled = filled.with("scope:photos:read", "on");
    let made = browser.submit(&filled).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.html);
    let token = made.html.split("<code class=\"token\">").nth(1).unwrap();
    let token = token.split('<').next().unwrap().to_owned();
    let (status, _, shown) = me(program, Method::GET, &token).await;
    assert_eq!((status, &shown["username"]), (StatusCode::OK, &json!("Ada")), "{shown}");
    assert_eq!(shown["scope"], "photos:read");
    let listed = program.json(&["user", "token", "list", "ada"]);
    assert_eq!(listed[0]["name"], "backup <script>");
    assert!(program.log().contains("token_added") && !program.log().contains(&token));

    let page = browser.get(&program.url("/")).await;
    assert!(page.html.contains("backup &lt;script&gt;") && !page.html.contains(&token));
    assert_eq!(made.url.path(), "/", "the page that is loaded again");
    assert_eq!(program.json(&["user", "token", "list", "ada"]).as_array().unwrap().len(), 1);
    let (code, said) = failure(&program.data, &["client", "remove", "personal-access-tokens"]);
    assert!(code == 2 && said.contains("of all users"), "{said}");
    let edit = ["client", "edit", "personal-access-tokens", "--name", "Tokens"];
    let (code, said) = failure(&program.data, &edit);
    assert!(code == 2 && said.contains("nothing of it can be changed"), "{said}");
    let list = text(&run(&program.data, &["client", "list"], "").stdout);
    assert!(list.contains("for tokens of users"), "{list}");
    let page = browser.submit(&page.form("token")).await;
    assert!(page.html.contains("Revoked. Programs"), "{}", page.html);
    assert_eq!(me(program, Method::GET, &token).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn forms_sent_at_once_do_not_exceed_the_limit_of_tokens() {
    let stage = Stage::with(&OFFER);
    let program = &stage.program;
    let (browser, page) = signed_in(program, "ada").await;
    let filled = page.form("days").with("name", "backup").with("days", "30");
    let filled = filled.with("scope:photos:read", "on");
    for _ in 0..26 {
        let send = || browser.submit(&filled);
        tokio::join!(send(), send(), send(), send());
    }
    let listed = program.json(&["user", "token", "list", "ada"]);
    let count = listed.as_array().unwrap().len();
    assert!((90..=100).contains(&count), "{count}");
    let refused = browser.submit(&filled).await;
    assert!(count < 100 || refused.status == StatusCode::BAD_REQUEST, "{}", refused.html);
}

#[tokio::test]
async fn nobody_makes_a_token_by_another_s_form_or_beyond_the_settings() {
    let stage = Stage::with(&OFFER);
    let program = &stage.program;
    program.add_user("bob", PASSWORD);
    let (ada, page) = signed_in(program, "ada").await;
    let (bob, _) = signed_in(program, "bob").await;
    assert!(!page.html.contains("photos:write"), "{}", page.html);
    let form = page.form("days").with("name", "x").with("days", "30");
    let good = form.clone().with("scope:photos:read", "on");
    let foreign = bob.submit(&good).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.html);
    for (wrong, said) in [
        (form.clone(), "Choose what"),
        (form.with("scope:photos:write", "on"), "Choose what"),
        (good.clone().with("days", "31"), "Choose how long"),
        (good.clone().with("name", "  "), "Give the token a name"),
        (good.clone().with("name", &"x".repeat(101)), "Give the token a name"),
    ] {
        let page = ada.submit(&wrong).await;
        assert!(
            page.status == StatusCode::BAD_REQUEST && page.html.contains(said),
            "{}",
            page.html
        );
    }
    assert_eq!(program.json(&["user", "token", "list", "ada"]), json!([]));

    // Without the setting there is no such form, and its address makes nothing.
    let stage = Stage::new();
    let (ada, page) = signed_in(&stage.program, "ada").await;
    assert!(!page.html.contains("name=\"days\""), "{}", page.html);
    let mut form = page.form("form").with("name", "x").with("days", "30");
    form.action = stage.program.url("/tokens/make").parse().unwrap();
    let page = ada.submit(&form.with("scope:photos:read", "on")).await;
    assert!(page.html.contains("Your applications"), "{}", page.html);
    assert_eq!(stage.program.json(&["user", "token", "list", "ada"]), json!([]));
}

#[tokio::test]
async fn a_personal_access_token_acts_for_its_user_until_it_is_revoked() {
    let stage = Stage::new();
    let program = &stage.program;
    let first = token(program, &["backup script", "--scope", "photos:read", "--lifetime", "30d"]);
    let second = token(program, &["<b>"]);
    assert_eq!((&first["name"], &first["scope"]), (&json!("backup script"), &json!("photos:read")));
    let (status, _, shown) =
        me(program, Method::GET, first["access_token"].as_str().unwrap()).await;
    assert_eq!((status, &shown["username"]), (StatusCode::OK, &json!("Ada")), "{shown}");
    assert_eq!(shown["scope"], "photos:read");
    let list = ["user", "token", "list", "ada"];
    let listed = program.json(&list);
    assert_eq!(listed, program.json(&["user", "access", "ada"])["tokens"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed[0].get("access_token").is_none() && listed[0]["expires"].is_string());

    let (browser, page) = signed_in(program, "ada").await;
    assert!(page.html.contains("&lt;b&gt;") && !page.html.contains("<b>"), "{}", page.html);
    let page = browser.submit(&page.form("token")).await;
    assert!(page.html.contains("Revoked. Programs"), "{}", page.html);
    assert!(!page.html.contains("backup script") && page.html.contains("&lt;b&gt;"));
    assert!(!acts(program, &first).await && acts(program, &second).await);
    assert!(program.log().contains("token_revoked"));

    let number = second["number"].as_str().unwrap().to_owned();
    program.json(&["user", "token", "revoke", "ada", &number]);
    assert_eq!(program.json(&list), json!([]));
    for (name, number) in [("ada", &*number), ("ada", "0"), ("nobody", &*number)] {
        let (code, said) = failure(&program.data, &["user", "token", "revoke", name, number]);
        assert!(code == 6 && said.contains("there is no"), "{said}");
    }
    let page = browser.get(&program.url("/")).await;
    assert!(!page.html.contains("Your access tokens"), "{}", page.html);
}

#[test]
fn a_token_is_printed_alone_and_a_wrong_one_is_not_made() {
    let folder = Folder::new();
    let data = folder.data();
    run(&data, &["user", "add", "ada", "--password-stdin"], &format!("{PASSWORD}\n"));
    let add = |arguments: &[&str]| {
        run(&data, &[&["user", "token", "add", "ada"], arguments, &SCOPES].concat(), "")
    };
    let output = add(&["backup"]);
    assert_eq!(text(&output.stdout).trim_end().len(), 60, "{output:?}");
    assert!(text(&output.stderr).contains("it is not shown again"), "{output:?}");
    let long = add(&["backup", "--lifetime", "4000d"]);
    assert!(text(&long.stderr).contains("refresh_token_total_lifetime"), "{long:?}");
    for (arguments, said) in [
        (&[""][..], "needs a name"),
        (&["a\u{202e}b"], "all of them visible"),
        (&["backup", "--scope", "photos:raed"], "did you mean \"photos:read\""),
        (&["backup", "--audience", "https://api.example"], "no API"),
        (&["backup", "--lifetime", "soon"], "soon"),
        (&["backup", "--lifetime", "0s"], "a duration from 1s"),
    ] {
        let output = add(arguments);
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(said), "{error}");
    }
    let api = "resources=https://api.example";
    let made = add(&["reader", "--audience", "https://api.example", "--set", api]);
    assert!(made.status.success(), "{made:?}");
    let listed = run(&data, &["user", "token", "list", "ada"], "");
    let listed = text(&listed.stdout);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.contains("reader") && listed.contains("  https://api.example  "), "{listed}");
    let (code, said) = failure(&data, &["user", "token", "revoke", "ada", "backup"]);
    assert!(code == 2 && said.contains("`quadrille user token list` shows"), "{said}");
}

#[tokio::test]
async fn tokens_have_the_prefix_of_the_settings() {
    let prefix = ["--set", "token_prefix=acme"];
    let stage = Stage::with(&prefix);
    let new = ["backup", "--scope", "photos:read"];
    let minted = token(&stage.program, &[&new[..], &prefix].concat());
    assert!(minted["access_token"].as_str().unwrap().starts_with("acme_pat_"), "{minted}");
    assert!(acts(&stage.program, &minted).await);
    let tokens = stage.dance(&Browser::new()).await;
    assert!(tokens["access_token"].as_str().unwrap().starts_with("acme_at_"), "{tokens}");
    assert!(acts(&stage.program, &tokens).await);
    let wrong = ["user", "list", "--set", "token_prefix=Acme-"];
    let (code, said) = failure(&stage.program.data, &wrong);
    assert!(code == 3 && said.contains("such as acme"), "{code} {said}");
}

/// OpenID Connect Core, section 4.
#[tokio::test]
async fn the_account_page_opens_an_application_at_which_a_login_begins() {
    let open = "registration=open-to-anybody-so-that-strangers-add-clients";
    let stage = Stage::with(&["--set", "openid=true", "--set", open]);
    let (program, browser) = (&stage.program, Browser::new());
    stage.dance(&browser).await;
    let page = browser.get(&program.url("/")).await;
    assert!(!page.html.contains(">Open "), "{}", page.html);
    let id = stage.client["client_id"].as_str().unwrap();
    let begins = "https://printer.example/login?of=id";
    program.json(&["client", "edit", id, "--initiate-login-uri", begins]);
    // A process notices a change of another one after a while.
    let links = async |is_there| {
        let html = browser.get(&program.url("/")).await.html;
        html.contains(">Open ") == is_there
    };
    assert!(eventually(LIMIT, || links(true)).await);
    let page = browser.get(&program.url("/")).await;
    let link = page
        .html
        .split("\" rel=\"noreferrer\">Open <bdi>Photo &lt;printer&gt;</bdi></a>")
        .next()
        .unwrap();
    let link = link.rsplit("<a href=\"").next().unwrap();
    let link = link.replace("&#x2f;", "/").replace("&amp;", "&");
    let url = reqwest::Url::parse_with_params(begins, [("iss", &program.issuer)]).unwrap();
    assert_eq!(link, url.as_str());
    let (code, said) = failure(
        &program.data,
        &["client", "edit", id, "--initiate-login-uri", "http://a.example/"],
    );
    assert!(code == 2 && said.contains("an https URL is needed"), "{said}");
    let shown = program.json(&["client", "edit", id, "--without-initiate-login-uri"]);
    assert!(!shown.to_string().contains("printer.example/login"), "{shown}");
    assert!(eventually(LIMIT, || links(false)).await);

    // The page of one that registered itself is at an address to which its answers go.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (begins, is_linked) in
        [("https://bank.example/login", false), ("https://app.example/login", true)]
    {
        let metadata = json!({
            "client_name": "Your bank",
            "redirect_uris": ["https://app.example/cb"],
            "initiate_login_uri": begins,
            "scope": "openid",
            "token_endpoint_auth_method": "none",
        });
        let registered = http.post(program.url("/oauth/register")).json(&metadata);
        let registered: Value = registered.send().await.unwrap().json().await.unwrap();
        let id = registered["client_id"].as_str().unwrap_or_else(|| panic!("{registered}"));
        let url = stage.authorize_url().replace(stage.client["client_id"].as_str().unwrap(), id);
        let url =
            url.replace("http%3A%2F%2F127.0.0.1%3A9%2Fcallback", "https%3A%2F%2Fapp.example%2Fcb");
        let page = browser.get(&url.replace("photos%3Aread+photos%3Awrite", "openid")).await;
        browser.submit(&page.form("ticket").with("decision", "allow")).await;
        let page = browser.get(&program.url("/")).await;
        assert_eq!(
            page.html.contains(">Open <bdi>Your bank</bdi></a>"),
            is_linked,
            "{}",
            page.html
        );
    }
}
