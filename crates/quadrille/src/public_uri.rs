//! The URI of a request as sent, even if a router or a proxy has shortened it.

use http::{Extensions, Uri};

/// The URI that the client sent, in the extensions of a request whose own URI is shortened.
#[derive(Clone, Debug)]
pub(crate) struct PublicUri(pub(crate) Uri);

/// The URI that the client sent; `None` if the request still has it. axum stores it when it nests
/// routers, and signatures cover it (RFC 5849, section 3.4.1.2).
pub(crate) fn of(extensions: &Extensions) -> Option<&Uri> {
    let ours = extensions.get::<PublicUri>().map(|public| &public.0);
    #[cfg(feature = "axum")]
    let ours = ours.or_else(|| extensions.get().map(|axum::extract::OriginalUri(public)| public));
    ours
}
