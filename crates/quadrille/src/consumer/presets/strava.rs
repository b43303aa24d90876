//! Strava.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// Strava. Register at <https://www.strava.com/settings/api> with the domain of your public
    /// URL; the callback is `{public URL}/login/strava/authorized`.
    ///
    /// Scopes are separated by commas, and those granted are in the callback. The token response
    /// has the athlete. Access tokens last six hours, and each refresh may replace the refresh
    /// token. There are no e-mail addresses.
    Strava,
    new: (id, secret),
    variables: ["STRAVA_OAUTH_CLIENT_ID", "STRAVA_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic, python-social-auth and Strava's \
              documentation (an undated copy)",
    spec: Spec::oauth2(
        "strava",
        "https://www.strava.com/oauth/authorize",
        "https://www.strava.com/api/v3/oauth/token",
        "https://www.strava.com/api/v3",
    )
    .title("Strava")
    .scopes("read")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .scopes_in_callback()
    .identity_in_token("athlete.id")
    .identity("athlete", "id")
    .profile(&[
        ("preferred_username", "username"),
        ("name", "{firstname} {lastname}"),
        ("picture", "profile"),
    ])
    .secret_in_body()
    .rotates_refresh_tokens()
    .revocation("https://www.strava.com/oauth/deauthorize", Revocation::PostAccessToken),
    options: {
        /// Has Strava ask for consent at each login (`approval_prompt=force`).
        reprompt_consent => |client| client.option("approval_prompt", "force"),
        /// Sets the `User-Agent` of all requests to Strava.
        user_agent(user_agent: text) => |client, name| client.header_everywhere("user-agent", name),
    },
    manners: {
        secret_in_one_way: true,
        token_in_query: true,
        scope_separator: ScopeSeparator::Comma,
        scope_in_callback: true,
        lifetime: Some(Duration::from_secs(21600)),
        refresh: Refresh::Rotating,
        account: r#"{"id":$ID,"username":"ada","firstname":"Ada","lastname":"Lovelace",
            "profile":"https://dgalywyr863hv.cloudfront.net/pictures/athletes/ada.jpg"}"#,
    },
}
