//! The keys of an issuer that a guard has in its cache, beside a look-up in a map. Checks are measured
//! that end right before and right after the keys are used: what is between them is the difference.

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::request::Parts;
use quadrille::{
    Env,
    guard::{Guard, JwtAccessTokens},
    jose::{
        Algorithm, Algorithms, KeySet, Protected, SigningKey, SigningKeys, TokenType, Unverified,
        Verification,
    },
    provider::{AccessTokenFormat, AuthorizationServer, store::MemoryStore},
};
use tokio::runtime::Runtime;

use crate::{
    AUDIENCE, ISSUER, ROUNDS, claims,
    hot::{InProcess, parts_with},
    row,
    timing::{Result, allocations, nanoseconds},
};

const TIMES: u32 = 20_000;

/// Of as many characters as the issuer.
const OTHER: &str = "https://di.example.com";

/// A token of an issuer with a signature that is none: checks of it end without a calculation.
fn unsigned(key: &SigningKey, issuer: &str) -> Result<String> {
    let mut claims = claims(Env::system().now());
    claims.iss = Some(issuer.to_owned());
    let token = key.sign_claims(&Protected::typ("at+jwt"), &claims)?;
    let (signed, _) = token.rsplit_once('.').ok_or("no signature")?;
    Ok(format!("{signed}.AA"))
}

/// Prints a row, and returns the share of a look-up that a cached set reaches.
pub(crate) fn measure() -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let env = Env::system();
    let key = SigningKey::generate(Algorithm::Es256)?;
    let server = AuthorizationServer::new(ISSUER, MemoryStore::new(env.clone()))?
        .signing_keys(SigningKeys::new(key.clone(), env.now())?)
        .access_token_format_for(AUDIENCE, AccessTokenFormat::Jwt)?;
    let fetched = Arc::<AtomicUsize>::default();
    let trust = JwtAccessTokens::of(ISSUER)?.http(InProcess::counting(server, fetched.clone()));
    let guard = Guard::elsewhere(AUDIENCE, trust).audience(AUDIENCE);
    let (token, other) = (unsigned(&key, ISSUER)?, unsigned(&key, OTHER)?);
    let (with_keys, before_keys) = (parts_with(&token)?, parts_with(&other)?);
    let mut to_the_end = || refused(&runtime, &guard, &with_keys);
    let mut up_to_keys = || refused(&runtime, &guard, &before_keys);

    let set: KeySet = [key.verifying_key().clone()].into_iter().collect();
    let sets = Mutex::new(HashMap::from([(ISSUER.to_owned(), Arc::new(set))]));
    let rules = Verification::new(Algorithms::only(Algorithm::Es256), TokenType::Is("at+jwt"));
    let mut read = || -> Result<()> {
        black_box(Unverified::parse(black_box(&token))?.claims_of_anybody()?);
        Ok(())
    };
    let mut looked_up = || -> Result<()> {
        let token = Unverified::parse(black_box(&token))?;
        let claims = token.claims_of_anybody()?;
        let issuer = claims.iss.as_deref().ok_or("no issuer")?;
        let set = sets.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned();
        let set = set.filter(|set| token.has_key_in(set)).ok_or("no keys")?;
        match token.verify(&rules, &set) {
            Ok(_) => Err("a token without a signature was verified".into()),
            Err(_) => Ok(()),
        }
    };
    let count = allocations(&mut to_the_end)? - allocations(&mut up_to_keys)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let bare = nanoseconds(TIMES, &mut looked_up)? - nanoseconds(TIMES, &mut read)?;
        let ours = nanoseconds(TIMES, &mut to_the_end)? - nanoseconds(TIMES, &mut up_to_keys)?;
        rounds.push((bare, ours));
    }
    // The metadata, and the keys.
    if fetched.load(Ordering::Relaxed) != 2 {
        return Err("the keys were not kept".into());
    }
    Ok(row("keys of an issuer, cached", &rounds, count, "at least 0.9"))
}

fn refused(runtime: &Runtime, guard: &Guard, parts: &Parts) -> Result<()> {
    match runtime.block_on(guard.check(black_box(parts), b"")) {
        Err(_) => Ok(()),
        Ok(_) => Err("a token without a signature was accepted".into()),
    }
}
