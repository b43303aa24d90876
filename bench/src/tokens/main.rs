//! The costs of signing and verifying a JWT access token and an ID token, beside the bare operation of the library
//! of algorithms on the same bytes, with its key kept. `bench/run` starts this program after the
//! others.

#![allow(clippy::disallowed_methods, reason = "this measures the time that really passes")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![allow(clippy::cast_precision_loss, reason = "figures have three digits")]

mod bare;
mod cached_keys;
mod hot;
mod id_token;
#[path = "../spread.rs"]
mod spread;
#[path = "../timing.rs"]
mod timing;

use std::{hint::black_box, process::ExitCode, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Env, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, ClaimsPolicy, KeySet, Protected, SigningKey, TokenType,
        Unverified, Verification,
    },
};
use serde_json::json;

use bare::Bare;
use spread::Spread;
use timing::{Result, allocations, nanoseconds};

const ROUNDS: usize = 11;
/// The shares of the bare operations that are to be reached.
const SIGN: f64 = 0.92;
const VERIFY: f64 = 0.97;
const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "https://api.example.com";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The claims of an access token (RFC 9068, section 2.2).
fn claims(now: Timestamp) -> Claims {
    let mut claims = Claims::default();
    claims.iss = Some(ISSUER.into());
    claims.sub = Some("248289761001".into());
    claims.aud = vec![AUDIENCE.into()];
    claims.exp = Some(now + Duration::from_secs(600));
    claims.iat = Some(now);
    claims.jti = Some("dbe39bf3a3ba4238a513f51d6e1691c4".into());
    claims.extra = [
        ("client_id", json!("s6BhdRkqt3")),
        ("scope", json!("photos:read photos:write")),
        ("auth_time", json!(now.seconds())),
        ("acr", json!("urn:example:silver")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();
    claims
}

fn run() -> Result<()> {
    println!(
        "\n| JWT access token, 10 claims | bare, µs | µs | of bare | allocations | target |\n\
         |---|--:|--:|--:|--:|---|"
    );
    let (mut signs, mut verifies) = (0.0, 0.0);
    for (algorithm, times) in [
        (Algorithm::Es256, 2000),
        (Algorithm::EdDsa, 2000),
        (Algorithm::Rs256, 300),
        (Algorithm::Hs256, 20_000),
    ] {
        let ratios = measure(algorithm, times)?;
        if algorithm == Algorithm::Es256 {
            (signs, verifies) = ratios;
        }
    }
    println!(
        "\n| check of an access token | opaque, seen before, µs | µs | of opaque | allocations | \
         target |\n|---|--:|--:|--:|--:|---|"
    );
    let hot = hot::measure()?;
    println!(
        "\n| keys at an API elsewhere | look-up in a map, µs | µs | of a look-up | allocations | \
         target |\n|---|--:|--:|--:|--:|---|"
    );
    let cached = cached_keys::measure()?;
    println!(
        "\n| ID token, 9 claims | bare, µs | µs | of bare | allocations | target |\n\
         |---|--:|--:|--:|--:|---|"
    );
    let mut id_tokens = [f64::INFINITY; 2];
    for (algorithm, times) in
        [(Algorithm::Es256, 2000), (Algorithm::EdDsa, 2000), (Algorithm::Rs256, 300)]
    {
        let (issued, verified) = id_token::measure(algorithm, times)?;
        id_tokens = [id_tokens[0].min(issued), id_tokens[1].min(verified)];
    }
    let reached = |ratio: f64, target: f64| if ratio >= target { "reached" } else { "missed" };
    println!(
        "\nsign: {}, verify: {}, seen before: {}, cached keys: {}, ID tokens: issued {}, verified {}",
        reached(signs, SIGN),
        reached(verifies, VERIFY),
        reached(hot, 0.9),
        reached(cached, 0.9),
        reached(id_tokens[0], SIGN),
        reached(id_tokens[1], VERIFY)
    );
    Ok(())
}

/// Prints two rows, and returns the ratios of signing and verifying.
fn measure(algorithm: Algorithm, times: u32) -> Result<(f64, f64)> {
    let now = Env::system().now();
    let claims = claims(now);
    let key = SigningKey::generate(algorithm)?;
    let header = Protected::typ("at+jwt");
    let token = key.sign_claims(&header, &claims)?;
    let mut sign = || -> Result<()> {
        black_box(key.sign_claims(&header, black_box(&claims))?);
        Ok(())
    };

    let keys: KeySet = [key.verifying_key().clone()].into_iter().collect();
    let rules = Verification::new(Algorithms::only(algorithm), TokenType::Is("at+jwt"));
    let policy = ClaimsPolicy::new(ISSUER, AUDIENCE);
    let mut verify = || -> Result<()> {
        let verified = Unverified::parse(black_box(&token))?.verify(&rules, &keys)?;
        black_box(verified.claims(&policy, now)?);
        Ok(())
    };

    let has_targets = algorithm == Algorithm::Es256;
    compare(algorithm, times, &token, (&mut sign, &mut verify), has_targets)
}

/// Prints two rows of operations on a token beside the bare ones on the same bytes, and returns the
/// ratios of signing and verifying.
fn compare(
    algorithm: Algorithm,
    times: u32,
    token: &str,
    (sign, verify): (&mut impl FnMut() -> Result<()>, &mut impl FnMut() -> Result<()>),
    has_targets: bool,
) -> Result<(f64, f64)> {
    let bare = Bare::new(algorithm)?;
    let (message, signature) = token.rsplit_once('.').ok_or("no signature")?;
    // As long as ours, which another key made.
    let length = BASE64_URL_SAFE_NO_PAD.decode(signature)?.len();
    let signature = bare.sign(message.as_bytes())?;
    if signature.len() != length {
        return Err("the bare signature has another length".into());
    }
    let mut bare_sign = || -> Result<()> {
        black_box(bare.sign(black_box(message.as_bytes()))?);
        Ok(())
    };
    let mut bare_verify = || bare.verify(black_box(message.as_bytes()), black_box(&signature));

    let counts = (allocations(sign)?, allocations(verify)?);
    // One after the other, so that a ratio compares measurements close in time.
    let (mut signing, mut verifying) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        signing.push((nanoseconds(times, &mut bare_sign)?, nanoseconds(times, sign)?));
        verifying.push((nanoseconds(times, &mut bare_verify)?, nanoseconds(times, verify)?));
    }
    let target = |ratio: f64| match has_targets {
        true => format!("at least {ratio}"),
        false => String::new(),
    };
    let name = algorithm.as_str();
    let signs = row(&format!("{name}, sign"), &signing, counts.0, &target(SIGN));
    let verifies = row(&format!("{name}, verify"), &verifying, counts.1, &target(VERIFY));
    Ok((signs, verifies))
}

/// Prints a row and returns the ratio.
fn row(title: &str, rounds: &[(f64, f64)], allocations: u64, target: &str) -> f64 {
    let bare = Spread::of(rounds.iter().map(|(bare, _)| bare / 1000.0));
    let ours = Spread::of(rounds.iter().map(|(_, ours)| ours / 1000.0));
    let ratio = Spread::of(rounds.iter().map(|(bare, ours)| bare / ours));
    println!(
        "| {title} | {:.2} | {:.2} ±{:.0} % | {:.3} ({:.3}-{:.3}) | {allocations} | {target} |",
        bare.median,
        ours.median,
        ours.relative() * 100.0,
        ratio.median,
        ratio.low,
        ratio.high,
    );
    ratio.median
}
