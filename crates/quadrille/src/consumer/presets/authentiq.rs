//! Authentiq.

use crate::consumer::Spec;

service! {
    /// Authentiq Connect. An installation of your own is
    /// `hosted_at` its URL. The callback is `{public
    /// URL}/login/authentiq/authorized`.
    ///
    /// Whether the service still runs is unconfirmed.
    Authentiq,
    new: (id, secret),
    variables: ["AUTHENTIQ_OAUTH_CLIENT_ID", "AUTHENTIQ_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Flask-Dance and Authentiq's documentation (an undated copy)",
    spec: Spec::oauth2(
        "authentiq",
        "https://connect.authentiq.io/authorize",
        "https://connect.authentiq.io/token",
        "https://connect.authentiq.io",
    )
    .title("Authentiq")
    .scopes("openid profile")
    .openid("https://connect.authentiq.io/", "https://connect.authentiq.io/public-keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("userinfo", "sub")
    .profile(Spec::OPENID_CLAIMS),
    manners: {
        account: r#"{"sub":"AQ-$ID","name":"Ada Lovelace"}"#,
    },
}
