//! The languages of pages: by what a browser accepts, by what an application wishes, and by settings.

use std::time::Duration;

use quadrille::jose::{Algorithm, KeySet, Protected, SigningKey};
use reqwest::{StatusCode, Url, header};
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, REDIRECT, Stage, authorize_url},
    process::{Folder, eventually, run, text},
};

fn in_language(page: &Page, tag: &str, dir: &str, words: &str) {
    let html = format!("<html lang=\"{tag}\" dir=\"{dir}\">");
    assert!(page.html.contains(&html), "{}", page.html);
    assert!(page.html.contains(words), "{words}: {}", page.html);
    assert_eq!(page.header("vary"), "accept-language");
}

#[tokio::test]
async fn a_german_browser_and_an_arabic_one_get_each_page_in_their_language() {
    let stage = Stage::new();
    for (accepted, tag, dir, [sign_in, wrong, consent, account, missing, mistake]) in [
        (
            "de-AT, de;q=0.9, en;q=0.5",
            "de",
            "ltr",
            [
                "<h1>Anmelden</h1>",
                "Falscher Benutzername",
                ">Erlauben</button>",
                "Ihre Anwendungen",
                "Diese Seite gibt es nicht",
                "Diese Anwendung hat einen Fehler gemacht",
            ],
        ),
        (
            "ar-EG",
            "ar",
            "rtl",
            [
                "<h1>تسجيل الدخول</h1>",
                "اسم المستخدم أو كلمة المرور غير صحيحة",
                ">سماح</button>",
                "تطبيقاتك",
                "لا توجد صفحة كهذه",
                "ارتكب هذا التطبيق خطأً",
            ],
        ),
    ] {
        let browser = Browser::accepting(accepted);
        let page = browser.get(&stage.authorize_url()).await;
        in_language(&page, tag, dir, sign_in);
        let page = browser.sign_in(&page, "ada", "not the password").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        in_language(&page, tag, dir, wrong);
        let page = browser.sign_in(&page, "ada", PASSWORD).await;
        in_language(&page, tag, dir, consent);
        // The operator's words stay what they are, apart from the writing direction around.
        assert!(page.html.contains("<bdi>See your photos</bdi>"), "{}", page.html);
        assert!(page.html.len() < 10_000, "{}", page.html.len());
        in_language(&browser.get(&stage.program.url("/")).await, tag, dir, account);
        in_language(&browser.get(&stage.program.url("/nothing")).await, tag, dir, missing);
        let page = browser.get(&stage.program.url("/oauth/authorize?client_id=nobody")).await;
        in_language(&page, tag, dir, mistake);
    }
    let page = Browser::accepting("sv, fi").get(&stage.program.url("/sign-in")).await;
    in_language(&page, "en", "ltr", "<h1>Sign in</h1>");
}

#[tokio::test]
async fn an_application_wishes_for_a_language_which_remains_until_the_answer() {
    let stage = Stage::with(&["--set", "openid=true"]);
    let browser = Browser::accepting("fr");
    let asked = |wished: &str| format!("{}&ui_locales={wished}", stage.authorize_url());
    let page = browser.get(&asked("sv+de-CH+en")).await;
    in_language(&page, "de", "ltr", "<h1>Anmelden</h1>");
    let page = browser.sign_in(&page, "ada", "not the password").await;
    in_language(&page, "de", "ltr", "Falscher Benutzername");
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    in_language(&page, "de", "ltr", ">Erlauben</button>");
    // The browser's own language counts if the application wishes for none that there is.
    let page = browser.get(&asked("sv")).await;
    in_language(&page, "fr", "ltr", ">Autoriser</button>");
    in_language(&browser.get(&stage.program.url("/")).await, "fr", "ltr", "Vos applications");
    let path = "/.well-known/openid-configuration";
    let discovered = Browser::new().get(&stage.program.url(path)).await;
    let discovered: Value = serde_json::from_str(&discovered.html).unwrap();
    let tags = ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "ja", "zh", "ar"];
    assert_eq!(discovered["ui_locales_supported"], serde_json::json!(tags));
}

#[tokio::test]
async fn beside_a_signed_request_the_language_of_the_address_does_not_count() {
    let stage = Stage::with(&["--set", "openid=true", "--set", "openid_request_objects=true"]);
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = stage.folder.path().join("jwks.json");
    std::fs::write(&keys, KeySet::from_iter([key.verifying_key().clone()]).to_json()).unwrap();
    let id = stage.client["client_id"].as_str().unwrap();
    let edit = ["client", "edit", id, "--message-jwks", keys.to_str().unwrap()];
    let edit = [&edit[..], &["--request-object-alg", "ES256"]].concat();
    stage.program.json(&edit);
    let url = |inside: &str| {
        let url = Url::parse(&stage.authorize_url()).unwrap();
        let mut claims: serde_json::Map<String, Value> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
        if !inside.is_empty() {
            claims.insert("ui_locales".to_owned(), inside.into());
        }
        let claims = Value::from(claims).to_string();
        let sent = key.sign(&Protected::plain(), claims.as_bytes()).unwrap();
        let query = [("response_type", "code"), ("client_id", id), ("request", &*sent)];
        let query = query.into_iter().chain([("ui_locales", "de")]);
        Url::parse_with_params(&stage.program.url("/oauth/authorize"), query).unwrap().to_string()
    };
    let browser = Browser::accepting("fr");
    let lang = async |inside: &str| {
        let page = browser.get(&url(inside)).await;
        page.html.split("<html lang=\"").nth(1).unwrap()[..2].to_owned()
    };
    // What OpenID Connect leaves to the address (OpenID Connect Core, section 6.1).
    assert_eq!([lang("").await, lang("it").await], ["de", "it"]);
    stage.program.json(&["client", "edit", id, "--require-signed-request-object", "true"]);
    // The running process hears of the change in a moment.
    assert!(eventually(Duration::from_secs(20), async || lang("").await == "fr").await);
    assert_eq!(lang("it").await, "it");
}

#[tokio::test]
async fn sign_in_and_consent_are_below_10_kb_in_every_language() {
    let stage = Stage::with(&["--set", "openid=true"]);
    let scopes = ["--scope", "openid", "--scope", "profile", "--scope", "email"];
    let facts = [
        "--owner",
        "The Photograph Printing Society",
        "--client-uri",
        "https://printer.example/about",
        "--policy-uri",
        "https://printer.example/privacy",
        "--tos-uri",
        "https://printer.example/terms",
        "--contact",
        "help@printer.example",
    ];
    let add = ["client", "add", "Album", "--redirect-uri", REDIRECT, "--scope", "photos:read"];
    let client = stage.program.json(&[&add[..], &scopes, &facts].concat());
    let url = authorize_url(&stage.program, &client);
    let url = url.replace("photos%3Awrite", "openid+profile+email");
    for language in ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "ja", "zh", "ar"] {
        let browser = Browser::accepting(language);
        let page = browser.get(&url).await;
        assert!(page.html.contains("name=\"password\""), "{}", page.html);
        assert!(page.html.len() < 10_000, "{language}: {}", page.html.len());
        let page = browser.sign_in(&page, "ada", PASSWORD).await;
        let has = |words: &str| page.html.contains(words);
        assert!(
            has("value=\"allow\"") && has("privacy") && has("value=\"email\""),
            "{}",
            page.html
        );
        assert!(page.html.contains(&format!("<html lang=\"{language}\"")), "{}", page.html);
        assert!(page.html.len() < 10_000, "{language}: {}", page.html.len());
    }
}

#[tokio::test]
async fn a_scope_is_explained_in_more_words_on_the_consent_page() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("en")).unwrap();
    let own = "scope-photos-read-details = All albums, also those that you have hidden <for now>.";
    std::fs::write(folder.path().join("en/own.ftl"), own).unwrap();
    let stage = Stage::with(&["--set", &format!("texts={}", folder.path().display())]);
    let browser = Browser::new();
    let url = authorize_url(&stage.program, &stage.client);
    let page = browser.sign_in(&browser.get(&url).await, "ada", PASSWORD).await;
    let said = "All albums, also those that you have hidden &lt;for now&gt;.</span>";
    assert_eq!(page.html.matches(said).count(), 1, "{}", page.html);
}

#[tokio::test]
async fn an_operator_adds_a_language_and_texts_of_their_own() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("texts/sv")).unwrap();
    std::fs::create_dir_all(at("pages")).unwrap();
    std::fs::write(at("texts/sv/own.ftl"), "sign-in = Logga in\nour-motto = Hej, { $name }!")
        .unwrap();
    let template = "{% extends \"base.html\" %}{% block main %}{{ t(\"our-motto\", name=\"<Ada>\") }} \
                    {{ t(\"our-moto\") }} {{ t(\"sign-in\") }} {{ t(\"password\") }}{% endblock %}";
    std::fs::write(at("pages/sign-in.html"), template).unwrap();
    let texts = format!("texts={}", at("texts").display());
    let pages = format!("templates={}", at("pages").display());
    let settings = ["--set", &texts, "--set", &pages, "--set", "default_language=sv"];
    let output = run(&folder.data(), &[&["config"], &settings[..]].concat(), "");
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("there is no text our-moto; did you mean \"our-motto\"?"), "{said}");
    let stage = Stage::with(&settings);
    let page = Browser::new().get(&stage.program.url("/sign-in")).await;
    in_language(&page, "sv", "ltr", "Hej, <bdi>&lt;Ada&gt;</bdi>! our-moto Logga in Password");
    let answer = page.headers.get(header::CONTENT_TYPE).unwrap();
    assert_eq!(answer, "text/html; charset=utf-8");
}
