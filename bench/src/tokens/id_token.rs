//! ID tokens: issuing one as the provider does, with the hash of an access token, and reading,
//! verifying and checking one as a relying party does.

use std::{hint::black_box, time::Duration};

use quadrille::{
    Env, Timestamp,
    jose::{Algorithm, KeySet, Protected, SigningKey, Unverified},
    oidc::{Expected, IdToken, IdTokenRules, token_hash},
};

use crate::{ISSUER, compare, timing::Result};

const CLIENT: &str = "s6BhdRkqt3";
const NONCE: &str = "n-0S6_WzA2Mj";
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

/// An ID token of nine claims.
fn issued(algorithm: Algorithm, now: Timestamp) -> IdToken {
    let mut token =
        IdToken::new(ISSUER, "248289761001", CLIENT, now, now + Duration::from_secs(600));
    token.auth_time = Some(now);
    token.nonce = Some(NONCE.to_owned());
    token.sid = Some("vt0Ksp8vR1CqS6Y1Vm7tAw".to_owned());
    token.at_hash = Some(token_hash(algorithm, ACCESS_TOKEN));
    token
}

/// Prints two rows, and returns the ratios of issuing and verifying.
pub(crate) fn measure(algorithm: Algorithm, times: u32) -> Result<(f64, f64)> {
    let now = Env::system().now();
    let key = SigningKey::generate(algorithm)?;
    let header = Protected::plain();
    let token = key.sign(&header, &issued(algorithm, now).to_json())?;
    let mut issue = || -> Result<()> {
        let claims = issued(algorithm, black_box(now)).to_json();
        black_box(key.sign(&header, &claims)?);
        Ok(())
    };
    let keys: KeySet = [key.verifying_key().clone()].into_iter().collect();
    let rules = IdTokenRules::new(ISSUER, CLIENT);
    let expected = Expected::nonce(NONCE).access_token(ACCESS_TOKEN);
    let mut verify = || -> Result<()> {
        black_box(rules.verify(Unverified::parse(black_box(&token))?, &keys, &expected, now)?);
        Ok(())
    };
    compare(algorithm, times, &token, (&mut issue, &mut verify), true)
}
