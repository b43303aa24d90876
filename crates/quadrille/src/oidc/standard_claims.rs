//! The standard claims, and the scopes that request them (OpenID Connect Core, sections 5.1 and
//! 5.4).

/// The standard claims about a user (OpenID Connect Core, section 5.1).
///
/// ```
/// use quadrille::oidc::{STANDARD_CLAIMS, STANDARD_SCOPES, claims_of_scope};
///
/// let by_scope = STANDARD_SCOPES.iter().flat_map(|scope| claims_of_scope(scope)).count();
/// assert_eq!(STANDARD_CLAIMS.len(), by_scope + 1); // `sub` comes with every token.
/// ```
pub const STANDARD_CLAIMS: [&str; 20] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// The scopes that request standard claims (OpenID Connect Core, section 5.4).
///
/// ```
/// use quadrille::oidc::STANDARD_SCOPES;
///
/// assert_eq!(STANDARD_SCOPES, ["profile", "email", "address", "phone"]);
/// ```
pub const STANDARD_SCOPES: [&str; 4] = ["profile", "email", "address", "phone"];

/// The claims that a scope requests (OpenID Connect Core, section 5.4); none for other scopes.
///
/// ```
/// use quadrille::oidc::claims_of_scope;
///
/// assert_eq!(claims_of_scope("email"), ["email", "email_verified"]);
/// assert!(claims_of_scope("photos:read").is_empty());
/// ```
pub fn claims_of_scope(scope: &str) -> &'static [&'static str] {
    match scope {
        "profile" => &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
        "email" => &["email", "email_verified"],
        "address" => &["address"],
        "phone" => &["phone_number", "phone_number_verified"],
        _ => &[],
    }
}
