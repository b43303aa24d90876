//! Atlassian's cloud.

use crate::consumer::Spec;

service! {
    /// Atlassian's cloud (Jira, Confluence). Register at
    /// <https://developer.atlassian.com/console/myapps> with the callback `{public
    /// URL}/login/atlassian/authorized`. [`Jira`](crate::Jira) is an installation of your own.
    ///
    /// Atlassian requires `prompt=consent`. The token request is JSON. A refresh token needs the
    /// scope `offline_access`, and is valid once. The paths of a site's API begin with `ex/jira/`
    /// and the identifier that `oauth/token/accessible-resources` tells.
    Atlassian,
    new: (id, secret),
    variables: ["ATLASSIAN_OAUTH_CLIENT_ID", "ATLASSIAN_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and Atlassian's documentation \
              (an undated copy)",
    spec: Spec::oauth2(
        "atlassian",
        "https://auth.atlassian.com/authorize",
        "https://auth.atlassian.com/oauth/token",
        "https://api.atlassian.com",
    )
    .title("Atlassian")
    .scopes("read:me")
    .parameters(&[("audience", "api.atlassian.com"), ("prompt", "consent")])
    .identity("me", "account_id")
    .profile(&[
        ("preferred_username", "nickname"),
        ("name", "name"),
        ("email", "email"),
        ("picture", "picture"),
    ])
    .secret_in_json_body()
    .rotates_refresh_tokens(),
    manners: {
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Rotating,
        refresh_wants: "scope=offline_access",
        account: r#"{"account_id":"557058:$ID","nickname":"ada","name":"Ada Lovelace",
            "email":"ada@example.com","picture":"https://avatar-management.example/ada"}"#,
    },
}
