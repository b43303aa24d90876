//! LinkedIn.

use crate::consumer::Spec;

service! {
    /// LinkedIn. Register at <https://www.linkedin.com/developers/apps> with the callback `{public
    /// URL}/login/linkedin/authorized`, and add the product "Sign In with LinkedIn using OpenID
    /// Connect".
    ///
    /// HTTP Basic is not accepted, PKCE fails for websites, and ID tokens lack the `nonce`, so that
    /// only `state` binds a login to its browser. A user who refuses returns with
    /// `user_cancelled_login`. Applications from before August 2023, which have other scopes,
    /// get no ID token and cannot log in here.
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
    .openid("https://www.linkedin.com/oauth", "https://www.linkedin.com/oauth/openid/jwks")
    .accounts_by_subject_since_the_issuer_never_changes()
    .without_nonce_because_the_service_forgets_it()
    .secret_in_body()
    .error_names(&[
        ("user_cancelled_login", "access_denied"),
        ("user_cancelled_authorize", "access_denied"),
    ])
    .without_pkce_because_the_service_fails_with_it(),
    manners: {
        secret_in_one_way: true,
        lifetime: Some(Duration::from_secs(5_184_000)),
        denial: Denial::Named("user_cancelled_login"),
        account: r#"{"sub":"782b$ID","name":"Ada Lovelace","given_name":"Ada",
            "picture":"https://media.licdn.com/dms/image/ada","email":"ada@example.com",
            "email_verified":true}"#,
    },
}
