//! Douban.

use crate::{consumer::Spec, scope::ScopeSeparator};

service! {
    /// Douban. The callback is `{public URL}/login/douban/authorized`.
    ///
    /// Whether Douban registers new applications is unconfirmed. There are no e-mail addresses.
    Douban,
    new: (id, secret),
    variables: ["DOUBAN_OAUTH_CLIENT_ID", "DOUBAN_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026) and Flask-OAuthlib",
    spec: Spec::oauth2(
        "douban",
        "https://www.douban.com/service/auth2/auth",
        "https://www.douban.com/service/auth2/token",
        "https://api.douban.com/v2",
    )
    .title("Douban")
    .scopes("douban_basic_common")
    .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma)
    .identity("user/~me", "id")
    .profile(&[("preferred_username", "uid"), ("name", "name"), ("picture", "avatar")])
    .secret_in_body(),
    manners: {
        scope_separator: ScopeSeparator::Comma,
        lifetime: Some(Duration::from_secs(604_800)),
        refresh: Refresh::Lasting,
        account: r#"{"id":"$ID","uid":"ada","name":"Ada Lovelace",
            "avatar":"https://img3.doubanio.com/icon/u$ID.jpg"}"#,
    },
}
