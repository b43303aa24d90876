//! Dropbox.

use crate::consumer::{Revocation, Spec};

service! {
    /// Dropbox. Register at <https://www.dropbox.com/developers/apps> with the callback `{public
    /// URL}/login/dropbox/authorized`. The profile needs the scope `account_info.read`.
    ///
    /// PKCE is supported. Access tokens last four hours. A refresh token comes only with `offline`,
    /// and stays valid.
    Dropbox,
    new: (id, secret),
    variables: ["DROPBOX_OAUTH_CLIENT_ID", "DROPBOX_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic, python-social-auth and Dropbox' \
              guide (an undated copy)",
    spec: Spec::oauth2(
        "dropbox",
        "https://www.dropbox.com/oauth2/authorize",
        "https://api.dropboxapi.com/oauth2/token",
        "https://api.dropboxapi.com/2",
    )
    .title("Dropbox")
    .identity("users/get_current_account", "account_id")
    .identity_by_post("")
    .profile(&[
        ("name", "name.display_name"),
        ("email", "email"),
        ("email_verified", "email_verified"),
        ("picture", "profile_photo_url"),
    ])
    .revocation("auth/token/revoke", Revocation::PostBearer),
    options: {
        /// Requests a refresh token (`token_access_type=offline`).
        offline => |client| client.option("token_access_type", "offline"),
        /// Has Dropbox ask for consent at each login (`force_reapprove`).
        force_reapprove => |client| client.option("force_reapprove", "true"),
        /// Hides the way to register at Dropbox from its sign-in page (`disable_signup`).
        disable_signup => |client| client.option("disable_signup", "true"),
        /// Restricts which of a user's accounts may log in (`require_role`).
        require_role(role: DropboxRole) => |client, role| {
            client.option("require_role", role.as_str())
        },
    },
    manners: {
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(14400)),
        refresh: Refresh::Lasting,
        refresh_wants: "token_access_type=offline",
        account: r#"{"account_id":"dbid:$ID","name":{"given_name":"Ada","surname":"Lovelace",
            "display_name":"Ada Lovelace"},"email":"ada@example.com","email_verified":true,
            "profile_photo_url":"https://dl-web.dropbox.com/account_photo/ada"}"#,
    },
}

words! {
    /// The values of [`Client<Dropbox>::require_role`](crate::consumer::Client::require_role).
    DropboxRole { Personal = "personal", Work = "work", }
}
