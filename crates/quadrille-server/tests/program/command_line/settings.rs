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
