//! Whether the claims of a JWT are valid (RFC 7519, section 4.1; RFC 8725, sections 3.8 to 3.10).

use std::time::Duration;

use super::{Claims, ClaimsError};
use crate::Timestamp;

/// The rules for the claims of a JWT. Issuer, audience and expiry are required; the rules that
/// require less have names that say so.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Timestamp, jose::{Claims, ClaimsError, ClaimsPolicy}};
///
/// // An assertion that authenticates a client (RFC 7523, section 3): fresh, and to be used once.
/// let policy = ClaimsPolicy::new("printer", "https://id.example")
///     .or_audience("https://id.example/oauth/token")
///     .subject("printer")
///     .longest_lifetime(Duration::from_secs(600))
///     .require("jti");
///
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let mut claims = Claims::default();
/// claims.iss = Some("printer".into());
/// claims.sub = Some("printer".into());
/// claims.aud = vec!["https://id.example".into()];
/// claims.exp = Some(now + Duration::from_secs(60));
/// claims.jti = Some("b5f1".into());
/// assert_eq!(policy.check(&claims, now), Ok(()));
/// assert_eq!(policy.check(&claims, now + Duration::from_secs(90)), Err(ClaimsError::Expired));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsPolicy {
    issuer: Option<Box<str>>,
    /// One of them suffices; none is compared if there is none.
    audiences: Vec<Box<str>>,
    sole_audience: bool,
    subject: Option<Box<str>>,
    required: Vec<&'static str>,
    leeway: Duration,
    max_age: Option<Duration>,
    longest_lifetime: Option<Duration>,
}

impl ClaimsPolicy {
    /// The difference between two clocks that is tolerated by default.
    pub const LEEWAY: Duration = Duration::from_secs(30);

    /// A policy for tokens of this issuer for this audience, which must expire. Both are compared
    /// exactly, byte by byte.
    pub fn new(issuer: impl Into<Box<str>>, audience: impl Into<Box<str>>) -> Self {
        Self {
            issuer: Some(issuer.into()),
            audiences: vec![audience.into()],
            required: vec!["exp"],
            ..Self::bare()
        }
    }

    /// A policy for proofs that name neither issuer nor audience and do not expire, such as those
    /// of DPoP (RFC 9449, section 4.3): they must have been issued within `max_age`. Gives up:
    /// whom the proof is for must be compared elsewhere.
    pub fn without_issuer_and_audience(max_age: Duration) -> Self {
        Self { max_age: Some(max_age), required: vec!["iat"], ..Self::bare() }
    }

    /// A policy for tokens of this issuer, which must expire. The caller compares the audience.
    pub(crate) fn without_audience(issuer: impl Into<Box<str>>) -> Self {
        Self { issuer: Some(issuer.into()), required: vec!["exp"], ..Self::bare() }
    }

    /// A policy of the times alone: the caller compares issuer and audience.
    #[cfg(feature = "provider")]
    pub(crate) const fn times() -> Self {
        Self::bare()
    }

    /// The same policy for another issuer.
    pub(crate) fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    const fn bare() -> Self {
        Self {
            issuer: None,
            audiences: Vec::new(),
            sole_audience: false,
            subject: None,
            required: Vec::new(),
            leeway: Self::LEEWAY,
            max_age: None,
            longest_lifetime: None,
        }
    }

    /// A further audience that is accepted instead.
    #[must_use]
    pub fn or_audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The token must be for this audience alone, or for several of those that are accepted instead,
    /// so that nobody else can use it here.
    #[must_use]
    pub const fn sole_audience(mut self) -> Self {
        self.sole_audience = true;
        self
    }

    /// The subject of the token.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<Box<str>>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// A further claim that must be there, not `null` and not empty.
    #[must_use]
    pub fn require(mut self, claim: &'static str) -> Self {
        self.required.push(claim);
        self
    }

    /// The tolerated difference between two clocks; [`LEEWAY`](Self::LEEWAY) by default.
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// `iat` is required, and may be this long ago.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self.require("iat")
    }

    /// `exp` may be this far in the future: the time for which a store must remember a `jti`.
    #[must_use]
    pub const fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.longest_lifetime = Some(lifetime);
        self
    }

    /// `exp` may be missing. Gives up: such a token is valid forever, unless
    /// [`max_age`](Self::max_age) limits it.
    #[must_use]
    pub fn expiry_may_be_missing(mut self) -> Self {
        self.required.retain(|claim| *claim != "exp");
        self
    }

    /// Checks claims at a time.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn check(&self, claims: &Claims, now: Timestamp) -> Result<(), ClaimsError> {
        if let Some(issuer) = &self.issuer {
            let iss = claims.iss.as_deref().ok_or(ClaimsError::Missing("iss"))?;
            require(iss == &**issuer, ClaimsError::Issuer)?;
        }
        if let Some(subject) = &self.subject {
            let sub = claims.sub.as_deref().ok_or(ClaimsError::Missing("sub"))?;
            require(sub == &**subject, ClaimsError::Subject)?;
        }
        if !self.audiences.is_empty() {
            require(!claims.aud.is_empty(), ClaimsError::Missing("aud"))?;
            let ours = |aud: &String| self.audiences.iter().any(|ours| **ours == **aud);
            require(claims.aud.iter().any(ours), ClaimsError::Audience)?;
            let alone = !self.sole_audience || claims.aud.iter().all(ours);
            require(alone, ClaimsError::SharedAudience)?;
        }
        for name in &self.required {
            require(claims.has(name), ClaimsError::Missing(name))?;
        }
        self.check_times(claims, now)
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), ClaimsError> {
        if let Some(exp) = claims.exp {
            require(now < exp + self.leeway, ClaimsError::Expired)?;
            let longest = self.longest_lifetime.map(|lifetime| now + lifetime + self.leeway);
            require(longest.is_none_or(|longest| exp <= longest), ClaimsError::TooLong)?;
        }
        if let Some(nbf) = claims.nbf {
            require(nbf <= now + self.leeway, ClaimsError::NotYetValid)?;
        }
        if let Some(iat) = claims.iat {
            require(iat <= now + self.leeway, ClaimsError::IssuedInFuture)?;
            let age = self.max_age.map(|age| age + self.leeway);
            require(age.is_none_or(|age| now.since(iat) <= age), ClaimsError::TooOld)?;
        }
        Ok(())
    }
}

fn require(holds: bool, error: ClaimsError) -> Result<(), ClaimsError> {
    if holds { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn claims(change: &serde_json::Value) -> Result<Claims, ClaimsError> {
        let now = NOW.seconds();
        let mut all = json!({ "iss": "a", "aud": "b", "sub": "c", "exp": now + 60, "iat": now });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
        Claims::parse(all.to_string().as_bytes())
    }

    #[test]
    fn claims_are_valid_within_their_times_give_or_take_half_a_minute() {
        let policy = ClaimsPolicy::new("a", "b").longest_lifetime(Duration::from_secs(600));
        let aged = policy.clone().max_age(Duration::from_secs(10));
        let now = NOW.seconds();
        for (policy, change, expected) in [
            (&policy, json!({}), Ok(())),
            (&policy, json!({ "exp": now - 29 }), Ok(())),
            (&policy, json!({ "exp": now - 30 }), Err(ClaimsError::Expired)),
            (&policy, json!({ "exp": (now as f64) - 29.5 }), Ok(())),
            (&policy, json!({ "exp": (now as f64) - 30.5 }), Err(ClaimsError::Expired)),
            (&policy, json!({ "exp": now + 630 }), Ok(())),
            (&policy, json!({ "exp": now + 631 }), Err(ClaimsError::TooLong)),
            (&policy, json!({ "exp": "-" }), Err(ClaimsError::Missing("exp"))),
            (&policy, json!({ "nbf": now + 30 }), Ok(())),
            (&policy, json!({ "nbf": now + 31 }), Err(ClaimsError::NotYetValid)),
            (&policy, json!({ "iat": now + 30 }), Ok(())),
            (&policy, json!({ "iat": now + 31 }), Err(ClaimsError::IssuedInFuture)),
            (&policy, json!({ "iat": "-" }), Ok(())),
            (&aged, json!({ "iat": "-" }), Err(ClaimsError::Missing("iat"))),
            (&aged, json!({ "iat": now - 40 }), Ok(())),
            (&aged, json!({ "iat": now - 41 }), Err(ClaimsError::TooOld)),
        ] {
            let checked = policy.check(&claims(&change).unwrap(), NOW);
            assert_eq!(checked, expected, "{change}");
        }
    }

    #[test]
    fn parties_are_compared_exactly() {
        let policy = ClaimsPolicy::new("a", "b");
        let sole = policy.clone().sole_audience();
        let two = policy.clone().or_audience("d");
        let both = two.clone().sole_audience();
        let about = policy.clone().subject("c");
        for (policy, change, expected) in [
            (&policy, json!({ "iss": "A" }), Err(ClaimsError::Issuer)),
            (&policy, json!({ "iss": "a/" }), Err(ClaimsError::Issuer)),
            (&policy, json!({ "iss": "-" }), Err(ClaimsError::Missing("iss"))),
            (&policy, json!({ "aud": "b/" }), Err(ClaimsError::Audience)),
            (&policy, json!({ "aud": "-" }), Err(ClaimsError::Missing("aud"))),
            (&policy, json!({ "aud": ["x", "b"] }), Ok(())),
            (&policy, json!({ "aud": "d" }), Err(ClaimsError::Audience)),
            (&two, json!({ "aud": "d" }), Ok(())),
            (&sole, json!({ "aud": ["b"] }), Ok(())),
            (&sole, json!({ "aud": ["b", "x"] }), Err(ClaimsError::SharedAudience)),
            (&sole, json!({ "aud": ["b", "d"] }), Err(ClaimsError::SharedAudience)),
            (&both, json!({ "aud": ["d", "b"] }), Ok(())),
            (&both, json!({ "aud": ["d", "b", "x"] }), Err(ClaimsError::SharedAudience)),
            (&about, json!({}), Ok(())),
            (&about, json!({ "sub": "C" }), Err(ClaimsError::Subject)),
            (&about, json!({ "sub": "-" }), Err(ClaimsError::Missing("sub"))),
        ] {
            let checked = policy.check(&claims(&change).unwrap(), NOW);
            assert_eq!(checked, expected, "{change}");
        }
    }

    #[test]
    fn a_required_claim_is_there_and_not_empty() {
        let policy = ClaimsPolicy::new("a", "b").require("jti").require("nonce");
        for (change, expected) in [
            (json!({ "jti": "1", "nonce": "2" }), Ok(())),
            (json!({ "jti": "", "nonce": "2" }), Err(ClaimsError::Missing("jti"))),
            (json!({ "nonce": "2" }), Err(ClaimsError::Missing("jti"))),
            (json!({ "jti": "1" }), Err(ClaimsError::Missing("nonce"))),
            (json!({ "jti": "1", "nonce": "" }), Err(ClaimsError::Missing("nonce"))),
            (json!({ "jti": "1", "nonce": null }), Err(ClaimsError::Missing("nonce"))),
        ] {
            assert_eq!(policy.check(&claims(&change).unwrap(), NOW), expected, "{change}");
        }
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_an_error() {
        for (name, value) in [
            ("iss", json!(7)),
            ("iss", json!(null)),
            ("sub", json!(["ada"])),
            ("aud", json!(7)),
            ("aud", json!(["b", 7])),
            ("aud", json!({ "b": 1 })),
            ("aud", json!(null)),
            ("exp", json!("1800000000")),
            ("exp", json!(null)),
            ("exp", json!(true)),
            ("exp", json!(1e300)),
            ("exp", json!(-1e300)),
            ("exp", json!(u64::MAX)),
            ("exp", json!(i64::MIN)),
            ("nbf", json!([])),
            ("iat", json!("now")),
            ("jti", json!(1)),
        ] {
            assert_eq!(claims(&json!({ name: value })), Err(ClaimsError::Malformed(name)));
        }
        for payload in [&b"[]"[..], b"", b"7", b"\"iss\"", b"\xff", b"{}{}"] {
            assert_eq!(Claims::parse(payload), Err(ClaimsError::NotJson));
        }
        for payload in [
            r#"{"iss":"a","iss":"a"}"#,
            r#"{"cnf":{"jkt":"a","jkt":"b"}}"#,
            r#"{"nbf":null,"nbf":9999999999}"#,
        ] {
            assert_eq!(Claims::parse(payload.as_bytes()), Err(ClaimsError::Repeated));
        }
    }

    #[test]
    fn a_proof_without_parties_is_new() {
        let policy = ClaimsPolicy::without_issuer_and_audience(Duration::from_secs(60));
        let proof = json!({ "iss": "-", "aud": "-", "exp": "-" });
        let proof = claims(&proof).unwrap();
        assert_eq!(policy.check(&proof, NOW), Ok(()));
        assert_eq!(policy.check(&proof, NOW + Duration::from_secs(91)), Err(ClaimsError::TooOld));
    }
}
