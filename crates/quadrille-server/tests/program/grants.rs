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
         jwt-bearer off, token-exchange off"
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
            rule
        ]),
        "authorization_code on, refresh_token off, client_credentials off, device_code on, \
         jwt-bearer on, token-exchange on"
    );
    let plain = text(&run(&data, &["config"], "").stdout);
    assert!(plain.contains("grant client_credentials = on"), "{plain}");
    let (code, said) = failure(&data, &["config", "--set", "grant_types=password"]);
    assert!(code == 3 && said.contains("client_credentials"), "{said}");
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
