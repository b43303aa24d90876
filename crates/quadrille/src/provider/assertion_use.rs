//! The time of an assertion's first use (RFC 7523, section 3), for a store that may have lost what it
//! knew of used ones.

use std::time::Duration;

use crate::{
    Timestamp,
    jose::{Claims, ClaimsPolicy},
};

/// The lifetime that an assertion may have.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// The earliest time at which a valid assertion can have been used, by the claims that its maker
/// signed. The maker's clock may be ahead by the leeway. Without `iat` and `nbf` the lifetime tells.
pub(super) fn earliest_use(claims: &Claims) -> Timestamp {
    let by_expiry = claims.exp.map_or(Timestamp::default(), |exp| exp - LONGEST);
    let begins = [claims.iat, claims.nbf].into_iter().flatten();
    begins.fold(by_expiry, Timestamp::max) - ClaimsPolicy::LEEWAY
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_assertion_that_could_be_used_by_a_time_is_from_before_it(
            iat in proptest::option::of(0..4000_i64),
            nbf in proptest::option::of(0..4000_i64),
            exp in 1..8000_i64,
            used in 0..9000_i64,
        ) {
            let at = Timestamp::from_seconds;
            let policy = ClaimsPolicy::new("app", "https://id.example").longest_lifetime(LONGEST);
            let claims = Claims {
                iss: Some("app".into()),
                aud: vec!["https://id.example".into()],
                iat: iat.map(at),
                nbf: nbf.map(at),
                exp: Some(at(exp)),
                ..Claims::default()
            };
            if policy.check(&claims, at(used)).is_ok() {
                prop_assert!(earliest_use(&claims) <= at(used));
            }
        }
    }
}
