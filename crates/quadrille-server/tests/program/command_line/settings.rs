//! Settings: flags, environment and file.

use super::*;

#[test]
fn scopes_are_a_table_or_a_list_and_what_is_neither_is_refused() {
    let folder = Folder::new();
    let data = folder.data();
    let shown = |value: &str| {
        let settings = json(&data, &["config", "--set", &format!("scopes={value}")], "");
        let find = |setting: &&Value| setting["key"] == "scopes";
        let value = settings.as_array().unwrap().iter().find(find).unwrap()["value"].clone();
        value.as_str().unwrap().to_owned()
    };
    assert_eq!(shown("a,b"), "a=a;b=b");
    assert_eq!(shown("b, a ;c=See, and count"), "a=a;b=b;c=See, and count");
    assert_eq!(shown("a=1+1=2, or not"), "a=1+1=2, or not");
    for wrong in
        ["a=A,b=B", "a,b=B", "a, b=See b;c", "{a=\"A\"}", "a,,b", "a b", "\"a\"", "=x", "a,"]
    {
        let (code, said) = failure(&data, &["config", "--set", &format!("scopes={wrong}")]);
        assert_eq!(code, 3, "{wrong}: {said}");
        assert!(said.contains("photos:read=See your photos"), "{said}");
    }
    let file = folder.path().join("quadrille.toml");
    std::fs::write(&file, "scopes = [\"a\", \"b\"]").unwrap();
    let config = ["config", "--config", file.to_str().unwrap()];
    assert!(json(&data, &config, "").to_string().contains("a=a;b=b"));
}

/// The values that `config` shows, by setting.
fn values(output: &[u8]) -> Vec<(String, String)> {
    let settings: Value = serde_json::from_slice(output).unwrap();
    let of = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    settings.as_array().unwrap().iter().map(|row| (of(row, "key"), of(row, "value"))).collect()
}

#[test]
fn what_config_prints_is_a_settings_file_with_the_same_settings() {
    let folder = Folder::new();
    let (given, printed) = (folder.path().join("given.toml"), folder.path().join("printed.toml"));
    let toml = "name = \"Tom & \\\"Jerry\\\"\"\nmax_connections = 100\n\
        trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nresources = [\"https://api.example\"]\n\
        code_lifetime = 30\n[scopes]\n\"photos:read\" = \"See; and = count, 'all' #1\"\nb = \"B\\nb\"\n\
        [token_exchange.4f1c]\ntokens_of = [\"9a2b\"]\n[oauth1]\nenabled = true\n\
        signature_methods = [\"HMAC-SHA512\"]\n";
    std::fs::write(&given, toml).unwrap();
    let with = |file: &std::path::Path, further: &[&str]| {
        let mut command = quadrille(&["config", "--config", file.to_str().unwrap()]);
        command.args(further).env_remove("QUADRILLE_OPENID").env("HOME", folder.path());
        command
    };
    let flags =
        ["--issuer", "https://id.example", "--set", "scope_tree=b=photos:read", "--log", "warn"];
    let variables = [
        ("QUADRILLE_ACCESS_TOKEN_LIFETIME", "5m"),
        ("QUADRILLE_DEVICE_ENABLED", "true"),
        ("QUADRILLE_KEYS", "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE="),
        ("QUADRILLE_DATABASE", "postgres://id:hunter2@db.internal/id"),
        ("QUADRILLE_READ_FROM", "postgres://one/id?password=hunter2"),
        ("QUADRILLE_CACHE", "redis://:hunter2@cache.internal"),
    ];
    let before = with(&given, &flags).envs(variables).arg("--json").output().unwrap();
    let before = values(&before.stdout);
    let output = with(&given, &flags).envs(variables).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(!shown.contains("hunter2") && !shown.contains("bm90"), "{shown}");
    std::fs::write(&printed, &shown).unwrap();
    // What may not be in a file stays in the environment.
    let secrets = || variables.into_iter().filter(|(_, value)| value.len() > 6);
    let after = with(&printed, &["--json"]).envs(secrets()).output().unwrap();
    assert!(after.status.success(), "{}", text(&after.stderr));
    assert_eq!(values(&after.stdout), before);

    // A default that somebody uncomments is accepted, and changes nothing.
    let plain = quadrille(&["config"]).env("HOME", folder.path()).output().unwrap();
    let of_default = |line: &&str| {
        line.contains(" = ") && !line.contains("= (") && !line.starts_with("read_from = ")
    };
    let lines = text(&plain.stdout);
    let lines = lines.lines().filter_map(|line| line.strip_prefix("# ")).filter(of_default);
    let file: String =
        lines.filter(|line| !line.starts_with("grant ")).map(|line| format!("{line}\n")).collect();
    assert!(file.lines().count() > 30, "{file}");
    std::fs::write(&printed, &file).unwrap();
    let usual = quadrille(&["config", "--json"]).env("HOME", folder.path()).output().unwrap();
    let mut again = with(&printed, &["--json"]);
    let again = again.env("QUADRILLE_OPENID", "false").output().unwrap();
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(values(&again.stdout), values(&usual.stdout));
}

#[test]
fn config_finds_the_mistakes_with_which_serve_would_end() {
    let (folder, served) = (Folder::new(), Folder::new());
    let data = folder.data();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("broken")).unwrap();
    std::fs::write(at("broken/message.html"), "{% if %}").unwrap();
    std::fs::write(at("key.json"), "{}").unwrap();
    let broken = format!("templates={}", at("broken"));
    let missing = format!("templates={}", at("missing"));
    let key = format!("openid_request_object_keys={}", at("key.json"));
    let objects = ["--set", "openid=true", "--set", "openid_request_objects=true", "--set", &key];
    let statement = "registration_requires_software_statement=true";
    let nowhere = ["templates", "texts", "brand_logo", "audit_log"]
        .map(|setting| format!("{setting}={}", at("missing/file")));
    for wrong in &nowhere {
        let (code, said) = failure(&data, &["config", "--set", wrong]);
        let setting = wrong.split('=').next().unwrap();
        assert!(code == 3 && said.contains(&format!("{setting}: ")), "{code} {said}");
    }
    for wrong in [
        &["--set", &broken][..],
        &["--set", &missing],
        &["--set", &nowhere[3]],
        &objects,
        &["--set", "registration=initial-access-token", "--set", statement],
    ] {
        let serve = [&["serve", "--listen", "127.0.0.1:0"], wrong].concat();
        // `serve` makes its folder before it looks at some of them.
        let (code, said) = failure(served.path(), &serve);
        let (code_of_config, said_by_config) = failure(&data, &[&["config"], wrong].concat());
        let last = |said: &str| said.lines().last().map(str::to_owned);
        assert_eq!((code_of_config, last(&said_by_config)), (code, last(&said)), "{wrong:?}");
    }
    let mut ring = quadrille(&["config"]);
    let output = ring.env("QUADRILLE_KEYS", "short").arg("--data-dir").arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("QUADRILLE_KEYS"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("# keys = "), "the settings are shown nevertheless");

    // A file that replaces no page is named.
    std::fs::create_dir(at("pages")).unwrap();
    std::fs::write(at("pages/mesage.html"), "").unwrap();
    let output = run(&data, &["config", "--set", &format!("templates={}", at("pages"))], "");
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("did you mean \"message.html\"?"));
    assert!(!data.join("quadrille.db").exists());
}

#[test]
fn a_list_is_separated_by_commas_or_semicolons() {
    let folder = Folder::new();
    for (setting, shown) in [
        ("resources=https://a.example;https://b.example", "https://a.example,https://b.example"),
        ("trusted_proxies=127.0.0.1; ::1", "127.0.0.1/32,::1/128"),
        ("oauth1.signature_methods=HMAC-SHA256;RSA-SHA256", "HMAC-SHA256,RSA-SHA256"),
    ] {
        let settings = json(&folder.data(), &["config", "--set", setting], "").to_string();
        assert!(settings.contains(&format!("\"value\":\"{shown}\"")), "{setting}: {settings}");
    }
}

#[test]
fn a_misspelt_level_is_refused_and_does_not_silence_the_log() {
    let folder = Folder::new();
    let data = folder.data();
    for wrong in ["inof", "loud", "info,audit", "quadrille::request", "info,audit=inof"] {
        let (code, said) = failure(&data, &["config", "--log", wrong]);
        assert_eq!(code, 3, "{wrong}: {said}");
        assert!(said.contains("off, error, warn, info"), "{said}");
    }
    for right in ["warn", "INFO", "info,quadrille::request=debug", "audit=info, warn", "off"] {
        json(&data, &["config", "--log", right], "");
    }
}

#[test]
fn the_issuer_is_the_one_that_serve_takes() {
    let folder = Folder::new();
    let issuer = || {
        let settings = json(&folder.data(), &["config"], "");
        let find = |setting: &&Value| setting["key"] == "issuer";
        settings.as_array().unwrap().iter().find(find).unwrap().clone()
    };
    let given = "http://localhost:14021";
    assert_eq!(issuer()["origin"], "default");
    assert!(!folder.data().exists(), "it only reads");
    Program::start_with(&folder, &["--issuer", given]).stop();
    assert_eq!(issuer()["value"], given);
    assert!(issuer()["origin"].as_str().unwrap().starts_with("given before, and remembered in "));
    // It listens elsewhere, which it says.
    let program = Program::start(&folder);
    assert_eq!(program.issuer, given);
    let warning =
        format!("the issuer that was given before, and it listens at {}:", program.listening);
    assert!(program.log().contains(&warning), "{}", program.log());
    program.stop();
    let program = Program::start_with(&folder, &["--issuer", given]);
    assert!(!program.log().contains("given before"), "{}", program.log());
}
