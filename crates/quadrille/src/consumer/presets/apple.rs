//! Sign in with Apple.

use crate::consumer::{Revocation, Spec};

service! {
    /// Sign in with Apple, as far as it is plain OAuth 2. Register a Services ID at
    /// <https://developer.apple.com/account/resources/identifiers> with the callback `{public
    /// URL}/login/apple/authorized`. The secret is a JWT that you sign with your key, which Apple
    /// accepts for six months at most:
    /// [`secret_by`](crate::consumer::Client::secret_by) makes it for each request. Apple sends the
    /// callback by POST, and the user's name, the first time only, in its parameter `user`
    /// ([`Authorized::callback_parameter`](crate::Authorized::callback_parameter)).
    ///
    /// Apple has no API of claims: the user's identifier is in the `id_token` of
    /// [`Authorized::more`](crate::Authorized::more), which comes from Apple itself over TLS, and
    /// an owner here has one account.
    Apple,
    new: (id, secret),
    variables: ["APPLE_OAUTH_CLIENT_ID", "APPLE_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic, goth and Apple's developer \
              forum (an undated copy), which has the revocation endpoint",
    spec: Spec::oauth2(
        "apple",
        "https://appleid.apple.com/auth/authorize",
        "https://appleid.apple.com/auth/token",
        "https://appleid.apple.com",
    )
    .title("Apple")
    .scopes("name email")
    .parameters(&[("response_mode", "form_post")])
    .secret_in_body()
    .error_names(&[("user_cancelled_authorize", "access_denied")])
    .revocation("https://appleid.apple.com/auth/revoke", Revocation::Standard),
    manners: {
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Lasting,
        denial: Denial::Named("user_cancelled_authorize"),
    },
}
