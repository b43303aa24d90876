//! Dexcom.

use crate::consumer::Spec;

service! {
    /// Dexcom. Register at <https://developer.dexcom.com> with the callback `{public
    /// URL}/login/dexcom/authorized`.
    ///
    /// The secret is in the body; a refresh token is valid once. There is no API of claims, so an
    /// owner has one account here.
    Dexcom,
    new: (id, secret),
    variables: ["DEXCOM_OAUTH_CLIENT_ID", "DEXCOM_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Flask-Dance 7 and Dexcom's documentation (an undated copy)",
    spec: Spec::oauth2(
        "dexcom",
        "https://api.dexcom.com/v2/oauth2/login",
        "https://api.dexcom.com/v2/oauth2/token",
        "https://api.dexcom.com",
    )
    .title("Dexcom")
    .scopes("offline_access")
    .secret_in_body()
    .rotates_refresh_tokens(),
    options: {
        /// Uses Dexcom's sandbox, whose users are made up.
        sandbox => |client| client.hosted_at("https://sandbox-api.dexcom.com"),
    },
    manners: {
        lifetime: Some(Duration::from_secs(7200)),
        refresh: Refresh::Rotating,
        refresh_wants: "scope=offline_access",
    },
}
