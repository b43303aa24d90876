//! The assertions by which clients authenticate at a fake service (RFC 7523, section 3).

use std::collections::HashSet;

use crate::{
    Secret, Timestamp,
    jose::{Algorithms, ClaimsPolicy, KeySet, TokenType, Unverified, Verification, VerifyingKey},
};

/// The keys of a client, and the assertions so far.
#[derive(Debug, Default)]
pub(super) struct Assertions {
    pub(super) keys: KeySet,
    seen: HashSet<String>,
}

impl Assertions {
    /// Whether an assertion is one of this client that was not seen before. Without a clock, the time
    /// is that at which the assertion was made.
    pub(super) fn accepts(
        &mut self,
        text: &str,
        client: &str,
        secret: &str,
        [issuer, endpoint]: [&str; 2],
        now: Option<Timestamp>,
    ) -> bool {
        let verified = || {
            let token = Unverified::parse(text).ok()?;
            let made = token.claims_of_anybody().ok()?.iat?;
            let algorithm = token.header().algorithm();
            let verified = match algorithm.is_symmetric() {
                true => {
                    let key = VerifyingKey::hmac(algorithm, &Secret::from(secret)).ok()?;
                    let rules = Verification::new(Algorithms::only(algorithm), TokenType::Plain);
                    token.verify_with(&rules, &key).ok()?
                }
                false => {
                    let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);
                    token.verify(&rules, &self.keys).ok()?
                }
            };
            let policy = ClaimsPolicy::new(client, issuer)
                .or_audience(endpoint)
                .sole_audience()
                .subject(client)
                .require("jti");
            verified.claims(&policy, now.unwrap_or(made)).ok()?.jti
        };
        verified().is_some_and(|jti| self.seen.insert(jti))
    }
}
