//! LinkedIn.

use crate::consumer::Spec;

service! {
    /// LinkedIn. Register at <https://www.linkedin.com/developers/apps> with the callback `{public
    /// URL}/login/linkedin/authorized`, and add the product "Sign In with LinkedIn using OpenID
    /// Connect".
    ///
    /// HTTP Basic is not accepted, and PKCE fails for websites. A user who refuses returns with
    /// `user_cancelled_login`. Applications from before August 2023 may need the scopes
    /// `r_liteprofile r_emailaddress`, and `me` for the identity.
    LinkedIn,
    new: (id, secret),
    variables: ["LINKEDIN_OAUTH_CLIENT_ID", "LINKEDIN_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic, python-social-auth and \
              LinkedIn's documentation (2024)",
    spec: Spec::oauth2(
        "linkedin",
        "https://www.linkedin.com/oauth/v2/authorization",
        "https://www.linkedin.com/oauth/v2/accessToken",
        "https://api.linkedin.com/v2",
    )
    .title("LinkedIn")
    .scopes("openid profile email")
    .identity("userinfo", "sub")
    .profile(Spec::OPENID_CLAIMS)
    .secret_in_body()
    .error_names(&[
        ("user_cancelled_login", "access_denied"),
        ("user_cancelled_authorize", "access_denied"),
    ])
    .without_pkce_because_the_service_fails_with_it(),
    manners: {
        lifetime: Some(Duration::from_secs(5_184_000)),
        denial: Denial::Named("user_cancelled_login"),
        account: r#"{"sub":"782b$ID","name":"Ada Lovelace","given_name":"Ada",
            "picture":"https://media.licdn.com/dms/image/ada","email":"ada@example.com",
            "email_verified":true}"#,
    },
}
