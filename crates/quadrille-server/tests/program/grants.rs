//! Grants that are on or off.

use crate::{
    issuers::{Partner, metadata},
    process::{Folder, Program, failure, json, run, text},
};

#[test]
fn the_configuration_lists_each_grant_as_on_or_off() {
    let folder = Folder::new();
    let data = folder.data();
    let trusted = Partner::new()
        .setting("trusted_for = ['jwt-bearer', 'token-exchange'], subjects = 'user-names'");
    let rule = "token_exchange={ mailer = { tokens_of = ['shop'] } }";
    let shown = |arguments: &[&str]| {
        let rows = json(&data, &[&["config"], arguments].concat(), "");
        let rows = rows.as_array().unwrap().clone();
        let grants = rows.iter().filter_map(|row| {
            let name = row["key"].as_str()?.strip_prefix("grant ")?;
            let name = name.rsplit(':').next()?;
            Some(format!("{name} {}", row["value"].as_str()?))
        });
        grants.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        shown(&[]),
        "authorization_code on, refresh_token on, client_credentials on, device_code off, \
         jwt-bearer off, token-exchange off, implicit off, password off"
    );
    assert_eq!(
        shown(&[
            "--set",
            "grant_types=authorization_code",
            "--set",
            "device.enabled=true",
            "--set",
            &trusted,
            "--set",
            rule,
            "--set",
            "let_clients_see_passwords_of_users=true"
        ]),
        "authorization_code on, refresh_token off, client_credentials off, device_code on, \
         jwt-bearer on, token-exchange on, implicit off, password on"
    );
    let plain = text(&run(&data, &["config"], "").stdout);
    assert!(plain.contains("grant client_credentials = on"), "{plain}");
    let (code, said) = failure(&data, &["config", "--set", "grant_types=password"]);
    assert!(code == 3 && said.contains("client_credentials"), "{said}");
}

#[test]
fn a_client_is_told_of_a_grant_that_its_provider_does_not_offer() {
    let folder = Folder::new();
    let remarks = [
        "offers device codes: `quadrille serve --device`",
        "offers OAuth 1.0a: `quadrille serve --oauth1`",
        "offers the grant password: see the setting let_clients_see_passwords_of_users",
    ];
    let add = ["client", "add", "Old", "--oauth1", "--oob", "--grant", "device_code"];
    let add = [&add[..], &["--grant", "password"]].concat();
    let said = |command: &[&str], settings: &[&str]| {
        let output = run(&folder.data(), &[command, settings].concat(), "");
        assert!(output.status.success(), "{output:?}");
        let said = text(&output.stderr);
        assert!(said.contains("sees the passwords of its users"), "{said}");
        remarks.iter().map(|remark| said.contains(remark)).collect::<Vec<_>>()
    };
    assert_eq!(said(&add, &[]), [true; 3], "nobody has served the directory");
    let passwords = "let_clients_see_passwords_of_users=true";
    let on = ["--device", "--oauth1", "--set", passwords];
    let program = Program::start_with(&folder, &on);
    assert_eq!(said(&add, &[]), [false; 3]);
    assert_eq!(said(&add, &["--set", "device.enabled=false"]), [true, false, false]);
    drop(program);
    let client = json(&folder.data(), &[&add[..], &["--id", "old"]].concat(), "");
    let edit = ["client", "edit", client["client_id"].as_str().unwrap(), "--name", "Older"];
    assert_eq!(said(&edit, &[]), [false; 3], "it was served with them");
    drop(Program::start_with(&folder, &["--device"]));
    assert_eq!(said(&edit, &[]), [false, true, true]);
    assert_eq!(said(&edit, &["--set", passwords]), [false, true, false]);
}

#[tokio::test]
async fn a_client_with_a_grant_that_is_off_is_pointed_out() {
    let folder = Folder::new();
    let add = ["client", "add", "Job", "--grant", "client_credentials"];
    let output = run(&folder.data(), &add, "");
    assert!(!text(&output.stderr).contains("offers the grant"), "{output:?}");
    let add = ["client", "add", "Sync", "--grant", "jwt_bearer"];
    let output = run(&folder.data(), &add, "");
    let said = text(&output.stderr);
    assert!(said.contains("jwt-bearer: see the setting trusted_issuers"), "{said}");
    let rule = "token_exchange={ nobody = { tokens_of = ['shop'] } }";
    let set = ["--set", "grant_types=authorization_code,refresh_token", "--set", rule];
    let program = Program::start_with(&folder, &set);
    let grants = &metadata(&program).await["grant_types_supported"];
    assert!(!grants.to_string().contains("client_credentials"), "{grants}");
    let log = program.log();
    for warning in [
        "is registered for client_credentials, which is off: grant_types",
        "jwt-bearer, which is off: trusted_issuers",
        "names the client \"nobody\", which does not exist",
    ] {
        assert!(log.contains(warning), "{warning}: {log}");
    }
    assert!(!log.contains("authorization_code, which is off"), "{log}");
}

#[test]
fn an_audience_that_the_settings_lost_is_pointed_out_with_the_nearest_one() {
    let folder = Folder::new();
    let add = ["client", "add", "Photo API", "--resource-server", "--audience"];
    let api = ["https://api.example", "--set", "resources=https://api.example"];
    let output = run(&folder.data(), &[&add[..], &api].concat(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let started =
        |uri: &str| Program::start_with(&folder, &["--set", &format!("resources={uri}")]).log();
    assert!(!started("https://api.example").contains("the setting resources has not"));
    let log = started("https://api2.example");
    let warning = "has the audience \"https://api.example\", which the setting resources has not: \
                   `quadrille client edit ";
    assert!(log.contains(warning), "{log}");
    let hint = "--remove-audience https://api.example` takes it away; did you mean \
                \"https://api2.example\"?";
    assert!(log.contains(hint), "{log}");
}

#[test]
fn a_scope_that_the_settings_lost_is_pointed_out_with_the_nearest_one() {
    let folder = Folder::new();
    let scopes = |names: &str| ["--set".to_owned(), format!("scopes={names}")];
    let started = |names: &str| {
        let [flag, value] = scopes(names);
        Program::start_with(&folder, &[&flag, &value]).log()
    };
    let [flag, value] = scopes("photos:read=See;photos:write=Add");
    let add = ["client", "add", "--grant", "client_credentials", "--scope", "photos:write"];
    for name in ["One", "Two"] {
        let output = run(&folder.data(), &[&add[..], &[name, &flag, &value]].concat(), "");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert!(!started("photos:write=Add").contains("the setting scopes has not"));
    let log = started("photos:writing=Add");
    let warning = "and 1 more have the scope \"photos:write\", which the setting scopes has not: ";
    assert!(log.contains(warning), "{log}");
    let hint = "--remove-scope photos:write` takes it away; did you mean \"photos:writing\"?";
    assert!(log.contains(hint), "{log}");
}
