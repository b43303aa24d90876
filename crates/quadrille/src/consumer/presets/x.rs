//! X, formerly Twitter, by OAuth 2.

use crate::consumer::{Revocation, Spec};

service! {
    /// X, formerly Twitter, by OAuth 2 and version 2 of its API; [`Twitter`](crate::Twitter) is
    /// OAuth 1.0a. Register at <https://developer.x.com> with the callback `{public
    /// URL}/login/x/authorized`, as a confidential client.
    ///
    /// PKCE is required. Access tokens last two hours. A refresh token needs the scope
    /// `offline.access`, and is valid once. There are no e-mail addresses.
    X,
    new: (id, secret),
    variables: ["X_OAUTH_CLIENT_ID", "X_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), python-social-auth, Arctic and X' \
              documentation (undated copies)",
    spec: Spec::oauth2(
        "x",
        "https://x.com/i/oauth2/authorize",
        "https://api.x.com/2/oauth2/token",
        "https://api.x.com/2",
    )
    .title("X")
    .scopes("users.read tweet.read")
    .identity("users/me?user.fields=profile_image_url", "data.id")
    .profile(&[
        ("preferred_username", "data.username"),
        ("name", "data.name"),
        ("picture", "data.profile_image_url"),
    ])
    .rotates_refresh_tokens()
    .revocation("https://api.x.com/2/oauth2/revoke", Revocation::Standard),
    manners: {
        secret_in_one_way: true,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(7200)),
        refresh: Refresh::Rotating,
        refresh_wants: "scope=offline.access",
        account: r#"{"data":{"id":"$ID","username":"ada","name":"Ada Lovelace",
            "profile_image_url":"https://pbs.twimg.com/profile_images/ada.png"}}"#,
    },
}
