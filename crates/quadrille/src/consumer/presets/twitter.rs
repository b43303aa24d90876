//! Twitter (X), by OAuth 1.0a.

use crate::consumer::Spec;

service! {
    /// Twitter (X), by OAuth 1.0a. Register at <https://developer.x.com> with the callback `{public
    /// URL}/login/twitter/authorized`; "log in with X" requires read permission of the app.
    ///
    /// The endpoints are at `api.x.com` (those at `api.twitter.com` work too). Requests are signed
    /// by HMAC-SHA1. Tokens do not expire. A user who refuses returns with `denied`; an invalid
    /// token is error 89. The API below is version 1.1; version 2 accepts the same signed requests
    /// at `https://api.x.com/2/...`.
    Twitter,
    new: (key, secret),
    variables: ["TWITTER_OAUTH_CLIENT_KEY", "TWITTER_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against goth (February 2026) and X' documentation (undated copies)",
    spec: Spec::oauth1(
        "twitter",
        "https://api.x.com/oauth/request_token",
        "https://api.x.com/oauth/authorize",
        "https://api.x.com/oauth/access_token",
        "https://api.x.com/1.1",
    )
    .title("Twitter")
    .identity("account/verify_credentials.json", "id_str")
    .profile(&[
        ("preferred_username", "screen_name"),
        ("name", "name"),
        ("picture", "profile_image_url_https"),
    ])
    .dead_token("errors.0.code", "89"),
    manners: {
        denial: Denial::Parameter,
        account: r#"{"id_str":"$ID","screen_name":"ada","name":"Ada Lovelace",
            "profile_image_url_https":"https://pbs.twimg.com/profile_images/1/ada.png"}"#,
        dead_token: Some(r#"{"errors":[{"code":89,"message":"Invalid or expired token."}]}"#),
    },
}
