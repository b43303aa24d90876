//! The reasons why a provider's answer to a registration cannot be used.

/// The reason why a provider's answer to the registration of the site is none that logins can use
/// (RFC 7591, section 3.2.1).
///
/// ```
/// use quadrille::consumer::RegistrationUnusable;
///
/// let error = RegistrationUnusable::SecretMissing;
/// assert_eq!(error.to_string(), "its authentication needs a secret, and there is none");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationUnusable {
    /// The callback of the site is not among the registered ones.
    #[error("it has other callbacks than that of this site")]
    Callback,
    /// The method of client authentication is another than those that the site has.
    #[error("its method of client authentication is none that this site has")]
    Method,
    /// The signature algorithm of ID tokens is none with public keys that is known here.
    #[error("its ID tokens have a signature algorithm that this site does not accept")]
    Algorithm,
    /// The method of client authentication needs a secret, and the answer has none, or an empty one.
    #[error("its authentication needs a secret, and there is none")]
    SecretMissing,
    /// The client identifier is empty, or has a character that none has (RFC 6749, appendix A.1), or
    /// has spaces or quotation marks around it.
    #[error("its client_id is empty, or has a character that no client_id has")]
    ClientIdMalformed,
    /// The client secret has a character that none has (RFC 6749, appendix A.2), or has spaces or
    /// quotation marks around it.
    #[error("its client_secret has a character that no client_secret has")]
    SecretMalformed,
}
