//! Microsoft Entra ID, formerly Azure.

use crate::consumer::{Protocol, Spec};

service! {
    /// Microsoft Entra ID (formerly Azure Active Directory), and personal accounts. Register at
    /// <https://entra.microsoft.com> with the callback `{public URL}/login/azure/authorized`.
    ///
    /// Without a `tenant`, accounts of every organization may log in, each with the issuer of its own
    /// tenant, which is part of an account's identifier. An administrator there can give any address
    /// to an account, so no address is verified: know users by their subject.
    ///
    /// PKCE is supported. A refresh token needs the scope `offline_access`, which the response does
    /// not name. None of these sources has a revocation endpoint. The device flow and a
    /// loopback callback need the platform "Mobile and desktop applications".
    ///
    /// Of the two kinds of logouts at a provider, it has that by a frame
    /// ([`Login::end_by_front_channel`](crate::Login::end_by_front_channel)), with the session alone
    /// and without its issuer. The session is known if the registration adds the optional claim `sid`
    /// to ID tokens.
    Microsoft,
    new: (id, secret),
    variables: ["AZURE_OAUTH_CLIENT_ID", "AZURE_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), python-social-auth, goth and Arctic",
    spec: Spec::oauth2(
        "azure",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://graph.microsoft.com",
    )
    .title("Microsoft")
    .scopes("openid email profile User.Read")
    .openid(
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://login.microsoftonline.com/common/discovery/v2.0/keys",
    )
    .end_session("https://login.microsoftonline.com/common/oauth2/v2.0/logout")
    .issuer_of_each_tenant("{tenantid}", "tid")
    .front_channel_logout_without_issuer()
    .device_authorization("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode")
    .any_loopback_port()
    .error_names(&[
        ("authorization_declined", "access_denied"),
        ("bad_verification_code", "invalid_grant"),
    ])
    .profile(&[
        ("preferred_username", "preferred_username"),
        ("name", "name"),
        ("email", "email"),
    ]),
    options: {
        /// Sets the tenant: its identifier or domain, or `organizations`, `consumers` or `common`,
        /// the default.
        tenant(tenant: text) => |client, tenant| client.with_spec(|spec| {
            let below = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0");
            spec.authorize = format!("{below}/authorize").into();
            spec.token = format!("{below}/token").into();
            if let Protocol::OAuth2(oauth2) = &mut spec.protocol {
                oauth2.device_authorization = Some(format!("{below}/devicecode").into());
                oauth2.openid.end_session = Some(format!("{below}/logout").into());
                let at = format!("https://login.microsoftonline.com/{tenant}");
                oauth2.openid.keys = Some(format!("{at}/discovery/v2.0/keys").into());
                // A domain, or a word, is not in the issuer: its identifier is.
                if is_identifier(&tenant) {
                    oauth2.openid.issuer = Some(format!("{at}/v2.0").into());
                }
            }
        }),
        /// Sets `prompt`.
        prompt(prompt: MicrosoftPrompt) => |client, prompt| {
            client.option("prompt", prompt.as_str())
        },
        /// Leads users to the sign-in page of this domain (`domain_hint`).
        domain_hint(domain: text) => |client, domain| client.option("domain_hint", domain),
        /// Fills in the user name on the sign-in page (`login_hint`). For one login it is
        /// [`Begin::parameter`](crate::consumer::Begin::parameter).
        login_hint(user: text) => |client, user| client.option("login_hint", user),
    },
    manners: {
        scopes: Some("User.Read profile openid email"),
        lifetime: Some(Duration::from_secs(3599)),
        refresh: Refresh::Lasting,
        refresh_wants: "scope=offline_access",
        account: r#"{"sub":"AAAA$ID","oid":"00000000-0000-0000-0000-$ID","name":"Ada Lovelace",
            "email":"ada@example.com","preferred_username":"ada@example.com"}"#,
    },
}

/// Whether a tenant is named by its identifier, a GUID in lower case, as tokens have it.
fn is_identifier(tenant: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let parts: Vec<_> = tenant.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(hexadecimal))
}

words! {
    /// The values of [`Client<Microsoft>::prompt`](crate::consumer::Client::prompt).
    MicrosoftPrompt {
        SelectAccount = "select_account",
        Login = "login",
        Consent = "consent",
        None = "none",
    }
}
