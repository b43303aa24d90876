//! The delivery of request objects to a service.

/// The way in which a request object, a signed authorization request, gets to an OpenID Provider
/// (RFC 9101, section 5; OpenID Connect Core, section 6).
///
/// ```
/// use quadrille::{SpecBuf, consumer::RequestObjects};
///
/// let spec = SpecBuf::oidc("acme", "https://id.acme.example")
///     .request_objects(RequestObjects::ByValue);
/// # let _ = spec;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestObjects {
    /// In the URL to which the browser is redirected (`request`).
    ByValue,
    /// At a URL of this site (`request_uri`), from which the provider gets it, once within two minutes.
    /// The storage of the login keeps it, so it is not in the user's browser.
    ByReference,
    /// As [`ByReference`](Self::ByReference), without a signature (`none`; OpenID Connect Core, section
    /// 6.1), for a provider that knows no key of this site. Gives up: only the TLS of this site's address
    /// proves to the provider whose request it is, and nothing does so later. The site needs no keys for
    /// it.
    UnsignedByReferenceSoThatOnlyTlsProvesWhoseItIs,
}

impl RequestObjects {
    /// Whether the provider gets the object from a URL of this site.
    pub(crate) const fn is_by_reference(self) -> bool {
        !matches!(self, Self::ByValue)
    }

    /// Whether the site signs the object.
    pub(crate) const fn is_signed(self) -> bool {
        !matches!(self, Self::UnsignedByReferenceSoThatOnlyTlsProvesWhoseItIs)
    }
}
