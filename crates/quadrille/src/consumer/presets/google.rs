//! Google.

use crate::consumer::{Revocation, Spec};

service! {
    /// Google. Register at <https://console.cloud.google.com/apis/credentials> with the callback
    /// `{public URL}/login/google/authorized`.
    ///
    /// PKCE is supported. A refresh token comes only with `offline`, and again only with
    /// `reprompt_consent`. Short scopes such as `email` are granted by their full URLs, so require
    /// those. The device flow needs a client of the type "TVs and Limited Input devices" and grants
    /// few scopes; a loopback callback needs one of the type "Desktop app".
    Google,
    new: (id, secret),
    variables: ["GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and python-social-auth",
    spec: Spec::oauth2(
        "google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com",
    )
    .title("Google")
    .issuer("https://accounts.google.com")
    .openid("https://accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs")
    .accounts_by_subject_since_the_issuer_never_changes()
    .scopes("openid email profile")
    .identity("https://openidconnect.googleapis.com/v1/userinfo", "sub")
    .profile(Spec::OPENID_CLAIMS)
    .device_authorization("https://oauth2.googleapis.com/device/code")
    .any_loopback_port()
    .revocation("https://oauth2.googleapis.com/revoke", Revocation::WithoutSecret),
    options: {
        /// Requests a refresh token (`access_type=offline`).
        offline => |client| client.option("access_type", "offline"),
        /// Has Google ask for consent at each login (`prompt=consent`), which is the only way to
        /// get another refresh token.
        reprompt_consent => |client| client.option_word("prompt", "consent"),
        /// Has Google let the user choose an account at each login (`prompt=select_account`).
        reprompt_select_account => |client| client.option_word("prompt", "select_account"),
        /// Admits accounts of this Workspace domain only, or with `*` of any (`hd`). The user can
        /// change the request, so `hd` in the ID token is checked, too: a login with another account is
        /// [`BrowserError::AccountNotAllowed`](crate::consumer::BrowserError::AccountNotAllowed).
        hosted_domain(domain: text) => |client, domain| client
            .with_spec(|spec| spec.required_claim = Some(("hd".into(), domain.clone().into())))
            .option("hd", domain),
    },
    manners: {
        scopes: Some(
            "openid https://www.googleapis.com/auth/userinfo.email \
             https://www.googleapis.com/auth/userinfo.profile",
        ),
        lifetime: Some(Duration::from_secs(3599)),
        refresh: Refresh::Lasting,
        refresh_wants: "access_type=offline",
        account: r#"{"sub":"$ID","name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace",
            "picture":"https://lh3.googleusercontent.com/a/ada","email":"ada@example.com",
            "email_verified":true}"#,
    },
}
