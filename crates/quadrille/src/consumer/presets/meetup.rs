//! Meetup.

use crate::consumer::Spec;

service! {
    /// Meetup, whose API is GraphQL: POST queries to `gql-ext`. Register at
    /// <https://www.meetup.com/api/oauth/list> with the callback `{public
    /// URL}/login/meetup/authorized`.
    ///
    /// The secret is in the body. Access tokens last an hour. Whether a refresh token stays valid
    /// is not said, so each is used once. There is no revocation.
    Meetup,
    new: (id, secret),
    variables: ["MEETUP_OAUTH_CLIENT_ID", "MEETUP_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Meetup's guide (an undated copy), goth and python-social-auth",
    spec: Spec::oauth2(
        "meetup",
        "https://secure.meetup.com/oauth2/authorize",
        "https://secure.meetup.com/oauth2/access",
        "https://api.meetup.com",
    )
    .title("Meetup")
    .scopes("basic")
    .identity("gql-ext", "data.self.id")
    .identity_by_post(r#"{"query":"query { self { id name } }"}"#)
    .profile(&[("name", "data.self.name")])
    .secret_in_body()
    .rotates_refresh_tokens(),
    manners: {
        secret_in_one_way: true,
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Rotating,
        account: r#"{"data":{"self":{"id":"$ID","name":"Ada Lovelace"}}}"#,
    },
}
