//! The pictures of the guide and of the README. They are made with each run; `make pictures` puts
//! them into `docs/`.

use std::path::{Path, PathBuf};

use crate::{
    demo::{OAUTH1, OAUTH2, drawing, visit},
    support::{
        Browser, Colors, Provider, Site, decide, element, fill_in, heading, in_a_browser, sign_in,
    },
};

/// The greatest size of a picture: the guide is to load quickly, and the repository keeps each
/// version of it for ever.
const MOST_BYTES: u64 = 60_000;

/// The card of a page of the program.
const CARD: &str = "//section[contains(@class, 'card')]";

/// Keeps a picture of the part of the page that `xpath` selects, and puts it into the guide if that
/// is wanted.
async fn picture(browser: &Browser, name: &str, xpath: &str) {
    browser.colors(Colors::Light).await;
    let kept = browser.keep_part(name, &element(browser, xpath).await).await;
    let of_guide = docs(&format!("src/pictures/{name}.webp"));
    if are_wanted() {
        let size = std::fs::copy(kept, of_guide).unwrap();
        assert!(size < MOST_BYTES, "{name}: {size} bytes");
    } else {
        assert!(of_guide.exists(), "the guide lacks {name}.webp: make pictures");
    }
}

/// Whether the pictures go into `docs/`: a run of all tests does not change the working tree.
fn are_wanted() -> bool {
    std::env::var_os("QUADRILLE_PICTURES").is_some()
}

fn docs(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_program() {
    in_a_browser("pictures", async |browser| {
        browser.width(760, 640).await;
        let provider = Provider::start(&["--device", "--set", "name=Photos"]);
        let callback = Site::blank().await;
        let about = ["--owner", "Prints & Frames Ltd", "--client-uri", "https://printer.example"];
        let client = provider.add("Photo printer", &callback.far("/callback"), &about);
        browser.goto(client.question()).await.unwrap();
        fill_in(browser, "").await;
        picture(browser, "sign-in", CARD).await;
        sign_in(browser).await;
        element(browser, "//button[@value='allow']").await;
        picture(browser, "consent", CARD).await;
        decide(browser, "allow").await;
        browser.wait_until_at(&callback.far("/callback?code=")).await;
        browser.goto(provider.url("/device")).await.unwrap();
        heading(browser, "Connect a device").await;
        picture(browser, "device", CARD).await;
        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        picture(browser, "account", "//main").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drawing_of_a_dance() {
    visit("pictures-dance", async |browser, demo| {
        OAUTH2.dance(browser, demo).await;
        OAUTH2.end(browser).await;
        if are_wanted() {
            browser.width(1280, 1180).await;
            let scroll = "document.getElementById('act4').scrollIntoView()";
            browser.execute(scroll, vec![]).await.unwrap();
            browser.screenshot(&docs("demo.png")).await.unwrap();
        }
        browser.width(640, 800).await;
        for (act, name) in [("act1", "dance-begin"), ("act4", "dance-token")] {
            let xpath = format!("//section[@aria-labelledby='{act}']");
            // The parties, which stay at the top of the window otherwise.
            let heads = "const heads = document.querySelector('.heads'); \
                         heads.style.position = 'static'; arguments[0].prepend(heads)";
            let section = element(browser, &xpath).await;
            browser.execute(heads, vec![section.to_json().unwrap()]).await.unwrap();
            picture(browser, name, &xpath).await;
        }
        picture(browser, "dance-seen", "//section[@class='seen']").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_taken_apart() {
    visit("pictures-signature", async |browser, demo| {
        OAUTH1.dance(browser, demo).await;
        OAUTH1.end(browser).await;
        browser.width(800, 800).await;
        drawing::opens(browser, "GET /api/photos").await;
        picture(browser, "signature", "//details[@open]//section[@class='proof']").await;
    })
    .await;
}
