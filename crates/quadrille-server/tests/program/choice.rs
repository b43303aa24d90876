//! The choice of an account, and the name that an application proposes.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, Stage, claims_of},
};

/// With OpenID Connect, and a second user.
fn stage(further: &[&str]) -> Stage {
    let stage = Stage::with(&[&["--set", "openid=true"], further].concat());
    stage.program.add_user("Bob", PASSWORD);
    let id = stage.client["client_id"].as_str().unwrap();
    stage.program.json(&["client", "edit", id, "--add-scope", "openid"]);
    stage
}

fn asking(stage: &Stage, further: &str) -> String {
    let url = stage.authorize_url().replace("scope=", "scope=openid+");
    format!("{url}{further}")
}

/// The claims of the ID token that follows from the consent page or from a code.
async fn claims(stage: &Stage, browser: &Browser, page: Page) -> Value {
    let page = match page.parameter("code") {
        Some(_) => page,
        None => browser.submit(&page.form("ticket").with("decision", "allow")).await,
    };
    let tokens = stage.redeem(&page).await;
    claims_of(tokens["id_token"].as_str().unwrap())
}

async fn signed_in(stage: &Stage, browser: &Browser, name: &str) -> Value {
    let page = browser.get(&asking(stage, "")).await;
    let page = browser.sign_in(&page, name, PASSWORD).await;
    claims(stage, browser, page).await
}

const SELECT: &str = "&prompt=select_account";

#[tokio::test]
async fn the_user_goes_on_with_the_account_that_is_signed_in_by_a_button_alone() {
    let (stage, browser) = (stage(&[]), Browser::new());
    let before = signed_in(&stage, &browser, "ada").await;
    let page = browser.get(&asking(&stage, SELECT)).await;
    assert_eq!(page.url.path(), "/sign-in");
    assert!(page.html.contains("Continue as Ada</button>"), "{}", page.html);
    assert!(page.html.contains("to continue to <strong><bdi>Photo &lt;printer&gt;</bdi></strong>"));
    assert!(!page.html.contains("password"), "{}", page.html);
    // The address after the page asks again.
    let next = page.parameter("next").unwrap();
    let asked = browser.get(&stage.program.url(&next)).await;
    assert_eq!(asked.url.path(), "/sign-in");
    let after = claims(&stage, &browser, browser.submit(&page.form("form")).await).await;
    assert_eq!((&after["sub"], &after["auth_time"]), (&before["sub"], &before["auth_time"]));
    // The choice was for that request.
    let page = browser.get(&asking(&stage, SELECT)).await;
    assert!(page.html.contains("Continue as Ada</button>"));
    // Without a user, the page is the one for signing in.
    let page = Browser::new().get(&asking(&stage, SELECT)).await;
    assert!(page.html.contains("name=\"password\"") && !page.html.contains("Continue as"));
}

#[tokio::test]
async fn another_account_signs_in_and_the_wish_for_a_password_remains() {
    let (stage, browser) = (stage(&[]), Browser::new());
    let ada = signed_in(&stage, &browser, "ada").await;
    let page = browser.get(&asking(&stage, &format!("{SELECT}&login_hint=BOB"))).await;
    let other = page.html.split("<a class=\"button plain\" href=\"").nth(1).unwrap();
    let other = other.split('"').next().unwrap().replace("&#x2f;", "/").replace("&amp;", "&");
    let page = browser.get(page.url.join(&other).unwrap().as_str()).await;
    assert!(page.html.contains("value=\"BOB\""), "{}", page.html);
    let page = browser.sign_in(&page, "bob", PASSWORD).await;
    let bob = claims(&stage, &browser, page).await;
    assert_ne!(ada["sub"], bob["sub"]);
    for demand in ["&prompt=select_account+login", "&prompt=select_account&max_age=0"] {
        let page = browser.get(&asking(&stage, demand)).await;
        assert!(page.html.contains("name=\"password\""), "{}", page.html);
        assert!(!page.html.contains("Continue as"), "{}", page.html);
        let page = browser.sign_in(&page, "bob", PASSWORD).await;
        let again = claims(&stage, &browser, page).await;
        assert_eq!(again["sub"], bob["sub"]);
        assert!(again["auth_time"].as_i64() >= bob["auth_time"].as_i64());
    }
}

#[tokio::test]
async fn no_other_site_and_no_other_browser_chooses_for_the_user() {
    let (stage, browser, other) = (stage(&[]), Browser::new(), Browser::new());
    signed_in(&stage, &browser, "ada").await;
    signed_in(&stage, &other, "bob").await;
    let form = browser.get(&asking(&stage, SELECT)).await.form("form");
    // A form from another site, and one that was made for another browser.
    let url = form.action.clone();
    let (name, cookie) = browser.cookie("session").unwrap();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let post = http.build().unwrap().request(Method::POST, url).form(&form.fields);
    let post = post.header(header::COOKIE, format!("{name}={cookie}"));
    let foreign = post.try_clone().unwrap().header(header::ORIGIN, "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let page = other.submit(&form).await;
    assert!(page.html.contains("Continue as Bob</button>"), "{} {}", page.url, page.html);
    let page = browser.submit(&form.clone().with("form", "x")).await;
    assert!(page.html.contains("Continue as Ada</button>"), "{} {}", page.url, page.html);
    let ours = post.send().await.unwrap();
    let location = ours.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with("/oauth/authorize?"), "{location}");
    // Nobody is signed in any more: the request is not lost.
    stage.program.json(&["user", "sign-out", "ada"]);
    let page = browser.submit(&form).await;
    assert!(page.html.contains("name=\"password\""), "{}", page.html);
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(page.parameter("code").is_some(), "{}", page.url);
    // The way on is on this site.
    let form = browser.get(&asking(&stage, SELECT)).await.form("form");
    let page = browser.submit(&form.with("next", "https://evil.example/")).await;
    assert_eq!(page.url.path(), "/");
}

#[tokio::test]
async fn the_sign_in_page_has_the_name_that_an_application_proposes_if_it_can_be_one() {
    let stage = stage(&[]);
    let value = async |hint: &str| {
        let page = Browser::new().get(&asking(&stage, &format!("&login_hint={hint}"))).await;
        let field = page.html.split("<input id=\"username\"").nth(1).unwrap().to_owned();
        field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    for (hint, shown) in [
        ("ada", "ada"),
        // The same for a name that no user has.
        ("nobody", "nobody"),
        ("ada%40example.com", "ada@example.com"),
        ("%22%3E%3Cb%3E", "&quot;&gt;&lt;b&gt;"),
        ("a%E2%80%AEb", ""),
        ("a%0Ab", ""),
        (&"a".repeat(65), ""),
    ] {
        assert_eq!(value(hint).await, shown, "{hint}");
    }
}

#[tokio::test]
async fn a_sign_in_by_password_is_of_the_classes_of_the_setting_and_of_no_other() {
    let stage = stage(&["--set", "openid_acr_values=urn:password,urn:one"]);
    let path = "/.well-known/openid-configuration";
    let discovered = Browser::new().get(&stage.program.url(path)).await;
    let discovered: Value = serde_json::from_str(&discovered.html).unwrap();
    assert_eq!(discovered["acr_values_supported"], serde_json::json!(["urn:password", "urn:one"]));
    let displays = serde_json::json!(["page", "popup", "touch"]);
    assert_eq!(discovered["display_values_supported"], displays);
    let browser = Browser::new();
    assert_eq!(signed_in(&stage, &browser, "ada").await["acr"], "urn:password");
    let essential = |class: &str| {
        let claims = format!(r#"{{"id_token":{{"acr":{{"essential":true,"value":"{class}"}}}}}}"#);
        let url = reqwest::Url::parse_with_params("http://localhost/", [("claims", claims)]);
        format!("&{}", url.unwrap().query().unwrap())
    };
    for (wish, class) in [
        (essential("urn:one"), "urn:one"),
        ("&acr_values=urn:two+urn:one".to_owned(), "urn:one"),
        ("&acr_values=urn:two".to_owned(), "urn:password"),
        // By the answer to a consent page, too.
        (format!("{}&prompt=consent", essential("urn:one")), "urn:one"),
    ] {
        let page = browser.get(&asking(&stage, &wish)).await;
        assert_eq!(claims(&stage, &browser, page).await["acr"], class, "{wish}");
    }
    let page = browser.get(&asking(&stage, &essential("urn:two"))).await;
    assert_eq!(page.parameter("error").as_deref(), Some("unmet_authentication_requirements"));
}
