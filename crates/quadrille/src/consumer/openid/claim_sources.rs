//! Claims of other parties (OpenID Connect Core, section 5.6.2): their JWTs, and the keys of their
//! issuers.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Request, header};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    Env, Secret,
    consumer::{
        error::{ClaimSourceError, Error, OperatorError},
        exchange::USER_AGENT,
        registration::Settled,
        service::ClaimsProviders,
        site::Site,
    },
    fetch::{FetchError, document},
    jose::{ClaimsError, Unverified},
    loopback::is_secure,
    oauth2::bearer,
    oidc::{ClaimSource, ClaimSourceKind, ClaimSourceRejected},
    transport::{Body, ErasedClient, Purpose},
};

use super::documents::{Documents, Newer, not_fetched};

/// The deadline of a request for distributed claims.
const DEADLINE: Duration = Duration::from_secs(5);

/// The claims that one source has.
///
/// ```
/// use quadrille::consumer::SourcedClaims;
///
/// fn score(of_the_bank: &SourcedClaims) -> Option<i64> {
///     of_the_bank.claims.get("credit_score")?.as_i64()
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SourcedClaims {
    /// The issuer, which has signed the claims.
    pub issuer: String,
    /// The claims, by their names: those that the OpenID Provider said the source has, and no others.
    pub claims: Map<String, Value>,
}

/// The claims providers of one application at a service.
pub(super) struct Sources {
    client: Box<str>,
    providers: Option<ClaimsProviders>,
    documents: Vec<(Arc<str>, Documents)>,
}

impl Sources {
    /// `known` are those of an earlier registration.
    pub(super) fn of(
        service: &Settled,
        site: &Site,
        known: Option<&Self>,
    ) -> Result<Self, OperatorError> {
        let malformed = |_| OperatorError::EndpointMalformed { service: (*service.name).into() };
        let providers = service.allowed.claims_providers.clone();
        let issuers = providers.iter().flat_map(|providers| &providers.issuers);
        let documents = issuers.map(|issuer| {
            let documents = Documents::new(issuer, None, service.shared_http(site));
            let before = known.and_then(|known| known.documents_of(issuer));
            Ok((Arc::clone(issuer), documents.map_err(malformed)?.or_known(before)))
        });
        let documents = documents.collect::<Result<_, OperatorError>>()?;
        Ok(Self { client: (*service.id).into(), documents, providers })
    }

    fn documents_of(&self, issuer: &str) -> Option<&Documents> {
        let found = self.documents.iter().find(|(known, _)| **known == *issuer);
        found.map(|(_, documents)| documents)
    }

    /// The claims of a source, if it is one of the claims providers. `own` are the issuer and the
    /// documents of the OpenID Provider: what it says of a user, it may also say so.
    ///
    /// # Errors
    /// [`ClaimSourceError`].
    pub(super) async fn claims_of(
        &self,
        service: &Arc<str>,
        env: &Env,
        own: (&str, &Documents),
        source: &ClaimSource,
    ) -> Result<SourcedClaims, ClaimSourceError> {
        let fetched;
        let jwt = match &source.kind {
            ClaimSourceKind::Aggregated { jwt } => jwt.expose(),
            ClaimSourceKind::Distributed { endpoint, access_token } => {
                fetched = self.fetched(service, endpoint, access_token.as_ref()).await?;
                fetched.trim_ascii()
            }
        };
        let token = Unverified::parse(jwt).map_err(ClaimSourceRejected::from)?;
        let claims = token.claims_of_anybody().map_err(ClaimSourceRejected::from)?;
        let missing = || ClaimSourceRejected::from(ClaimsError::Missing("iss"));
        let issuer = claims.iss.clone().ok_or_else(missing)?;
        if *own.0 == *issuer {
            source.check_user_of_the_provider(&claims)?;
        }
        let documents = match self.documents_of(&issuer) {
            Some(documents) => documents,
            None if *own.0 == *issuer => own.1,
            None => return Err(ClaimSourceError::IssuerNotNamed),
        };
        let has_key = |keys: &_| token.has_key_in(keys);
        let keys = documents.keys(Newer::OfProvider, service, env, has_key).await;
        let keys = keys.map_err(|error| ClaimSourceError::Failed(Box::new(error)))?;
        let claims = source.verify(token, &keys, &issuer, &self.client, env.now())?;
        Ok(SourcedClaims { issuer, claims })
    }

    /// The JWT at an endpoint, which the provider has chosen.
    async fn fetched(
        &self,
        service: &Arc<str>,
        endpoint: &str,
        token: Option<&Secret>,
    ) -> Result<String, ClaimSourceError> {
        let failed = |error: Error| ClaimSourceError::Failed(Box::new(error));
        let Some(providers) = &self.providers else {
            // No key would verify it.
            return Err(ClaimSourceError::IssuerNotNamed);
        };
        let url = Url::parse(endpoint).ok().filter(is_secure);
        let is_plain = |url: &Url| {
            url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
        };
        let url = url.filter(is_plain).ok_or(ClaimSourceError::EndpointMalformed)?;
        let http = providers.http().map_err(|error| failed(error.into()))?;
        let fetched = tokio::time::timeout(DEADLINE, get(&*http, &url, token)).await;
        let fetched = fetched.unwrap_or(Err(FetchError::TimedOut));
        fetched.map_err(|error| failed(not_fetched(service, error)))
    }
}

/// One request, which follows no redirect.
async fn get(
    http: &dyn ErasedClient,
    url: &Url,
    token: Option<&Secret>,
) -> Result<String, FetchError> {
    let mut request = Request::new(Body::default());
    *request.uri_mut() = url.as_str().parse().map_err(|_| FetchError::Url)?;
    let headers = request.headers_mut();
    headers.insert(header::USER_AGENT, USER_AGENT);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/jwt"));
    if let Some(token) = token {
        let token = bearer::header(token).ok_or(FetchError::Url)?;
        headers.insert(header::AUTHORIZATION, token);
    }
    let answer = http.send(request, Purpose::Identity).await.map_err(|error| error.reason)?;
    let body = document(answer).await?.body;
    String::from_utf8(body.to_vec()).map_err(|_| FetchError::ContentType)
}
