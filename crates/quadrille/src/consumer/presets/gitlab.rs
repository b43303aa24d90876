//! GitLab.

use crate::consumer::{Revocation, Spec};

service! {
    /// GitLab. Register at <https://gitlab.com/-/user_settings/applications> with the callback
    /// `{public URL}/login/gitlab/authorized`. An installation of your own is
    /// `hosted_at` its URL, which may include a path.
    ///
    /// PKCE is recommended. Access tokens last two hours; each refresh token is valid once. GitLab
    /// does not say of an address whether it is verified. Installations have
    /// the device flow since GitLab 17.1.
    GitLab,
    new: (id, secret),
    variables: ["GITLAB_OAUTH_CLIENT_ID", "GITLAB_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Arctic and GitLab's documentation (undated copies)",
    spec: Spec::oauth2(
        "gitlab",
        "https://gitlab.com/oauth/authorize",
        "https://gitlab.com/oauth/token",
        "https://gitlab.com/api/v4",
    )
    .title("GitLab")
    .scopes("openid read_user")
    .openid("https://gitlab.com", "https://gitlab.com/oauth/discovery/keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("user", "id")
    .profile(&[
        ("preferred_username", "username"),
        ("name", "name"),
        ("email", "email"),
        ("picture", "avatar_url"),
    ])
    .rotates_refresh_tokens()
    .device_authorization("https://gitlab.com/oauth/authorize_device")
    .revocation("https://gitlab.com/oauth/revoke", Revocation::Standard),
    manners: {
        lifetime: Some(Duration::from_secs(7200)),
        refresh: Refresh::Rotating,
        account: r#"{"id":$ID,"username":"ada","name":"Ada Lovelace","state":"active",
            "avatar_url":"https://gitlab.com/uploads/ada.png","email":"ada@example.com"}"#,
    },
}
