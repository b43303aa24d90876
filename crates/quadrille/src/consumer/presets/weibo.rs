//! Weibo.

use crate::{
    consumer::{Revocation, Spec},
    scope::ScopeSeparator,
};

service! {
    /// Weibo. Register at <https://open.weibo.com> with the callback `{public
    /// URL}/login/weibo/authorized`.
    ///
    /// The token response has the user's identifier. Calls have the scheme `OAuth2`. There are no
    /// refresh tokens. The revocation endpoint is unconfirmed. There are no e-mail addresses.
    Weibo,
    new: (id, secret),
    variables: ["WEIBO_OAUTH_CLIENT_ID", "WEIBO_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026) and Flask-OAuthlib",
    spec: Spec::oauth2(
        "weibo",
        "https://api.weibo.com/oauth2/authorize",
        "https://api.weibo.com/oauth2/access_token",
        "https://api.weibo.com/2",
    )
    .title("Weibo")
    .scopes("email")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .token_scheme("OAuth2")
    .identity_in_token("uid")
    .identity("users/show.json?uid={subject}", "idstr")
    .profile(&[
        ("preferred_username", "screen_name"),
        ("name", "name"),
        ("picture", "avatar_large"),
    ])
    .secret_in_body()
    .revocation("https://api.weibo.com/oauth2/revokeoauth2", Revocation::PostAccessToken),
    manners: {
        response_type_is_optional: true,
        token_in_query: true,
        scope_separator: ScopeSeparator::Comma,
        lifetime: Some(Duration::from_secs(157_679_999)),
        account: r#"{"id":$ID,"idstr":"$ID","screen_name":"ada","name":"Ada Lovelace",
            "avatar_large":"https://tvax1.sinaimg.cn/crop/ada.jpg"}"#,
    },
}
