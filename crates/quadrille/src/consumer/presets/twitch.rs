//! Twitch.

use crate::consumer::{Revocation, Spec};

service! {
    /// Twitch. Register at <https://dev.twitch.tv/console/apps> with the callback `{public
    /// URL}/login/twitch/authorized`. The address needs the scope `user:read:email`.
    ///
    /// HTTP Basic is not accepted. Each call names the application. Granted scopes are an array.
    /// Revocation takes no secret. Twitch wants applications to call
    /// `https://id.twitch.tv/oauth2/validate` every hour, which is up to yours.
    Twitch,
    new: (id, secret),
    variables: ["TWITCH_OAUTH_CLIENT_ID", "TWITCH_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and Twitch's documentation (an \
              undated copy)",
    spec: Spec::oauth2(
        "twitch",
        "https://id.twitch.tv/oauth2/authorize",
        "https://id.twitch.tv/oauth2/token",
        "https://api.twitch.tv/helix",
    )
    .title("Twitch")
    .issuer("https://id.twitch.tv/oauth2")
    .scopes("openid")
    .openid("https://id.twitch.tv/oauth2", "https://id.twitch.tv/oauth2/keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("users", "data.0.id")
    .profile(&[
        ("preferred_username", "data.0.login"),
        ("name", "data.0.display_name"),
        ("email", "data.0.email"),
        ("picture", "data.0.profile_image_url"),
    ])
    .call_headers(&[("Client-Id", "{client_id}")])
    .secret_in_body()
    .error_names(&[("Bad Request", "invalid_grant")])
    .revocation("https://id.twitch.tv/oauth2/revoke", Revocation::WithoutSecret),
    manners: {
        secret_in_one_way: true,
        scope_as_array: true,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(14400)),
        refresh: Refresh::Lasting,
        dead_refresh_token: "Bad Request",
        account: r#"{"data":[{"id":"$ID","login":"ada","display_name":"Ada Lovelace",
            "email":"ada@example.com",
            "profile_image_url":"https://static-cdn.jtvnw.net/jtv_user_pictures/ada.png"}]}"#,
    },
}
