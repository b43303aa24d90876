//! The device flow. The clock of the runtime is paused: it moves on while everything waits.

use std::time::Duration;

use http::StatusCode;
use quadrille::{
    GitHub, KeyRing, Login, Owner, Result, Scopes, Service as _, SpecBuf, Spotify, Twitter,
    consumer::{Begin, DeviceLogin, Dynamic, Finished, MemoryStorage, Protocol},
    testing::{FakeService, SERVICES},
    transport::{NetworkError, Purpose},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::World;
use crate::support::SECRET;

const SECOND: Duration = Duration::from_secs(1);

impl World {
    async fn begin(&self) -> DeviceLogin {
        self.login.begin_device(&Begin::new("github")).await.unwrap()
    }

    fn polls(&self) -> usize {
        self.service.times_asked(Purpose::PollDevice)
    }

    /// Answers the next request for the token with this error.
    fn says(&self, error: &str) {
        let body = format!(r#"{{"error":"{error}"}}"#);
        self.service.answers_next(Purpose::PollDevice, StatusCode::BAD_REQUEST, body);
    }
}

fn wait_for(device: DeviceLogin) -> JoinHandle<Result<Finished>> {
    tokio::spawn(device.finish())
}

/// Whether a login goes on for this time.
async fn goes_on(waiting: &mut JoinHandle<Result<Finished>>, seconds: u64) -> bool {
    timeout(SECOND * u32::try_from(seconds).unwrap(), waiting).await.is_err()
}

async fn code(waiting: JoinHandle<Result<Finished>>) -> &'static str {
    waiting.await.unwrap().unwrap_err().code()
}

#[tokio::test(start_paused = true)]
async fn a_program_gets_its_token_when_the_user_has_typed_the_code_in() {
    let world = World::new();
    let begin = Begin::new("github").owner(&Owner::user(1)).data("x");
    let device = world.login.begin_device(&begin).await.unwrap();
    assert_eq!(device.verification_uri(), "https://service.example/device");
    let complete = device.verification_uri_complete().unwrap();
    assert!(complete.ends_with(device.user_code()), "{complete}");
    assert_eq!(device.expires_in(), Duration::from_secs(900));
    let code = device.user_code().to_owned();
    assert!(!format!("{device:?}").contains(&code));
    let mut waiting = wait_for(device);
    assert!(goes_on(&mut waiting, 12).await);
    assert_eq!(world.polls(), 2, "the service asks for five seconds between requests");
    assert!(world.service.approve_device(&code, 7));
    let done = waiting.await.unwrap().unwrap();
    assert_eq!((&*done.account.subject, &done.account.owner), ("7", &Owner::user(1)));
    assert_eq!(done.data, Some("x".into()));
    assert_eq!(world.polls(), 3);
    let github = world.login.linked::<GitHub>(&done.account).await.unwrap();
    assert_eq!(github.profile().await.unwrap().subject, "7");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_wants_fewer_requests_gets_them_from_then_on() {
    let world = World::new();
    let device = world.begin().await;
    let code = device.user_code().to_owned();
    world.says("slow_down");
    world.says("authorization_pending");
    world.service.approve_device(&code, 7);
    let mut waiting = wait_for(device);
    // 5, then 10 and 10.
    assert!(goes_on(&mut waiting, 24).await);
    assert_eq!(world.polls(), 2);
    assert!(timeout(2 * SECOND, waiting).await.unwrap().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn slow_down_counts_with_any_status_and_may_name_the_interval() {
    let busy = StatusCode::TOO_MANY_REQUESTS;
    for (status, body, retry_after, pause) in [
        (StatusCode::OK, r#"{"error":"slow_down"}"#, None, 10),
        // Auth0.
        (busy, r#"{"error":"slow_down"}"#, None, 10),
        (busy, r#"{"error":"slow_down"}"#, Some("30"), 30),
        // GitHub.
        (StatusCode::OK, r#"{"error":"slow_down","interval":20}"#, None, 20),
        (StatusCode::BAD_REQUEST, r#"{"error":"slow_down","interval":"20"}"#, None, 20),
        (StatusCode::OK, "error=slow_down&interval=20", None, 20),
        // RFC 8628, section 3.5: no less than five seconds more.
        (StatusCode::OK, r#"{"error":"slow_down","interval":5}"#, None, 10),
        (StatusCode::OK, r#"{"error":"slow_down","interval":-1}"#, None, 10),
        (StatusCode::OK, r#"{"error":"slow_down","interval":[]}"#, None, 10),
    ] {
        let world = World::new();
        let device = world.begin().await;
        let code = device.user_code().to_owned();
        let slow = http::Response::builder().status(status);
        let slow = match retry_after {
            Some(seconds) => slow.header("retry-after", seconds),
            None => slow,
        };
        world.service.answers_next_with(Purpose::PollDevice, slow.body(body.into()).unwrap());
        // "For this and all subsequent requests".
        world.says("authorization_pending");
        world.service.approve_device(&code, 7);
        let mut waiting = wait_for(device);
        assert!(goes_on(&mut waiting, 5 + 2 * pause - 1).await, "{status} {body}");
        assert_eq!(world.polls(), 2, "{status} {body} {retry_after:?}");
        assert!(timeout(2 * SECOND, waiting).await.unwrap().unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_decision_that_is_open_is_so_with_any_status() {
    for status in [200, 400, 403, 428, 429, 503] {
        let world = World::new();
        let device = world.begin().await;
        let code = device.user_code().to_owned();
        let body = r#"{"error":"authorization_pending"}"#;
        let status = StatusCode::from_u16(status).unwrap();
        world.service.answers_next(Purpose::PollDevice, status, body);
        world.service.approve_device(&code, 7);
        let waiting = wait_for(device);
        assert!(timeout(11 * SECOND, waiting).await.unwrap().unwrap().is_ok(), "{status}");
    }
}

#[tokio::test]
async fn an_error_that_is_none_refuses_no_device() {
    let world = World::new();
    for none in ["null", "0", "false", "\"\"", "{}", "[]"] {
        let body = format!(
            r#"{{"error":{none},"errors":[],"device_code":"d","user_code":"U-1",
            "verification_url":"https://id.example/device","expires_in":"900"}}"#
        );
        world.service.answers_next(Purpose::DeviceAuthorization, StatusCode::OK, body);
        let device = world.login.begin_device(&Begin::new("github")).await.unwrap();
        assert_eq!(device.user_code(), "U-1", "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_pause_doubles_while_the_service_cannot_be_reached() {
    let world = World::new();
    let device = world.begin().await;
    let code = device.user_code().to_owned();
    world.service.fails_next(Purpose::PollDevice, NetworkError::Refused);
    // No answer for ten seconds.
    world.service.ignores_next(Purpose::PollDevice);
    world.service.approve_device(&code, 7);
    let mut waiting = wait_for(device);
    // 5, then 10 and the time-out, then 20.
    assert!(goes_on(&mut waiting, 44).await);
    assert!(timeout(2 * SECOND, waiting).await.unwrap().unwrap().is_ok());
    assert_eq!(world.polls(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_service_is_not_asked_before_its_time() {
    let world = World::new();
    let device = world.begin().await;
    let code = device.user_code().to_owned();
    let busy = http::Response::builder().status(503).header("retry-after", "100");
    world.service.answers_next_with(Purpose::PollDevice, busy.body("".into()).unwrap());
    world.service.approve_device(&code, 7);
    let mut waiting = wait_for(device);
    assert!(goes_on(&mut waiting, 104).await);
    assert!(timeout(2 * SECOND, waiting).await.unwrap().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_user_who_refuses_or_takes_too_long_ends_the_login() {
    let world = World::new();
    let device = world.begin().await;
    world.service.deny_device(device.user_code());
    assert_eq!(code(wait_for(device)).await, "access_denied");

    let device = world.begin().await;
    world.service.expire_device(device.user_code());
    assert_eq!(code(wait_for(device)).await, "attempt_expired");

    // A service that never says so.
    world.service.change(|manners| manners.device_lifetime = 58 * SECOND);
    let before = world.polls();
    let device = world.begin().await;
    let mut waiting = wait_for(device);
    assert!(goes_on(&mut waiting, 57).await);
    assert_eq!(code(waiting).await, "attempt_expired");
    assert_eq!(world.polls() - before, 11);
}

#[tokio::test(start_paused = true)]
async fn codes_that_expire_while_the_service_is_down_end_with_that_failure() {
    let world = World::new();
    world.service.change(|manners| manners.device_lifetime = 14 * SECOND);
    let device = world.begin().await;
    world.service.fails_next(Purpose::PollDevice, NetworkError::Name);
    assert_eq!(code(wait_for(device)).await, "service_unreachable");
}

#[tokio::test(start_paused = true)]
async fn the_time_before_the_program_waits_counts() {
    let world = World::new();
    world.service.change(|manners| manners.device_lifetime = 60 * SECOND);
    let clock = quadrille::testing::ManualClock::new();
    let login = world.login.clone().env(clock.env());
    let device = login.begin_device(&Begin::new("github")).await.unwrap();
    clock.advance(57 * SECOND);
    let mut waiting = wait_for(device);
    assert!(goes_on(&mut waiting, 2).await);
    assert!(!goes_on(&mut waiting, 2).await);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_dropped_asks_no_more() {
    let world = World::new();
    let device = world.begin().await;
    let waiting = wait_for(device);
    sleep(7 * SECOND).await;
    waiting.abort();
    sleep(100 * SECOND).await;
    assert_eq!(world.polls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_decision_ends_the_login() {
    let world = World::new();
    let device = world.begin().await;
    // GitHub's name for a code of another application.
    world.says("incorrect_device_code");
    assert_eq!(code(wait_for(device)).await, "token_refused");
    let device = world.begin().await;
    world.service.answers_next(Purpose::PollDevice, StatusCode::OK, "<html>");
    assert_eq!(code(wait_for(device)).await, "service_answer_malformed");
    world.service.changes_secret("another");
    let refused = world.login.begin_device(&Begin::new("github")).await.unwrap_err();
    assert_eq!(refused.code(), "client_refused");
}

#[tokio::test]
async fn a_login_that_cannot_begin_says_why() {
    let world = World::new();
    let begin = Begin::new("github");
    let purpose = Purpose::DeviceAuthorization;
    let refused = || async { world.login.begin_device(&begin).await.unwrap_err() };

    world.service.fails_next(purpose, NetworkError::Refused);
    assert_eq!(refused().await.code(), "service_unreachable");
    world.service.answers_next(purpose, StatusCode::BAD_GATEWAY, "<html>");
    assert_eq!(refused().await.code(), "service_unavailable");
    world.service.answers_next(purpose, StatusCode::OK, r#"{"error":"device_flow_disabled"}"#);
    let disabled = refused().await;
    assert_eq!(disabled.code(), "authorization_refused");
    assert!(disabled.to_string().contains("device_flow_disabled"), "{disabled}");
    let evil = r#"{"device_code":"d","user_code":"\u001b[2J","verification_uri":"https://a.example","expires_in":9}"#;
    world.service.answers_next(purpose, StatusCode::OK, evil);
    assert_eq!(refused().await.code(), "service_answer_malformed");

    let other = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(Spotify::new("our-id", SECRET))
        .with(Twitter::new("our-key", SECRET));
    let begin = |service| {
        let login = other.clone().storage(MemoryStorage::new());
        async move { login.begin_device(&Begin::new(service)).await.unwrap_err().code() }
    };
    assert_eq!(begin("spotify").await, "no_device_flow");
    assert_eq!(begin("twitter").await, "not_for_programs");
    assert_eq!(begin("githbu").await, "service_unknown");
    let cookies = other.begin_device(&Begin::new("spotify")).await.unwrap_err();
    assert_eq!(cookies.code(), "outside_request");
}

#[tokio::test(start_paused = true)]
async fn a_public_client_needs_no_secret() {
    let service = FakeService::of::<GitHub>("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(GitHub::public_client("our-id").scopes("gist"))
        .storage(MemoryStorage::new())
        .http(service.clone());
    let device = login.begin_device(&Begin::new("github")).await.unwrap();
    service.approve_device(device.user_code(), 7);
    let done = device.finish().await.unwrap();
    let github = login.linked::<GitHub>(&done.account).await.unwrap();
    assert_eq!(github.scopes(), Scopes::of(["gist"]));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_known_at_run_time_may_have_a_public_client() {
    let service = FakeService::new("our-id", SECRET);
    let spec = SpecBuf::oauth2(
        "acme",
        "https://acme.example/authorize",
        "https://acme.example/token",
        "https://acme.example/api",
    )
    .identity("user", "id")
    .device_authorization("https://acme.example/device");
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(spec.public_client("our-id"))
        .storage(MemoryStorage::new())
        .http(service.clone());
    let device = login.begin_device(&Begin::new("acme")).await.unwrap();
    service.approve_device(device.user_code(), 7);
    assert_eq!(&*device.finish().await.unwrap().account.subject, "7");
}

#[tokio::test(start_paused = true)]
async fn each_service_with_a_device_flow_logs_in_by_it() {
    let mut count = 0;
    for row in SERVICES {
        let Protocol::OAuth2(oauth2) = row.spec.protocol else { continue };
        if oauth2.device_authorization.is_none() {
            continue;
        }
        count += 1;
        let service = FakeService::playing(row, "our-id", SECRET);
        let login = Login::new(KeyRing::ephemeral(), "http://localhost")
            .with::<Dynamic>(SpecBuf::from(row.spec).client("our-id", SECRET))
            .storage(MemoryStorage::new())
            .http(service.clone());
        let begin = Begin::new(row.spec.name);
        let device = login.begin_device(&begin).await.unwrap();
        service.approve_device(device.user_code(), 7);
        let done = device.finish().await.unwrap();
        let linked = login.linked_by_name(&done.account).await.unwrap();
        let subject = linked.profile().await.unwrap().subject;
        assert!(subject.ends_with('7'), "{}: {subject}", row.type_name);
        let device = login.begin_device(&begin).await.unwrap();
        service.deny_device(device.user_code());
        assert_eq!(device.finish().await.unwrap_err().code(), "access_denied");
    }
    assert!(count >= 4, "{count}");
}

#[tokio::test(start_paused = true)]
async fn microsoft_says_in_its_own_words_that_the_user_refused() {
    let service = FakeService::of::<quadrille::Microsoft>("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(quadrille::Microsoft::public_client("our-id").tenant("contoso"))
        .storage(MemoryStorage::new())
        .http(service.clone());
    let device = login.begin_device(&Begin::new("azure")).await.unwrap();
    let asked = service.asked();
    let path = asked.last().unwrap().request.uri().path();
    assert_eq!(path, "/contoso/oauth2/v2.0/devicecode");
    let body = r#"{"error":"authorization_declined","error_codes":[70000]}"#;
    service.answers_next(Purpose::PollDevice, StatusCode::BAD_REQUEST, body);
    assert_eq!(device.finish().await.unwrap_err().code(), "access_denied");
}
