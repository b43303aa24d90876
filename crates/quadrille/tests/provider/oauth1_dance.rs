//! The dance of OAuth 1.0a, from the first request to the API.

use std::time::Duration;

use quadrille::{
    oauth1::{Placement, SignatureMethod},
    provider::oauth1::Value,
};

use crate::{
    oauth1_support::{
        Signing, approve, authorize, client, credentials, offered, problem, world, world_with,
    },
    support::{Browser, CALLBACK},
};

#[tokio::test]
async fn a_client_gets_temporary_credentials_the_person_agrees_and_it_gets_token_credentials() {
    let world = world().await;
    let signing = Signing::new(&world);
    let answer = signing.temporary(&world, &[("oauth_callback", CALLBACK)]).await;
    assert_eq!(answer.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(answer.header("cache-control"), "no-store");
    let temporary = credentials(&answer);
    assert!(temporary.callback_confirmed);

    let mut browser = Browser::default();
    let to_sign_in = authorize(&world, &mut browser, &temporary.token).await;
    assert!(to_sign_in.location().starts_with("/sign-in?next=%2Foauth%2Fauthorize%3Foauth_token"));
    world.sign_in("ada");
    let page = authorize(&world, &mut browser, &temporary.token).await;
    assert!(page.text().contains("client=Photo printer"));
    assert!(page.text().contains("scope=photos:read See your photos"));
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");
    let back = browser.answer(&world, &page, "decision=only&scope=photos:read").await;
    assert!(back.location().starts_with(&format!("{CALLBACK}?oauth_token=")));
    assert_eq!(back.query("oauth_token"), temporary.token);

    let answer = signing.token(&world, &temporary, &back.query("oauth_verifier")).await;
    let token = credentials(&answer);
    assert_eq!(token.extra, [("scope".to_owned(), "photos:read".to_owned())]);
    assert_ne!(token.token, temporary.token);
    assert_ne!(token.secret, temporary.secret);
}

#[tokio::test]
async fn every_placement_and_method_of_the_endpoints_works() {
    for placement in [Placement::Header, Placement::Query, Placement::Body] {
        for method in ["GET", "POST"] {
            if (placement, method) == (Placement::Body, "GET") {
                continue;
            }
            let world = world().await;
            for sign in [
                SignatureMethod::HmacSha1,
                SignatureMethod::HmacSha256,
                SignatureMethod::HmacSha512,
            ] {
                let signing = Signing::by(&world, sign, crate::oauth1_support::SECRET);
                let signing = signing.placed(placement);
                let form = (placement == Placement::Body).then_some("");
                let callback = [("oauth_callback", CALLBACK)];
                let request =
                    signing.request(&world, method, "/oauth/request_token", form, &callback);
                let temporary = credentials(&world.send(request).await);
                world.sign_in("ada");
                let mut browser = Browser::default();
                let mut page = authorize(&world, &mut browser, &temporary.token).await;
                if page.status() == 200 {
                    page = browser.answer(&world, &page, "decision=all").await;
                }
                let verifier = page.query("oauth_verifier");
                let further = [("oauth_verifier", verifier.as_str())];
                let signing = signing.with(&temporary);
                let request =
                    signing.request(&world, method, "/oauth/access_token", form, &further);
                credentials(&world.send(request).await);
            }
        }
    }
}

#[tokio::test]
async fn a_person_who_says_no_is_sent_back_with_the_word_for_it() {
    let world = world().await;
    let signing = Signing::new(&world);
    let temporary = signing.begin(&world).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = authorize(&world, &mut browser, &temporary.token).await;
    let back = browser.answer(&world, &page, "decision=deny").await;
    assert_eq!(back.query("oauth_token"), temporary.token);
    assert_eq!(back.query("oauth_problem"), "user_refused");
    let again = browser.answer(&world, &page, "decision=deny").await;
    assert_eq!(again.location(), back.location(), "a double click");
    let yes = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(yes.reason(), "ticket_answered");
    let used = authorize(&world, &mut browser, &temporary.token).await;
    assert_eq!(used.reason(), "temporary_used");
    let answer = signing.token(&world, &temporary, "guess").await;
    assert_eq!(problem(&answer), "permission_denied");
}

#[tokio::test]
async fn the_same_answer_gets_the_same_redirect_until_it_is_spent() {
    let world = world().await;
    let signing = Signing::new(&world);
    let temporary = signing.begin(&world).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = authorize(&world, &mut browser, &temporary.token).await;
    let other_tab = authorize(&world, &mut browser, &temporary.token).await;
    let first = browser.answer(&world, &page, "decision=all").await;
    let again = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(again.location(), first.location());
    let there = browser.answer(&world, &other_tab, "decision=all").await;
    assert_eq!(there.location(), first.location());
    let less = browser.answer(&world, &other_tab, "decision=only&scope=photos:read").await;
    assert_eq!(less.reason(), "ticket_answered");
    let no = browser.answer(&world, &page, "decision=deny").await;
    assert_eq!(no.reason(), "ticket_answered");
    let reload = authorize(&world, &mut browser, &temporary.token).await;
    assert_eq!(reload.location(), first.location(), "consent is remembered now");

    world.sign_in("bob");
    let bobs = authorize(&world, &mut browser, &temporary.token).await;
    let bobs = browser.answer(&world, &bobs, "decision=all").await;
    assert_eq!(bobs.reason(), "ticket_answered", "nobody slips in under another's approval");

    let verifier = first.query("oauth_verifier");
    credentials(&signing.token(&world, &temporary, &verifier).await);
    world.sign_in("ada");
    let late = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(late.reason(), "ticket_answered");
}

#[tokio::test]
async fn consent_given_in_one_dance_is_remembered_in_the_other() {
    let world = world().await;
    world.tokens("ada").await;
    let temporary = Signing::new(&world).begin(&world).await;
    let back = authorize(&world, &mut Browser::default(), &temporary.token).await;
    assert!(!back.query("oauth_verifier").is_empty());
}

#[tokio::test]
async fn the_clients_own_people_are_not_asked() {
    let world = world_with(offered(), |new| client(new).first_party()).await;
    let temporary = Signing::new(&world).begin(&world).await;
    world.sign_in("ada");
    let back = authorize(&world, &mut Browser::default(), &temporary.token).await;
    assert!(!back.query("oauth_verifier").is_empty());
}

#[tokio::test]
async fn a_client_without_an_address_has_the_person_carry_the_verifier() {
    let world = world_with(offered(), |new| client(new).first_party()).await;
    let signing = Signing::new(&world);
    let temporary = credentials(&signing.temporary(&world, &[("oauth_callback", "oob")]).await);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = authorize(&world, &mut browser, &temporary.token).await;
    assert_eq!(page.status(), 200, "whoever carries it must be asked: {page:?}");
    let shown = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.header("cache-control"), "no-store");
    let html = shown.text();
    assert!(html.contains("Your code for Photo printer"), "{html}");
    let verifier = html.split("<p>").nth(2).unwrap().split("</p>").next().unwrap();
    assert_eq!(verifier.len(), 8);
    credentials(&signing.token(&world, &temporary, verifier).await);
}

#[tokio::test]
async fn the_client_says_in_a_signed_scope_what_it_wants_and_gets_no_more() {
    let world = world().await;
    let signing = Signing::new(&world);
    let of = async |temporary: String| {
        world.sign_in("ada");
        let page = authorize(&world, &mut Browser::default(), &temporary).await;
        let lines = page.text().lines().filter_map(|line| line.strip_prefix("scope="));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let callback = [("oauth_callback", CALLBACK)];
    let both = credentials(&signing.temporary(&world, &callback).await);
    assert_eq!(of(both.token).await, ["photos:read", "photos:write"]);
    // The RFC's own realm, the one of our challenge, and one that looks like a scope.
    let all = &["photos:read", "photos:write"][..];
    for (realm, scopes) in [
        ("Photos", &[][..]),
        ("https://id.example", all),
        ("", all),
        ("photos:write", &["photos:write"]),
        ("photos:write Photos", &["photos:write"]),
        ("photos:read,photos:write", all),
        ("photos:delete", &[]),
        ("a \"b\"", &[]),
    ] {
        let name = realm;
        let realm = Signing { signer: signing.signer.clone().realm(realm) };
        let asked = credentials(&realm.temporary(&world, &callback).await);
        assert_eq!(of(asked.token).await, scopes, "{name:?}");
        let request = realm.request(
            &world,
            "POST",
            "/oauth/request_token?scope=photos:read",
            None,
            &callback,
        );
        assert_eq!(of(credentials(&world.send(request).await).token).await, ["photos:read"]);
    }
    let in_header = [("oauth_callback", CALLBACK), ("scope", "photos:write")];
    for placement in [Placement::Header, Placement::Query] {
        let signing = signing.placed(placement);
        let one = credentials(&signing.temporary(&world, &in_header).await);
        assert_eq!(of(one.token).await, ["photos:write"], "{placement:?}");
    }
    let path = "/oauth/request_token?scope=photos:read";
    let request = signing.request(&world, "POST", path, None, &callback);
    assert_eq!(of(credentials(&world.send(request).await).token).await, ["photos:read"]);
    let form = Some("scope=photos:read");
    let request = signing.request(&world, "POST", "/oauth/request_token", form, &callback);
    assert_eq!(of(credentials(&world.send(request).await).token).await, ["photos:read"]);
    for path in ["/oauth/request_token?scope=photos:delete", "/oauth/request_token?scope=a&scope=b"]
    {
        let request = signing.request(&world, "POST", path, None, &callback);
        let answer = world.send(request).await;
        assert_eq!((answer.status(), problem(&answer).as_str()), (400, "parameter_rejected"));
    }
}

#[tokio::test]
async fn callbacks_are_registered_character_by_character() {
    let world = world_with(offered(), |new| {
        client(new).redirect_uri("http://127.0.0.1/cb").redirect_uri("https://app.example/cb?x=1")
    })
    .await;
    let signing = Signing::new(&world);
    for good in [CALLBACK, "http://127.0.0.1:5555/cb", "https://app.example/cb?x=1", "oob"] {
        credentials(&signing.temporary(&world, &[("oauth_callback", good)]).await);
    }
    for bad in ["https://app.example/cb/", "https://evil.example/", "http://127.0.0.1:5/x", "OOB"] {
        let answer = signing.temporary(&world, &[("oauth_callback", bad)]).await;
        assert_eq!((answer.status(), problem(&answer).as_str()), (400, "parameter_rejected"));
    }
    let answer = signing.temporary(&world, &[]).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (400, "parameter_absent"));
    assert!(answer.text().contains("oauth_parameters_absent=oauth_callback"), "{}", answer.text());

    let temporary = [("oauth_callback", "https://app.example/cb?x=1")];
    let temporary = credentials(&signing.temporary(&world, &temporary).await);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = authorize(&world, &mut browser, &temporary.token).await;
    let back = browser.answer(&world, &page, "decision=all").await;
    assert!(back.location().starts_with("https://app.example/cb?x=1&oauth_token="));
}

#[tokio::test]
async fn what_is_wrong_with_temporary_credentials_is_shown_and_never_redirected() {
    let world = world().await;
    let signing = Signing::new(&world);
    world.sign_in("ada");
    let mut browser = Browser::default();
    for (query, reason) in [
        ("oauth_token=unknown", "temporary_unknown"),
        ("oauth_token=", "invalid_request"),
        ("oauth_token=a&oauth_token=b", "invalid_request"),
        ("oauth_token=a&client_id=b", "invalid_request"),
    ] {
        let page = browser.get(&world, &format!("/oauth/authorize?{query}")).await;
        assert_eq!((page.status(), page.reason()), (400, reason), "{query}");
    }
    let temporary = signing.begin(&world).await;
    let page = authorize(&world, &mut browser, &temporary.token).await;
    world.clock.advance(Duration::from_secs(30 * 60));
    let late = authorize(&world, &mut browser, &temporary.token).await;
    assert_eq!(late.reason(), "temporary_expired");
    let late = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(late.reason(), "ticket_expired");

    let temporary = signing.begin(&world).await;
    let page = authorize(&world, &mut browser, &temporary.token).await;
    world.server.remove_oauth1(&world.client.id).await.unwrap();
    let gone = authorize(&world, &mut browser, &temporary.token).await;
    assert_eq!(gone.reason(), "temporary_unknown");
    let gone = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(gone.reason(), "client_changed");
}

#[tokio::test]
async fn identifiers_secrets_and_verifiers_may_have_the_applications_own_form() {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let own = |value: Value, bytes: &[u8; 32]| Some(value.letters(bytes, LETTERS, 30));
    let world = world_with(offered().values(own), client).await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let token = credentials(&signing.token(&world, &temporary, &verifier).await);
    for text in [
        &temporary.token,
        temporary.secret.expose(),
        &verifier,
        &token.token,
        token.secret.expose(),
    ] {
        assert_eq!(text.len(), 30);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    }
}

#[tokio::test]
async fn an_identifier_that_the_application_makes_twice_is_given_out_once() {
    let same = |value: Value, _: &[u8; 32]| {
        (value == Value::Temporary).then(|| "the-same-every-time".to_owned())
    };
    let world = world_with(offered().values(same), client).await;
    let signing = Signing::new(&world);
    let callback = [("oauth_callback", CALLBACK)];
    let first = credentials(&signing.temporary(&world, &callback).await);
    let second = signing.temporary(&world, &callback).await;
    assert_eq!(second.status(), 503, "nobody else gets the credentials of the first");
    let verifier = approve(&world, &first).await;
    credentials(&signing.token(&world, &first, &verifier).await);
}

#[tokio::test]
async fn the_application_may_add_to_the_answers() {
    let oauth1 = offered().extras(|client, granted| {
        let user = granted.map(|granted| format!("{:?}", granted.actor()));
        vec![("for".to_owned(), client.name.clone()), ("by".to_owned(), user.unwrap_or_default())]
    });
    let world = world_with(oauth1, client).await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let token = credentials(&signing.token(&world, &temporary, &verifier).await);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(temporary.extra, [pair("for", "Photo printer"), pair("by", "")]);
    let by = pair("by", "User(\"ada\")");
    assert!(token.extra.contains(&by) && token.extra.contains(&pair("for", "Photo printer")));
}

#[tokio::test]
async fn without_it_there_is_no_trace_of_it() {
    let world = crate::support::World::new().await;
    for path in ["/oauth/request_token", "/oauth/access_token"] {
        assert_eq!(world.request("POST", path, "text/plain", "").await.status(), 404);
    }
    let page = world.request("GET", "/oauth/authorize?oauth_token=x", "text/plain", "").await;
    assert_eq!(page.reason(), "invalid_request");
    let refused = world.photos("no-token").await;
    assert_eq!(refused.headers().get_all("www-authenticate").iter().count(), 1);
}
