//! The look of pages: in the light, in the dark, and on the narrowest phone.

use quadrille_demo::USER;
use reqwest::{StatusCode, header};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    Client, Folder, Provider, Site, decide, described, element, fill_in, heading, in_a_browser,
    press, send, sign_in,
};

/// Names with words, and with one word, that are longer than a line.
const LONG: &str =
    "The Photograph Printing and Picture-Framing-and-Hanging-Society_of_Llanfairpwllgwyngyll";

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_pages_fit_every_screen() {
    in_a_browser("looks", async |browser| {
        let provider = Provider::start(&["--set", "name=Quadrille of Saint-Jean-de-Luz"]);
        let callback = Site::blank().await;
        let client = provider.add(LONG, &callback.far("/callback"), &[]);
        browser.goto(client.question()).await.unwrap();
        element(browser, "//input[@name='password']").await;
        browser.looks_good("1-sign-in").await;
        send(&fill_in(browser, "not the password").await).await;
        element(browser, "//strong[.='Wrong user name or password']").await;
        browser.looks_good("2-wrong").await;
        sign_in(browser).await;
        element(browser, "//button[@value='allow']").await;
        browser.looks_good("3-consent").await;
        decide(browser, "allow").await;
        browser.wait_until_at(&callback.far("/callback?code=")).await;
        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        browser.looks_good("4-account").await;
        press(browser, "Withdraw").await;
        heading(browser, "Withdraw the access of").await;
        browser.looks_good("5-withdraw").await;
        press(browser, "Withdraw").await;
        element(browser, "//p[@role='status']").await;
        browser.looks_good("5-withdrawn").await;
        press(browser, "Sign out everywhere").await;
        heading(browser, "You are signed out everywhere").await;
        browser.looks_good("6-signed-out").await;
        browser.goto(provider.url("/oauth/authorize?client_id=nobody")).await.unwrap();
        heading(browser, "This application made a mistake").await;
        browser.looks_good("7-problem").await;
    })
    .await;
}

/// Twelve scopes: long names without a break, long words, and both directions of writing.
fn scopes() -> Vec<(String, String)> {
    let url = "https://api.photographs.example/auth/everything.that.you.have.ever.photographed";
    let words =
        ["Read", "Donaudampfschifffahrtsgesellschaftskapitänsmützen", "اقرأ صورك", "📷🖼️👩‍👩‍👧‍👦"];
    (1..=12)
        .map(|nth| (format!("{url}.{nth}"), format!("{} {nth}", words[nth % words.len()])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_scopes_of_every_kind_fit_every_screen() {
    in_a_browser("looks-names", async |browser| {
        let scopes = scopes();
        let setting = scopes.iter().map(|(name, words)| format!("{name}={words}"));
        let setting = format!("scopes={}", setting.collect::<Vec<_>>().join(";"));
        let provider = Provider::with_scopes(&setting, &[]);
        let callback = Site::blank().await;
        let asked: Vec<_> = scopes.iter().flat_map(|(name, _)| ["--scope", name]).collect();
        let unbroken = "W".repeat(100);
        for (nth, name) in [&unbroken, "طابعة الصور الفوتوغرافية (Prints)", "📷 Prints 🖼️🎞️🦀"]
            .into_iter()
            .enumerate()
        {
            let client = provider.add_with(name, &callback.far("/callback"), &asked);
            let all: Vec<_> = scopes.iter().map(|(name, _)| &**name).collect();
            browser.goto(client.question_for(&all.join(" "))).await.unwrap();
            if nth == 0 {
                element(browser, "//input[@name='password']").await;
                browser.looks_good("1-sign-in").await;
                sign_in(browser).await;
            }
            let shown = element(browser, "//h1//bdi").await.text().await.unwrap();
            assert_eq!(shown, name);
            browser.looks_good(&format!("2-consent-{nth}")).await;
            decide(browser, "allow").await;
            browser.wait_until_at(&callback.far("/callback?code=")).await;
        }
        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        browser.looks_good("3-account").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_page_with_all_that_is_known_about_an_application_fits_every_screen() {
    in_a_browser("looks-about", async |browser| {
        let provider = Provider::start(&["--set", "let_users_delete_their_accounts=true"]);
        let (callback, elsewhere) = (Site::blank().await, Site::blank().await);
        let first = provider.add("Photo printer", &callback.far("/callback"), &[]);
        browser.goto(first.question()).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        browser.wait_until_at(&callback.far("/callback?code=")).await;
        let facts = [
            "--owner",
            "The Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch Printing Society",
            "--client-uri",
            "https://printer.example/about",
            "--policy-uri",
            "https://printer.example/privacy",
            "--tos-uri",
            "https://printer.example/terms",
            "--contact",
            "help@printer.example",
        ];
        let client = provider.add("Photo-Printer", &elsewhere.far("/callback"), &facts);
        browser.goto(client.question()).await.unwrap();
        element(browser, "//strong[starts-with(., 'This is not the')]").await;
        browser.looks_good("1-consent").await;
        decide(browser, "allow").await;
        browser.wait_until_at(&elsewhere.far("/callback?code=")).await;
        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        browser.looks_good("2-account").await;

        // The browser has lost its cookies meanwhile.
        browser.goto(format!("{}&prompt=consent", client.question())).await.unwrap();
        element(browser, "//button[@value='allow']").await;
        browser.delete_all_cookies().await.unwrap();
        element(browser, "//button[@value='allow']").await.click().await.unwrap();
        heading(browser, "This page is out of date").await;
        browser.looks_good("3-late").await;
        press(browser, "Try again").await;
        heading(browser, "Sign in").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_after_too_many_attempts_fits_every_screen() {
    in_a_browser("looks-guessing", async |browser| {
        let provider = Provider::start(&[]);
        browser.goto(provider.url("/sign-in")).await.unwrap();
        // On a slow machine, one attempt is forgiven before the browser makes its own.
        while !browser.source().await.unwrap().contains("Too many attempts") {
            let password = fill_in(browser, "not the password").await;
            guess_until_refused(&provider).await;
            send(&password).await;
        }
        browser.looks_good("1-too-many").await;
    })
    .await;
}

/// Guesses the user's password from the browser's address.
async fn guess_until_refused(provider: &Provider) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http.get(provider.url("/sign-in")).send().await.unwrap();
    let cookie = page.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let form = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("form", form), ("username", USER), ("password", "a guess")];
    let origin = provider.url("");
    let guess = http.post(provider.url("/sign-in")).form(&fields).header(header::ORIGIN, origin);
    let guess = guess.header(header::COOKIE, cookie.split(';').next().unwrap());
    let mut guesses = JoinSet::new();
    for _ in 0..24 {
        let guess = guess.try_clone().unwrap();
        guesses.spawn(async move { guess.send().await.unwrap().status() });
    }
    while let Some(status) = guesses.join_next().await {
        match status.unwrap() {
            StatusCode::TOO_MANY_REQUESTS => return,
            status => assert_eq!(status, StatusCode::FORBIDDEN),
        }
    }
    panic!("no guess was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_on_to_an_application_that_nobody_knows_fits_every_screen() {
    in_a_browser("looks-onward", async |browser| {
        let callback = Site::blank().await;
        let id = "https://other.test/client.json";
        let far = callback.far("/callback");
        let longest =
            format!("https://{}.other.test/callback", "a-name-longer-than-a-line-".repeat(2) + "x");
        let document = json!({
            "client_id": id,
            "client_name": LONG,
            "redirect_uris": [far, longest],
            "token_endpoint_auth_method": "none",
        });
        let folder = Folder::new();
        let provider = described::provider(&folder, &document).await;
        for (redirect_uri, name) in [(&longest, "1-onward"), (&far, "2-onward")] {
            let client = Client::new(&provider.near(""), id, None, redirect_uri);
            browser.goto(format!("{}&prompt=none", client.question())).await.unwrap();
            heading(browser, "Nothing was granted").await;
            assert!(browser.place().await.starts_with(&provider.near("/")), "no redirect");
            browser.looks_good(name).await;
        }
        press(browser, "Go to ").await;
        browser.wait_until_at(&format!("{far}?error=login_required")).await;
    })
    .await;
}
