//! Salesforce.

use crate::consumer::{Revocation, Spec};

service! {
    /// Salesforce. Register a connected app or an external client app in the setup, with the
    /// callback `{public URL}/login/salesforce/authorized`. A domain of your own is
    /// `hosted_at` `https://acme.my.salesforce.com`.
    ///
    /// PKCE is supported. A refresh token needs the scope `refresh_token`, and stays valid. The
    /// token response names the host of the account's API, to which calls go. It names no lifetime.
    Salesforce,
    new: (id, secret),
    variables: ["SALESFORCE_OAUTH_CLIENT_ID", "SALESFORCE_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and python-social-auth",
    spec: Spec::oauth2(
        "salesforce",
        "https://login.salesforce.com/services/oauth2/authorize",
        "https://login.salesforce.com/services/oauth2/token",
        "https://login.salesforce.com",
    )
    .title("Salesforce")
    .scopes("openid email profile api")
    .api_in_token("instance_url", "salesforce.com salesforce.mil")
    .openid("https://login.salesforce.com", "https://login.salesforce.com/id/keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("https://login.salesforce.com/services/oauth2/userinfo", "sub")
    .profile(Spec::OPENID_CLAIMS)
    .revocation("https://login.salesforce.com/services/oauth2/revoke", Revocation::Standard),
    options: {
        /// Logs in with sandboxes, at `test.salesforce.com`.
        sandbox => |client| client.hosted_at("https://test.salesforce.com"),
        /// Has Salesforce ask for consent at each login (`prompt=consent`).
        reprompt_consent => |client| client.option("prompt", "consent"),
    },
    manners: {
        refresh: Refresh::Lasting,
        refresh_wants: "scope=refresh_token",
        api_origin: Some("https://acme.my.salesforce.com"),
        account: r#"{"sub":"https://login.salesforce.com/id/00D/005$ID","user_id":"005$ID",
            "organization_id":"00D","preferred_username":"ada@acme.example",
            "name":"Ada Lovelace","email":"ada@example.com","email_verified":true,
            "picture":"https://acme.my.salesforce.com/profilephoto/ada"}"#,
    },
}
