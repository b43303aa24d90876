//! Microsoft Entra ID, formerly Azure.

use crate::consumer::{Client, Spec};

service! {
    /// Microsoft Entra ID (formerly Azure Active Directory), and personal accounts. Register at
    /// <https://entra.microsoft.com> with the callback `{public URL}/login/azure/authorized`.
    ///
    /// Without a [`tenant`](Client::tenant), accounts of every organization may log in. An
    /// administrator there can give any address to an account, so no address is verified: know
    /// users by their subject.
    ///
    /// Checked November 2026 against Auth.js (July 2026), python-social-auth, goth and Arctic: PKCE
    /// is supported; a refresh token needs the scope `offline_access`, which the response does not
    /// name. None of them knows a revocation endpoint.
    Microsoft,
    new: (id, secret),
    variables: ["AZURE_OAUTH_CLIENT_ID", "AZURE_OAUTH_CLIENT_SECRET"],
    spec: Spec::oauth2(
        "azure",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://graph.microsoft.com",
    )
    .title("Microsoft")
    .scopes("openid email profile User.Read")
    .identity("v1.0/me", "id")
    .profile(&[
        ("preferred_username", "userPrincipalName"),
        ("name", "displayName"),
        ("email", "mail"),
    ]),
    manners: {
        scopes: Some("User.Read profile openid email"),
        lifetime: Some(Duration::from_secs(3599)),
        refresh: Refresh::Lasting,
        refresh_wants: "scope=offline_access",
        account: r#"{"id":"$ID","displayName":"Ada Lovelace","mail":"ada@example.com",
            "userPrincipalName":"ada@example.com"}"#,
    },
}

impl Client<Microsoft> {
    /// Sets the tenant: its identifier or domain, or `organizations`, `consumers` or `common`, the
    /// default.
    #[must_use]
    pub fn tenant(self, tenant: impl AsRef<str>) -> Self {
        let below = format!("https://login.microsoftonline.com/{}/oauth2/v2.0", tenant.as_ref());
        self.with_spec(|spec| {
            spec.authorize = format!("{below}/authorize").into();
            spec.token = format!("{below}/token").into();
        })
    }

    /// Sets `prompt`: `select_account`, `login`, `consent` or `none`.
    #[must_use]
    pub fn prompt(self, prompt: impl Into<String>) -> Self {
        self.option("prompt", prompt.into())
    }

    /// Leads users to the sign-in page of this domain (`domain_hint`).
    #[must_use]
    pub fn domain_hint(self, domain: impl Into<String>) -> Self {
        self.option("domain_hint", domain.into())
    }

    /// Fills in the user name on the sign-in page (`login_hint`). For one login it is
    /// [`Begin::parameter`](crate::consumer::Begin::parameter).
    #[must_use]
    pub fn login_hint(self, user: impl Into<String>) -> Self {
        self.option("login_hint", user.into())
    }
}
