//! Actions of users on their own accounts: a new password, the end of other sessions, the
//! withdrawal of an application's access, a file of what is known, and the deletion.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    browser::{Browser, Form, Page},
    clock::Clock,
    flow::{PASSWORD, REDIRECT, Stage, add_client, authorize_url},
    me::me,
    process::{Folder, Program},
};

const NEW: &str = "another horse altogether";

/// A browser in which the user is signed in, at the account page.
async fn signed_in(program: &Program, name: &str, password: &str) -> (Browser, Page) {
    let browser = Browser::new();
    let page = browser.get(&program.url("/sign-in")).await;
    let page = browser.sign_in(&page, name, password).await;
    (browser, page)
}

async fn is_signed_in(program: &Program, browser: &Browser) -> bool {
    browser.get(&program.url("/")).await.html.contains("Signed in as")
}

/// The form that changes the password, filled in.
async fn change(program: &Program, browser: &Browser, fields: [&str; 3]) -> Form {
    let form = browser.get(&program.url("/password")).await.form("new");
    let [password, new, again] = fields;
    form.with("password", password).with("new", new).with("again", again)
}

#[tokio::test]
async fn a_new_password_keeps_this_browser_signed_in_and_no_other_one() {
    let stage = Stage::new();
    let program = &stage.program;
    let (other, _) = signed_in(program, "ada", PASSWORD).await;
    let (browser, _) = signed_in(program, "ada", PASSWORD).await;
    for (fields, status, said) in [
        (["wrong horse", NEW, NEW], StatusCode::FORBIDDEN, "Wrong password"),
        (["", NEW, NEW], StatusCode::BAD_REQUEST, "Wrong password"),
        ([PASSWORD, NEW, "another"], StatusCode::BAD_REQUEST, "The new passwords differ"),
        ([PASSWORD, "short", "short"], StatusCode::BAD_REQUEST, "at least 8 characters"),
        ([PASSWORD, "password1", "password1"], StatusCode::BAD_REQUEST, "most common"),
        ([PASSWORD, PASSWORD, PASSWORD], StatusCode::BAD_REQUEST, "that you have now"),
    ] {
        let page = browser.submit(&change(program, &browser, fields).await).await;
        assert_eq!(page.status, status, "{}", page.html);
        assert!(page.html.contains(said) && page.html.contains("<title>Error: "), "{}", page.html);
        assert!(!page.html.contains(PASSWORD) && !page.html.contains(NEW));
    }
    assert!(is_signed_in(program, &other).await, "nothing was changed");

    let before = browser.cookie("session").unwrap();
    let form = change(program, &browser, [PASSWORD, NEW, NEW]).await;
    let page = browser.submit(&form).await;
    assert!(page.html.contains("Your password was changed"), "{}", page.html);
    assert!(is_signed_in(program, &browser).await && !is_signed_in(program, &other).await);
    let thief = Browser::new();
    thief.keep(before);
    assert!(!is_signed_in(program, &thief).await, "the cookie from before is worth nothing");
    assert!(program.log().contains("password_changed"), "{}", program.log());
    assert!(program.log().contains("password_check_failed"), "{}", program.log());
    let (_, page) = signed_in(program, "ada", PASSWORD).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.html);
    let (_, page) = signed_in(program, "ada", NEW).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);

    let somebody = Browser::new();
    let page = somebody.get(&program.url("/.well-known/change-password")).await;
    assert!(page.html.contains("name=\"username\""), "{}", page.html);
    let page = somebody.sign_in(&page, "ada", NEW).await;
    assert!(page.html.contains("Change your password"), "{} {}", page.url, page.html);
}

#[tokio::test]
async fn passwords_are_guessed_no_faster_with_a_session_and_no_other_site_sends_the_form() {
    let stage = Stage::new();
    let program = &stage.program;
    program.add_user("bob", PASSWORD);
    let (bob, _) = signed_in(program, "bob", PASSWORD).await;
    let (browser, _) = signed_in(program, "ada", PASSWORD).await;
    let bobs = change(program, &bob, [PASSWORD, NEW, NEW]).await;
    for form in [bobs.clone().with("form", ""), bobs] {
        let page = browser.submit(&form).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.html);
        assert!(page.html.contains("This form is not from here"), "{}", page.html);
    }
    let form = change(program, &browser, ["a guess", NEW, NEW]).await;
    let (browser, mut guesses) = (Arc::new(browser), JoinSet::new());
    for _ in 0..40 {
        let (browser, form) = (browser.clone(), form.clone());
        guesses.spawn(async move {
            let page = browser.submit(&form).await;
            (page.status, page.header("retry-after").to_owned())
        });
    }
    let answers = guesses.join_all().await;
    let refused = answers.iter().filter(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS);
    let refused: Vec<_> = refused.collect();
    assert!(refused.len() >= 10, "{answers:?}");
    assert!(refused.iter().all(|(_, wait)| wait.parse::<u64>().unwrap() >= 1), "{refused:?}");
}

#[tokio::test]
async fn all_other_sessions_end_at_once() {
    let stage = Stage::new();
    let program = &stage.program;
    let (home, page) = signed_in(program, "ada", PASSWORD).await;
    assert!(!page.html.contains("Sign out all others"), "there is none: {}", page.html);
    let (office, _) = signed_in(program, "ada", PASSWORD).await;
    let (browser, page) = signed_in(program, "ada", PASSWORD).await;
    assert!(page.html.contains("An unknown browser") && page.html.contains(">just now</time>"));
    let mut form = page.form("form");
    form.action = program.url("/sessions/end-others").parse().unwrap();
    let page = browser.submit(&form).await;
    assert!(page.html.contains("This browser is still signed in"), "{}", page.html);
    for other in [&home, &office] {
        assert!(!is_signed_in(program, other).await);
    }
    assert!(program.log().contains("sign_out_elsewhere"));
    let page = browser.submit(&form).await;
    assert!(page.html.contains("It had ended before"), "{}", page.html);
}

#[tokio::test]
async fn a_user_who_has_allowed_many_applications_finds_each_on_one_of_several_pages() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    stage.dance(&browser).await;
    let lines: Vec<_> = (0..50)
        .map(|number| {
            json!({ "client_id": format!("client-{number}"), "client_name": format!("App {number:02}"),
                "client_type": "public", "grant_types": ["authorization_code"],
                "redirect_uris": [REDIRECT], "scope": "photos:read photos:write" })
            .to_string()
        })
        .collect();
    let file = stage.folder.path().join("clients.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    program.json(&["client", "import", file.to_str().unwrap()]);
    for number in 0..50 {
        let client = json!({ "client_id": format!("client-{number}") });
        let page = browser.get(&authorize_url(program, &client)).await;
        browser.submit(&page.form("ticket").with("decision", "allow")).await;
    }
    let page = browser.get(&program.url("/")).await;
    assert!(page.html.contains("App 49") && !page.html.contains("printer"), "{}", page.html);
    assert!(page.html.contains("?from=50"), "{}", page.html);
    let page = browser.get(&program.url("/?from=50")).await;
    assert!(page.html.contains("printer") && !page.html.contains("App 49"), "{}", page.html);
    assert!(!page.html.contains("Further applications"), "{}", page.html);
}

#[tokio::test]
async fn a_withdrawal_is_asked_about_and_two_applications_of_one_name_differ() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let tokens = stage.dance(&browser).await;
    let access = tokens["access_token"].as_str().unwrap();
    let page = browser.get(&program.url("/")).await;
    assert!(page.html.contains("http:&#x2f;&#x2f;127.0.0.1"), "{}", page.html);
    assert!(!page.html.contains("Known here since"), "{}", page.html);
    let namesake = add_client(program, "photo <Printer>");
    let page = browser.get(&authorize_url(program, &namesake)).await;
    browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let page = browser.get(&program.url("/")).await;
    let id = namesake["client_id"].as_str().unwrap();
    assert_eq!(page.html.matches("Known here since").count(), 2, "{}", page.html);
    assert!(page.html.contains(&format!("<code>{id}</code>")), "{}", page.html);

    let id = stage.client["client_id"].as_str().unwrap();
    let ask = program.url(&format!("/applications/withdraw?client_id={id}"));
    let page = browser.get(&ask).await;
    assert!(page.html.contains("Withdraw the access of"), "{}", page.html);
    assert!(page.html.contains("See your photos"), "{}", page.html);
    assert_eq!(me(program, Method::GET, access).await.0, StatusCode::OK, "it only asks");
    // Signed out, the page comes after the sign-in.
    let other = Browser::new();
    let page_there = other.get(&ask).await;
    let page_there = other.sign_in(&page_there, "ada", PASSWORD).await;
    assert_eq!(page_there.url.as_str(), ask, "{}", page_there.html);
    let page = browser.submit(&page.form("client_id")).await;
    assert!(page.html.contains("Withdrawn"), "{}", page.html);
    assert_eq!(me(program, Method::GET, access).await.0, StatusCode::UNAUTHORIZED);
    for gone in [&*ask, &program.url("/applications/withdraw?client_id=nobody")] {
        let page = other.get(gone).await;
        assert!(page.html.contains("There was nothing to withdraw"), "{}", page.html);
    }
}

#[tokio::test]
async fn a_user_gets_a_file_of_all_that_is_known_and_no_secret_in_it() {
    let stage = Stage::with(&["--set", "openid=true"]);
    let (program, browser) = (&stage.program, Browser::new());
    let tokens = stage.dance(&browser).await;
    let new = ["user", "token", "add", "ada", "backup script", "--scope", "photos:read"];
    let token = program.json(&new)["access_token"].as_str().unwrap().to_owned();
    program.json(&["user", "edit", "ada", "--claim", "name=Ada Lovelace"]);
    let page = browser.get(&program.url("/")).await;
    let mut form = page.form("form");
    form.action = program.url("/account/export").parse().unwrap();
    let file = browser.submit(&form).await;
    assert_eq!(file.header("content-type"), "application/json");
    assert!(file.header("content-disposition").starts_with("attachment;"));
    let known: Value = serde_json::from_str(&file.html).unwrap();
    assert_eq!(known["user"]["username"], "Ada");
    assert_eq!(known["user"]["claims"]["name"], "Ada Lovelace");
    let application = &known["applications"][0];
    assert_eq!(application["client_id"], stage.client["client_id"]);
    assert_eq!(application["consents"][0]["scope"], "photos:read photos:write");
    assert_eq!(application["sign_ins"].as_array().unwrap().len(), 1, "{known}");
    assert_eq!(known["personal_access_tokens"][0]["name"], "backup script");
    assert_eq!(known["sessions"][0]["address"], "127.0.0.1");
    let cookie = browser.cookie("session").unwrap().1;
    let secrets = [&*token, &*cookie, "argon2", PASSWORD];
    let of_client = ["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap());
    for secret in secrets.into_iter().chain(of_client) {
        assert!(!file.html.contains(secret), "{}", file.html);
    }
    assert!(program.log().contains("account_exported"));
    let nobodys = browser.submit(&form.with("form", "")).await;
    assert_eq!(nobodys.status, StatusCode::FORBIDDEN, "{}", nobodys.html);
}

#[tokio::test]
async fn a_file_of_all_that_is_known_needs_the_password_some_time_after_the_sign_in() {
    let folder = Folder::new();
    let clock = Clock::new(&folder);
    let program = clock.serve(&folder, &[]);
    program.add_user("Ada", PASSWORD);
    let (browser, page) = signed_in(&program, "ada", PASSWORD).await;
    let mut form = page.form("form");
    form.action = program.url("/account/export").parse().unwrap();
    let is_file = |page: &Page| page.header("content-type") == "application/json";
    assert!(is_file(&browser.submit(&form).await));
    clock.is_ahead_by(16 * 60);
    let asks = browser.submit(&form).await;
    assert_eq!(asks.url.path(), "/account/export");
    assert!(asks.html.contains("You signed in some time ago"), "{}", asks.html);
    let proof = asks.form("password");
    for wrong in ["", "wrong horse"] {
        let page = browser.submit(&proof.clone().with("password", wrong)).await;
        assert!(page.html.contains("Wrong password") && !is_file(&page), "{}", page.html);
    }
    assert!(is_file(&browser.submit(&proof.with("password", PASSWORD)).await));
    assert_eq!(program.log().matches("account_exported").count(), 2);
}

#[tokio::test]
async fn a_user_deletes_the_account_where_the_operator_lets_users() {
    let stage = Stage::with(&["--set", "let_users_delete_their_accounts=true"]);
    let (program, browser) = (&stage.program, Browser::new());
    program.add_user("bob", PASSWORD);
    let (bob, _) = signed_in(program, "bob", PASSWORD).await;
    let tokens = stage.dance(&browser).await;
    let access = tokens["access_token"].as_str().unwrap();
    let ask = program.url("/account/delete");
    let form = browser.get(&ask).await.form("password");
    let wrong = browser.submit(&form.clone().with("password", "wrong horse")).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{}", wrong.html);
    assert!(wrong.html.contains("Wrong password"), "{}", wrong.html);
    let foreign = bob.submit(&form.clone().with("password", PASSWORD)).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.html);
    assert!(is_signed_in(program, &browser).await);

    let page = browser.submit(&form.with("password", PASSWORD)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert!(page.html.contains("Your account is deleted"), "{}", page.html);
    assert_eq!(me(program, Method::GET, access).await.0, StatusCode::UNAUTHORIZED);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(stage.token(&fields).await.0, StatusCode::BAD_REQUEST);
    assert!(browser.cookie("session").is_none() && !is_signed_in(program, &browser).await);
    assert!(is_signed_in(program, &bob).await);
    let names = program.json(&["user", "list"]);
    assert_eq!(names.as_array().unwrap().len(), 1, "{names}");
    assert!(program.log().contains("account_deleted"));
    program.add_user("ada", NEW);
    let (_, page) = signed_in(program, "ada", NEW).await;
    assert!(!page.html.contains("Photo"), "another user: {}", page.html);
}

#[tokio::test]
async fn nobody_deletes_an_account_by_default() {
    let stage = Stage::new();
    let program = &stage.program;
    let (browser, page) = signed_in(program, "ada", PASSWORD).await;
    assert!(!page.html.contains("Delete your account"), "{}", page.html);
    let mut form = page.form("form").with("password", PASSWORD);
    form.action = program.url("/account/delete").parse().unwrap();
    assert_eq!(browser.submit(&form).await.status, StatusCode::NOT_FOUND);
    assert_eq!(program.json(&["user", "list"])[0]["username"], json!("Ada"));
}
