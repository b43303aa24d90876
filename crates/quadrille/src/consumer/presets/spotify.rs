//! Spotify.

use crate::consumer::Spec;

service! {
    /// Spotify. Register at <https://developer.spotify.com/dashboard> with the callback `{public
    /// URL}/login/spotify/authorized`; Spotify refuses `http` except for `127.0.0.1` and `[::1]`.
    /// The address needs the scope `user-read-email`, and Spotify does not verify it.
    ///
    /// Auth.js sends PKCE with the secret, and Arctic says that this does not work: switch PKCE off
    /// with [`with_spec`](crate::consumer::Client::with_spec) if Spotify refuses it. A refresh
    /// token stays valid. There is no revocation.
    Spotify,
    new: (id, secret),
    variables: ["SPOTIFY_OAUTH_CLIENT_ID", "SPOTIFY_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026) and Arctic (2025)",
    spec: Spec::oauth2(
        "spotify",
        "https://accounts.spotify.com/authorize",
        "https://accounts.spotify.com/api/token",
        "https://api.spotify.com",
    )
    .title("Spotify")
    .any_loopback_port()
    .identity("v1/me", "id")
    .profile(&[("name", "display_name"), ("email", "email"), ("picture", "images.0.url")]),
    manners: {
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Lasting,
        account: r#"{"id":"ada$ID","display_name":"Ada Lovelace","email":"ada@example.com",
            "images":[{"url":"https://i.scdn.co/image/ada","height":64,"width":64}]}"#,
    },
}
