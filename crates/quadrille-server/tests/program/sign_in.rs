//! Signing in and out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use reqwest::{Method, StatusCode};

use crate::{
    browser::Browser,
    flow::{PASSWORD, Stage},
    process::{Folder, Program, failure, json, run, text},
};

#[tokio::test]
async fn a_wrong_password_and_a_name_that_nobody_has_get_the_same_answer() {
    let stage = Stage::new();
    let browser = Browser::new();
    let mut answers = Vec::new();
    for name in ["ada", "nobody", "x\u{7f}y", &"x".repeat(65)] {
        let page = browser.get(&stage.program.url("/sign-in")).await;
        let failed = browser.sign_in(&page, name, "wrong password").await;
        assert_eq!(failed.status, StatusCode::FORBIDDEN);
        assert!(failed.html.contains("role=\"alert\""), "{}", failed.html);
        let form = failed.form("username");
        let sealed = &form.fields.iter().find(|(name, _)| name == "form").unwrap().1;
        let plain = failed.html.replace(sealed, "");
        answers.push(plain.split("value=\"\u{7f}").collect::<String>().replace(name, "NAME"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(browser.cookie("session"), None);
}

#[tokio::test]
async fn names_are_the_same_in_capitals_and_passwords_are_not() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let failed = browser.sign_in(&page, "ADA", &PASSWORD.to_uppercase()).await;
    assert_eq!(failed.status, StatusCode::FORBIDDEN);
    let home = browser.sign_in(&failed, " ADA ", PASSWORD).await;
    assert!(home.html.contains("Signed in as <strong><bdi>Ada"), "{}", home.html);
}

#[tokio::test]
async fn each_sign_in_gets_a_new_session_and_ends_the_one_before() {
    let stage = Stage::new();
    let browser = Browser::new();
    let session = || browser.cookie("session").unwrap();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", PASSWORD).await;
    let first = session();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    assert!(page.html.contains("You are signed in as <strong><bdi>Ada"), "{}", page.html);
    browser.sign_in(&page, "ada", PASSWORD).await;
    assert_ne!(first, session());
    let thief = Browser::new();
    thief.keep(first);
    assert_eq!(thief.get(&stage.program.url("/")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let home = browser.sign_in(&page, "ada", PASSWORD).await;
    let session = browser.cookie("session").unwrap();
    let forged = home.form("form").with("form", "x");
    assert_eq!(browser.submit(&forged).await.status, StatusCode::FORBIDDEN);
    let mut form = home.form("form");
    form.action = stage.program.url("/sign-out").parse().unwrap();
    let out = browser.submit(&form).await;
    assert!(out.html.contains("You are signed out"), "{}", out.html);
    browser.keep(session);
    assert_eq!(browser.get(&stage.program.url("/")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_that_were_opened_with_the_old_one() {
    let stage = Stage::new();
    let set = |password: &str| {
        let set = ["user", "set-password", "ADA", "--password-stdin"];
        json(&stage.program.data, &set, &format!("{password}\n"));
    };
    // All within a second, so no clock decides.
    let mut password = PASSWORD.to_owned();
    for turn in 0..3 {
        let browser = Browser::new();
        let page = browser.get(&stage.program.url("/sign-in")).await;
        assert_eq!(browser.sign_in(&page, "ada", &password).await.url.path(), "/");
        let before = std::mem::replace(&mut password, format!("another horse {turn}"));
        set(&password);
        let page = browser.get(&stage.program.url("/")).await;
        assert_eq!(page.url.path(), "/sign-in");
        let failed = browser.sign_in(&page, "ada", &before).await;
        assert_eq!(failed.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.sign_in(&failed, "ada", &password).await.url.path(), "/");
    }
    let set = ["user", "set-password", "nobody", "--password-stdin"];
    assert_eq!(failure(&stage.program.data, &set).0, 6);
}

#[tokio::test]
async fn sign_ins_that_are_under_way_while_the_password_changes_open_nothing_that_stays() {
    let stage = Stage::new();
    let is_set = Arc::new(AtomicBool::new(false));
    let mut signing_in = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (url, is_set) = (stage.program.url("/sign-in"), Arc::clone(&is_set));
        signing_in.spawn(async move {
            let mut browsers = Vec::new();
            while !is_set.load(Ordering::SeqCst) {
                let browser = Browser::new();
                let page = browser.get(&url).await;
                browser.sign_in(&page, "ada", PASSWORD).await;
                browsers.push(browser);
            }
            browsers
        });
    }
    let data = stage.program.data.clone();
    let set = tokio::task::spawn_blocking(move || {
        let set = ["user", "set-password", "ada", "--password-stdin"];
        json(&data, &set, "another horse\n");
        is_set.store(true, Ordering::SeqCst);
    });
    let browsers = signing_in.join_all().await;
    set.await.unwrap();
    for browser in browsers.iter().flatten() {
        assert_eq!(browser.get(&stage.program.url("/")).await.url.path(), "/sign-in");
    }
}

#[tokio::test]
async fn a_person_who_is_removed_and_added_again_is_another_one() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", PASSWORD).await;
    stage.program.json(&["user", "remove", "ada", "--yes"]);
    stage.program.add_user("Ada", PASSWORD);
    assert_eq!(browser.get(&stage.program.url("/")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_new_key_ring_signs_everybody_out_and_a_rotated_one_nobody() {
    let Stage { program, folder, .. } = Stage::new();
    let port = program.listening.clone();
    let mut browser = Browser::new();
    let page = browser.get(&program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", PASSWORD).await;
    let keys = folder.data().join("keys");
    let old = std::fs::read_to_string(&keys).unwrap();
    let new = "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=";
    let mut program = Some(program);
    for (ring, landed) in [(format!("{new}\n{old}"), "/"), (format!("{new}\n"), "/sign-in")] {
        program.take().unwrap().stop();
        std::fs::write(&keys, ring).unwrap();
        let started = Program::start_with(&folder, &["--listen", &port]);
        // The requests use new connections.
        let cookies = std::mem::take(&mut *browser.cookies.lock().unwrap());
        browser = Browser::new();
        *browser.cookies.lock().unwrap() = cookies;
        assert_eq!(browser.get(&started.url("/")).await.url.path(), landed);
        program = Some(started);
    }
}

#[tokio::test]
async fn two_providers_on_one_host_do_not_sign_each_other_out() {
    let (one, other) = (Stage::new(), Stage::new());
    let browser = Browser::new();
    for stage in [&one, &other] {
        let page = browser.get(&stage.program.url("/sign-in")).await;
        assert_eq!(browser.sign_in(&page, "ada", PASSWORD).await.url.path(), "/");
    }
    for stage in [&one, &other, &one] {
        assert_eq!(browser.get(&stage.program.url("/")).await.url.path(), "/");
    }
    // A consent page of one user is open while the other user signs in.
    let asked = browser.get(&one.authorize_url()).await;
    other.dance_again(&browser).await;
    let page = browser.submit(&asked.form("ticket").with("decision", "allow")).await;
    one.redeem(&page).await;
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in_and_signs_out_everywhere() {
    let stage = Stage::with(&["--trusted-proxy", "127.0.0.1"]);
    let (home, office) = (Browser::at("192.0.2.1"), Browser::at("2001:db8::9"));
    for browser in [&home, &office] {
        let page = browser.get(&stage.program.url("/sign-in")).await;
        browser.sign_in(&page, "ada", PASSWORD).await;
    }
    let page = home.get(&stage.program.url("/")).await;
    assert!(page.html.contains("From <bdi>192.0.2.1</bdi>"), "{}", page.html);
    assert!(page.html.contains("From <bdi>2001:db8::9</bdi>"), "{}", page.html);
    assert_eq!(page.html.matches("this browser").count(), 1, "{}", page.html);
    let everywhere = |form: &str| {
        let mut form = page.form("form").with("form", form);
        form.action = stage.program.url("/sign-out/everywhere").parse().unwrap();
        form
    };
    assert_eq!(home.submit(&everywhere("x")).await.status, StatusCode::FORBIDDEN);
    let form = page.form("form");
    let sealed = &form.fields.iter().find(|(name, _)| name == "form").unwrap().1;
    let out = home.submit(&everywhere(sealed)).await;
    assert!(out.html.contains("You are signed out everywhere"), "{}", out.html);
    for browser in [&home, &office] {
        assert_eq!(browser.get(&stage.program.url("/")).await.url.path(), "/sign-in");
    }
    let log = stage.program.log();
    for event in ["sign_in\"", "sign_out_everywhere\""] {
        assert!(log.contains(&format!("event=\"{event}")) || log.contains(event), "{log}");
    }
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_so() {
    let stage = Stage::new();
    let (browser, url) = (Browser::new(), stage.program.url("/sign-in"));
    let page = browser.get(&url).await;
    browser.cookies.lock().unwrap().clear();
    let form = page.form("username").with("username", "ada").with("password", PASSWORD);
    let origin = stage.program.issuer.clone();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = http.post(&url).header("origin", origin).header("sec-fetch-site", "same-origin");
    let answer = sent.form(&form.fields).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let html = answer.text().await.unwrap();
    assert!(
        html.contains("Allow cookies for this site") && html.contains("value=\"ada\""),
        "{html}"
    );
    assert!(!html.contains(PASSWORD));
    // With the next one the sign-in works.
    let page = browser.get(&url).await;
    assert_eq!(browser.sign_in(&page, "ada", PASSWORD).await.url.path(), "/");
}

#[tokio::test]
async fn a_form_from_elsewhere_signs_nobody_in() {
    let stage = Stage::new();
    let (browser, mallory) = (Browser::new(), Browser::new());
    browser.get(&stage.program.url("/sign-in")).await;
    // Mallory's own form, sent by the browser of another user.
    let page = mallory.get(&stage.program.url("/sign-in")).await;
    let refused = browser.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.cookie("session"), None);
    // The page of the refusal has a form that works.
    assert_eq!(browser.sign_in(&refused, "ada", PASSWORD).await.url.path(), "/");

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = mallory.get(&stage.program.url("/sign-in")).await.form("username");
    let sent = http
        .post(form.action.clone())
        .header("origin", "https://evil.example")
        .form(&form.with("username", "ada").with("password", PASSWORD).fields);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn after_signing_in_nobody_is_led_to_another_site() {
    let stage = Stage::new();
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/%09/evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "/..//evil.example",
        " /",
    ] {
        let browser = Browser::new();
        let url = reqwest::Url::parse_with_params(&stage.program.url("/sign-in"), [("next", next)]);
        let page = browser.get(url.unwrap().as_str()).await;
        let form = page.form("username").with("username", "ada").with("password", PASSWORD);
        for next in [next, &form.fields.iter().find(|(name, _)| name == "next").unwrap().1] {
            let form = form.clone().with("next", next);
            let sent = browser.send(Method::POST, form.action.as_str(), Some(&form)).await;
            assert_eq!(sent.status(), StatusCode::SEE_OTHER);
            let to = sent.headers()["location"].to_str().unwrap();
            let reached = sent.url().join(to).unwrap();
            assert_eq!(reached.origin(), sent.url().origin(), "{next} led to {to}");
        }
    }
    let url = stage.program.url("/sign-in?next=%2F%3Fa%3Db");
    let browser = Browser::new();
    let home = browser.sign_in(&browser.get(&url).await, "ada", PASSWORD).await;
    assert_eq!(home.url.query(), Some("a=b"));
}

#[tokio::test]
async fn twenty_tabs_that_were_open_before_signing_in_all_get_there() {
    let stage = Stage::new();
    let browser = Browser::new();
    let mut tabs = Vec::new();
    for _ in 0..20 {
        tabs.push(browser.get(&stage.authorize_url()).await);
    }
    for tab in tabs.iter().rev() {
        let page = browser.sign_in(tab, "ada", PASSWORD).await;
        assert_eq!(page.url.path(), "/oauth/authorize", "{}", page.html);
    }
}

#[tokio::test]
async fn every_page_has_the_headers_that_keep_it_harmless_and_no_script() {
    let stage = Stage::new();
    let browser = Browser::new();
    let mut pages = vec![
        browser.get(&stage.program.url("/sign-in")).await,
        browser.get(&stage.program.url("/nowhere")).await,
        browser.get(&stage.program.url("/oauth/authorize")).await,
        stage.consent_page(&browser).await,
    ];
    pages.push(browser.get(&stage.program.url("/")).await);
    for page in &pages {
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{} {policy}", page.url);
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(page.header("strict-transport-security"), "", "not on plain loopback");
        assert!(!page.html.contains("<script") && !page.html.contains(" style="));
        assert!(page.html.contains("<html lang=\"en\" dir=\"ltr\">") && page.html.contains("<h1>"));
    }
    let style = pages[0].html.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let style = style.split('"').next().unwrap().replace("&#x2f;", "/");
    let style = browser.get(&stage.program.url(&style)).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn pages_can_be_replaced_from_a_folder_and_a_broken_one_is_named() {
    let folder = Folder::new();
    let own = "{% extends \"base.html\" %}{% block main %}<h1>{{ t(title) }} at {{ site.name }}</h1>{% endblock %}";
    std::fs::write(folder.path().join("message.html"), own).unwrap();
    std::fs::write(folder.path().join("style.css"), "h1 { color: red }").unwrap();
    let templates = folder.path().to_str().unwrap().to_owned();
    let stage = Stage::with(&["--templates", &templates, "--set", "name=Tom & Jerry"]);
    let page = Browser::new().get(&stage.program.url("/nowhere")).await;
    assert!(page.html.contains("There is no such page at Tom &amp; Jerry"), "{}", page.html);

    std::fs::write(folder.path().join("message.html"), "{% if %}").unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--templates", &templates];
    let output = run(&Folder::new().data(), &arguments, "");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("message.html"), "{}", text(&output.stderr));
}

#[test]
fn a_page_of_an_unknown_name_is_pointed_out_with_the_nearest() {
    let (folder, templates) = (Folder::new(), Folder::new());
    let at = |name: &str| templates.path().join(name);
    std::fs::write(at("mesage.html"), "").unwrap();
    std::fs::write(at("footer.html"), "").unwrap();
    std::fs::write(at(".notes"), "").unwrap();
    let own =
        "{% extends \"base.html\" %}{% block main %}{% include \"footer.html\" %}{% endblock %}";
    std::fs::write(at("verifier.html"), own).unwrap();
    let program =
        Program::start_with(&folder, &["--templates", templates.path().to_str().unwrap()]);
    let log = program.log();
    assert!(log.contains("mesage.html: no page has this name; did you mean \"message.html\"?"));
    for fine in ["footer.html", ".notes", "verifier.html"] {
        assert!(!log.contains(fine), "{log}");
    }
}

#[tokio::test]
async fn what_another_application_sets_under_our_names_signs_nobody_out() {
    let stage = Stage::new();
    for (what, place) in [("session", "a"), ("session", "z"), ("form", "a"), ("form", "z")] {
        let browser = Browser::new();
        let page = browser.get(&stage.program.url("/sign-in")).await;
        let junk = |browser: &Browser| {
            let (name, _) = browser.cookie(what).unwrap();
            // The other cookie is before the program's in the header, or after it.
            browser.keep((place.to_owned(), format!("1; {name}=junk")));
        };
        if what == "form" {
            junk(&browser);
        }
        let home = browser.sign_in(&page, "ada", PASSWORD).await;
        assert!(home.html.contains("Signed in as"), "{what} {place}: {}", home.html);
        if what == "session" {
            junk(&browser);
        }
        let home = browser.get(&stage.program.url("/")).await;
        assert!(home.html.contains("Signed in as"), "{what} {place}: {}", home.html);
        let mut form = home.form("form");
        form.action = stage.program.url("/sign-out").parse().unwrap();
        let out = browser.submit(&form).await;
        assert!(out.html.contains("You are signed out"), "{what} {place}: {}", out.html);
    }
}
