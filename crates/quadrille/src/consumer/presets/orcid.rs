//! ORCID.

use crate::consumer::{Revocation, Spec};

service! {
    /// ORCID, with its public API, or that of `members`. Register at
    /// <https://orcid.org/developer-tools> with the callback `{public URL}/login/orcid/authorized`.
    ///
    /// The subject is the user's ORCID iD. Tokens last some twenty years. There are no
    /// e-mail addresses.
    Orcid,
    new: (id, secret),
    variables: ["ORCID_OAUTH_CLIENT_ID", "ORCID_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against python-social-auth (August 2026) and ORCID's documentation \
              (undated copies)",
    spec: Spec::oauth2(
        "orcid",
        "https://orcid.org/oauth/authorize",
        "https://orcid.org/oauth/token",
        "https://pub.orcid.org/v3.0",
    )
    .title("ORCID")
    .scopes("openid")
    .openid("https://orcid.org", "https://orcid.org/oauth/jwks")
    .accounts_by_subject_since_the_issuer_never_changes()
    .identity("https://orcid.org/oauth/userinfo", "sub")
    .profile(&[("name", "{given_name} {family_name}")])
    .secret_in_body()
    .revocation("https://orcid.org/oauth/revoke", Revocation::Standard),
    options: {
        /// Calls the API of ORCID's members.
        member_api => |client| client.moved("https://pub.", "https://api."),
        /// Logs in with ORCID's sandbox, at `sandbox.orcid.org`.
        sandbox => |client| client
            .moved("https://orcid.org", "https://sandbox.orcid.org")
            .moved("https://pub.orcid.org", "https://pub.sandbox.orcid.org")
            .moved("https://api.orcid.org", "https://api.sandbox.orcid.org"),
    },
    manners: {
        token_type: "bearer",
        lifetime: Some(Duration::from_secs(631_138_518)),
        refresh: Refresh::Lasting,
        account: r#"{"sub":"0000-0002-2601-$ID","name":null,"given_name":"Ada",
            "family_name":"Lovelace"}"#,
    },
}
