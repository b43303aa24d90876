//! DigitalOcean.

use crate::consumer::{Revocation, Spec};

service! {
    /// DigitalOcean. Register at <https://cloud.digitalocean.com/account/api/applications> with the
    /// callback `{public URL}/login/digitalocean/authorized`.
    ///
    /// Refreshes go to the token endpoint, where the documentation of 2025 had an endpoint of their
    /// own. Access tokens last thirty days. The parameters of the revocation endpoint are
    /// unconfirmed, and whether an old refresh token stays valid, so each is used once.
    DigitalOcean,
    new: (id, secret),
    variables: ["DIGITALOCEAN_OAUTH_CLIENT_ID", "DIGITALOCEAN_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against DigitalOcean's documentation (September 2026), goth and \
              python-social-auth",
    spec: Spec::oauth2(
        "digitalocean",
        "https://cloud.digitalocean.com/v1/oauth/authorize",
        "https://cloud.digitalocean.com/v1/oauth/token",
        "https://api.digitalocean.com/v2",
    )
    .title("DigitalOcean")
    .scopes("read")
    .identity("account", "account.uuid")
    .profile(&[
        ("name", "account.name"),
        ("email", "account.email"),
        ("email_verified", "account.email_verified"),
    ])
    .rotates_refresh_tokens()
    .revocation("https://cloud.digitalocean.com/v1/oauth/revoke", Revocation::Standard),
    manners: {
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(2_592_000)),
        refresh: Refresh::Rotating,
        account: r#"{"account":{"uuid":"b6fr89dbf6d9156cace5f3c78dc9851d957$ID",
            "name":"Ada Lovelace","email":"ada@example.com","email_verified":true}}"#,
    },
}
