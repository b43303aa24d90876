//! Reddit.

use crate::consumer::{Revocation, Spec};

service! {
    /// Reddit. Register at <https://www.reddit.com/prefs/apps> with the callback `{public
    /// URL}/login/reddit/authorized`.
    ///
    /// No source of these confirms the revocation endpoint. Reddit refuses requests of unknown
    /// programs: name yours with `user_agent`. A refresh token comes only with `permanent`, and
    /// remains valid.
    Reddit,
    new: (id, secret),
    variables: ["REDDIT_OAUTH_CLIENT_ID", "REDDIT_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and Flask-Dance",
    spec: Spec::oauth2(
        "reddit",
        "https://www.reddit.com/api/v1/authorize",
        "https://www.reddit.com/api/v1/access_token",
        "https://oauth.reddit.com",
    )
    .title("Reddit")
    .scopes("identity")
    .identity("api/v1/me", "id")
    .profile(&[("preferred_username", "name"), ("picture", "icon_img")])
    .revocation("https://www.reddit.com/api/v1/revoke_token", Revocation::Standard),
    options: {
        /// Requests a refresh token (`duration=permanent`).
        permanent => |client| client.option("duration", "permanent"),
        /// Sets the `User-Agent` of all requests to Reddit, which asks for
        /// `platform:name:version (by /u/name)`.
        user_agent(user_agent: text) => |client, name| client.header_everywhere("user-agent", name),
    },
    manners: {
        secret_in_one_way: true,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(86400)),
        refresh: Refresh::Lasting,
        refresh_wants: "duration=permanent",
        account: r#"{"id":"$ID","name":"ada","icon_img":"https://styles.redditmedia.com/ada.png"}"#,
    },
}
