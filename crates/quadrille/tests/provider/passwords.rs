//! Clients that see the passwords of users (RFC 6749, section 4.3).

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Authentication, Policy, RemoteAddress, Scopes,
    form::FormWriter,
    provider::{
        AuthorizationServer, DynamicRegistration, GrantType, NewClient, NotIssued, Occasion,
        PasswordAttempt, PasswordNotChecked, PasswordVerifier,
    },
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Answer, World};

const PASSWORD: &str = "correct horse battery staple";
const GRANTS: [GrantType; 2] = [GrantType::Password, GrantType::RefreshToken];

async fn check(attempt: PasswordAttempt) -> Result<Option<Authentication>, PasswordNotChecked> {
    let is_right =
        attempt.user_name().eq_ignore_ascii_case("ada") && *attempt.password() == PASSWORD.into();
    match attempt.user_name() {
        "too many" => Err(PasswordNotChecked::TooMany(Duration::from_secs(8))),
        "busy" => Err(PasswordNotChecked::Busy(Duration::from_secs(4))),
        "broken" => Err(PasswordNotChecked::unavailable("the directory is away")),
        _ => Ok(is_right.then(|| Authentication::new("17", quadrille::Timestamp::from_seconds(1)))),
    }
}

fn on(server: AuthorizationServer) -> AuthorizationServer {
    server.let_clients_see_passwords_of_users(check)
}

fn old(new: NewClient) -> NewClient {
    new.grant_types(GRANTS)
}

async fn world() -> World {
    World::set_up(Policy::safe(), old, on).await
}

/// A request of the world's client, from an address.
async fn ask_from(world: &World, from: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = FormWriter::new();
    form.append("grant_type", "password");
    form.append("client_id", &world.client.id);
    form.append("client_secret", &world.secret);
    for (name, value) in fields {
        form.append(name, value);
    }
    let request = Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(RemoteAddress(from.parse().unwrap()))
        .body(Body::from(form.finish()))
        .unwrap();
    world.send(request).await
}

async fn try_from(world: &World, from: &str, name: &str, password: &str) -> Answer {
    ask_from(world, from, &[("username", name), ("password", password)]).await
}

async fn sign_in(world: &World, name: &str, password: &str) -> Answer {
    try_from(world, "192.0.2.1", name, password).await
}

#[tokio::test]
async fn a_client_gets_tokens_for_a_user_s_password_and_refreshes_them() {
    let world = world().await;
    let tokens = sign_in(&world, "ada", PASSWORD).await.tokens();
    assert_eq!(tokens.scope, "photos:read photos:write");
    assert!(world.photos(&tokens.access).await.text().starts_with("User(\"17\") by "));
    let refreshed = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&refreshed.access).await);
    let consents = world.server.consents("17").await.unwrap();
    assert_eq!(consents.len(), 1, "the user can see and end it");
    world.server.revoke_subject("17").await.unwrap();
    assert!(!world.is_good(&refreshed.access).await);
    let fields = [("username", "ada"), ("password", PASSWORD), ("scope", "photos:read")];
    let again = ask_from(&world, "192.0.2.1", &fields).await.tokens();
    assert_eq!(again.scope, "photos:read");
    assert!(world.is_good(&again.access).await, "the revocation was before");
}

#[tokio::test]
async fn without_the_refresh_grant_there_is_no_refresh_token() {
    let only = |new: NewClient| new.grant_types([GrantType::Password]);
    let world = World::set_up(Policy::safe(), only, on).await;
    assert_eq!(sign_in(&world, "ada", PASSWORD).await.tokens().refresh, None);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let world = world().await;
    let wrong = sign_in(&world, "ada", "wrong").await;
    let unknown = sign_in(&world, "nobody", PASSWORD).await;
    assert_eq!((wrong.status(), &*wrong.error()), (400, "invalid_grant"));
    assert_eq!((wrong.status(), wrong.text()), (unknown.status(), unknown.text()));
}

#[tokio::test]
async fn a_malformed_request_says_what_is_missing_and_checks_no_password() {
    let checked = Arc::new(AtomicUsize::new(0));
    let counter = checked.clone();
    let world = World::set_up(Policy::safe(), old, |server| {
        server.let_clients_see_passwords_of_users(move |attempt: PasswordAttempt| {
            counter.fetch_add(1, Ordering::SeqCst);
            check(attempt)
        })
    })
    .await;
    for (fields, error) in [
        (&[("password", "x")][..], "invalid_request"),
        (&[("username", "ada")], "invalid_request"),
        (&[("username", ""), ("password", "x")], "invalid_request"),
        (&[("username", "ada"), ("password", "")], "invalid_request"),
        (&[("username", "ada"), ("username", "ada"), ("password", PASSWORD)], "invalid_request"),
        (&[("username", "ada"), ("password", PASSWORD), ("password", "x")], "invalid_request"),
        (&[("username", "ada"), ("password", PASSWORD), ("scope", "mail")], "invalid_scope"),
        (&[("username", "ada"), ("password", PASSWORD), ("scope", "\"")], "invalid_scope"),
        (&[("username", "ada"), ("password", PASSWORD), ("resource", "urn:x")], "invalid_target"),
    ] {
        let answer = ask_from(&world, "192.0.2.1", fields).await;
        assert_eq!((answer.status(), &*answer.error()), (400, error), "{fields:?}");
    }
    assert_eq!(checked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_application_that_cannot_check_now_says_when_to_come_back() {
    let world = world().await;
    for (name, status, wait) in [("too many", 429, "8"), ("busy", 503, "4"), ("broken", 503, "1")] {
        let answer = sign_in(&world, name, PASSWORD).await;
        assert_eq!((answer.status(), answer.header("retry-after")), (status, wait), "{name}");
        assert_eq!(answer.error(), "temporarily_unavailable", "{name}");
        assert!(!answer.text().contains("directory"), "{name}");
    }
}

#[tokio::test]
async fn the_grant_is_off_until_it_is_switched_on_and_metadata_has_it_exactly_then() {
    let path = "/.well-known/oauth-authorization-server";
    let off = World::set_up(Policy::safe(), old, |server| server).await;
    assert_eq!(sign_in(&off, "ada", PASSWORD).await.error(), "unsupported_grant_type");
    let types = async |world: &World| {
        let answer = world.request("GET", path, "", "").await;
        answer.json()["grant_types_supported"].as_array().unwrap().contains(&json!("password"))
    };
    assert!(!types(&off).await);
    assert!(types(&world().await).await);
    let other = World::set_up(Policy::safe(), |new| new, on).await;
    assert_eq!(sign_in(&other, "ada", PASSWORD).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_client_that_registers_itself_never_sees_passwords() {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let registration =
        registration.grant_types([GrantType::AuthorizationCode, GrantType::Password]);
    let set = |server| on(server).dynamic_registration(registration);
    let world = World::set_up(Policy::safe(), old, set).await;
    let metadata = json!({
        "redirect_uris": ["https://app.example/callback"],
        "grant_types": ["authorization_code", "password"],
    });
    let path = "/oauth/register";
    let answer = world.request("POST", path, "application/json", &metadata.to_string()).await;
    assert_eq!(answer.json()["grant_types"], json!(["authorization_code"]));
    let alone = json!({ "client_name": "App", "grant_types": ["password"] }).to_string();
    let answer = world.request("POST", path, "application/json", &alone).await;
    assert_eq!(answer.error(), "invalid_client_metadata");
}

#[tokio::test]
async fn the_application_is_asked_before_the_token_is_issued() {
    let set = |server| {
        on(server).before_issue(|token| async move {
            assert_eq!(*token.occasion(), Occasion::Grant(GrantType::Password));
            match token.subject() {
                Some("17") => Err(NotIssued::refused("the account is disabled")),
                _ => Ok(token),
            }
        })
    };
    let world = World::set_up(Policy::safe(), old, set).await;
    assert_eq!(sign_in(&world, "ada", PASSWORD).await.error(), "invalid_grant");
}

#[tokio::test(start_paused = true)]
async fn after_ten_wrong_passwords_a_guess_waits_its_turn_and_then_is_refused() {
    let world = Arc::new(world().await);
    for n in 0..10 {
        // The case of the name makes no new user.
        let name = if n % 2 == 0 { "Ada" } else { "ada" };
        assert_eq!(sign_in(&world, name, "wrong").await.error(), "invalid_grant");
    }
    let mut guesses = JoinSet::new();
    for _ in 0..20 {
        let world = world.clone();
        guesses.spawn(async move { sign_in(&world, "ada", PASSWORD).await });
    }
    let answers = guesses.join_all().await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status() == 429).collect();
    assert!(refused.len() >= 15, "{}", refused.len());
    for answer in refused {
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(answer.error(), "temporarily_unavailable");
    }
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(sign_in(&world, "ada", PASSWORD).await.status(), 200);
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "tokio's clock is paused, and moved by waiting")]
async fn guesses_from_everywhere_lock_nobody_out_and_do_not_delay_a_known_network() {
    let world = world().await;
    assert_eq!(sign_in(&world, "ada", PASSWORD).await.status(), 200);
    for n in 0..300 {
        let from = format!("198.51.{}.{}", n / 200, n % 200 + 1);
        assert_eq!(try_from(&world, &from, "ada", "wrong").await.status(), 400);
    }
    let waits = async |from| {
        let began = tokio::time::Instant::now();
        assert_eq!(try_from(&world, from, "ada", PASSWORD).await.status(), 200);
        began.elapsed().as_secs()
    };
    assert_eq!(waits("192.0.2.1").await, 0, "where the user has signed in before");
    assert_eq!(waits("203.0.113.1").await, 3, "elsewhere");
}

#[tokio::test(start_paused = true)]
async fn right_passwords_and_failures_of_the_application_count_for_nothing() {
    let world = world().await;
    for _ in 0..50 {
        assert_eq!(sign_in(&world, "ada", PASSWORD).await.status(), 200);
        assert_eq!(sign_in(&world, "broken", PASSWORD).await.status(), 503);
    }
}

/// Users whose guesses the application limits.
struct Own;

impl PasswordVerifier for Own {
    async fn verify(
        &self,
        attempt: PasswordAttempt,
    ) -> Result<Option<Authentication>, PasswordNotChecked> {
        check(attempt).await
    }

    fn limits_guesses_itself(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_verifier_with_limits_of_its_own_gets_every_attempt() {
    let set = |server: AuthorizationServer| server.let_clients_see_passwords_of_users(Own);
    let world = World::set_up(Policy::safe(), old, set).await;
    for _ in 0..50 {
        assert_eq!(sign_in(&world, "ada", "wrong").await.error(), "invalid_grant");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_no_password_and_no_user_name() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = world().await;
    let scopes = Scopes::of(["photos:read"]);
    for fields in [
        &[("username", "name-canary"), ("password", "password-canary")][..],
        &[("username", "ada"), ("password", "password-canary"), ("scope", "mail")],
        &[("username", "ada"), ("password", "password-canary"), ("password", "x")],
        &[("username", "ada"), ("password", PASSWORD), ("scope", scopes.as_str())],
    ] {
        ask_from(&world, "192.0.2.1", fields).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the user name or the password is wrong"), "{log}");
    assert!(!log.contains("canary") && !log.contains("horse"), "{log}");
}
