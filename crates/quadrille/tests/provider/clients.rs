//! How clients authenticate, and what becomes of those who guess.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Request;
use quadrille::{
    Policy, Scopes, Secret,
    oauth1::SignatureMethod,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AdminError, ClientMetadataError, GrantType, NewClient, RegistrationError,
        guessing::{Cost, Kdf},
        oauth1::{NewKey, NewKeyError},
    },
};

use crate::support::{Answer, Browser, CALLBACK, World};

pub(crate) const ITSELF: TokenRequest<'static> =
    TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };

pub(crate) async fn machine() -> World {
    World::with(Policy::safe(), |new| new.grant_types([GrantType::ClientCredentials])).await
}

/// A world whose client has a secret that somebody chose.
pub(crate) async fn chosen() -> World {
    let mut world = machine().await;
    world.server = world.server.clone().kdf(Kdf::new(Cost::TRIVIAL_FOR_TESTS_ONLY));
    let new = NewClient::confidential("Legacy")
        .grant_types([GrantType::ClientCredentials])
        .chosen_secret("correct horse".into());
    world.client = world.server.register(new).await.unwrap().client;
    world.secret = "correct horse".into();
    world
}

pub(crate) fn basic(id: &str, secret: &str) -> ClientAuth {
    ClientAuth::Basic { client_id: id.into(), client_secret: secret.into() }
}

#[tokio::test]
async fn a_secret_in_the_header_or_in_the_body_is_good_and_in_both_is_not() {
    let world = machine().await;
    let (client_id, client_secret) = ((*world.client.id).into(), Secret::from(&*world.secret));
    let post = ClientAuth::Post { client_id, client_secret };
    world.token(&world.auth(), &ITSELF).await.tokens();
    world.token(&post, &ITSELF).await.tokens();

    let extra = [("client_secret", world.secret.as_str())];
    let both = ITSELF.to_request("https://id.example/oauth/token", &world.auth(), &extra).unwrap();
    let answer = world.send(both.map(axum::body::Body::from)).await;
    assert_eq!((answer.status(), &*answer.error()), (400, "invalid_request"));
}

#[tokio::test]
async fn every_401_has_the_basic_challenge() {
    let world = machine().await;
    let answer = world.token(&basic(&world.client.id, "wrong"), &ITSELF).await;
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    let client_id = (*world.client.id).into();
    let post = ClientAuth::Post { client_id, client_secret: "wrong".into() };
    let answer = world.token(&post, &ITSELF).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.header("www-authenticate").starts_with("Basic "), "RFC 9110, section 15.5.2");
    let nobody = world.token(&basic("nobody", "x"), &ITSELF).await;
    assert_eq!(nobody.text(), answer.text(), "unknown and wrong look alike");
    let none = ClientAuth::None { client_id: (*world.client.id).into() };
    assert_eq!(world.token(&none, &ITSELF).await.error(), "invalid_client");
    for header in ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Digest x"] {
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", header)
            .body("grant_type=client_credentials".into());
        let answer = world.send(request.unwrap()).await;
        assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"), "{header}");
    }
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_send() {
    let world = World::public(CALLBACK).await;
    let code = world.code("ada").await;
    let verifier = world.verifier();
    let asked = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: Some(CALLBACK),
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    let answer = world.token(&basic(&world.client.id, "made-up"), &asked).await;
    assert_eq!(answer.error(), "invalid_client");
    let empty = world.token(&basic(&world.client.id, ""), &asked).await;
    assert_eq!(empty.status(), 200, "an empty one is none");
}

#[tokio::test]
async fn while_a_new_secret_is_rolled_out_the_old_one_is_good() {
    let world = machine().await;
    let old = world.auth();
    let day = Duration::from_secs(24 * 3600);
    let new = world.server.rotate_secret(&world.client.id, day).await.unwrap();
    let new = basic(&world.client.id, new.expose());
    world.token(&old, &ITSELF).await.tokens();
    world.token(&new, &ITSELF).await.tokens();
    world.clock.advance(day);
    assert_eq!(world.token(&old, &ITSELF).await.error(), "invalid_client");
    world.token(&new, &ITSELF).await.tokens();
    let client = world.server.client(&world.client.id).await.unwrap().unwrap();
    assert_eq!(client.secrets.len(), 2);
    world.server.rotate_secret(&world.client.id, Duration::ZERO).await.unwrap();
    assert_eq!(world.token(&new, &ITSELF).await.error(), "invalid_client");
}

#[tokio::test]
async fn the_operator_is_told_what_cannot_be_done() {
    let world = World::public(CALLBACK).await;
    let rotate = |id: &str| {
        let (server, id) = (world.server.clone(), id.to_owned());
        async move { server.rotate_secret(&id, Duration::ZERO).await.unwrap_err() }
    };
    assert!(matches!(rotate("nobody").await, AdminError::UnknownClient));
    assert!(matches!(rotate(&world.client.id).await, AdminError::PublicClient));
    let twin = NewClient::confidential("Twin").id(&*world.client.id);
    let error = world.server.register(twin).await.unwrap_err();
    assert!(matches!(error, RegistrationError::IdTaken));
}

#[tokio::test]
async fn a_removed_client_takes_its_tokens_along() {
    let world = World::new().await;
    let tokens = world.tokens("ada").await;
    assert!(world.server.remove_client(&world.client.id).await.unwrap());
    assert!(!world.server.remove_client(&world.client.id).await.unwrap());
    assert!(!world.is_good(&tokens.access).await);
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.error(), "invalid_client");
}

#[tokio::test]
async fn a_chosen_secret_is_hashed_anew_when_hashes_have_become_dearer() {
    let mut world = chosen().await;
    let dearer = Cost { iterations: 2, ..Cost::TRIVIAL_FOR_TESTS_ONLY };
    world.server = world.server.clone().kdf(Kdf::new(dearer));
    let before = format!("{:?}", world.client.secrets);
    assert_eq!(world.token(&world.auth(), &ITSELF).await.status(), 200);
    let client = world.server.client(&world.client.id).await.unwrap().unwrap();
    let after = format!("{:?}", client.secrets);
    assert!(before.contains("t=1") && after.contains("t=2"), "{before} {after}");
    assert_eq!(world.token(&world.auth(), &ITSELF).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_that_are_rotated_at_once_are_all_good_or_refused() {
    let world = machine().await;
    let hour = Duration::from_secs(3600);
    let rotations: Vec<_> = (0..20)
        .map(|_| {
            let (server, id) = (world.server.clone(), world.client.id.clone());
            tokio::spawn(async move { server.rotate_secret(&id, hour).await })
        })
        .collect();
    let mut rotated = 0;
    for rotation in rotations {
        match rotation.await.unwrap() {
            Ok(secret) => {
                rotated += 1;
                world.token(&basic(&world.client.id, secret.expose()), &ITSELF).await.tokens();
            }
            Err(error) => assert!(matches!(error, AdminError::TooManySecrets)),
        }
    }
    assert_eq!(rotated, 4);
}

#[tokio::test]
async fn a_redirect_uri_that_no_answer_could_be_sent_to_is_not_registered() {
    let world = World::new().await;
    for uri in ["a.b:", "a.b:?x=1", "com.example.app://@", "https://x;sandbox/", "https://x,y/"] {
        let new = NewClient::public("App").redirect_uri(uri);
        let refused = world.server.register(new).await.unwrap_err();
        assert!(
            matches!(refused, RegistrationError::Metadata(ClientMetadataError::RedirectUri { .. })),
            "{uri}: {refused}"
        );
    }
}

#[tokio::test]
async fn an_application_at_localhost_chooses_its_port_when_it_starts() {
    let world = World::public("http://localhost/callback").await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.redirect_uri = Some("http://localhost:53219/callback".into());
    let page = world.ask(&mut browser, &asked).await;
    let back = browser.answer(&world, &page, "decision=all").await;
    assert!(back.location().starts_with("http://localhost:53219/callback?code="));
    let verifier = world.verifier();
    let redeemed = TokenRequest::AuthorizationCode {
        code: &back.query("code"),
        redirect_uri: asked.redirect_uri.as_deref(),
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    assert_eq!(world.token(&world.auth(), &redeemed).await.status(), 200);
    asked.redirect_uri = Some("http://127.0.0.1:53219/callback".into());
    let refused = world.ask(&mut browser, &asked).await;
    assert_eq!(refused.reason(), "redirect_uri_not_registered", "another host");
}

#[tokio::test]
async fn a_client_that_is_said_again_at_each_start_is_registered_once_and_follows_what_is_said() {
    let world = World::new().await;
    let server = &world.server;
    let printer = || {
        NewClient::confidential("Printer").id("printer").redirect_uri("https://printer.example/cb")
    };
    let first = server.ensure_client(printer()).await.unwrap();
    assert!(first.secret.is_some());
    let again = server.ensure_client(printer()).await.unwrap();
    assert_eq!((&again.client, again.secret), (&first.client, None), "it is the same one");

    let moved = printer().redirect_uri("https://printer.example/other").first_party();
    let moved = server.ensure_client(moved).await.unwrap().client;
    let stored = server.client("printer").await.unwrap().unwrap();
    assert_eq!(*stored, moved);
    assert_eq!((stored.redirect_uris.len(), stored.first_party), (2, true));
    assert_eq!((stored.number, &stored.secrets), (first.client.number, &first.client.secrets));

    let insecure = printer().redirect_uri("http://printer.example/cb");
    let error = server.ensure_client(insecure).await.unwrap_err();
    assert!(
        matches!(error, RegistrationError::Metadata(ClientMetadataError::RedirectUri { .. })),
        "the same checks"
    );
    let public = NewClient::public("Printer").id("printer").redirect_uri(CALLBACK);
    let error = server.ensure_client(public).await.unwrap_err();
    assert!(matches!(error, RegistrationError::OtherType));
    let error = server.ensure_client(NewClient::confidential("Anybody")).await.unwrap_err();
    assert!(matches!(error, RegistrationError::IdMissing));
    assert_eq!(*server.client("printer").await.unwrap().unwrap(), moved, "nothing changed");
}

#[tokio::test]
async fn an_edited_client_keeps_its_secrets_its_tokens_and_its_consents() {
    let world = World::new().await;
    let (server, tokens) = (&world.server, world.tokens("ada").await);
    let before = server.client(&world.client.id).await.unwrap().unwrap();
    let edited = server
        .edit_client(&before.id, |known, new| {
            assert_eq!(known, &*before);
            new.name("Renamed").redirect_uri("https://beta.example/cb")
        })
        .await
        .unwrap();
    assert!(edited.secret.is_none() && edited.oauth1_secret.is_none());
    assert_eq!(edited.client.redirect_uris.len(), 2);
    let mut expected = (*before).clone();
    expected.name = "Renamed".to_owned();
    expected.redirect_uris.clone_from(&edited.client.redirect_uris);
    assert_eq!(edited.client, expected, "and nothing else has changed");
    assert!(world.is_good(&tokens.access).await);
    assert_eq!(world.refresh(tokens.refresh.as_deref().unwrap()).await.status(), 200);

    let nothing = server.edit_client(&before.id, |_, new| new).await.unwrap();
    assert_eq!(nothing.client, edited.client);
}

#[tokio::test]
async fn a_client_of_oauth1_without_a_key_for_one_of_its_methods_is_refused_wherever_it_is_set() {
    use SignatureMethod::{HmacSha1, HmacSha256, Plaintext, RsaSha1, RsaSha256};
    let world = World::new().await;
    let server = &world.server;
    let is_refused = |error: &RegistrationError| {
        matches!(error, RegistrationError::OAuth1Key(NewKeyError::Methods))
    };
    let pem = || include_str!("oauth1_rsa_public.pem").to_owned();
    let printer = |id: &str, key| {
        NewClient::confidential("Printer").id(id).redirect_uri(CALLBACK).oauth1(key)
    };
    for (key, methods) in [
        (NewKey::Secret, [RsaSha1, RsaSha256]),
        (NewKey::RsaPublicKey(pem()), [HmacSha256, Plaintext]),
    ] {
        let new = printer("no", key).oauth1_methods(methods);
        let refused = server.register(new.clone()).await.unwrap_err();
        assert!(is_refused(&refused), "{refused}");
        assert!(refused.to_string().contains("RSA needs an RSA key"));
        assert!(is_refused(&server.ensure_client(new).await.unwrap_err()));
    }
    let shared = printer("shared", NewKey::Secret).oauth1_methods([RsaSha1, HmacSha1]);
    let rsa = printer("rsa", NewKey::RsaPublicKey(pem())).oauth1_methods([RsaSha256]);
    server.register(shared.clone()).await.unwrap();
    server.register(rsa).await.unwrap();
    for (id, method) in [("shared", RsaSha1), ("rsa", HmacSha1)] {
        let only = |_: &_, new: NewClient| new.oauth1_methods([method]);
        assert!(is_refused(&server.edit_client(id, only).await.unwrap_err()), "{id}");
        let all = |_: &_, new: NewClient| new.oauth1_methods([]).name("All");
        server.edit_client(id, all).await.unwrap();
    }
    assert!(is_refused(&server.ensure_client(shared.oauth1_methods([RsaSha1])).await.unwrap_err()));
    // A new key must fit, too: the old one ends.
    let rsa_alone = |_: &_, new: NewClient| new.oauth1_methods([RsaSha256]);
    server.edit_client("rsa", rsa_alone).await.unwrap();
    let refused = server.add_oauth1_key("rsa", NewKey::Secret, Duration::from_secs(60)).await;
    assert!(matches!(refused.unwrap_err(), AdminError::OAuth1Key(NewKeyError::Methods)));
    let line = r#"{"client_id":"old","client_name":"Old","redirect_uris":["https://a.example/cb"],
        "oauth1_secret":"from elsewhere","oauth1":{"keys":[],"methods":["RSA-SHA1"]}}"#;
    let refused = server.import_clients(&line.replace('\n', "")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("OAuth1Key(Methods)"), "{refused:?}");
}

#[tokio::test]
async fn an_edit_passes_the_checks_of_a_registration_or_changes_nothing() {
    let world = World::new().await;
    let (server, id) = (&world.server, &world.client.id);
    let before = server.client(id).await.unwrap().unwrap();
    let uris = ["http://app.example/cb", "javascript:alert(1)", "not a URI"];
    for uri in uris {
        let refused = server.edit_client(id, |_, new| new.redirect_uri(uri)).await.unwrap_err();
        let is_metadata = matches!(refused, RegistrationError::Metadata(_));
        assert!(is_metadata, "{uri}: {refused}");
    }
    let none: [&str; 0] = [];
    let scope = Scopes::of(["unknown"]);
    for refused in [
        server.edit_client(id, |_, new| new.redirect_uris(none)).await,
        server.edit_client(id, |_, new| new.name("\u{202e}")).await,
        server.edit_client(id, |_, new| new.scopes(scope.clone())).await,
        server.edit_client(id, |_, _| NewClient::public("App").redirect_uri(CALLBACK)).await,
        server.edit_client("nobody", |_, new| new).await,
    ] {
        assert!(refused.is_err());
    }
    assert_eq!(*server.client(id).await.unwrap().unwrap(), *before);
}

#[tokio::test]
async fn edits_at_the_same_time_all_count() {
    let world = World::new().await;
    let (server, id) = (&world.server, &world.client.id);
    let mut edits = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (server, id) = (server.clone(), id.clone());
        edits.spawn(async move {
            let uri = format!("https://app.example/{number}");
            server.edit_client(&id, |_, new| new.redirect_uri(&uri)).await
        });
    }
    for edited in edits.join_all().await {
        edited.unwrap();
    }
    let client = server.client(id).await.unwrap().unwrap();
    assert_eq!(client.redirect_uris.len(), 21);
}

#[tokio::test]
async fn a_chosen_secret_that_is_said_again_stays_and_another_takes_its_place() {
    let world = World::new().await;
    let machine = |secret: &str| {
        NewClient::confidential("Machine").id("machine").chosen_secret(secret.into())
    };
    let first = world.server.ensure_client(machine("the first secret")).await.unwrap();
    let again = world.server.ensure_client(machine("the first secret")).await.unwrap();
    assert_eq!(again.client, first.client);
    world.server.ensure_client(machine("the second secret")).await.unwrap();
    let old = world.token(&basic("machine", "the first secret"), &ITSELF).await;
    assert_eq!(old.error(), "invalid_client");
    world.token(&basic("machine", "the second secret"), &ITSELF).await.tokens();
}

#[tokio::test]
async fn a_client_is_registered_under_no_name_that_people_cannot_see_or_that_rewrites_a_page() {
    let world = machine().await;
    let register = async |name: &str| {
        let new = NewClient::confidential(name).grant_types([GrantType::ClientCredentials]);
        world.server.register(new).await.map(|registered| registered.client.name)
    };
    for name in ["Photo printer", "Ren\u{e9}e\u{2019}s \u{1f4f7}\u{fe0f}", &"\u{e9}".repeat(100)] {
        assert_eq!(register(name).await.unwrap(), name);
    }
    for name in [
        "",
        " \u{a0}",
        "a\nb",
        "a\u{1b}[31m",
        "\u{202e}retnirp",
        "a\u{2066}b",
        "\u{200b}",
        "\u{3164}",
        "\u{fe0f}",
        "a\u{2028}b",
        "a\u{ad}b",
        "a\u{e0041}",
        &"x".repeat(101),
    ] {
        let refusal = register(name).await.unwrap_err();
        assert!(
            matches!(refusal, RegistrationError::Metadata(ClientMetadataError::Name)),
            "{name:?}: {refusal}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_chosen_secret_is_right_in_http_basic_with_and_without_form_encoding() {
    for secret in ["a+b", "p%40ss", "100%", "a%2Bb", "100%ff", "a b", "plain"] {
        let secret = &format!("long enough:{secret}");
        let world = machine().await;
        let server = world.server.clone().kdf(Kdf::new(Cost::TRIVIAL_FOR_TESTS_ONLY));
        let new = NewClient::confidential("Legacy").grant_types([GrantType::ClientCredentials]);
        let id = server.register(new.chosen_secret(secret.into())).await.unwrap().client.id;
        let mut encoded = String::new();
        for byte in secret.bytes() {
            encoded += &format!("%{byte:02X}");
        }
        let send = async |secret: &str| {
            let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
            let request = Request::post("/oauth/token")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", format!("Basic {pair}"))
                .body("grant_type=client_credentials".into());
            Answer::of(server.token(request.unwrap()).await).status()
        };
        assert_eq!(send(secret).await, 200, "{secret} as it is");
        assert_eq!(send(&encoded).await, 200, "{secret} encoded");
        // Ten failures count as ten, in whatever reading.
        for attempt in 0..12 {
            let status = send("wrong+%41").await;
            assert_eq!(status, if attempt < 10 { 401 } else { 429 }, "{secret} {attempt}");
        }
    }
}

#[tokio::test]
async fn an_identifier_in_http_basic_is_understood_with_and_without_form_encoding() {
    let world = machine().await;
    let send = async |pair: &str, named: &str| {
        let pair = BASE64_STANDARD.encode(pair);
        let body = format!("grant_type=client_credentials{named}");
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {pair}"))
            .body(body.into());
        let answer = Answer::of(world.server.token(request.unwrap()).await);
        (answer.status() == 200).then(|| answer.tokens().access)
    };
    let register = async |id: &str| {
        let new = NewClient::confidential("Imported").id(id);
        let new = new.grant_types([GrantType::ClientCredentials]);
        let new = new.scopes(Scopes::of(["photos:read"]));
        let registered = world.server.register(new).await.unwrap();
        registered.secret.unwrap().expose().to_owned()
    };
    let is_of = async |token: &str, id: &str| {
        let answer = world.photos(token).await;
        let answer = answer.text();
        assert!(answer.ends_with(&format!(" by {id}")), "{answer}");
    };
    for (id, encoded) in
        [("app+one", "app%2Bone"), ("pct%41only", "pct%2541only"), ("%2B", "%252B"), ("a b", "a+b")]
    {
        let secret = register(id).await;
        for (written, named) in [
            (id, String::new()),
            (encoded, String::new()),
            (id, format!("&client_id={encoded}")),
            (encoded, format!("&client_id={encoded}")),
        ] {
            let token = send(&format!("{written}:{secret}"), &named).await;
            let token = token.unwrap_or_else(|| panic!("{written} {named}"));
            is_of(&token, id).await;
        }
        assert!(send(&format!("{id}:wrong"), "").await.is_none(), "{id}");
        assert!(send(&format!("{id}:{secret}"), "&client_id=other").await.is_none(), "{id}");
    }
    // Of two clients that the text may name, RFC 6749 means that of the decoded text.
    let other = register("a+b").await;
    assert!(send(&format!("a+b:{other}"), "").await.is_none());
    let token = send(&format!("a+b:{other}"), "&client_id=a%2Bb").await;
    is_of(&token.expect("the body says which"), "a+b").await;
    assert!(send(&format!("a%2Bb:{other}"), "").await.is_some());
}
