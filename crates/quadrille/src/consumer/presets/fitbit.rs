//! Fitbit.

use crate::consumer::{Revocation, Spec};

service! {
    /// Fitbit's Web API. Register at <https://dev.fitbit.com/apps> with the callback `{public
    /// URL}/login/fitbit/authorized`.
    ///
    /// HTTP Basic is required and PKCE recommended. Access tokens last eight hours; each refresh
    /// token is replaced. Google moves this API to the Google Health API, where users must consent
    /// again; when this one ends is unconfirmed. There are no e-mail addresses.
    Fitbit,
    new: (id, secret),
    variables: ["FITBIT_OAUTH_CLIENT_ID", "FITBIT_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Fitbit's reference, Google's migration guide and \
              python-social-auth (August 2026)",
    spec: Spec::oauth2(
        "fitbit",
        "https://www.fitbit.com/oauth2/authorize",
        "https://api.fitbit.com/oauth2/token",
        "https://api.fitbit.com",
    )
    .title("Fitbit")
    .scopes("profile")
    .identity_in_token("user_id")
    .identity("1/user/-/profile.json", "user.encodedId")
    .profile(&[
        ("preferred_username", "user.displayName"),
        ("name", "user.fullName"),
        ("picture", "user.avatar"),
    ])
    .rotates_refresh_tokens()
    .revocation("https://api.fitbit.com/oauth2/revoke", Revocation::Standard),
    manners: {
        secret_in_one_way: true,
        lifetime: Some(Duration::from_secs(28800)),
        refresh: Refresh::Rotating,
        account: r#"{"user":{"encodedId":"$ID","displayName":"ada L.","fullName":"Ada Lovelace",
            "avatar":"https://static0.fitbit.com/images/profile/ada.gif"}}"#,
    },
}
