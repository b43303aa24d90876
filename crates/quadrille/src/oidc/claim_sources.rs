//! Claims of other parties among those of a user (OpenID Connect Core, section 5.6.2).

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    Secret, Timestamp,
    jose::{
        Algorithms, Claims, ClaimsError, ClaimsPolicy, KeySet, TokenError, TokenType, Unverified,
        Verification,
    },
};

/// The number of sources that one user may have.
const MOST_SOURCES: usize = 8;
/// The number of claims that all sources may have.
const MOST_CLAIMS: usize = 64;
/// The bytes of an endpoint or an access token.
const LONGEST: usize = 4096;
/// The claims that say something about a token, or whom it is about, which no source has for another
/// one.
const OF_A_TOKEN: [&str; 18] = [
    "_claim_names",
    "_claim_sources",
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "s_hash",
    "sid",
    "sub",
];

/// A source of claims of another party, the claims provider (OpenID Connect Core, section 5.6.2): one
/// member of `_claim_sources`, with the claims that `_claim_names` says it has.
///
/// ```
/// use quadrille::oidc::{ClaimSource, ClaimSourceKind};
/// use serde_json::json;
///
/// let claims = json!({
///     "sub": "7",
///     "_claim_names": { "payment_info": "src1", "shipping_address": "src1", "credit_score": "src2" },
///     "_claim_sources": {
///         "src1": { "endpoint": "https://bank.example/claims", "access_token": "ksj3n283dke" },
///         "src2": { "JWT": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln" },
///     },
/// });
/// let sources = ClaimSource::all_in(&claims)?;
/// assert_eq!(sources[0].claims, ["payment_info", "shipping_address"]);
/// assert!(matches!(sources[1].kind, ClaimSourceKind::Aggregated { .. }));
/// assert!(ClaimSource::all_in(&json!({ "sub": "7" }))?.is_empty());
/// # Ok::<(), quadrille::oidc::ClaimSourcesError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimSource {
    /// The name of the source.
    pub name: String,
    /// The names of its claims. Those of a token itself, such as `sub`, are left out.
    pub claims: Vec<String>,
    /// The way to the claims.
    pub kind: ClaimSourceKind,
    /// The subject that the OpenID Provider knows the user by: the `sub` beside the references.
    pub subject: Option<String>,
}

/// The way to the claims of a source.
///
/// ```
/// use quadrille::oidc::ClaimSourceKind;
///
/// fn needs_a_request(kind: &ClaimSourceKind) -> bool {
///     matches!(kind, ClaimSourceKind::Distributed { .. })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSourceKind {
    /// Aggregated claims: a JWT that the claims provider has signed.
    Aggregated {
        /// The JWT.
        jwt: Secret,
    },
    /// Distributed claims: the URL of such a JWT.
    Distributed {
        /// The URL, which the OpenID Provider has chosen.
        endpoint: String,
        /// The access token for the request, if one is needed.
        access_token: Option<Secret>,
    },
}

/// The reason why the sources of claims cannot be read.
///
/// ```
/// use quadrille::oidc::{ClaimSource, ClaimSourcesError};
/// use serde_json::json;
///
/// let claims = json!({ "_claim_names": { "age": "src1" }, "_claim_sources": { "src1": 7 } });
/// assert_eq!(ClaimSource::all_in(&claims), Err(ClaimSourcesError::Malformed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimSourcesError {
    /// A member is not what the specification says it is, or a source has both a JWT and an endpoint.
    #[error("_claim_names or _claim_sources are malformed")]
    Malformed,
    /// There are more than eight sources, or 64 claims of them.
    #[error("there are too many sources of claims")]
    TooMany,
}

/// The reason why the JWT of a source is rejected.
///
/// ```
/// use quadrille::{jose::ClaimsError, oidc::ClaimSourceRejected};
///
/// let error = ClaimSourceRejected::from(ClaimsError::Issuer);
/// assert_eq!(error.to_string(), ClaimsError::Issuer.to_string());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimSourceRejected {
    /// The form, the algorithm, the key or the signature.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer, the audience or the times.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// The OpenID Provider itself has issued the JWT, about another user: an ID token, for example.
    #[error("the JWT is of the OpenID Provider itself, about another user")]
    OtherUser,
}

impl ClaimSource {
    /// The sources among the claims of an ID token or of the userinfo endpoint. A source that no claim
    /// refers to, and a claim without a source, are left out.
    ///
    /// # Errors
    /// [`ClaimSourcesError`].
    pub fn all_in(claims: &Value) -> Result<Vec<Self>, ClaimSourcesError> {
        use ClaimSourcesError::{Malformed, TooMany};
        let member = |name| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(Malformed),
        };
        let (Some(names), Some(sources)) = (member("_claim_names")?, member("_claim_sources")?)
        else {
            return Ok(Vec::new());
        };
        if names.len() > MOST_CLAIMS || sources.len() > MOST_SOURCES {
            return Err(TooMany);
        }
        let mut all = Vec::new();
        for (name, source) in sources {
            let source = source.as_object().ok_or(Malformed)?;
            let kind = ClaimSourceKind::read(source).ok_or(Malformed)?;
            let mut own = Vec::new();
            for (claim, its) in names {
                if its.as_str().ok_or(Malformed)? == name && !OF_A_TOKEN.contains(&&**claim) {
                    own.push(claim.clone());
                }
            }
            if !own.is_empty() {
                let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
                all.push(Self { name: name.clone(), claims: own, kind, subject });
            }
        }
        Ok(all)
    }

    /// Verifies that a JWT of the OpenID Provider itself, if it has a subject, is about the same user. The
    /// subject of another party's JWT is an identifier of that party (section 5.6.2), which compares with
    /// no other one.
    ///
    /// ```
    /// use quadrille::{jose::*, oidc::{ClaimSource, ClaimSourceRejected}};
    /// use serde_json::json;
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let jwt = key.sign(&Protected::plain(), br#"{"iss":"https://id.example","sub":"8","age":36}"#)?;
    /// let sources = ClaimSource::all_in(&json!({
    ///     "sub": "7",
    ///     "_claim_names": { "age": "own" },
    ///     "_claim_sources": { "own": { "JWT": jwt } },
    /// }))?;
    /// let claims = Unverified::parse(&jwt)?.claims_of_anybody()?;
    /// let checked = sources[0].check_user_of_the_provider(&claims);
    /// assert_eq!(checked, Err(ClaimSourceRejected::OtherUser));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClaimSourceRejected::OtherUser`].
    pub fn check_user_of_the_provider(&self, claims: &Claims) -> Result<(), ClaimSourceRejected> {
        match &claims.sub {
            Some(subject) if self.subject.as_ref() != Some(subject) => {
                Err(ClaimSourceRejected::OtherUser)
            }
            _ => Ok(()),
        }
    }

    /// Verifies the JWT of this source by the keys of its issuer at this time, and returns those of its
    /// claims that the source has. It must be of this issuer and, if it names an audience, for this
    /// client (RFC 7519, section 4.1.3); an expiry may be missing. No HMAC and no `none` is accepted.
    ///
    /// ```
    /// use quadrille::{Timestamp, jose::*, oidc::ClaimSource};
    /// use serde_json::json;
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let keys = KeySet::from_iter([key.verifying_key().clone()]);
    /// let jwt = br#"{"iss":"https://bank.example","credit_score":650,"sub":"another user"}"#;
    /// let jwt = key.sign(&Protected::plain(), jwt)?;
    /// let sources = ClaimSource::all_in(&json!({
    ///     "_claim_names": { "credit_score": "bank", "sub": "bank" },
    ///     "_claim_sources": { "bank": { "JWT": jwt } },
    /// }))?;
    /// let now = Timestamp::from_seconds(1_800_000_000);
    /// let token = Unverified::parse(&jwt)?;
    /// let claims = sources[0].verify(token, &keys, "https://bank.example", "our-id", now)?;
    /// assert_eq!(serde_json::Value::from(claims), json!({ "credit_score": 650 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClaimSourceRejected`].
    pub fn verify(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        issuer: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, ClaimSourceRejected> {
        let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);
        let verified = token.verify(&rules, keys)?;
        let mut claims = Claims::parse(verified.payload())?;
        ClaimsPolicy::without_audience(issuer).expiry_may_be_missing().check(&claims, now)?;
        if !claims.aud.is_empty() && !claims.aud.iter().any(|each| each == client_id) {
            return Err(ClaimsError::Audience.into());
        }
        let own = self.claims.iter().filter_map(|name| claims.extra.remove_entry(name));
        Ok(own.collect())
    }
}

impl ClaimSourceKind {
    fn read(source: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| match source.get(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text.as_str())),
            Some(_) => None,
        };
        let is_short = |text: &&str| text.len() <= LONGEST;
        match (text("JWT")?, text("endpoint")?, text("access_token")?) {
            (Some(jwt), None, None) => Some(Self::Aggregated { jwt: jwt.into() }),
            (None, Some(endpoint), token) => {
                let endpoint = Some(endpoint).filter(is_short)?.to_owned();
                let is_fit = token.as_ref().is_none_or(is_short);
                let access_token = token.map(Into::into);
                is_fit.then_some(Self::Distributed { endpoint, access_token })
            }
            _ => None,
        }
    }
}

/// Omits what the source has.
impl fmt::Debug for ClaimSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, claims, .. } = self;
        f.debug_struct("ClaimSource")
            .field("name", name)
            .field("claims", claims)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::jose::{Algorithm, Protected, SigningKey};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const ISSUER: &str = "https://bank.example";

    fn sources(names: &Value, sources: &Value) -> Result<Vec<ClaimSource>, ClaimSourcesError> {
        ClaimSource::all_in(&json!({ "_claim_names": names, "_claim_sources": sources }))
    }

    #[test]
    fn sources_are_read_as_the_specification_writes_them_and_within_limits() {
        let read = sources(
            &json!({ "address": "a", "phone": "a", "score": "b", "sub": "b", "age": "gone" }),
            &json!({
                "a": { "JWT": "x.y.z" },
                "b": { "endpoint": "https://bank.example/c", "access_token": "t" },
                "c": { "endpoint": "https://bank.example/unused" },
            }),
        );
        let read = read.unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].name, "a");
        assert_eq!(read[0].claims, ["address", "phone"]);
        assert_eq!(read[1].claims, ["score"], "a subject is of its token");
        let ClaimSourceKind::Distributed { endpoint, access_token } = &read[1].kind else {
            panic!()
        };
        assert_eq!(endpoint, "https://bank.example/c");
        assert_eq!(access_token.as_ref().map(Secret::expose), Some("t"));
        for (names, broken) in [
            (json!([]), json!({})),
            (json!({}), json!("x")),
            (json!({ "a": 7 }), json!({ "a": { "JWT": "x" } })),
            (json!({ "a": "a" }), json!({ "a": "x.y.z" })),
            (json!({ "a": "a" }), json!({ "a": {} })),
            (json!({ "a": "a" }), json!({ "a": { "JWT": 7 } })),
            (json!({ "a": "a" }), json!({ "a": { "JWT": "x", "endpoint": "https://b.example" } })),
            (json!({ "a": "a" }), json!({ "a": { "endpoint": "x".repeat(4097) } })),
            (json!({ "a": "a" }), json!({ "a": { "endpoint": "x", "access_token": 7 } })),
        ] {
            assert_eq!(
                sources(&names, &broken),
                Err(ClaimSourcesError::Malformed),
                "{names} {broken}"
            );
        }
        let many = |count: usize, value: Value| {
            (0..count).map(|n| (n.to_string(), value.clone())).collect::<Map<_, _>>()
        };
        let too_many = Err(ClaimSourcesError::TooMany);
        assert_eq!(sources(&many(65, json!("a")).into(), &json!({})), too_many);
        let nine = many(9, json!({ "JWT": "x" })).into();
        assert_eq!(sources(&json!({ "a": "1" }), &nine), too_many);
        assert_eq!(ClaimSource::all_in(&json!({ "_claim_names": null })), Ok(Vec::new()));
    }

    #[test]
    fn a_jwt_is_of_its_issuer_for_this_client_and_of_now() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        let source = ClaimSource {
            name: "a".into(),
            claims: vec!["age".into(), "gone".into()],
            kind: ClaimSourceKind::Aggregated { jwt: "".into() },
            subject: None,
        };
        let verify = |change: Value| {
            let mut all = json!({ "iss": ISSUER, "age": 36, "email": "x", "sub": "theirs" });
            for (name, value) in change.as_object().unwrap() {
                all[name] = value.clone();
            }
            all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let jwt = key.sign(&Protected::plain(), all.to_string().as_bytes()).unwrap();
            source.verify(Unverified::parse(&jwt).unwrap(), &keys, ISSUER, "our-id", NOW)
        };
        let soon = (NOW + Duration::from_secs(60)).seconds();
        for right in [
            json!({}),
            json!({ "aud": "our-id", "exp": soon }),
            json!({ "aud": ["other", "our-id"] }),
        ] {
            assert_eq!(verify(right).map(Value::from), Ok(json!({ "age": 36 })));
        }
        for (wrong, error) in [
            (json!({ "iss": null }), ClaimsError::Missing("iss")),
            (json!({ "iss": "https://bank.example/" }), ClaimsError::Issuer),
            (json!({ "aud": "other" }), ClaimsError::Audience),
            (json!({ "exp": NOW.seconds() - 31 }), ClaimsError::Expired),
            (json!({ "nbf": soon }), ClaimsError::NotYetValid),
            (json!({ "iat": soon }), ClaimsError::IssuedInFuture),
        ] {
            assert_eq!(verify(wrong.clone()), Err(error.into()), "{wrong}");
        }
        let other = SigningKey::generate(Algorithm::Es256).unwrap();
        let body = json!({ "iss": ISSUER, "age": 36 }).to_string();
        for (header, key) in [(Protected::plain(), &other), (Protected::typ("at+jwt"), &key)] {
            let jwt = key.sign(&header, body.as_bytes()).unwrap();
            let token = Unverified::parse(&jwt).unwrap();
            let verified = source.verify(token, &keys, ISSUER, "our-id", NOW);
            assert!(matches!(verified, Err(ClaimSourceRejected::Token(_))), "{verified:?}");
        }
    }
}
