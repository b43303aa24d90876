//! The reasons why a provider cannot be sent request objects.

/// The reason why a provider cannot be sent request objects as the application wants it.
///
/// ```
/// use quadrille::consumer::RequestObjectUnusable;
///
/// let error = RequestObjectUnusable::ByValue;
/// assert_eq!(error.to_string(), "its metadata say that it takes no request objects in URLs");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestObjectUnusable {
    /// The metadata have no `request_parameter_supported`.
    #[error("its metadata say that it takes no request objects in URLs")]
    ByValue,
    /// The metadata say that `request_uri` is not supported, or only for URLs that are registered.
    #[error("its metadata say that it gets no request objects, or only from registered URLs")]
    ByReference,
    /// The metadata do not name the algorithm of the site's signing key.
    #[error("its metadata do not name the algorithm of this site's signing key")]
    Algorithm,
    /// The metadata do not name `none`.
    #[error("its metadata do not say that it takes unsigned request objects")]
    Unsigned,
    /// The metadata do not name the algorithms of the encryption.
    #[error("its metadata do not name the algorithms of the encryption")]
    Encryption,
    /// None of its keys is for the algorithm of the encryption.
    #[error("none of its keys is for the algorithm of the encryption")]
    KeyMissing,
    /// The storage of the login is in the user's browser, so the provider cannot be given a URL.
    #[error("the storage of this login is in the user's browser, so no URL has the request object")]
    StorageInBrowser,
}
