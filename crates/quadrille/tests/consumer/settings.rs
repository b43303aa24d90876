//! Settings in files of several formats and in the environment.

use std::process::Command;

use quadrille::{
    Dropbox, GitHub, Google, KeyRing, Login, Service, Slack, Spec, Twitter,
    consumer::{Client, LoginSettings, OperatorError},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::support::SITE;

/// A secret that no output may have.
const CANARY: &str = "hunter2-canary";

/// The fault of a login with these settings, in TOML.
fn fault(toml: &str) -> OperatorError {
    let settings: LoginSettings = toml::from_str(toml).unwrap();
    assert!(!format!("{settings:?}").contains(CANARY));
    match Login::from_settings(KeyRing::ephemeral(), settings).check().unwrap_err() {
        quadrille::Error::Operator(error) => {
            let told = format!("{error} {error:?}");
            assert!(!told.contains(CANARY), "{told}");
            error
        }
        other => panic!("{other:?}"),
    }
}

/// The message for a login whose GitHub has these settings besides its right ones.
fn with_github(lines: &str) -> String {
    let settings = format!(
        "public_url = '{SITE}'\n[github]\nclient_id = 'our-id'\nclient_secret = '{CANARY}'\n{lines}"
    );
    fault(&settings).to_string()
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    for (lines, told) in [
        ("scope = 'gist'", "github.scope: there is no such setting; did you mean \"scopes\"?"),
        ("Scopes = 'gist'", "github.Scopes: there is no such setting; did you mean \"scopes\"?"),
        (
            "clientsecret = 'x'",
            "github.clientsecret: there is no such setting; did you mean \"client_secret\"?",
        ),
        ("name = 'hub'", "github.name: there is no such setting"),
        ("offline = true", "github.offline: there is no such setting"),
        ("'a\\nb' = 1", "github.a\\\\nb: there is no such setting"),
        ("\"a\\nb\" = 1", "github.a\\nb: there is no such setting"),
    ] {
        assert_eq!(with_github(lines), told);
    }
}

/// What the error for a section that is named as no service says besides.
const HOW_TO_NAME: &str = " (LoginSettings::with_service adds one of your own; a second \
    registration names its service by the key \"service\")";

#[test]
fn an_unknown_service_is_named_with_the_nearest_one() {
    for (section, told) in [
        ("gihub", "gihub: no service has this name; did you mean \"github\"?"),
        ("GitHub", "GitHub: no service has this name; did you mean \"github\"?"),
        ("microsoft", "microsoft: no service has this name; did you mean \"azure\"?"),
        ("openstreetmap", "openstreetmap: no service has this name; did you mean \"osm\"?"),
        ("wxyz", "wxyz: no service has this name"),
    ] {
        let toml = format!("public_url = '{SITE}'\n[{section}]\nclient_secret = '{CANARY}'");
        assert_eq!(fault(&toml).to_string(), format!("{told}{HOW_TO_NAME}"));
    }
    let toml = format!("publicurl = '{SITE}'");
    let told = "publicurl: there is no such setting; did you mean \"public_url\"?";
    assert_eq!(fault(&toml).to_string(), told);
    let toml = format!("public_url = '{SITE}'\n[staff]\nservice = 'gitlap'");
    let told = "staff.service: no service has this name; did you mean \"gitlab\"?";
    assert_eq!(fault(&toml).to_string(), format!("{told}{HOW_TO_NAME}"));
}

#[test]
fn a_value_of_another_type_is_named_by_its_path() {
    let text = "a text in quotation marks that is not empty";
    for (lines, told) in [
        ("base_url = 7", format!("github.base_url: must be {text}")),
        ("base_url = ''", format!("github.base_url: must be {text}")),
        (
            "scopes = 7",
            "github.scopes: must be a list of texts, or a text with spaces between them".into(),
        ),
        (
            "scopes = ['a', 1]",
            "github.scopes: must be a list of texts, or a text with spaces between them".into(),
        ),
        ("public_client = 'yes'", "github.public_client: must be true or false".into()),
        (
            "public_client = true",
            "github.client_secret: must be absent, since the client is public".into(),
        ),
        ("parameters = ['a']", "github.parameters: must be a table of texts".into()),
        ("service = true", format!("github.service: must be {text}")),
    ] {
        assert_eq!(with_github(lines), told);
    }
    for (lines, told) in [
        ("github = 'x'", "github: must be a section (table)".to_owned()),
        ("[github]\nclient_id = 12345", format!("github.client_id: must be {text}")),
        (
            "[github]\nclient_id = 'x'\nclient_secret = 12345",
            format!("github.client_secret: must be {text}"),
        ),
        (
            "[github]\nclient_id = 'x'",
            "github.client_secret: this setting is missing; a client without a secret says \
             github.public_client = true"
                .into(),
        ),
        ("[github]", "github.client_id: this setting is missing".into()),
        ("[jira]\nconsumer_key = 'x'", "jira.base_url: this setting is missing".into()),
        ("[twitter]\nclient_key = 'x'", "twitter.client_secret: this setting is missing".into()),
        (
            "[dropbox]\nclient_id = 'x'\nclient_secret = 'y'\nrequire_role = 'wrok'",
            "dropbox.require_role: must be \"personal\" or \"work\"".into(),
        ),
        (
            "[google]\nclient_id = 'x'\nclient_secret = 'y'\noffline = 1",
            "google.offline: must be true or false".into(),
        ),
    ] {
        if lines.contains("jira") && !cfg!(feature = "rsa-sha1") {
            continue;
        }
        assert_eq!(fault(&format!("public_url = '{SITE}'\n{lines}")).to_string(), told);
    }
    assert_eq!(fault("[github]").to_string(), "github.client_id: this setting is missing");
    assert_eq!(fault("").to_string(), "public_url: this setting is missing");
    assert_eq!(fault("public_url = 1").to_string(), format!("public_url: must be {text}"));
}

#[test]
fn a_value_that_the_login_refuses_is_named_by_its_path_and_keeps_its_code() {
    for (lines, path, code) in [
        ("client_id = ''\nclient_secret = 'x'", "github.client_id", "client_id_malformed"),
        ("client_id = ' x'\nclient_secret = 'x'", "github.client_id", "client_id_malformed"),
        ("client_id = 'x'\nclient_secret = ''", "github.client_secret", "secret_missing"),
        (
            "client_id = 'x'\nclient_secret = \"hunter2-canary\\n\"",
            "github.client_secret",
            "secret_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = ' hunter2-canary'",
            "github.client_secret",
            "secret_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nbase_url = 'http://git.example'",
            "github.base_url",
            "base_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nbase_url = 'git.example'",
            "github.base_url",
            "base_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nscopes = 'user \"gist\"'",
            "github.scopes",
            "scope_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nscopes = [\"a\\tb\"]",
            "github.scopes",
            "scope_malformed",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nallow_parameters = 'login state'",
            "github.allow_parameters",
            "parameter_reserved",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\nparameters = { state = '1' }",
            "github.parameters",
            "parameter_reserved",
        ),
        (
            "client_id = 'x'\nclient_secret = 'x'\njson_callback = 'nowhere'",
            "github.json_callback",
            "json_callback_malformed",
        ),
    ] {
        let error = fault(&format!("public_url = '{SITE}'\n[github]\n{lines}"));
        let told = error.to_string();
        assert!(told.starts_with(&format!("{path}: ")), "{told}");
        assert_eq!(error.code(), code, "{lines}");
    }
    let error = fault(&format!(
        "public_url = '{SITE}'\n['my hub']\nservice = 'github'\nclient_id = 'x'\n\
         client_secret = 'x'"
    ));
    assert_eq!(error.code(), "service_name_malformed");
}

#[test]
fn a_configuration_of_flask_dance_is_told_what_to_change() {
    for (lines, told) in [
        // The lines of `app.config`, as they were.
        (
            "GITHUB_OAUTH_CLIENT_ID = 'x'",
            "GITHUB_OAUTH_CLIENT_ID: there is no such setting; did you mean \"github\"?",
        ),
        ("[github]\nclient_id = \"'x'\"\nclient_secret = 'y'", QUOTED_ID),
        ("[github]\nclient_id = '\"x\"'\nclient_secret = 'y'", QUOTED_ID),
        (
            "[github]\r\nclient_id = 'x'\r\nclient_secret = 'y'\r\nscope = 'user,gist'\r\n",
            "github.scope: there is no such setting; did you mean \"scopes\"?",
        ),
        (
            "[github]\nclient_id = 'x'\nclient_secret = 'y'\nredirect_url = '/'",
            "github.redirect_url: there is no such setting",
        ),
        ("[dropbox]\napp_key = 'x'\napp_secret = 'y'", "dropbox.app_key: there is no such setting"),
        (
            "[discord]\nclient_id = 'x'\nclient_secret = 'y'\nprompt = 'None'",
            "discord.prompt: must be \"consent\" or \"none\"",
        ),
        (
            "[google]\nclient_id = 'x'\nclient_secret = 'y'\noffline = 'True'",
            "google.offline: must be true or false",
        ),
        (
            "[google]\nclient_id = 'x'\nclient_secret = 'y'\nhosted_domain = \"'acme.example'\"",
            "google.hosted_domain: must be without quotation marks around it",
        ),
        (
            "[google]\nclient_id = 'x'\nclient_secret = 'y'\nscopes = [\"'openid'\"]",
            "google.scopes: must be without quotation marks around it",
        ),
        (
            "[github]\nclient_id = 'x'\nclient_secret = 'y'\n[github.parameters]\nlogin = \"'a'\"",
            "github.parameters: must be without quotation marks around it",
        ),
    ] {
        let toml = format!("public_url = '{SITE}'\n{lines}");
        assert_eq!(fault(&toml).to_string(), told, "{lines}");
    }
}

const QUOTED_ID: &str = "github.client_id: must be without quotation marks around it";

/// An application's own configuration.
#[derive(Debug, Deserialize)]
struct Config {
    title: String,
    github: Client<GitHub>,
    google: Option<Client<Google>>,
}

#[test]
fn a_section_of_the_applications_own_file_is_a_client() {
    let config: Config = toml::from_str(
        "title = 'Shop'\n[github]\nclient_id = 'our-id'\nclient_secret = 'hunter2-canary'\n\
         scopes = ['gist', 'read:org']\nname = 'hub'",
    )
    .unwrap();
    let told = format!("{config:?}");
    assert!(!told.contains(CANARY) && told.contains("our-id"), "{told}");
    assert!(config.google.is_none());
    assert_eq!((&*config.title, config.github.name()), ("Shop", "hub"));
    Login::new(KeyRing::ephemeral(), SITE).with(config.github).check().unwrap();
}

#[test]
fn a_mistake_beside_a_secret_is_no_error_of_the_reader_which_would_print_the_line() {
    for toml in [
        "title = 'Shop'\ngithub = { client_id = 'x', client_secret = 'hunter2-canary', x = 1 }",
        "title = 'Shop'\ngithub = { client_id = 7, client_secret = 'hunter2-canary' }",
        "title = 'Shop'\ngithub.client_secret = ['hunter2-canary']",
        "title = 'Shop'\ngithub = 'hunter2-canary'",
    ] {
        let config: Config = toml::from_str(toml).unwrap();
        let login = Login::new(KeyRing::ephemeral(), SITE).with(config.github);
        let error = login.check().unwrap_err();
        assert!(error.to_string().starts_with("github"), "{error}");
        assert!(!format!("{error} {error:?} {login:?}").contains(CANARY));
    }
}

fn same_in_json_and_toml<T: DeserializeOwned>(toml: &str, json: &str) -> [T; 2] {
    [toml::from_str(toml).unwrap(), serde_json::from_str(json).unwrap()]
}

#[test]
fn every_format_of_serde_reads_the_same() {
    let both: [LoginSettings; 2] = same_in_json_and_toml(
        "public_url = 'https://app.example'\npath = '/in'\npop_up = 'https://app.example'\n\
         [dropbox]\nclient_id = 'x'\nclient_secret = 'y'\nrequire_role = 'work'\noffline = true",
        r#"{"public_url":"https://app.example","path":"/in","pop_up":"https://app.example",
            "dropbox":{"client_id":"x","client_secret":"y","require_role":"work",
            "offline":"true"}}"#,
    );
    for settings in both {
        let login = Login::from_settings(KeyRing::ephemeral(), settings);
        login.check().unwrap();
        assert_eq!(login.login_url("dropbox", None).unwrap(), "/in/dropbox");
    }
    let both: [Client<Dropbox>; 2] = same_in_json_and_toml(
        "client_id = 'x'\nclient_secret = 'y'\nrequire_role = 'work'",
        r#"{"client_id":"x","client_secret":"y","require_role":"work"}"#,
    );
    for client in both {
        Login::new(KeyRing::ephemeral(), SITE).with(client).check().unwrap();
    }
    let twice: Client<Dropbox> =
        serde_json::from_str(r#"{"client_id":"x","client_secret":"y","client_id":"z"}"#).unwrap();
    let error = Login::new(KeyRing::ephemeral(), SITE).with(twice).check().unwrap_err();
    assert_eq!(error.to_string(), "dropbox.client_id: must be there once");
}

#[test]
fn the_difference_between_clocks_is_a_number_of_seconds() {
    let site = "public_url = 'https://app.example'\n";
    let github = "[github]\nclient_id = 'x'\nclient_secret = 'y'";
    let with = |value: &str| format!("{site}clock_leeway = {value}\n{github}");
    for value in ["0", "120", "'300'"] {
        let settings: LoginSettings = toml::from_str(&with(value)).unwrap();
        Login::from_settings(KeyRing::ephemeral(), settings).check().unwrap();
    }
    assert_eq!(fault(&with("301")).code(), "clock_leeway_too_long");
    for value in ["'2m'", "-1", "1.5", "true", "[]"] {
        let error = fault(&with(value)).to_string();
        assert_eq!(error, "clock_leeway: must be a number of seconds", "{value}");
    }
}

struct Gitea;
impl Service for Gitea {
    const SPEC: Spec = Spec::oauth2("gitea", "authorize", "token", "api/v1").build();
}

#[test]
fn a_service_of_ones_own_is_known_by_settings_when_it_is_named() {
    let toml = "public_url = 'https://app.example'\n[gitea]\nbase_url = 'https://git.example'\n\
                client_id = 'x'\nclient_secret = 'y'";
    let error = fault(toml);
    assert_eq!(error.code(), "section_unknown");
    assert!(error.to_string().contains("LoginSettings::with_service"), "{error}");
    let settings: LoginSettings = toml::from_str(toml).unwrap();
    let settings = settings.with_service::<Gitea>();
    Login::from_settings(KeyRing::ephemeral(), settings).check().unwrap();
}

const NO_SERVICES: &str = "no service is added: call Login::with or Login::with_tenants, or add a \
    section or the variables of a service to the settings";

/// Variables are those of a process, so each case of the test is a process of its own.
const CASE: &str = "QUADRILLE_TEST_OF_SETTINGS";

#[test]
fn settings_in_the_environment() {
    if let Ok(case) = std::env::var(CASE) {
        let settings = LoginSettings::from_env();
        let told = match &*case {
            "login" => Login::from_settings(KeyRing::ephemeral(), settings)
                .check()
                .map(|()| "fine".to_owned())
                .unwrap_or_else(|error| error.to_string()),
            "google" => Google::from_env()
                .map(|_| "fine".to_owned())
                .unwrap_or_else(|error| format!("{error} ({})", error.code())),
            "slack" => match (Slack::from_env(), Twitter::from_env()) {
                (Ok(_), Ok(_)) => "fine".to_owned(),
                other => format!("{other:?}"),
            },
            _ => unreachable!(),
        };
        println!("told: {told}");
        return;
    }
    let google = [("GOOGLE_OAUTH_CLIENT_ID", "x"), ("GOOGLE_OAUTH_CLIENT_SECRET", CANARY)];
    let site = ("LOGIN_PUBLIC_URL", SITE);
    for (case, variables, told) in [
        ("login", vec![google[0], google[1], site], "fine"),
        ("login", vec![site], NO_SERVICES),
        (
            "login",
            vec![site, ("GOOGLE_OAUTH_CLIENTID", "x"), google[1]],
            "GOOGLE_OAUTH_CLIENTID: there is no such setting; did you mean \
             \"GOOGLE_OAUTH_CLIENT_ID\"?",
        ),
        (
            "login",
            vec![google[0], google[1], site, ("LOGIN_POPUP", SITE)],
            "LOGIN_POPUP: there is no such setting; did you mean \"LOGIN_POP_UP\"?",
        ),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_SCOPE", "email")],
            "GOOGLE_OAUTH_SCOPE: there is no such setting; did you mean \"GOOGLE_OAUTH_SCOPES\"? \
             (setting_unknown)",
        ),
        ("google", vec![google[0], google[1], ("GOOGLE_OAUTH_CLIENT_EMAIL", "x")], "fine"),
        ("login", vec![google[0], google[1]], "set the environment variable LOGIN_PUBLIC_URL"),
        (
            "login",
            vec![google[0], site],
            "set the environment variable GOOGLE_OAUTH_CLIENT_SECRET; a client without a secret \
             says GOOGLE_OAUTH_PUBLIC_CLIENT = true",
        ),
        (
            "login",
            vec![google[0], google[1], site, ("LOGIN_PATH", "in")],
            "the login's path must begin with a slash and have no empty or dotted segment",
        ),
        ("google", google.to_vec(), "fine"),
        ("google", vec![google[0], google[1], ("GOOGLE_OAUTH_OFFLINE", "true")], "fine"),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_OFFLINE", "yes")],
            "GOOGLE_OAUTH_OFFLINE: must be true or false (setting_malformed)",
        ),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_SCOPES", "a \"b\"")],
            "GOOGLE_OAUTH_SCOPES: the scope \"\\\"b\\\"\" of google has a character that no scope \
             has (scope_malformed)",
        ),
        (
            "google",
            vec![google[0], ("GOOGLE_OAUTH_CLIENT_SECRET", "hunter2-canary\n")],
            "GOOGLE_OAUTH_CLIENT_SECRET: the client secret of google contains a character that no \
             secret has: for example a line break or a space at its end, or quotation marks around \
             it (secret_malformed)",
        ),
        // Docker's `--env-file` keeps quotation marks, and a Windows line end may stay.
        (
            "google",
            vec![("GOOGLE_OAUTH_CLIENT_ID", "\"x\""), google[1]],
            "GOOGLE_OAUTH_CLIENT_ID: must be without quotation marks around it (setting_malformed)",
        ),
        (
            "google",
            vec![google[0], ("GOOGLE_OAUTH_CLIENT_SECRET", "'hunter2-canary'")],
            "GOOGLE_OAUTH_CLIENT_SECRET: must be without quotation marks around it \
             (setting_malformed)",
        ),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_HOSTED_DOMAIN", "\"acme.example\"")],
            "GOOGLE_OAUTH_HOSTED_DOMAIN: must be without quotation marks around it \
             (setting_malformed)",
        ),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_SCOPES", "'openid email'")],
            "GOOGLE_OAUTH_SCOPES: must be without quotation marks around it (setting_malformed)",
        ),
        (
            "google",
            vec![google[0], google[1], ("GOOGLE_OAUTH_HOSTED_DOMAIN", "acme.example\r")],
            "GOOGLE_OAUTH_HOSTED_DOMAIN: must be without spaces or a line break around it \
             (setting_malformed)",
        ),
        ("google", vec![google[0], google[1], ("GOOGLE_OAUTH_SCOPES", " openid  email ")], "fine"),
        (
            "login",
            vec![google[0], google[1], ("LOGIN_PUBLIC_URL", "\"https://app.example\"")],
            "LOGIN_PUBLIC_URL: must be without quotation marks around it",
        ),
        (
            "slack",
            vec![
                ("SLACK_OAUTH_CLIENT_ID", "x"),
                ("SLACK_OAUTH_CLIENT_SECRET", "y"),
                ("TWITTER_OAUTH_CLIENT_KEY", "x"),
                ("TWITTER_OAUTH_CLIENT_SECRET", "y"),
            ],
            "fine",
        ),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "settings::settings_in_the_environment", "--nocapture"])
            .env(CASE, case)
            .envs(variables)
            .output()
            .unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let said = output.lines().find_map(|line| line.split_once("told: "));
        assert_eq!(said.map(|(_, said)| said), Some(told), "{output}");
        assert!(!output.contains(CANARY), "{output}");
    }
}
