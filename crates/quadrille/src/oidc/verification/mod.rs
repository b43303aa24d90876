//! The verification of ID tokens by a relying party (OpenID Connect Core, sections 3.1.3.7, 3.2.2.11,
//! 3.3.2.12 and 12.2).

mod expected;
mod logout;
mod rejected;
mod userinfo;

use std::time::Duration;

use crate::{
    Secret, Timestamp,
    jose::{
        Algorithm, Algorithms, ClaimsError, ClaimsPolicy, KeyError, KeySet, TokenType, Unverified,
        Verification, VerifyingKey,
    },
};

use super::{IdToken, id_token::OwnClaims};

pub use expected::Expected;
pub use logout::LogoutTokenRejected;
pub use rejected::IdTokenRejected;

/// The rules by which a client verifies the ID tokens of one issuer (OpenID Connect Core, section
/// 3.1.3.7): exact issuer and audience, the signature by a key of the issuer, and the times. What
/// one login sent is in [`Expected`].
///
/// All algorithms with public keys are accepted, `none` never: the token may be one that came
/// through a browser.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Timestamp, jose::*, oidc::{Expected, IdToken, IdTokenRejected, IdTokenRules}};
///
/// // The provider issues ...
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let expires = now + Duration::from_secs(300);
/// let mut issued = IdToken::new("https://id.example", "248289761001", "web", now, expires);
/// issued.nonce = Some("n-0S6_WzA2Mj".into());
/// let token = key.sign(&Protected::plain(), &issued.to_json())?;
///
/// // ... and the client verifies.
/// let keys = KeySet::from_iter([key.verifying_key().clone()]);
/// let rules = IdTokenRules::new("https://id.example", "web");
/// let verify = |nonce| {
///     rules.verify(Unverified::parse(&token)?, &keys, &Expected::nonce(nonce), now)
/// };
/// assert_eq!(verify("n-0S6_WzA2Mj")?.subject, "248289761001");
/// assert_eq!(verify("another"), Err(IdTokenRejected::NonceOther));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IdTokenRules {
    issuer: Box<str>,
    /// The rules of an issuer without a placeholder.
    policy: ClaimsPolicy,
    tenants: Option<Tenants>,
    /// The identifiers of this application at the issuer.
    clients: Vec<Box<str>>,
    trusted: Vec<Box<str>>,
    algorithms: Algorithms,
    rules: Verification,
    /// The client secret, for an HMAC.
    shared: Option<VerifyingKey>,
    leeway: Duration,
}

/// Issuers that differ in the tenant.
#[derive(Clone, Debug)]
struct Tenants {
    before: Box<str>,
    after: Box<str>,
    claim: Box<str>,
}

impl IdTokenRules {
    /// The rules for tokens of this issuer for this client. Both are compared exactly.
    pub fn new(issuer: impl Into<Box<str>>, client_id: impl Into<Box<str>>) -> Self {
        let (issuer, client_id) = (issuer.into(), client_id.into());
        let policy = ClaimsPolicy::new(issuer.clone(), client_id.clone());
        Self {
            issuer,
            policy: policy.require("sub").require("iat"),
            tenants: None,
            clients: vec![client_id],
            trusted: Vec::new(),
            algorithms: Algorithms::PUBLIC_KEY,
            rules: Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain),
            shared: None,
            leeway: ClaimsPolicy::LEEWAY,
        }
    }

    /// The rules for tokens of all tenants of a service whose metadata have a placeholder in the
    /// issuer. The placeholder stands for the text of a claim of each token, of letters, digits and
    /// hyphens. Gives up: every tenant may log in; subjects must be told apart by their issuer.
    ///
    /// ```
    /// use quadrille::oidc::IdTokenRules;
    ///
    /// let rules = IdTokenRules::of_each_tenant(
    ///     "https://login.microsoftonline.com/{tenantid}/v2.0",
    ///     "{tenantid}",
    ///     "tid",
    ///     "our-id",
    /// );
    /// ```
    pub fn of_each_tenant(
        issuer: &str,
        placeholder: &str,
        claim: impl Into<Box<str>>,
        client_id: impl Into<Box<str>>,
    ) -> Self {
        let rules = Self::new(issuer, client_id);
        let tenants = issuer.split_once(placeholder).map(|(before, after)| Tenants {
            before: before.into(),
            after: after.into(),
            claim: claim.into(),
        });
        Self { tenants, ..rules }
    }

    /// Accepts tokens for another client of the same application, such as its app for phones. Their
    /// `azp` may be any of them.
    #[must_use]
    pub fn or_client(mut self, client_id: impl Into<Box<str>>) -> Self {
        let client_id = client_id.into();
        self.policy = self.policy.or_audience(client_id.clone());
        self.clients.push(client_id);
        self
    }

    /// Accepts tokens that are for this audience, too: each of them can then show the token here.
    #[must_use]
    pub fn trusted_audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.trusted.push(audience.into());
        self
    }

    /// Sets the accepted algorithms with public keys, such as the one that is registered as
    /// `id_token_signed_response_alg`.
    #[must_use]
    pub fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = algorithms;
        self.rules = Verification::new(algorithms, TokenType::Plain);
        self
    }

    /// Accepts only tokens that the issuer signs with the secret of this client, by this HMAC
    /// (section 10.1). Nobody else may know the secret: a public client has none.
    ///
    /// # Errors
    /// [`KeyError::Length`] if the secret is shorter than the hash, 32 bytes for HS256;
    /// [`KeyError::OtherAlgorithm`] for an algorithm that is not an HMAC.
    pub fn signed_with_the_client_secret(
        mut self,
        algorithm: Algorithm,
        secret: &Secret,
    ) -> Result<Self, KeyError> {
        self.shared = Some(VerifyingKey::hmac(algorithm, secret)?);
        Ok(self.algorithms(Algorithms::only(algorithm)))
    }

    /// Sets the tolerated difference between the clocks of issuer and client (default: 30 seconds).
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self.policy = self.policy.leeway(leeway);
        self
    }

    /// Rejects tokens that were issued longer ago than this, for a login without a `nonce`: the time
    /// for which a stolen token can be shown again.
    #[must_use]
    pub fn longest_age(mut self, age: Duration) -> Self {
        self.policy = self.policy.max_age(age);
        self
    }

    /// `true` for the issuer of these rules, or that of any tenant
    /// ([`of_each_tenant`](Self::of_each_tenant)).
    ///
    /// ```
    /// use quadrille::oidc::IdTokenRules;
    ///
    /// let template = "https://login.example/{tenantid}/v2.0";
    /// let rules = IdTokenRules::of_each_tenant(template, "{tenantid}", "tid", "our-id");
    /// assert!(rules.is_issuer("https://login.example/9122040d/v2.0"));
    /// assert!(!rules.is_issuer(template));
    /// ```
    pub fn is_issuer(&self, issuer: &str) -> bool {
        match &self.tenants {
            None => *self.issuer == *issuer,
            Some(Tenants { before, after, .. }) => {
                let tenant = issuer.strip_prefix(&**before);
                tenant.and_then(|rest| rest.strip_suffix(&**after)).is_some_and(is_tenant)
            }
        }
    }

    /// `true` if tokens are verified by the issuer's keys, which must be fetched then.
    pub const fn needs_keys(&self) -> bool {
        self.shared.is_none()
    }

    /// Whether a token, which anybody may have written, says that it is of this issuer for this client
    /// and of this time, and has an accepted algorithm. Otherwise it is worth no request for newer keys.
    #[cfg(feature = "consumer")]
    pub(crate) fn concerns(&self, token: &Unverified<'_>, now: Timestamp) -> bool {
        let Ok(claims) = token.claims_of_anybody() else { return false };
        let issuer = match &self.tenants {
            None => Ok(self.issuer.as_ref().to_owned()),
            Some(tenants) => tenants.issuer_of(claims.text(&tenants.claim)),
        };
        let is_of_now = |issuer| self.parties_and_times(issuer).check(&claims, now).is_ok();
        self.algorithms.contains(token.header().algorithm()) && issuer.is_ok_and(is_of_now)
    }

    /// The policy of what ID tokens and logout tokens have in common.
    fn parties_and_times(&self, issuer: String) -> ClaimsPolicy {
        let mut clients = self.clients.iter().cloned();
        let policy = ClaimsPolicy::new(issuer, clients.next().unwrap_or_default());
        let policy = policy.require("iat").leeway(self.leeway);
        clients.fold(policy, ClaimsPolicy::or_audience)
    }

    /// Verifies a token by the keys of the issuer at this time.
    ///
    /// # Errors
    /// [`IdTokenRejected`]; with [`KeyUnknown`](crate::jose::TokenError::KeyUnknown) in it, newer
    /// keys may have the one that is needed.
    pub fn verify(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<IdToken, IdTokenRejected> {
        let verified = match &self.shared {
            Some(secret) => token.verify_with(&self.rules, secret)?,
            None => token.verify(&self.rules, keys)?,
        };
        let algorithm = verified.header().algorithm();
        let mut own = OwnClaims::default();
        let claims = own.read(verified.payload())?;
        match &self.tenants {
            None => self.policy.check(&claims, now)?,
            Some(tenants) => {
                let issuer = tenants.issuer_of(own.text(&tenants.claim))?;
                self.policy.clone().issuer(issuer).check(&claims, now)?;
            }
        }
        let token = IdToken::of(claims, own)?;
        self.check_parties(&token)?;
        expected.check(&token, algorithm, self.leeway, now)?;
        Ok(token)
    }

    /// Items 3 to 5 of section 3.1.3.7.
    fn check_parties(&self, token: &IdToken) -> Result<(), IdTokenRejected> {
        if !token.audience.iter().all(|each| self.is_trusted(each)) {
            return Err(IdTokenRejected::AudienceNotTrusted);
        }
        match &token.azp {
            Some(azp) if !is_among(&self.clients, azp) => {
                Err(IdTokenRejected::AuthorizedPartyOther)
            }
            None if token.audience.len() > 1 => Err(IdTokenRejected::AuthorizedPartyMissing),
            _ => Ok(()),
        }
    }

    /// Whether a token may be for this audience, too.
    fn is_trusted(&self, audience: &str) -> bool {
        is_among(&self.clients, audience) || is_among(&self.trusted, audience)
    }
}

fn is_among(all: &[Box<str>], one: &str) -> bool {
    all.iter().any(|known| **known == *one)
}

/// Whether a text may stand for a tenant in an issuer.
fn is_tenant(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

impl Tenants {
    /// The issuer that a token of this tenant must have.
    fn issuer_of(&self, tenant: Option<&str>) -> Result<String, ClaimsError> {
        let tenant = tenant.filter(|tenant| is_tenant(tenant)).ok_or(ClaimsError::Issuer)?;
        Ok([&*self.before, tenant, &*self.after].concat())
    }
}

#[cfg(test)]
mod tests;
