//! The reasons why claims of another party are not given to the application.

use crate::oidc::ClaimSourceRejected;

use super::Error;

/// The reason why a source of claims (OpenID Connect Core, section 5.6.2) has none for the application.
///
/// ```
/// use quadrille::consumer::ClaimSourceError;
///
/// let error = ClaimSourceError::IssuerNotNamed;
/// assert_eq!(error.to_string(), "the issuer is none of the application's claims providers");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimSourceError {
    /// The issuer is none that the application names
    /// ([`ClaimsProviders`](crate::consumer::ClaimsProviders)).
    #[error("the issuer is none of the application's claims providers")]
    IssuerNotNamed,
    /// The JWT is not valid.
    #[error("the JWT of the claims is rejected: {0}")]
    Rejected(#[from] ClaimSourceRejected),
    /// The endpoint of distributed claims is no https URL without a fragment or a user.
    #[error("the endpoint of the claims is no https URL")]
    EndpointMalformed,
    /// The claims, or the keys of their issuer, could not be fetched.
    #[error("the claims, or the keys of their issuer, could not be fetched: {0}")]
    Failed(Box<Error>),
}
