//! Slack: sign-in, apps, and apps of the first version.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

const ERRORS: &[(&str, &str)] = &[
    ("invalid_code", "invalid_grant"),
    ("code_already_used", "invalid_grant"),
    ("invalid_refresh_token", "invalid_grant"),
    ("bad_client_secret", "invalid_client"),
    ("invalid_client_id", "invalid_client"),
];

const DEAD: &str = "invalid_auth token_revoked token_expired account_inactive";

service! {
    /// Sign in with Slack (OpenID Connect). Register at <https://api.slack.com/apps> with the
    /// callback `{public URL}/login/slack/authorized`. An application that calls other methods of
    /// Slack than `openid.connect.userInfo` is a [`SlackApp`].
    ///
    /// HTTP Basic is recommended and PKCE supported. Errors come with status 200 and `"ok": false`.
    Slack,
    new: (id, secret),
    variables: ["SLACK_OAUTH_CLIENT_ID", "SLACK_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic and Slack's reference (a copy of \
              2026, by way of `slack_kit`)",
    spec: Spec::oauth2(
        "slack",
        "https://slack.com/openid/connect/authorize",
        "https://slack.com/api/openid.connect.token",
        "https://slack.com/api",
    )
    .title("Slack")
    .scopes("openid email profile")
    .openid("https://slack.com", "https://slack.com/openid/connect/keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("openid.connect.userInfo", "sub")
    .profile(Spec::OPENID_CLAIMS)
    .failure_flag("ok")
    .dead_token("error", DEAD)
    .error_names(ERRORS)
    .revocation("auth.revoke", Revocation::PostBearer),
    options: {
        /// Has Slack sign users in to this workspace (`team`, its identifier).
        team(team: text) => |client, team| client.option("team", team),
    },
    manners: {
        dead_code: "invalid_code",
        dead_refresh_token: "invalid_refresh_token",
        wrong_client: "bad_client_secret",
        account: r#"{"ok":true,"sub":"U0R$ID","name":"Ada Lovelace","email":"ada@example.com",
            "email_verified":true,"picture":"https://secure.gravatar.com/avatar/ada.jpg",
            "https://slack.com/team_id":"T0RR"}"#,
    },
}

service! {
    /// An application of Slack, installed by a user in a workspace. The token is the bot's, with
    /// the scopes of `scopes`. Register at <https://api.slack.com/apps> with the
    /// callback `{public URL}/login/slack-app/authorized`.
    ///
    /// Scopes are separated by commas. The response identifies the user who installed the
    /// application.
    SlackApp,
    new: (id, secret),
    variables: ["SLACK_APP_OAUTH_CLIENT_ID", "SLACK_APP_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Slack's migration guide and reference (copies)",
    spec: Spec::oauth2(
        "slack-app",
        "https://slack.com/oauth/v2/authorize",
        "https://slack.com/api/oauth.v2.access",
        "https://slack.com/api",
    )
    .title("Slack")
    .scopes("users:read")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .identity_in_token("authed_user.id")
    .identity("users.info?user={subject}", "user.id")
    .profile(&[
        ("preferred_username", "user.name"),
        ("name", "user.profile.real_name"),
        ("picture", "user.profile.image_512"),
    ])
    .failure_flag("ok")
    .dead_token("error", DEAD)
    .error_names(ERRORS)
    .token_types("bot user")
    .revocation("auth.revoke", Revocation::PostBearer),
    manners: {
        response_type_is_optional: true,
        scope_separator: ScopeSeparator::Comma,
        token_type: "bot",
        dead_code: "invalid_code",
        dead_refresh_token: "invalid_refresh_token",
        wrong_client: "bad_client_secret",
        account: r#"{"ok":true,"user":{"id":"$ID","name":"ada","profile":{
            "real_name":"Ada Lovelace","image_512":"https://avatars.slack-edge.com/ada.png"}}}"#,
    },
}

service! {
    /// A "classic" application of Slack, with the first version of its endpoints. Slack announced
    /// their end for 2026: use [`Slack`] or [`SlackApp`] for anything new.
    ///
    /// Whether Slack has not switched them off is unconfirmed.
    SlackClassic,
    new: (id, secret),
    variables: ["SLACK_CLASSIC_OAUTH_CLIENT_ID", "SLACK_CLASSIC_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026), goth and Flask-Dance, \
              which all have these endpoints still",
    spec: Spec::oauth2(
        "slack-classic",
        "https://slack.com/oauth/authorize",
        "https://slack.com/api/oauth.access",
        "https://slack.com/api",
    )
    .title("Slack")
    .scopes("identify chat:write:bot")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .identity("auth.test", "user_id")
    .profile(&[("preferred_username", "user")])
    .failure_flag("ok")
    .dead_token("error", DEAD)
    .error_names(ERRORS)
    .revocation("auth.revoke", Revocation::PostBearer),
    options: {
        /// Has users authorize on the pages of this workspace: `acme` for `acme.slack.com`.
        subdomain(subdomain: text) => |client, subdomain| client.with_spec(|spec| {
            spec.authorize = format!("https://{subdomain}.slack.com/oauth/authorize").into();
        }),
    },
    manners: {
        response_type_is_optional: true,
        scope_separator: ScopeSeparator::Comma,
        dead_code: "invalid_code",
        dead_refresh_token: "invalid_refresh_token",
        wrong_client: "bad_client_secret",
        account: r#"{"ok":true,"user":"ada","user_id":"U0R$ID","team_id":"T0RR"}"#,
    },
}
