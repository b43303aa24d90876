//! Which setting wins, and those that do not exist.

use super::*;

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new();
    let file = folder.path().join("quadrille.toml");
    let toml = "code_lifetime = 30\naccess_token_lifetime = \"10m\"\nsession_lifetime = \"1d\"\n\
        trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_header = \"Forwarded\"\n\
        resources = [\"https://api.example\", \"urn:mail\"]\nclient_metadata_documents = true\n\
        client_metadata_document_scopes = [\"photos:read\", \"b\"]\n[scopes]\n\"photos:read\" = \"See your photos\"\nb = \"B\"\n\
        [oauth1]\nenabled = true\nsignature_methods = [\"HMAC-SHA512\"]\ntimestamp_window = \"2m\"\n";
    std::fs::write(&file, toml).unwrap();
    let output = quadrille(&["config", "--json", "--set", "code_lifetime=50s", "--config"])
        .arg(&file)
        .env("QUADRILLE_CODE_LIFETIME", "40s")
        .env("QUADRILLE_ACCESS_TOKEN_LIFETIME", "5m")
        .env("QUADRILLE_OAUTH1_TIMESTAMP_WINDOW", "1m")
        .env("QUADRILLE_KEYS", "canary")
        .output()
        .unwrap();
    let settings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |key: &str| {
        let setting = settings.as_array().unwrap().iter().find(|setting| setting["key"] == key);
        let setting = setting.unwrap_or_else(|| panic!("{key} in {settings}"));
        format!(
            "{} from {}",
            setting["value"].as_str().unwrap(),
            setting["origin"].as_str().unwrap()
        )
    };
    let file = file.to_str().unwrap();
    assert_eq!(of("code_lifetime"), "50s from --set");
    assert_eq!(of("access_token_lifetime"), "5m from QUADRILLE_ACCESS_TOKEN_LIFETIME");
    assert_eq!(of("session_lifetime"), format!("1d from {file}"));
    assert_eq!(of("trusted_proxies"), format!("10.0.0.0/8,::1/128 from {file}"));
    assert_eq!(of("proxy_header"), format!("forwarded from {file}"));
    assert_eq!(of("resources"), format!("https://api.example,urn:mail from {file}"));
    assert_eq!(of("client_metadata_documents"), format!("true from {file}"));
    assert_eq!(of("client_metadata_document_scopes"), format!("photos:read,b from {file}"));
    assert_eq!(of("scopes"), format!("b=B;photos:read=See your photos from {file}"));
    assert_eq!(of("oauth1.enabled"), format!("true from {file}"));
    assert_eq!(of("oauth1.signature_methods"), format!("HMAC-SHA512 from {file}"));
    assert_eq!(of("oauth1.timestamp_window"), "1m from QUADRILLE_OAUTH1_TIMESTAMP_WINDOW");
    assert_eq!(of("oauth1.token_lifetime"), "(until they are revoked) from default");
    assert_eq!(of("listen"), "127.0.0.1:4004 from default");
    assert!(!text(&output.stdout).contains("canary"));
}

#[test]
fn a_setting_that_does_not_exist_is_named_with_the_nearest_one() {
    let folder = Folder::new();
    let file = folder.path().join("quadrille.toml");
    let said = |toml: &str| {
        std::fs::write(&file, toml).unwrap();
        let output = quadrille(&["config", "--config"]).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    let unknown = said("acess_token_lifetime = 5");
    assert!(unknown.contains("did you mean \"access_token_lifetime\"?"), "{unknown}");
    assert!(unknown.contains("quadrille.toml"));
    assert!(said("listen = \"nowhere\"").contains("listen must be an address and port"));
    assert!(said("code_lifetime = 0").contains("code_lifetime must be a duration"));
    assert!(said("issuer = \"http://id.example\"").contains("issuer must be an https URL"));
    assert!(said("trusted_proxies = [\"10.0.0.0/33\"]").contains("trusted_proxies must be"));
    let days = said("personal_access_token_max_lifetime = \"5m\"");
    assert!(days.contains("must be a duration from 1d"), "{days}");
    let wait = said("database_wait = \"soon\"");
    assert!(wait.contains("must be 0 or a duration from 1s"), "{wait}");
    for alone in ["read_from = [\"postgres://one/id\"]", "database_direct = \"postgres://one/id\""]
    {
        let alone = said(alone);
        assert!(alone.contains("the setting database is missing"), "{alone}");
    }
    for (of_postgres, why) in [
        ("database_hashed_keys = true", "database_hashed_keys is for a database of PostgreSQL"),
        ("read_from = [\"postgres://one/id\"]", "read_from is for a database of PostgreSQL"),
        ("database_direct = \"mysql://one/id\"", "database_direct is for a database of PostgreSQL"),
    ] {
        let wrong = said(&format!("database = \"mysql://one/id\"\n{of_postgres}"));
        assert!(wrong.contains(why), "{wrong}");
    }
    let header = said("proxy_header = \"x-real-ip\"");
    assert!(header.contains("proxy_header must be x-forwarded-for or forwarded"), "{header}");
    assert!(said("listen = ").contains("quadrille.toml"));
    let nested = said("[oauth1]\nenable = true");
    assert!(nested.contains("\"oauth1.enable\"; did you mean \"oauth1.enabled\"?"), "{nested}");
    assert!(said("oauth1 = true").contains("no setting \"oauth1\""));
    assert!(said("[oauth1]\nenabled = \"perhaps\"").contains("true or false"));
    let short = said("[oauth1]\nsignature_methods = [\"HMAC-SHA1\"]");
    assert!(short.contains("HMAC-SHA1-as-most-clients-sign"), "{short}");
    let secret = said("keys = \"canary\"");
    assert!(secret.contains("QUADRILLE_KEYS") && !secret.contains("canary"), "{secret}");
    // Other programs may have variables of this prefix: a remark is enough.
    let output = quadrille(&["config"]).env("QUADRILLE_LISTN", "x").output().unwrap();
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("did you mean \"listen\"?"), "{}", text(&output.stderr));
    // A website in the same environment logs in here as the service `quadrille`.
    for (variable, is_remarked) in [
        ("QUADRILLE_OAUTH_CLIENT_ID", false),
        ("QUADRILLE_OAUTH_BASE_URL", false),
        ("QUADRILLE_OAUTH_ENABLED", true),
    ] {
        let output = quadrille(&["config"]).env(variable, "x").output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(said.contains("there is no setting"), is_remarked, "{variable}: {said}");
    }
}
