//! The reasons why a request cannot be signed.

use crate::oauth1::{KeyError, RequestError};

/// The reason why a request cannot be signed.
///
/// ```
/// use quadrille::{Env, Secret, oauth1::{SignError, SignatureMethod, Signer}};
///
/// let signer = Signer::hmac(SignatureMethod::HmacSha1, "client", &Secret::from("secret"))?;
/// let relative = http::Request::get("/photos").body(bytes::Bytes::new())?;
/// let error = signer.sign(&Env::system(), relative, &[]).unwrap_err();
/// assert_eq!(error, SignError::NotAbsolute);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The request has no absolute `http` or `https` URL.
    #[error("only a request to an absolute http or https URL can be signed")]
    NotAbsolute,
    /// The query or the form is malformed, so no server could verify it.
    #[error(transparent)]
    Parameters(#[from] RequestError),
    /// The `Content-Type` of the body is ambiguous, so no server could verify it.
    #[error("the Content-Type of the body can be read in several ways")]
    BodyAmbiguous,
    /// The request has several `Host` headers, or one without a valid host.
    #[error("the Host header names no host")]
    Host,
    /// The realm is not printable ASCII, so a header cannot carry it.
    #[error("the realm is not printable ASCII")]
    Realm,
    /// The parameters belong in the body, which is not a form.
    #[error("protocol parameters can stand in the body of a form only")]
    NoForm,
    /// The request is signed already, or has parameters that begin with `oauth_`.
    #[error("the request has protocol parameters already")]
    SignedAlready,
    /// The key does not fit the signature method.
    #[error(transparent)]
    Key(#[from] KeyError),
}
