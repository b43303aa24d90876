//! Heroku.

use crate::consumer::Spec;

service! {
    /// Heroku. Register at <https://dashboard.heroku.com/account/applications> with the callback
    /// `{public URL}/login/heroku/authorized`.
    ///
    /// Each call names the version of the API. Access tokens last eight hours. Whether a refresh
    /// token is replaced is unconfirmed, and so is a revocation for applications.
    Heroku,
    new: (id, secret),
    variables: ["HEROKU_OAUTH_CLIENT_ID", "HEROKU_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against goth (February 2026), Flask-Dance and Heroku's documentation \
              (July 2024)",
    spec: Spec::oauth2(
        "heroku",
        "https://id.heroku.com/oauth/authorize",
        "https://id.heroku.com/oauth/token",
        "https://api.heroku.com",
    )
    .title("Heroku")
    .scopes("identity")
    .identity("account", "id")
    .profile(&[("name", "name"), ("email", "email"), ("email_verified", "verified")])
    .call_headers(&[("Accept", "application/vnd.heroku+json; version=3")]),
    options: {
        /// Sets the version of the API that calls ask for; `3` by default.
        api_version(version: text) => |client, version| {
            let accept = format!("application/vnd.heroku+json; version={version}");
            client.with_spec(|spec| spec.call_headers = vec![("Accept".into(), accept.into())])
        },
    },
    manners: {
        lifetime: Some(Duration::from_secs(28799)),
        refresh: Refresh::Lasting,
        account: r#"{"id":"01234567-89ab-$ID","name":"Ada Lovelace","email":"ada@example.com",
            "verified":true}"#,
    },
}
