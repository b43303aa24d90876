//! Nylas, versions 3 and 2.

use crate::consumer::Spec;

service! {
    /// Nylas, version 3, in the United States or `in_europe`. The secret is an
    /// API key of your application. Register at <https://dashboard-v3.nylas.com> with the callback
    /// `{public URL}/login/nylas/authorized`. A call's path begins with `grants/me/`.
    ///
    /// The secret is in the body. PKCE is supported. The token response has the user's grant.
    /// Access tokens last an hour. A refresh token comes only with `offline`, and stays valid. How
    /// an application revokes a token is unconfirmed.
    Nylas,
    new: (id, secret),
    variables: ["NYLAS_OAUTH_CLIENT_ID", "NYLAS_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Nylas' reference (2026)",
    spec: Spec::oauth2(
        "nylas",
        "https://api.us.nylas.com/v3/connect/auth",
        "https://api.us.nylas.com/v3/connect/token",
        "https://api.us.nylas.com/v3",
    )
    .title("Nylas")
    .identity_in_token("grant_id")
    .identity("grants/me", "data.id")
    .profile(&[("email", "data.email")])
    .secret_in_body(),
    options: {
        /// Requests a refresh token (`access_type=offline`).
        offline => |client| client.option("access_type", "offline"),
        /// Leads users to the sign-in page of this provider, such as `google` or `imap`.
        provider(provider: text) => |client, provider| client.option("provider", provider),
        /// Uses the data centre in Europe, for applications that are registered there.
        in_europe => |client| client.moved("https://api.us.nylas.com", "https://api.eu.nylas.com"),
    },
    manners: {
        secret_in_one_way: true,
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Lasting,
        refresh_wants: "access_type=offline",
        account: r#"{"request_id":"5967ca40","data":{"id":"e19f8e1a-$ID","provider":"google",
            "grant_status":"valid","email":"ada@example.com"}}"#,
    },
}

service! {
    /// Nylas, version 2, for applications from before version 3: use [`Nylas`] for anything new.
    ///
    /// Whether Nylas has switched this version off is unconfirmed.
    NylasV2,
    new: (id, secret),
    variables: ["NYLAS_V2_OAUTH_CLIENT_ID", "NYLAS_V2_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Flask-Dance",
    spec: Spec::oauth2(
        "nylas-v2",
        "https://api.nylas.com/oauth/authorize",
        "https://api.nylas.com/oauth/token",
        "https://api.nylas.com",
    )
    .title("Nylas")
    .scopes("email")
    .identity("account", "account_id")
    .profile(&[("name", "name"), ("email", "email_address")])
    .secret_in_body(),
    manners: {
        secret_in_one_way: true,
        token_type: "bearer",
        account: r#"{"id":"awa6lt$ID","account_id":"awa6lt$ID","name":"Ada Lovelace",
            "email_address":"ada@example.com","provider":"gmail"}"#,
    },
}
