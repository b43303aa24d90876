//! The defects of the libraries that applications come from (Flask-Dance, Flask-OAuthlib), and the
//! tests that show that they are none here.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use http::{HeaderMap, StatusCode};
use quadrille::{
    GitHub, KeyRing, LinkedIn, Login, Owner, Slack, Twitch,
    consumer::{Account, Begin, BrowserError, Client, Jar, LoginSettings, MemoryStorage},
    testing::{Emulated, FakeService, ManualClock, Refresh},
    transport::Purpose,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

/// Each defect, and the tests.
const DEFECTS: &[(&str, &[&str])] = &[
    (
        "requests of two users at once share a session and its token",
        &[
            "ten_thousand_logins_at_once_and_nobody_comes_out_as_another",
            "after_alice_signs_out_bob_never_sees_her_account_in_the_same_browser",
        ],
    ),
    (
        "a second tab makes the login of the first one fail",
        &["twenty_tabs_opened_at_once_finish_in_any_order"],
    ),
    (
        "a link with error=... reaches the error handlers without any check of state",
        &["a_forged_refusal_is_no_refusal_and_burns_nothing"],
    ),
    (
        "scopes other than those requested, or in another notation, are an exception",
        &["scopes_other_than_those_requested_are_data"],
    ),
    ("a lifetime in quotation marks is an exception", &["a_lifetime_in_quotation_marks_is_one"]),
    (
        "the token is sent to any absolute URL",
        &[
            "the_token_goes_to_the_services_own_origin_only",
            "pages_do_not_leave_the_services_origin",
        ],
    ),
    (
        "arguments of a call, and its data, end up in the request that refreshes the token",
        &["a_refresh_has_nothing_of_the_call_in_it"],
    ),
    (
        "a token without a refresh token is refreshed, and the error is the visitor's",
        &["a_token_that_ends_and_cannot_be_refreshed_asks_for_a_login_not_for_help"],
    ),
    (
        "a login leaves its PKCE challenge and verifier for other logins",
        &["no_two_attempts_share_state_or_challenge"],
    ),
    (
        "in OAuth 1 the secret of temporary credentials is lost, and any browser finishes a login",
        &[
            "a_login_and_its_calls_by_every_method_in_every_place",
            "another_browsers_answer_has_no_effect",
        ],
    ),
    (
        "storing a token without a user deletes the tokens of all users",
        &["changing_one_leaves_the_others", "an_account_is_its_owners_own"],
    ),
    (
        "the user of a stored token and the user of its cache differ",
        &["accounts_are_told_apart_byte_by_byte", "a_hook_can_say_whose_account_it_is"],
    ),
    ("a JSON body of a call of Slack is lost", &["a_json_body_reaches_slack_whole"]),
    (
        "Twitch configured by the application's settings names no client in calls and refreshes",
        &["twitch_from_settings_names_the_application_everywhere"],
    ),
    (
        "options without effect, API bases that lose a part, and tokens that are never refreshed",
        &[
            "each_option_has_its_effect",
            "each_call_has_the_services_headers_and_scheme",
            "each_services_tokens_are_refreshed_where_it_issues_refresh_tokens",
        ],
    ),
    (
        "Twitter from the application's settings lacks a signature method",
        &["settings_in_the_environment", "the_variables_have_the_names_that_people_know"],
    ),
    (
        "state is never checked",
        &[
            "another_browsers_answer_is_worth_nothing",
            "broken_callbacks_are_refused_and_burn_nothing",
        ],
    ),
    ("a call without a body declares a form", &["a_call_without_a_body_declares_none"]),
    (
        "what Weibo and LinkedIn need in requests is never added",
        &["with_each_service_one_logs_in_and_calls_it", "each_service_has_the_profile_of_its_user"],
    ),
    (
        "Facebook's scopes are ignored, and LinkedIn's state is a constant",
        &["each_option_has_its_effect", "no_two_attempts_share_state_or_challenge"],
    ),
];

/// The names of all tests below a folder.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            names.extend(text.split("fn ").skip(1).map(|rest| {
                rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
            }));
        }
    }
}

#[test]
fn each_defect_has_its_tests() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    tests_below(&crate_folder.join("tests/consumer"), &mut names);
    tests_below(&crate_folder.join("src/testing/storage"), &mut names);
    for (defect, tests) in DEFECTS {
        for test in *tests {
            assert!(names.contains(*test), "{defect}: there is no {test}");
        }
    }
}

/// An application with one service.
struct World {
    fake: FakeService,
    login: Login,
    clock: ManualClock,
    name: String,
}

impl World {
    fn of<S: Emulated>(client: Client<S>) -> Self {
        let name = client.name().to_owned();
        Self::with::<S>(name, Login::new(KeyRing::ephemeral(), SITE).with(client))
    }

    fn with<S: Emulated>(name: String, login: Login) -> Self {
        let (fake, clock) = (FakeService::of::<S>("our-id", SECRET), ManualClock::new());
        let login = login.storage(MemoryStorage::new()).http(fake.clone()).env(clock.env());
        login.check().unwrap();
        Self { fake, login, clock, name }
    }

    /// Begins a login, and returns the URL of the service.
    async fn begin(&self) -> (Jar, String) {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new(&self.name).owner(&Owner::user(1));
        let url = self.login.begin(&jar, &begin).await.unwrap();
        (Jar::new(&carry(&jar)), url)
    }

    async fn finish(&self, jar: &Jar, query: &str) -> quadrille::Result<Account> {
        let done = self.login.finish(jar, &self.name, query, &Owner::user(1)).await?;
        Ok(done.account)
    }

    async fn log_in(&self) -> quadrille::Result<Account> {
        let (jar, url) = self.begin().await;
        let query = self.fake.consent(&url, 7).unwrap();
        self.finish(&jar, &query).await
    }
}

#[tokio::test]
async fn a_forged_refusal_is_no_refusal_and_burns_nothing() {
    let world = World::of(GitHub::new("our-id", SECRET));
    let (jar, url) = world.begin().await;
    for query in [
        "error=access_denied".to_owned(),
        "error=access_denied&state=".to_owned(),
        "error=access_denied&state=forged".to_owned(),
        format!("error=server_error&state={}", "A".repeat(200)),
    ] {
        let error = world.finish(&jar, &query).await.unwrap_err();
        assert_eq!(error, BrowserError::StateUnknown.into(), "{query}");
    }
    let refused = world.fake.deny(&url).unwrap();
    let elsewhere = Jar::new(&HeaderMap::new());
    let error = world.finish(&elsewhere, &refused).await.unwrap_err();
    assert_eq!(error, BrowserError::AttemptCookieMissing.into());
    let query = world.fake.consent(&url, 7).unwrap();
    world.finish(&jar, &query).await.unwrap();
}

#[tokio::test]
async fn scopes_other_than_those_requested_are_data() {
    for (answered, granted) in [
        (r#""scope":"gist,repo""#, "gist repo"),
        (r#""scope":"repo gist user""#, "repo gist user"),
        (r#""scope":"""#, ""),
        (r#""scope":["gist"]"#, "gist"),
        (r#""x":1"#, "repo gist"),
    ] {
        let world = World::of(GitHub::new("our-id", SECRET).scopes("repo gist"));
        let (jar, url) = world.begin().await;
        let query = world.fake.consent(&url, 7).unwrap();
        let body = format!(r#"{{"access_token":"t","token_type":"bearer",{answered}}}"#);
        world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, body);
        world.fake.answers_next(Purpose::Identity, StatusCode::OK, r#"{"id":7}"#);
        let account = world.finish(&jar, &query).await.unwrap();
        let linked = world.login.linked::<GitHub>(&account).await.unwrap();
        assert_eq!(linked.scopes().as_str(), granted, "{answered}");
    }
}

#[tokio::test]
async fn a_lifetime_in_quotation_marks_is_one() {
    let world = World::of(GitHub::new("our-id", SECRET));
    world.fake.change(|manners| manners.refresh = Refresh::Lasting);
    let (jar, url) = world.begin().await;
    let query = world.fake.consent(&url, 7).unwrap();
    let body = r#"{"access_token":"t","token_type":"bearer","expires_in":"3600"}"#;
    world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, body);
    world.fake.answers_next(Purpose::Identity, StatusCode::OK, r#"{"id":7}"#);
    let account = world.finish(&jar, &query).await.unwrap();
    let linked = || world.login.linked::<GitHub>(&account);
    world.clock.advance(Duration::from_secs(3500));
    assert!(linked().await.is_ok());
    world.clock.advance(Duration::from_secs(200));
    let error = match linked().await {
        Err(error) => error,
        Ok(linked) => linked.get::<Value>("user").await.unwrap_err(),
    };
    assert_eq!(error.code(), "not_linked");
}

#[tokio::test]
async fn no_two_attempts_share_state_or_challenge() {
    let mut seen = BTreeSet::new();
    let github = World::of(GitHub::new("our-id", SECRET));
    let linkedin = World::of(LinkedIn::new("our-id", SECRET));
    for (world, parameters) in [(&github, 2), (&linkedin, 1)] {
        for _ in 0..50 {
            let (_, url) = world.begin().await;
            let url = Url::parse(&url).unwrap();
            let own: Vec<_> = url
                .query_pairs()
                .filter(|(name, _)| matches!(&**name, "state" | "code_challenge"))
                .map(|(_, value)| value.into_owned())
                .collect();
            assert_eq!(own.len(), parameters);
            for value in own {
                assert!(seen.insert(value), "{url}");
            }
        }
    }
}

#[tokio::test]
async fn a_json_body_reaches_slack_whole() {
    let world = World::of(Slack::new("our-id", SECRET));
    let account = world.log_in().await.unwrap();
    let slack = world.login.linked::<Slack>(&account).await.unwrap();
    let message = json!({ "channel": "C1", "text": "token=x&text=y" });
    slack.post::<Value>("chat.postMessage", &message).await.unwrap();
    let asked = world.fake.asked();
    let request = &asked.last().unwrap().request;
    assert_eq!(serde_json::from_slice::<Value>(request.body()).unwrap(), message);
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.uri().to_string(), "https://slack.com/api/chat.postMessage");
    assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn twitch_from_settings_names_the_application_everywhere() {
    let settings = json!({
        "public_url": SITE,
        "twitch": { "client_id": "our-id", "client_secret": SECRET },
    });
    let settings: LoginSettings = serde_json::from_value(settings).unwrap();
    let login = Login::from_settings(KeyRing::ephemeral(), settings);
    let world = World::with::<Twitch>("twitch".to_owned(), login);
    let account = world.log_in().await.unwrap();
    world.fake.ends_access_tokens();
    world.clock.advance(Duration::from_secs(20_000));
    let twitch = world.login.linked::<Twitch>(&account).await.unwrap();
    twitch.get::<Value>("streams").await.unwrap();
    let asked = world.fake.asked();
    let of = |purpose| asked.iter().rfind(|asked| asked.purpose == purpose).unwrap();
    assert_eq!(of(Purpose::Api).request.headers()["client-id"], "our-id");
    let refresh = String::from_utf8(of(Purpose::Refresh).request.body().to_vec()).unwrap();
    assert!(refresh.contains("client_id=our-id"), "{refresh}");
    assert!(refresh.contains(&format!("client_secret={SECRET}")), "{refresh}");
}
