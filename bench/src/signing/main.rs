//! The costs of signing and verifying an OAuth 1 request, beside the bare HMAC over the same base
//! string with its key kept. `bench/run` starts this program after the others.

#![allow(clippy::disallowed_methods, reason = "this measures the time that really passes")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![allow(clippy::cast_precision_loss, reason = "figures have three digits")]

#[path = "../spread.rs"]
mod spread;
#[path = "../timing.rs"]
mod timing;

use std::{hint::black_box, process::ExitCode};

use aws_lc_rs::hmac;
use quadrille::{
    Env, Secret,
    oauth1::{SignatureMethod, SignedRequest, Signer, VerifyingKey},
};

use spread::Spread;
use timing::{Result, allocations, nanoseconds};

const ROUNDS: usize = 11;
const TIMES: u32 = 50_000;
const ORIGIN: &str = "https://api.example.com";
/// Four parameters of the request, and six of the protocol: ten.
const TARGET: &str = "/1.1/statuses/user_timeline.json\
     ?screen_name=photographer&count=200&include_rts=false&since_id=1050118621198921728";
const CLIENT: (&str, &str) =
    ("xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw");
const TOKEN: (&str, &str) = (
    "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let env = Env::system();
    let (client, token) = (Secret::from(CLIENT.1), Secret::from(TOKEN.1));
    let signer = Signer::hmac(SignatureMethod::HmacSha1, CLIENT.0, &client)?.token(TOKEN.0, &token);
    let mut request =
        Some(http::Request::get(format!("{ORIGIN}{TARGET}")).body(bytes::Bytes::new())?);
    let mut sign = || -> Result<()> {
        let unsigned = request.take().ok_or("no request")?;
        request = Some(signer.sign(&env, unsigned, &[])?);
        Ok(())
    };
    let signing = allocations(&mut sign)?;

    let signed = http::Request::get(format!("{ORIGIN}{TARGET}")).body(bytes::Bytes::new())?;
    let (parts, _) = signer.sign(&env, signed, &[])?.into_parts();
    let key = VerifyingKey::Shared { client_secret: &client, token_secret: Some(&token) };
    let mut verify = || -> Result<()> {
        let signed = SignedRequest::read(&parts, b"")?.ok_or("not signed")?;
        if signed.is_signed_by(ORIGIN, &key) { Ok(()) } else { Err("not verified".into()) }
    };
    let verifying = allocations(&mut verify)?;

    let base = SignedRequest::read(&parts, b"")?.ok_or("not signed")?.base_string(ORIGIN);
    let bare_key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        format!("{}&{}", CLIENT.1, TOKEN.1).as_bytes(),
    );
    let mut bare = || -> Result<()> {
        black_box(hmac::sign(&bare_key, black_box(base.as_bytes())));
        Ok(())
    };

    // One after the other, so that a ratio compares measurements close in time.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push([
            nanoseconds(TIMES, &mut bare)?,
            nanoseconds(TIMES, &mut sign)?,
            nanoseconds(TIMES, &mut verify)?,
        ]);
    }
    println!(
        "\n| OAuth 1, HMAC-SHA1, 10 parameters, base string of {} bytes | ns | of the bare HMAC \
         | allocations | target |\n|---|--:|--:|--:|---|",
        base.len()
    );
    row("bare HMAC, key kept", &rounds, |[bare, ..]| *bare, None, "");
    let sign_ratio = row("sign", &rounds, |[_, sign, _]| *sign, Some(signing), "at most 2.10");
    row("read and verify", &rounds, |[.., verify]| *verify, Some(verifying), "");
    println!("\nsign: {}", if sign_ratio <= 2.1 { "reached" } else { "missed" });
    Ok(())
}

/// Prints a row and returns the ratio.
fn row(
    title: &str,
    rounds: &[[f64; 3]],
    read: fn(&[f64; 3]) -> f64,
    allocations: Option<u64>,
    target: &str,
) -> f64 {
    let time = Spread::of(rounds.iter().map(read));
    let ratio = Spread::of(rounds.iter().map(|round| read(round) / round[0]));
    let allocations = allocations.map_or("-".to_owned(), |count| count.to_string());
    println!(
        "| {title} | {:.0} ±{:.0} % | {:.2} ({:.2}-{:.2}) | {allocations} | {target} |",
        time.median,
        time.relative() * 100.0,
        ratio.median,
        ratio.low,
        ratio.high,
    );
    ratio.median
}
