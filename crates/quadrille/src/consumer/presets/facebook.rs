//! Facebook.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// Facebook. Register at <https://developers.facebook.com/apps> with the callback `{public
    /// URL}/login/facebook/authorized`. The address needs the scope `email`.
    ///
    /// There are no refresh tokens. Scopes are separated by commas. Revocation removes all
    /// permissions that the user gave. Errors of the token endpoint have the one code
    /// `OAuthException`, for a wrong secret as for a spent code.
    Facebook,
    new: (id, secret),
    variables: ["FACEBOOK_OAUTH_CLIENT_ID", "FACEBOOK_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026, which has version 24.0 of \
              the API), Auth.js and Arctic",
    spec: Spec::oauth2(
        "facebook",
        "https://www.facebook.com/v24.0/dialog/oauth",
        "https://graph.facebook.com/v24.0/oauth/access_token",
        "https://graph.facebook.com/v24.0",
    )
    .title("Facebook")
    .scopes("public_profile")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .identity("me?fields=id,name,email,picture", "id")
    .profile(&[("name", "name"), ("email", "email"), ("picture", "picture.data.url")])
    .dead_token("error.code", "190")
    .secret_in_body()
    .revocation("me/permissions", Revocation::DeleteBearer),
    options: {
        /// Asks users again for permissions that they declined (`auth_type=rerequest`).
        rerequest_declined_permissions => |client| client.option("auth_type", "rerequest"),
        /// Sets the version of all endpoints and of the API, such as `v25.0`.
        api_version(version: text) => |client, version| client.with_spec(|spec| {
            spec.authorize = format!("https://www.facebook.com/{version}/dialog/oauth").into();
            spec.api = format!("https://graph.facebook.com/{version}").into();
            spec.token = format!("{}/oauth/access_token", spec.api).into();
        }),
    },
    manners: {
        response_type_is_optional: true,
        token_in_query: true,
        scope_separator: ScopeSeparator::Comma,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(5_184_000)),
        account: r#"{"id":"$ID","name":"Ada Lovelace","email":"ada@example.com",
            "picture":{"data":{"url":"https://platform-lookaside.fbsbx.com/ada"}}}"#,
    },
}
