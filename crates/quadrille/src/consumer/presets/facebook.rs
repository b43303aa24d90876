//! Facebook.

use crate::{
    consumer::{Client, Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// Facebook. Register at <https://developers.facebook.com/apps> with the callback `{public
    /// URL}/login/facebook/authorized`. The address needs the scope `email`.
    ///
    /// Checked November 2026 against python-social-auth (August 2026, which has version 24.0 of the
    /// API), Auth.js and Arctic: there are no refresh tokens; scopes are separated by commas;
    /// revocation removes all permissions that the user gave. Errors of the token endpoint have the
    /// one code `OAuthException`, for a wrong secret as for a spent code.
    Facebook,
    new: (id, secret),
    variables: ["FACEBOOK_OAUTH_CLIENT_ID", "FACEBOOK_OAUTH_CLIENT_SECRET"],
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
    manners: {
        scope_separator: ScopeSeparator::Comma,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(5_184_000)),
        account: r#"{"id":"$ID","name":"Ada Lovelace","email":"ada@example.com",
            "picture":{"data":{"url":"https://platform-lookaside.fbsbx.com/ada"}}}"#,
    },
}

impl Client<Facebook> {
    /// Asks users again for permissions that they declined (`auth_type=rerequest`).
    #[must_use]
    pub fn rerequest_declined_permissions(self) -> Self {
        self.option("auth_type", "rerequest")
    }

    /// Sets the version of all endpoints and of the API, such as `v25.0`.
    #[must_use]
    pub fn api_version(self, version: impl AsRef<str>) -> Self {
        let version = version.as_ref();
        self.with_spec(|spec| {
            spec.authorize = format!("https://www.facebook.com/{version}/dialog/oauth").into();
            spec.api = format!("https://graph.facebook.com/{version}").into();
            spec.token = format!("{}/oauth/access_token", spec.api).into();
        })
    }
}
