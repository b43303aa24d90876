//! A service that is an OpenID Provider (OpenID Connect Core 1.0): its documents, and the
//! verification of its ID tokens.

pub(super) mod claim_sources;
mod documents;
mod encrypted;
pub(super) mod ended;
mod marks;
pub(super) mod presented;
pub(super) mod published;
pub(super) mod request_object;
pub(super) mod spent;

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;
use tracing::warn;
use url::Url;

use crate::{
    Env, Secret,
    consumer::error::{ClaimSourceError, Error, OperatorError, Result, ServiceError},
    jose::{Algorithm, Algorithms, EncryptingKey, KeyManagement, KeySet, TokenError, Unverified},
    loopback::is_secure,
    oauth2::member::LONGEST,
    oidc::{
        ClaimSource, Expected, IdToken, IdTokenRejected, IdTokenRules, LogoutToken,
        LogoutTokenRejected, ProviderMetadata,
    },
};

use self::{
    claim_sources::{SourcedClaims, Sources},
    documents::{Documents, Newer},
    encrypted::{Opener, is_jwt, opened, opened_if_encrypted},
};
pub(crate) use self::{documents::not_fetched, encrypted::Signed};
use super::{
    account::{Account, Token},
    claims::Claims,
    registration::Settled,
    service::{Credential, OpenIdAccount, OpenIdBuf},
    site::Site,
};

/// The bytes of an identifier of an account that is the issuer and a subject, which may have 255 (OpenID
/// Connect Core, section 2). Storages take it.
const LONGEST_WITH_ISSUER: usize = 512;

/// An OpenID Provider, ready for use.
pub(crate) struct OpenIdProvider {
    service: Arc<str>,
    spec: OpenIdBuf,
    rules: IdTokenRules,
    /// The rules for tokens that pages and apps present, which may be of further clients.
    rules_of_presented: IdTokenRules,
    rules_of_userinfo: IdTokenRules,
    documents: Documents,
    /// Those that open encrypted ID tokens, and encrypted claims of the userinfo endpoint.
    id_tokens: Option<Opener>,
    userinfo: Option<Opener>,
    /// The other parties whose claims are accepted.
    sources: Sources,
}

impl OpenIdProvider {
    /// The provider that a service is, if it is one. `known` is that of an earlier registration.
    pub(crate) fn of(
        service: &Settled,
        site: &Site,
        known: Option<&Self>,
    ) -> Result<Option<Self>, OperatorError> {
        let Some(spec) = service.openid() else { return Ok(None) };
        let Some(issuer) = &spec.issuer else { return Ok(None) };
        let malformed = || OperatorError::EndpointMalformed { service: (*service.name).into() };
        let keys_url = match &spec.keys {
            None => None,
            Some(text) => Some(Url::parse(text).ok().filter(is_secure).ok_or_else(malformed)?),
        };
        // The metadata of the placeholder's issuer may be of any tenant's.
        if keys_url.is_none() && spec.tenants.is_some() {
            return Err(malformed());
        }
        let http = service.shared_http(site);
        let documents = Documents::new(&without_placeholder(spec, issuer), keys_url, http);
        let documents = documents.map_err(|_| malformed())?;
        let rules = |algorithm| {
            rules(service, spec, issuer, algorithm).map(|rules| rules.leeway(site.clock_leeway))
        };
        let (rules, rules_of_userinfo) =
            (rules(spec.id_token_algorithm)?, rules(spec.userinfo_algorithm)?);
        let further = service.allowed.clients.iter();
        Ok(Some(Self {
            service: Arc::clone(&service.name),
            spec: spec.clone(),
            rules_of_presented: further.fold(rules.clone(), |rules, id| rules.or_client(&**id)),
            rules,
            rules_of_userinfo,
            id_tokens: Opener::of(service, site, spec.id_token_encryption)?,
            userinfo: Opener::of(service, site, spec.userinfo_encryption)?,
            documents: documents.or_known(known.map(|known| &known.documents)),
            sources: Sources::of(service, site, known.map(|known| &known.sources))?,
        }))
    }

    /// The metadata of the provider.
    pub(crate) async fn metadata(&self, env: &Env) -> Result<Arc<ProviderMetadata>> {
        self.documents.metadata(&self.service, env).await
    }

    /// A key of the provider that encrypts by this algorithm.
    ///
    /// # Errors
    /// Those of the request for the provider's keys.
    pub(crate) async fn encrypting_key(
        &self,
        env: &Env,
        algorithm: KeyManagement,
    ) -> Result<Option<EncryptingKey>> {
        let keys = self.documents.encrypting_keys(&self.service, env, algorithm).await?;
        Ok(keys.for_algorithm(algorithm).cloned())
    }

    /// Has the keys at hand, so that a login does not spend its code and fail then.
    ///
    /// # Errors
    /// Those of the request for the keys.
    pub(crate) async fn prepare(&self, env: &Env) -> Result<()> {
        match self.rules.needs_keys() {
            true => {
                let keys = self.documents.keys(Newer::No, &self.service, env, |_| true);
                keys.await.map(drop)
            }
            false => Ok(()),
        }
    }

    /// What the ID token must agree with after a login that sent this `nonce`.
    pub(crate) fn expected<'a>(&self, nonce: Option<&'a str>) -> Expected<'a> {
        match nonce {
            Some(nonce) if self.spec.forgets_nonce => {
                Expected::nonce_that_the_service_may_forget(nonce)
            }
            Some(nonce) => Expected::nonce(nonce),
            None => Expected::no_nonce(),
        }
    }

    /// The signed ID token in an encrypted one, at a provider that encrypts.
    ///
    /// # Errors
    /// [`ServiceError::IdTokenRejected`].
    pub(crate) fn opened<'t>(&self, token: &'t str) -> Result<Signed<'t>> {
        opened(self.id_tokens.as_ref(), token).map_err(|reason| {
            let error = ServiceError::IdTokenRejected(reason.into());
            Error::service(&self.service, error)
        })
    }

    /// Verifies an ID token of the provider's token endpoint.
    ///
    /// # Errors
    /// [`ServiceError::IdTokenRejected`], and those of the request for the provider's keys.
    pub(crate) async fn verify(
        &self,
        env: &Env,
        token: &Signed<'_>,
        expected: &Expected<'_>,
    ) -> Result<IdToken> {
        self.verify_by(&self.rules, |_| Newer::OfProvider, env, token, expected).await
    }

    /// Verifies an ID token that a browser has brought from the authorization endpoint.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    pub(crate) async fn verify_brought(
        &self,
        env: &Env,
        token: &Signed<'_>,
        expected: &Expected<'_>,
    ) -> Result<IdToken> {
        let rules = &self.rules;
        let concerns = |token: &Unverified<'_>| newer_for(rules.concerns(token, env.now()));
        self.verify_by(rules, concerns, env, token, expected).await
    }

    /// Verifies an ID token that a page or an app presents.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    pub(crate) async fn verify_presented(
        &self,
        env: &Env,
        token: &Signed<'_>,
        expected: &Expected<'_>,
    ) -> Result<IdToken> {
        let rules = &self.rules_of_presented;
        let concerns = |token: &Unverified<'_>| newer_for(rules.concerns(token, env.now()));
        self.verify_by(rules, concerns, env, token, expected).await
    }

    async fn verify_by(
        &self,
        rules: &IdTokenRules,
        newer: impl Fn(&Unverified<'_>) -> Newer,
        env: &Env,
        token: &Signed<'_>,
        expected: &Expected<'_>,
    ) -> Result<IdToken> {
        let rejected = |reason: IdTokenRejected| {
            Error::service(&self.service, ServiceError::IdTokenRejected(reason))
        };
        let token = Unverified::parse(token.as_str()).map_err(|reason| rejected(reason.into()))?;
        let newer = newer(&token);
        if !self.signs_by(newer, env, &token, &OF_ID_TOKENS).await? {
            return Err(rejected(TokenError::AlgorithmNotAccepted.into()));
        }
        let keys = self.keys_for(rules, newer, env, &token).await?;
        rules.verify(token, &keys, expected, env.now()).map_err(rejected)
    }

    /// Verifies a logout token, which may be for any client of this application.
    ///
    /// # Errors
    /// [`ServiceError::LogoutTokenRejected`], and those of the request for the provider's keys.
    pub(crate) async fn verify_logout(&self, env: &Env, token: &str) -> Result<LogoutToken> {
        let rejected = |reason: LogoutTokenRejected| {
            Error::service(&self.service, ServiceError::LogoutTokenRejected(reason))
        };
        let signed = opened_if_encrypted(self.id_tokens.as_ref(), token);
        let signed = signed.map_err(|reason| rejected(reason.into()))?;
        let token = Unverified::parse(signed.as_str()).map_err(|reason| rejected(reason.into()))?;
        let rules = &self.rules_of_presented;
        let newer = newer_for(rules.may_be_logout(&token, env.now()));
        if !self.signs_by(newer, env, &token, &OF_ID_TOKENS).await? {
            return Err(rejected(TokenError::AlgorithmNotAccepted.into()));
        }
        let keys = self.keys_for(rules, newer, env, &token).await?;
        rules.verify_logout(token, &keys, env.now()).map_err(rejected)
    }

    /// The claims in a response of the userinfo endpoint as JSON (OpenID Connect Core, section 5.3.2);
    /// `None` if the service does not sign them.
    ///
    /// # Errors
    /// [`ServiceError::UserinfoRejected`], [`ServiceError::UserinfoSigned`], and those of the request for
    /// the provider's keys.
    pub(crate) async fn userinfo(&self, env: &Env, body: &[u8]) -> Result<Option<Vec<u8>>> {
        if !self.spec.signed_userinfo {
            return match is_jwt(body) {
                true => Err(Error::service(&self.service, ServiceError::UserinfoSigned)),
                false => Ok(None),
            };
        }
        let rejected = |reason: IdTokenRejected| {
            Error::service(&self.service, ServiceError::UserinfoRejected(reason))
        };
        let text = std::str::from_utf8(body).unwrap_or_default().trim();
        let signed = opened(self.userinfo.as_ref(), text).map_err(|e| rejected(e.into()))?;
        let token = Unverified::parse(signed.as_str()).map_err(|e| rejected(e.into()))?;
        let newer = Newer::OfProvider;
        if !self.signs_by(newer, env, &token, &OF_USERINFO).await? {
            return Err(rejected(TokenError::AlgorithmNotAccepted.into()));
        }
        let rules = &self.rules_of_userinfo;
        let keys = self.keys_for(rules, newer, env, &token).await?;
        rules.verify_userinfo(token, &keys).map(Some).map_err(rejected)
    }

    /// The claims of another party to which claims of the provider refer. With an issuer of each tenant,
    /// the provider has no JWT of its own among them.
    ///
    /// # Errors
    /// [`ClaimSourceError`].
    pub(crate) async fn claims_of(
        &self,
        env: &Env,
        source: &ClaimSource,
    ) -> Result<SourcedClaims, ClaimSourceError> {
        let own = (self.described_issuer(), &self.documents);
        self.sources.claims_of(&self.service, env, own, source).await
    }

    /// Whether the provider says that it signs by the algorithm of a token (OpenID Connect Core, section
    /// 3.1.3.7, item 7). The rules have the algorithm that is registered, and accept no HMAC without.
    async fn signs_by(
        &self,
        newer: Newer,
        env: &Env,
        token: &Unverified<'_>,
        signatures: &Signatures,
    ) -> Result<bool> {
        let algorithm = token.header().algorithm();
        let is_registered = (signatures.registered)(&self.spec).is_some();
        if is_registered || algorithm.is_symmetric() || !self.documents.are_discovered() {
            return Ok(true);
        }
        let says = |metadata: &ProviderMetadata| {
            let named = (signatures.named)(metadata);
            named.is_empty() || named.contains(&algorithm)
        };
        let metadata = self.documents.newer_metadata(newer, &self.service, env, says).await?;
        Ok(says(&metadata))
    }

    /// The keys that verify a token by these rules.
    async fn keys_for(
        &self,
        rules: &IdTokenRules,
        newer: Newer,
        env: &Env,
        token: &Unverified<'_>,
    ) -> Result<Arc<KeySet>> {
        match rules.needs_keys() {
            true => {
                let has_key = |keys: &_| token.has_key_in(keys);
                let keys = self.documents.keys(newer, &self.service, env, has_key).await?;
                if !has_key(&keys)
                    && let Some(first) = keys.skipped().first()
                {
                    let (service, skipped) = (&*self.service, keys.skipped().len());
                    warn!(service, skipped, %first,
                        "no key has the identifier of the token, and keys of the service cannot be used");
                }
                Ok(keys)
            }
            false => Ok(Arc::default()),
        }
    }

    /// The account's identifier of a subject, if accounts are known by that.
    pub(crate) fn account(&self, issuer: &str, subject: &str) -> Option<String> {
        match &self.spec.account {
            OpenIdAccount::IssuerAndSubject => Some([issuer, "#", subject].concat()),
            OpenIdAccount::Subject => Some(subject.to_owned()),
            OpenIdAccount::Claim(_) => None,
        }
    }

    /// The claims of the account that a verified ID token is about.
    ///
    /// # Errors
    /// [`ServiceError::SubjectMissing`] for a token without the claim that identifies accounts here, and
    /// for an identifier that is longer than storages take.
    pub(crate) fn claims(&self, token: &IdToken) -> Result<Claims> {
        let subject = match &self.spec.account {
            OpenIdAccount::Claim(claim) => {
                let text = token.extra.get(&**claim).and_then(Value::as_str);
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            }
            _ => self.account(&token.issuer, &token.subject),
        };
        let longest = match &self.spec.account {
            OpenIdAccount::IssuerAndSubject => LONGEST_WITH_ISSUER,
            _ => LONGEST,
        };
        let fits = |subject: &String| subject.len() <= longest;
        let missing = || Error::service(&self.service, ServiceError::SubjectMissing);
        let subject = subject.filter(fits).ok_or_else(missing)?;
        Ok(Claims { subject, all: all_claims(token) })
    }

    /// The subject of an account at the provider: `token` is the ID token of its login, if that was
    /// kept. `None` if neither says it.
    pub(crate) fn subject_of<'a>(
        &self,
        account: &'a str,
        token: Option<&'a IdToken>,
    ) -> Option<&'a str> {
        match (token, &self.spec.account) {
            (Some(token), _) => Some(&token.subject),
            (None, OpenIdAccount::Subject) => Some(account),
            (None, OpenIdAccount::IssuerAndSubject) => {
                account.split_once('#').map(|(_, subject)| subject)
            }
            (None, OpenIdAccount::Claim(_)) => None,
        }
    }

    /// Whether this is the issuer of the service, or of a tenant of it.
    pub(crate) fn is_issuer(&self, issuer: &str) -> bool {
        self.rules.is_issuer(issuer)
    }

    /// The issuer as the service's description has it: with a placeholder where each tenant has its own.
    pub(crate) fn described_issuer(&self) -> &str {
        self.spec.issuer.as_deref().unwrap_or_default()
    }

    /// Whether front-channel logouts of the service do not name the issuer.
    pub(crate) const fn forgets_issuer_in_front_channel(&self) -> bool {
        self.spec.forgets_issuer_in_front_channel
    }

    /// Whether the service has several issuers, each with sessions of its own: accounts are known by
    /// issuer and subject there.
    pub(crate) fn has_several_issuers(&self) -> bool {
        self.spec.tenants.is_some()
            && self.spec.account == OpenIdAccount::IssuerAndSubject
            && !self.spec.forgets_issuer_in_front_channel
    }

    /// Whether claims of the userinfo endpoint are those of an account (OpenID Connect Core, section
    /// 5.3.2).
    ///
    /// # Errors
    /// [`ServiceError::UserinfoOfAnotherSubject`].
    pub(crate) fn check_userinfo(
        &self,
        account: &str,
        token: Option<&IdToken>,
        subject: Option<&str>,
    ) -> Result<()> {
        match (self.subject_of(account, token), subject) {
            (Some(expected), Some(subject)) if expected == subject => Ok(()),
            _ => Err(Error::service(&self.service, ServiceError::UserinfoOfAnotherSubject)),
        }
    }
}

/// Whether newer documents are fetched for a token that anybody can send.
const fn newer_for(is_worth_it: bool) -> Newer {
    if is_worth_it { Newer::OfAnybody } else { Newer::No }
}

/// The ID token of a login that was verified then, and kept under seal since.
pub(crate) fn kept(token: &Secret) -> Option<IdToken> {
    let token = Unverified::parse(token.expose()).ok()?;
    IdToken::from_claims(token.claims_of_anybody().ok()?).ok()
}

/// The claims of an account in the ID token that was kept with its token.
pub(crate) fn claims_of(account: &Account, token: &Token) -> Option<Claims> {
    let id_token = kept(token.id_token.as_ref()?)?;
    let subject = account.subject.as_ref().to_owned();
    Some(Claims { subject, all: all_claims(&id_token) })
}

/// All claims of an ID token.
pub(crate) fn all_claims(token: &IdToken) -> Value {
    // What a value has written is an object, which can be read.
    serde_json::from_slice(&token.to_json()).unwrap_or(Value::Null)
}

/// The issuer as a URL: a placeholder is none.
fn without_placeholder<'a>(spec: &OpenIdBuf, issuer: &'a str) -> Cow<'a, str> {
    match &spec.tenants {
        Some((placeholder, _)) => issuer.replace(&**placeholder, "tenant").into(),
        None => issuer.into(),
    }
}

/// The algorithms of one kind of signed messages.
struct Signatures {
    /// The one that is registered.
    registered: fn(&OpenIdBuf) -> Option<Algorithm>,
    /// Those that the metadata name.
    named: fn(&ProviderMetadata) -> &[Algorithm],
}

/// ID tokens and logout tokens (OpenID Connect Back-Channel Logout, section 2.6, item 2).
const OF_ID_TOKENS: Signatures = Signatures {
    registered: |spec| spec.id_token_algorithm,
    named: |metadata| &metadata.id_token_signing_algorithms,
};

const OF_USERINFO: Signatures = Signatures {
    registered: |spec| spec.userinfo_algorithm,
    named: |metadata| &metadata.userinfo_signing_algorithms,
};

/// The rules for what the service signs by the algorithm that is registered for it, if one is.
fn rules(
    service: &Settled,
    spec: &OpenIdBuf,
    issuer: &str,
    algorithm: Option<Algorithm>,
) -> Result<IdTokenRules, OperatorError> {
    let id = service.id.as_str();
    let rules = match &spec.tenants {
        Some((placeholder, claim)) => {
            IdTokenRules::of_each_tenant(issuer, placeholder, &**claim, id)
        }
        None => IdTokenRules::new(issuer, id),
    };
    match (algorithm, &service.credential) {
        (None, _) => Ok(rules),
        (Some(algorithm), _) if !algorithm.is_symmetric() => {
            Ok(rules.algorithms(Algorithms::only(algorithm)))
        }
        (Some(algorithm), Credential::Secret(secret)) => {
            let rules = rules.signed_with_the_client_secret(algorithm, secret);
            rules.map_err(|_| OperatorError::SecretMalformed { service: (*service.name).into() })
        }
        (Some(_), _) => Err(OperatorError::CredentialMismatch { service: (*service.name).into() }),
    }
}
