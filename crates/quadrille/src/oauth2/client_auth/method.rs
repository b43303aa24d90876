//! The methods of client authentication.

/// An authentication method of clients, by its registered name (RFC 7591, section 2).
///
/// ```
/// use quadrille::oauth2::AuthMethod;
///
/// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`.
    ClientSecretBasic,
    /// `client_secret_post`.
    ClientSecretPost,
    /// `client_secret_jwt`: an assertion with an HMAC by the secret (RFC 7523, section 2.2).
    ClientSecretJwt,
    /// `private_key_jwt`: an assertion signed with a private key (RFC 7523, section 2.2).
    PrivateKeyJwt,
    /// `none`: the `client_id` only.
    None,
}

impl AuthMethod {
    /// The name in metadata.
    ///
    /// ```
    /// use quadrille::oauth2::AuthMethod;
    ///
    /// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}
