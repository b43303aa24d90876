//! OpenStreetMap.

use crate::consumer::{Revocation, Spec};

service! {
    /// OpenStreetMap. Register at <https://www.openstreetmap.org/oauth2/applications> with the
    /// callback `{public URL}/login/osm/authorized`.
    ///
    /// PKCE is supported, OAuth 1 no longer. Tokens do not expire. The revocation endpoint is
    /// unconfirmed. There are no e-mail addresses.
    OpenStreetMap,
    new: (id, secret),
    variables: ["OSM_OAUTH_CLIENT_ID", "OSM_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026) and OpenStreetMap's wiki \
              (an undated copy)",
    spec: Spec::oauth2(
        "osm",
        "https://www.openstreetmap.org/oauth2/authorize",
        "https://www.openstreetmap.org/oauth2/token",
        "https://api.openstreetmap.org/api/0.6",
    )
    .title("OpenStreetMap")
    .scopes("read_prefs")
    .identity("user/details.json", "user.id")
    .profile(&[("preferred_username", "user.display_name"), ("picture", "user.img.href")])
    .revocation("https://www.openstreetmap.org/oauth2/revoke", Revocation::Standard),
    manners: {
        account: r#"{"user":{"id":$ID,"display_name":"ada","img":{
            "href":"https://www.openstreetmap.org/rails/active_storage/ada.png"}}}"#,
    },
}
