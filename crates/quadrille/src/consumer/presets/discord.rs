//! Discord.

use crate::consumer::{Revocation, Spec};

service! {
    /// Discord. Register at <https://discord.com/developers/applications> with the callback
    /// `{public URL}/login/discord/authorized`. The address needs the scope `email`.
    ///
    /// Access tokens last a week. Revoking one token revokes all of this user and application.
    /// Whether an old refresh token stays valid is not said, so each is used once.
    Discord,
    new: (id, secret),
    variables: ["DISCORD_OAUTH_CLIENT_ID", "DISCORD_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and Discord's documentation (an \
              undated copy)",
    spec: Spec::oauth2(
        "discord",
        "https://discord.com/oauth2/authorize",
        "https://discord.com/api/oauth2/token",
        "https://discord.com/api",
    )
    .title("Discord")
    .scopes("identify")
    .parameters(&[("prompt", "consent")])
    .identity("users/@me", "id")
    .profile(&[
        ("preferred_username", "username"),
        ("name", "global_name"),
        ("email", "email"),
        ("email_verified", "verified"),
        ("picture", "https://cdn.discordapp.com/avatars/{id}/{avatar}.png"),
    ])
    .rotates_refresh_tokens()
    .revocation("https://discord.com/api/oauth2/token/revoke", Revocation::Standard),
    options: {
        /// Sets `prompt`: consent at each login, the default, or
        /// [`None`](crate::consumer::DiscordPrompt::None), by which Discord does not ask a user
        /// again who has consented.
        prompt(prompt: DiscordPrompt) => |client, prompt| client.option("prompt", prompt.as_str()),
    },
    manners: {
        lifetime: Some(Duration::from_secs(604_800)),
        refresh: Refresh::Rotating,
        account: r#"{"id":"$ID","username":"ada","global_name":"Ada Lovelace","avatar":"8342729",
            "email":"ada@example.com","verified":true}"#,
    },
}

words! {
    /// The values of [`Client<Discord>::prompt`](crate::consumer::Client::prompt).
    DiscordPrompt { Consent = "consent", None = "none", }
}
