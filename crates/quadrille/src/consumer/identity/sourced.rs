//! The claims of other parties about an account (OpenID Connect Core, section 5.6.2).

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    consumer::{
        call::api::Api,
        error::{ClaimSourceError, Error, Result, ServiceError},
        openid::claim_sources::SourcedClaims,
    },
    oidc::ClaimSource,
    transport::NetworkError,
};

/// A source of claims about an account, and what it has.
///
/// ```
/// use quadrille::consumer::FromSource;
///
/// fn is_of_the_bank(from: &FromSource) -> bool {
///     from.outcome.as_ref().is_ok_and(|sourced| sourced.issuer == "https://bank.example")
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FromSource {
    /// The names of the claims that the OpenID Provider says the source has.
    pub names: Vec<String>,
    /// The claims, or the reason why there are none.
    pub outcome: std::result::Result<SourcedClaims, ClaimSourceError>,
}

impl Api {
    /// The claims of other parties, to which `claims` of an OpenID Provider refer (`_claim_names` and
    /// `_claim_sources`; OpenID Connect Core, section 5.6.2): those of
    /// [`Claims::all`](crate::consumer::Claims::all) or
    /// [`Profile::raw`](crate::consumer::Profile::raw).
    ///
    /// Each source is a JWT, by value (aggregated claims) or at a URL (distributed claims). Its issuer
    /// must be the provider's own, or one that the application names
    /// ([`ClaimsProviders`](crate::consumer::ClaimsProviders)), whose keys are found by discovery. The
    /// JWT must be signed, have no other audience than this client, and not have expired. Of its claims
    /// only those are given to which the provider refers: the subject of an account, for example, is of
    /// no other party. A JWT of the provider itself that has a subject must be about the same user: the ID
    /// token of another one is no claim about this one.
    ///
    /// A URL is requested with the access token that is beside it, by a client that is confined to the
    /// public Internet, within five seconds; it must be https, may not redirect, and its JWT may have
    /// 64 KiB. All sources, of which there may be eight, are asked at once. One that fails leaves the
    /// others as they are.
    ///
    /// ```
    /// use quadrille::{Authorized, Result};
    ///
    /// async fn arrived(new: Authorized) -> Result<()> {
    ///     let Some(claims) = new.claims().await? else { return Ok(()) };
    ///     for source in new.claims_of_others(claims.all()).await? {
    ///         match source.outcome {
    ///             Ok(its) => println!("{} says {:?}", its.issuer, its.claims.get("credit_score")),
    ///             Err(error) => println!("{:?} are not known: {error}", source.names),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::NotOpenId`](crate::consumer::OperatorError::NotOpenId), and
    /// [`ServiceError::ClaimSources`] for members that cannot be read.
    pub async fn claims_of_others(&self, claims: &Value) -> Result<Vec<FromSource>> {
        let registered = self.held().registered();
        registered.openid_provider()?;
        let sources = ClaimSource::all_in(claims);
        let unread = |reason| Error::service(&registered.name, ServiceError::ClaimSources(reason));
        let mut outcomes = JoinSet::new();
        let mut all = Vec::new();
        for source in sources.map_err(unread)? {
            let lost = Error::network(&registered.name, NetworkError::Interrupted);
            let outcome = Err(ClaimSourceError::Failed(Box::new(lost)));
            let at = all.len();
            all.push(FromSource { names: source.claims.clone(), outcome });
            let (registered, env) = (Arc::clone(registered), self.held().login().0.env.clone());
            outcomes.spawn(async move {
                let provider = registered.openid_provider().map_err(Error::from);
                match provider {
                    Ok(provider) => (at, provider.claims_of(&env, &source).await),
                    Err(error) => (at, Err(ClaimSourceError::Failed(Box::new(error)))),
                }
            });
        }
        while let Some(ended) = outcomes.join_next().await {
            if let Ok((at, outcome)) = ended
                && let Some(source) = all.get_mut(at)
            {
                source.outcome = outcome;
            }
        }
        Ok(all)
    }
}
