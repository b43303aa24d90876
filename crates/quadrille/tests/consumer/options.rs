//! Each option of each service, by its key in settings, and its effect on the wire.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderMap;
use quadrille::{
    KeyRing, Login, Owner,
    consumer::{Begin, Jar, LoginSettings, MemoryStorage},
    oauth1::RsaVerifyingKey,
    testing::{Asked, FakeService, Row, SERVICES},
    transport::Purpose,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    library::carry,
    oauth1::RSA_KEY,
    support::{SECRET, SITE},
};

/// The table, whose rows are walked.
#[derive(Deserialize)]
struct Table {
    /// The options of each preset of Flask-Dance.
    flask_dance: BTreeMap<String, Vec<String>>,
    rows: Vec<Line>,
}

/// Settings, and their effect.
#[derive(Deserialize)]
struct Line {
    service: String,
    preset: Option<String>,
    option: Option<String>,
    settings: Map<String, Value>,
    /// The authorization endpoint.
    authorize: Option<String>,
    /// The token endpoint.
    token: Option<String>,
    /// The URL of a call of `anything`.
    api: Option<String>,
    scope: Option<String>,
    /// The further parameters of the authorization request.
    parameters: Option<Vec<String>>,
    /// Headers of the call.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Headers of the token request.
    #[serde(default)]
    token_headers: BTreeMap<String, String>,
    /// The code of the error for an account that has not what the option requires.
    refused: Option<String>,
}

fn table() -> Table {
    serde_json::from_str(include_str!("../vectors/service_options.json")).unwrap()
}

/// Whether the service is in this build.
fn row(service: &str) -> Option<&'static Row> {
    SERVICES.iter().find(|row| row.spec.name == service)
}

/// The login of these settings, and the service behind it.
fn world(row: &Row, settings: &Map<String, Value>) -> (Login, FakeService) {
    let mut section = settings.clone();
    let keys = row.variables.iter().map(|variable| variable.split_once("_OAUTH_").unwrap().1);
    for key in keys.map(str::to_lowercase) {
        let value = match &*key {
            "client_id" | "client_key" | "consumer_key" => "our-id",
            "client_secret" => SECRET,
            "rsa_key" => RSA_KEY,
            _ => continue,
        };
        section.insert(key, value.into());
    }
    let settings = json!({ "public_url": SITE, row.spec.name: section });
    let settings: LoginSettings = serde_json::from_value(settings).unwrap();
    let login = Login::from_settings(KeyRing::ephemeral(), settings).storage(MemoryStorage::new());
    let fake = FakeService::playing(row, "our-id", SECRET);
    let key = include_str!("oauth1/rsa-public.pem");
    fake.knows_key(RsaVerifyingKey::from_pem(key).unwrap());
    (login.http(fake.clone()), fake)
}

fn has_headers(asked: &Asked, expected: &BTreeMap<String, String>, line: &str) {
    for (name, value) in expected {
        assert_eq!(asked.request.headers()[name], value, "{line}");
    }
}

#[tokio::test]
async fn each_option_has_its_effect() {
    for line in table().rows {
        let Some(row) = row(&line.service) else { continue };
        let said = format!("{} {}", line.service, Value::Object(line.settings.clone()));
        let (login, fake) = world(row, &line.settings);
        login.check().unwrap_or_else(|error| panic!("{said}: {error:?}"));
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new(&line.service).owner(&Owner::user(1));
        let url = login.begin(&jar, &begin).await.unwrap();
        let (endpoint, _) = url.split_once('?').unwrap();
        if let Some(authorize) = &line.authorize {
            assert_eq!(endpoint, authorize, "{said}");
        }
        let mut scope = None;
        let mut further = Vec::new();
        for (name, value) in Url::parse(&url).unwrap().query_pairs() {
            match &*name {
                "response_type"
                | "client_id"
                | "redirect_uri"
                | "state"
                | "code_challenge"
                | "code_challenge_method"
                | "response_mode"
                | "nonce"
                | "oauth_token" => {}
                "scope" => scope = Some(value.into_owned()),
                _ => further.push(format!("{name}={value}")),
            }
        }
        if let Some(expected) = line.scope {
            assert_eq!(scope, Some(expected), "{said}");
        }
        if let Some(expected) = line.parameters {
            assert_eq!(further, expected, "{said}");
        }
        let (query, jar) = (fake.consent(&url, 7).unwrap(), Jar::new(&carry(&jar)));
        let done = login.finish(&jar, &line.service, &query, &Owner::user(1)).await;
        let asked = fake.asked();
        let redeemed = asked.iter().find(|asked| asked.purpose == Purpose::RedeemCode);
        let redeemed = redeemed.unwrap_or_else(|| panic!("{said}: {done:?}"));
        if let Some(token) = line.token {
            assert_eq!(redeemed.request.uri().to_string(), token, "{said}");
        }
        has_headers(redeemed, &line.token_headers, &said);
        if let Some(refused) = line.refused {
            has_headers(asked.last().unwrap(), &line.headers, &said);
            assert_eq!(done.unwrap_err().code(), refused, "{said}");
            continue;
        }
        let account = done.unwrap_or_else(|error| panic!("{said}: {error:?}")).account;
        let linked = login.linked_by_name(&account).await.unwrap();
        linked.get::<Value>("anything").await.unwrap_or_else(|error| panic!("{said}: {error:?}"));
        let asked = fake.asked();
        let call = asked.last().unwrap();
        if let Some(api) = line.api {
            assert_eq!(call.request.uri().to_string(), api, "{said}");
        }
        has_headers(call, &line.headers, &said);
    }
}

#[test]
fn the_table_has_every_option_here_and_every_option_of_flask_dance() {
    let table = table();
    let here: BTreeSet<(&str, &str)> = table
        .rows
        .iter()
        .flat_map(|line| line.settings.keys().map(|key| (&*line.service, &**key)))
        .collect();
    for row in SERVICES {
        for option in row.options {
            assert!(here.contains(&(row.spec.name, option)), "{}: {option}", row.type_name);
        }
    }
    let there: BTreeSet<(&str, &str)> = table
        .rows
        .iter()
        .filter_map(|line| Some((line.preset.as_deref()?, line.option.as_deref()?)))
        .collect();
    for (preset, options) in &table.flask_dance {
        for option in options {
            assert!(there.contains(&(&**preset, &**option)), "Flask-Dance's {preset}: {option}");
        }
    }
}

#[test]
fn the_guides_table_has_every_option() {
    let guide = include_str!("../../../../docs/src/consumer/settings.md");
    let (_, guide) = guide.split_once("## Options of services").unwrap();
    for row in SERVICES {
        let line = guide.lines().find(|line| line.starts_with(&format!("| `{}` |", row.spec.name)));
        assert_eq!(line.is_some(), !row.options.is_empty(), "{}", row.type_name);
        for option in row.options {
            assert!(line.unwrap().contains(&format!("`{option}`")), "{}: {option}", row.type_name);
        }
    }
}

#[test]
fn the_page_about_moving_has_a_line_for_every_option_of_flask_dance() {
    let page = include_str!("../../../../docs/src/migrating.md");
    for (preset, options) in table().flask_dance {
        for option in options {
            let is_named =
                |line: &str| line.starts_with('|') && line.contains(&format!("`{option}"));
            assert!(page.lines().any(is_named), "{preset}: {option}");
        }
    }
}
