//! The costs of signing and verifying a JWT access token, beside the bare operation of the library
//! of algorithms on the same bytes, with its key kept. `bench/run` starts this program after the
//! others.

#![allow(clippy::disallowed_methods, reason = "this measures the time that really passes")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![allow(clippy::cast_precision_loss, reason = "figures have three digits")]

mod hot;
#[path = "../spread.rs"]
mod spread;
#[path = "../timing.rs"]
mod timing;

use std::{hint::black_box, process::ExitCode, time::Duration};

use aws_lc_rs::{
    hmac, rand,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Env, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, ClaimsPolicy, KeySet, Protected, SigningKey, TokenType,
        Unverified, Verification,
    },
};
use serde_json::json;

use spread::Spread;
use timing::{Result, allocations, nanoseconds};

const ROUNDS: usize = 11;
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

/// The bare operations of an algorithm.
enum Bare {
    Ec(EcdsaKeyPair, ParsedPublicKey),
    Ed(Ed25519KeyPair, ParsedPublicKey),
    Rsa(RsaKeyPair, ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl Bare {
    fn new(algorithm: Algorithm) -> Result<Self> {
        Ok(match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())?;
                Self::Ec(pair, public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate()?;
                let public = ParsedPublicKey::new(&ED25519, pair.public_key())?;
                Self::Ed(pair, public)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?;
                let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?;
                Self::Rsa(pair, public)
            }
            _ => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = rand::SystemRandom::new();
        Ok(match self {
            Self::Ec(pair, _) => pair.sign(&random, message)?.as_ref().to_vec(),
            Self::Ed(pair, _) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        match self {
            Self::Ec(_, key) | Self::Ed(_, key) | Self::Rsa(_, key) => {
                key.verify_sig(message, signature)?;
            }
            Self::Hmac(key) => hmac::verify(key, message, signature)?,
        }
        Ok(())
    }
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
    let reached = |ratio: f64, target: f64| if ratio >= target { "reached" } else { "missed" };
    println!(
        "\n| check of an access token | opaque, seen before, µs | µs | of opaque | allocations | \
         target |\n|---|--:|--:|--:|--:|---|"
    );
    let hot = hot::measure()?;
    println!(
        "\nsign: {}, verify: {}, seen before: {}",
        reached(signs, 0.92),
        reached(verifies, 0.97),
        reached(hot, 0.9)
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

    let counts = (allocations(&mut sign)?, allocations(&mut verify)?);
    // One after the other, so that a ratio compares measurements close in time.
    let (mut signing, mut verifying) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        signing.push((nanoseconds(times, &mut bare_sign)?, nanoseconds(times, &mut sign)?));
        verifying.push((nanoseconds(times, &mut bare_verify)?, nanoseconds(times, &mut verify)?));
    }
    let target = |wanted| if algorithm == Algorithm::Es256 { wanted } else { "" };
    let name = algorithm.as_str();
    let signs = row(&format!("{name}, sign"), &signing, counts.0, target("at least 0.92"));
    let verifies = row(&format!("{name}, verify"), &verifying, counts.1, target("at least 0.97"));
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
