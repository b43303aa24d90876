//! The consent page for a user who has consented before: what is granted is listed, what is new is
//! asked, and nothing is ticked that the user may have refused.

use crate::{
    browser::{Browser, Page},
    flow::Stage,
};

const HELD: &str = "You already let it";

/// The scopes that the page sends if the user only presses the button.
fn sent(page: &Page) -> Vec<String> {
    let fields = page.form("ticket").fields.into_iter();
    fields.filter(|(name, _)| name == "scope").map(|(_, value)| value).collect()
}

#[tokio::test]
async fn only_new_scopes_are_asked_and_a_box_that_was_unticked_stays_so() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    assert_eq!(sent(&page), ["photos:read", "photos:write"], "the first time");
    assert!(!page.html.contains(HELD) && page.html.contains("It wants to"), "{}", page.html);
    let mut form = page.form("ticket").with("decision", "allow");
    form.fields.retain(|(_, value)| value != "photos:write");
    stage.redeem(&browser.submit(&form).await).await;

    let page = browser.get(&stage.authorize_url()).await;
    assert!(page.html.contains("asks for more") && page.html.contains("Now it also wants to"));
    let (held, asked) = page.html.split_once("<fieldset>").unwrap();
    assert!(held.contains(HELD) && held.contains("See your photos"), "{}", page.html);
    assert!(!asked.contains("See your photos") && asked.contains("Add &lt;photos&gt;"));
    assert_eq!(sent(&page), ["photos:read"]);
    assert!(!page.html.contains("<script") && page.html.len() < 10_000);
    let form = page.form("ticket").with("decision", "allow");
    let tokens = stage.redeem(&browser.submit(&form).await).await;
    assert_eq!(tokens["scope"], "photos:read", "nothing was added silently");

    let page = browser.get(&stage.authorize_url()).await;
    let mut form = page.form("ticket").with("decision", "allow");
    form.fields.push(("scope".to_owned(), "photos:write".to_owned()));
    let tokens = stage.redeem(&browser.submit(&form).await).await;
    assert_eq!(tokens["scope"], "photos:read photos:write");

    // A client can ask once more for what it has.
    let page = browser.get(&format!("{}&prompt=consent", stage.authorize_url())).await;
    assert!(page.html.contains("It asks for nothing new"), "{}", page.html);
    assert_eq!(sent(&page), ["photos:read", "photos:write"]);
}

#[tokio::test]
async fn a_scope_that_was_refused_is_not_ticked_when_it_comes_alone() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    let mut form = page.form("ticket").with("decision", "allow");
    form.fields.retain(|(_, value)| value != "photos:write");
    stage.redeem(&browser.submit(&form).await).await;

    let alone = stage.authorize_url().replace("photos%3Aread+", "");
    let page = browser.get(&alone).await;
    assert!(page.html.contains("Add &lt;photos&gt;") && !page.html.contains(HELD));
    assert!(sent(&page).is_empty(), "{}", page.html);
    // Without a tick the button would refuse it, so the browser asks for the tick.
    assert!(page.html.contains(r#"value="photos:write" required"#), "{}", page.html);
    assert!(page.html.contains(r#"value="deny" formnovalidate"#), "{}", page.html);
}
