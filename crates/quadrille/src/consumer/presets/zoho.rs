//! Zoho.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// Zoho. Register at <https://api-console.zoho.com> with the callback `{public
    /// URL}/login/zoho/authorized`. Users begin in the data centre of the United States or in
    /// another `data_center`; one whose account is elsewhere is logged in there, if the
    /// registration has "multi-DC" switched on with the same secret everywhere. Scopes that an API
    /// needs go beside `AaaServer.profile.Read`.
    ///
    /// A refresh token comes only with `offline`, and again only with `reprompt_consent`. The
    /// callback names the account's authorization server (`accounts-server`), which must be one of
    /// Zoho's, and the token response the host of the API, to which calls go. The revocation
    /// endpoint is unconfirmed.
    Zoho,
    new: (id, secret),
    variables: ["ZOHO_OAUTH_CLIENT_ID", "ZOHO_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Flask-Dance and Zoho's documentation \
              (undated copies)",
    spec: Spec::oauth2(
        "zoho",
        "https://accounts.zoho.com/oauth/v2/auth",
        "https://accounts.zoho.com/oauth/v2/token",
        "https://www.zohoapis.com",
    )
    .title("Zoho")
    .scopes("AaaServer.profile.Read")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .parameters(&[("access_type", "online")])
    .api_in_token(
        "api_domain",
        "zohoapis.com zohoapis.eu zohoapis.in zohoapis.com.au zohoapis.jp zohoapis.ca \
         zohoapis.sa zohoapis.uk zohoapis.com.cn zohocloud.ca api.zoho.com api.zoho.eu \
         api.zoho.in api.zoho.com.au api.zoho.jp api.zoho.sa api.zoho.uk api.zoho.com.cn",
    )
    .data_centers(
        "accounts-server",
        &[
            ("https://accounts.zoho.com", "zohoapis.com"),
            ("https://accounts.zoho.eu", "zohoapis.eu"),
            ("https://accounts.zoho.in", "zohoapis.in"),
            ("https://accounts.zoho.com.au", "zohoapis.com.au"),
            ("https://accounts.zoho.jp", "zohoapis.jp"),
            ("https://accounts.zohocloud.ca", "zohoapis.ca"),
            ("https://accounts.zoho.sa", "zohoapis.sa"),
            ("https://accounts.zoho.uk", "zohoapis.uk"),
            ("https://accounts.zoho.com.cn", "zohoapis.com.cn"),
            // As in the token responses of Zoho's documentation.
            ("https://accounts.zoho.com", "api.zoho.com"),
            ("https://accounts.zoho.eu", "api.zoho.eu"),
            ("https://accounts.zoho.in", "api.zoho.in"),
            ("https://accounts.zoho.com.au", "api.zoho.com.au"),
            ("https://accounts.zoho.jp", "api.zoho.jp"),
            ("https://accounts.zoho.sa", "api.zoho.sa"),
            ("https://accounts.zoho.uk", "api.zoho.uk"),
            ("https://accounts.zoho.com.cn", "api.zoho.com.cn"),
        ],
    )
    .token_scheme("Zoho-oauthtoken")
    .identity("https://accounts.zoho.com/oauth/user/info", "ZUID")
    .profile(&[("name", "Display_Name"), ("email", "Email")])
    .secret_in_body()
    .error_names(&[("invalid_code", "invalid_grant")])
    .revocation("https://accounts.zoho.com/oauth/v2/token/revoke", Revocation::WithoutSecret),
    options: {
        /// Requests a refresh token (`access_type=offline`).
        offline => |client| client.option("access_type", "offline"),
        /// Has Zoho ask for consent at each login (`prompt=consent`), which is the only way to get
        /// another refresh token.
        reprompt_consent => |client| client.option("prompt", "consent"),
        /// Sets the data centre where users begin, which is that in the United States by default.
        data_center(center: ZohoDataCenter) => |client, center| client
            .moved("https://accounts.zoho.com/", &format!("{}/", center.accounts()))
            .moved("https://www.zohoapis.com", &center.api()),
    },
    manners: {
        scope_separator: ScopeSeparator::Comma,
        errors_under_200: true,
        dead_code: "invalid_code",
        dead_refresh_token: "invalid_code",
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Lasting,
        refresh_wants: "access_type=offline",
        api_origin: Some("https://www.zohoapis.com"),
        account: r#"{"ZUID":$ID,"Display_Name":"Ada Lovelace","First_Name":"Ada",
            "Last_Name":"Lovelace","Email":"ada@example.com"}"#,
    },
}

words! {
    /// The data centres of Zoho, by their domains.
    ZohoDataCenter {
        UnitedStates = "com",
        Europe = "eu",
        India = "in",
        Australia = "com.au",
        Japan = "jp",
        Canada = "ca",
        SaudiArabia = "sa",
        UnitedKingdom = "uk",
        China = "com.cn",
    }
}

impl ZohoDataCenter {
    /// The origin of the authorization server.
    fn accounts(self) -> String {
        match self {
            Self::Canada => "https://accounts.zohocloud.ca".to_owned(),
            other => format!("https://accounts.zoho.{}", other.as_str()),
        }
    }

    /// The origin of the API.
    fn api(self) -> String {
        format!("https://www.zohoapis.{}", self.as_str())
    }
}
