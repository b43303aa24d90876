//! JIRA installations.

use crate::{consumer::Spec, oauth1::SignatureMethod};

service! {
    /// An installation of JIRA (Server or Data Center), by OAuth 1.0a with RSA-SHA1. JIRA in the
    /// cloud uses OAuth 2.
    ///
    /// Register under "Application links" as an incoming link, with a consumer key of your choice
    /// and the public half of an RSA key:
    ///
    /// ```sh
    /// openssl genrsa -out jira.pem 2048 && openssl rsa -in jira.pem -pubout
    /// ```
    ///
    /// A user who refuses returns with the verifier `denied`. Tokens last five years. Bodies are
    /// JSON. The identifier is the user's `key`, which does not change when they are renamed.
    Jira,
    new: (base_url, key, rsa_key),
    variables: ["JIRA_OAUTH_BASE_URL", "JIRA_OAUTH_CONSUMER_KEY", "JIRA_OAUTH_RSA_KEY"],
    checked: "November 2026 against Flask-Dance and Atlassian's documentation (undated copies)",
    spec: Spec::oauth1(
        "jira",
        "plugins/servlet/oauth/request-token",
        "plugins/servlet/oauth/authorize",
        "plugins/servlet/oauth/access-token",
        "",
    )
    .title("JIRA")
    .signature_method(SignatureMethod::RsaSha1)
    .identity("rest/api/2/myself", "key")
    .profile(&[
        ("preferred_username", "name"),
        ("name", "displayName"),
        ("email", "emailAddress"),
        ("picture", "avatarUrls.48x48"),
    ])
    .refused_verifier("denied"),
    manners: {
        denial: Denial::Verifier("denied"),
        account: r#"{"key":"JIRAUSER$ID","name":"ada","displayName":"Ada Lovelace",
            "emailAddress":"ada@example.com",
            "avatarUrls":{"48x48":"https://jira.example/secure/useravatar?avatarId=1"}}"#,
    },
}
