//! GitHub.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// GitHub (OAuth Apps and GitHub Apps). Register at <https://github.com/settings/developers>
    /// with the callback `{public URL}/login/github/authorized`. GitHub Enterprise Server is
    /// `hosted_at` its URL.
    ///
    /// PKCE is supported. Errors come with status 200 and scopes are separated by commas, which are
    /// both understood. The e-mail address is at `user/emails` with the scope `user:email`. GitHub
    /// Apps have refresh tokens, which are valid once. The device flow must be
    /// enabled in the application's settings; a loopback callback matches with any port.
    GitHub,
    new: (id, secret),
    variables: ["GITHUB_OAUTH_CLIENT_ID", "GITHUB_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and GitHub's documentation \
              (undated copies)",
    spec: Spec::oauth2(
        "github",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com",
    )
    .title("GitHub")
    .api_below_base("api/v3")
    .issuer("https://github.com/login/oauth")
    .identity("user", "id")
    .scope_separators(ScopeSeparator::Space, ScopeSeparator::Comma)
    .profile(&[
        ("preferred_username", "login"),
        ("name", "name"),
        ("email", "email"),
        ("picture", "avatar_url"),
    ])
    .email_list("user/emails")
    .device_authorization("https://github.com/login/device/code")
    .any_loopback_port()
    .revocation("applications/{client_id}/token", Revocation::DeleteByClient)
    .secret_in_body()
    .error_names(&[
        ("bad_verification_code", "invalid_grant"),
        ("bad_refresh_token", "invalid_grant"),
        ("incorrect_device_code", "invalid_grant"),
        ("incorrect_client_credentials", "invalid_client"),
    ]),
    manners: {
        answers: Answers::JsonIfAccepted,
        response_type_is_optional: true,
        further_token_scheme: Some("token"),
        errors_under_200: true,
        scope_separator: ScopeSeparator::Comma,
        token_type: "bearer",
        dead_code: "bad_verification_code",
        dead_refresh_token: "bad_refresh_token",
        wrong_client: "incorrect_client_credentials",
        account: r#"{"login":"ada","id":$ID,"name":"Ada Lovelace","email":null,
            "avatar_url":"https://avatars.githubusercontent.com/u/$ID?v=4"}"#,
    },
}
