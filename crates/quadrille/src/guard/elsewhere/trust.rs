//! The ways to trust an issuer elsewhere.

use std::{fmt, sync::Arc};

use crate::guard::authority::Authority;

use super::{
    introspection::Introspection,
    jwt::{JwtAccessTokens, Verifier},
};

/// The way in which a guard trusts an issuer elsewhere: it asks about each token
/// ([`Introspection`]), or verifies signatures ([`JwtAccessTokens`]).
///
/// ```
/// use quadrille::guard::{JwtAccessTokens, Trust};
///
/// let trust = Trust::from(JwtAccessTokens::of("https://id.example")?);
/// # Ok::<(), quadrille::guard::JwtAccessTokensError>(())
/// ```
#[derive(Clone)]
pub struct Trust(pub(in crate::guard) Arc<dyn Authority>);

impl From<Introspection> for Trust {
    fn from(introspection: Introspection) -> Self {
        Self(Arc::new(introspection))
    }
}

impl From<JwtAccessTokens> for Trust {
    fn from(tokens: JwtAccessTokens) -> Self {
        Self(Arc::new(Verifier::from(tokens)))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({:?})", self.0.issuer())
    }
}
