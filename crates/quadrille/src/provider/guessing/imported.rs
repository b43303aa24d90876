//! Verifiers of secrets that other programs made: bcrypt, PBKDF2 and plain digests.

use std::num::NonZeroU32;

use argon2::{
    Params,
    password_hash::phc::{Output, PasswordHash},
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, pbkdf2};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::Secret;

/// The costs of a verifier that is accepted: more would let a few requests use up the processors.
/// Django writes 1.2 million iterations, and 1.5 million soon; bcrypt has a cost of 10 to 13.
const MOST_PBKDF2_ITERATIONS: u32 = 1_500_000;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=13;
const MOST_ARGON2_KIB: u32 = 256 * 1024;
const MOST_ARGON2_WORK: u64 = 1024 * 1024;
const MOST_ARGON2_LANES: u32 = 16;

/// The costs above which a verifier is costly: some 25 ms of a processor.
const CHEAP_PBKDF2_ITERATIONS: u32 = 100_000;
const CHEAP_BCRYPT: u32 = 9;

/// The lengths of hashes and the greatest length of a salt, in bytes.
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;
const LONGEST_SALT: usize = 128;

/// bcrypt reads this many bytes of a secret (its NUL at the end included), and ignores the rest.
const BCRYPT_READS: usize = 72;

/// The reason why a verifier is not accepted.
///
/// ```
/// use quadrille::provider::{SecretVerifier, guessing::VerifierError};
///
/// let error = SecretVerifier::parse("$1$salt$md5").unwrap_err();
/// assert_eq!(error, VerifierError::Unknown);
/// let error = SecretVerifier::parse("pbkdf2_sha256$4000000000$salt$AAAA").unwrap_err();
/// assert_eq!(error, VerifierError::Cost);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The text has none of the known forms.
    #[error(
        "the verifier is none of Argon2id, bcrypt, PBKDF2 (as passlib, Werkzeug and Django write \
         it), SHA-256 and SHA-512"
    )]
    Unknown,
    /// The text has a known form, but a part of it is malformed.
    #[error("the verifier is malformed")]
    Malformed,
    /// The verifier is so costly that a few attempts would use up the processors.
    #[error(
        "the verifier costs too much: at most 1500000 iterations of PBKDF2, the cost 13 of bcrypt, \
         and 256 MiB, 1 GiB times passes and 16 lanes of Argon2id"
    )]
    Cost,
}

/// A verifier that another program made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    Bcrypt { cost: u32, salt: [u8; 16], hash: Vec<u8>, of_sha256: bool },
    Pbkdf2 { function: Function, iterations: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
    Digest { function: Function, hash: Vec<u8> },
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Imported {
    /// Reads a verifier other than Argon2id, within bounds for its cost.
    pub(crate) fn parse(text: &str) -> Result<Self, VerifierError> {
        if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
            return bcrypt(rest, true);
        }
        let plain = text.strip_prefix("bcrypt$").unwrap_or(text);
        if ["$2a$", "$2b$", "$2y$"].iter().any(|start| plain.starts_with(start)) {
            return bcrypt(plain, false);
        }
        if let Some(rest) = text.strip_prefix("$pbkdf2") {
            return passlib(rest);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2_") {
            return django(rest);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2:") {
            return werkzeug(rest);
        }
        digest(text)
    }

    /// `true` if a comparison takes much longer than one with Argon2id at its recommended cost.
    pub(crate) fn is_costly(&self) -> bool {
        match self {
            Self::Bcrypt { cost, .. } => *cost > CHEAP_BCRYPT,
            Self::Pbkdf2 { iterations, .. } => iterations.get() > CHEAP_PBKDF2_ITERATIONS,
            Self::Digest { .. } => false,
        }
    }

    /// `true` if the function is one for secrets that people choose.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Bcrypt { .. } | Self::Pbkdf2 { .. })
    }

    /// The number of iterations of PBKDF2; `None` of another verifier.
    pub(crate) fn iterations(&self) -> Option<u32> {
        match self {
            Self::Pbkdf2 { iterations, .. } => Some(iterations.get()),
            _ => None,
        }
    }

    /// `true` if the secret is the one that was hashed.
    pub(crate) fn is_of(&self, secret: &Secret) -> bool {
        let secret = secret.expose().as_bytes();
        match self {
            Self::Bcrypt { cost, salt, hash, of_sha256 } => {
                let mut read = match of_sha256 {
                    true => hex(digest::digest(&digest::SHA256, secret).as_ref()),
                    false => secret.to_vec(),
                };
                read.push(0);
                read.truncate(BCRYPT_READS);
                let found = bcrypt::bcrypt(*cost, *salt, &read);
                found.get(..hash.len()).is_some_and(|found| is_equal(found, hash))
            }
            Self::Pbkdf2 { function, iterations, salt, hash } => {
                pbkdf2::verify(function.pbkdf2(), *iterations, salt, secret, hash).is_ok()
            }
            Self::Digest { function, hash } => {
                is_equal(digest::digest(function.digest(), secret).as_ref(), hash)
            }
        }
    }
}

/// Checks a verifier in PHC form: Argon2id, within bounds for its cost.
pub(crate) fn check_argon2id(text: &str) -> Result<(), VerifierError> {
    let hash = PasswordHash::new(text).map_err(|_| VerifierError::Malformed)?;
    let params = Params::try_from(&hash).map_err(|_| VerifierError::Malformed)?;
    let length = hash.hash.as_ref().map_or(0, Output::len);
    if hash.algorithm.as_str() != "argon2id"
        || hash.salt.is_none()
        || !HASH_LENGTHS.contains(&length)
    {
        return Err(VerifierError::Malformed);
    }
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    let is_bounded = params.m_cost() <= MOST_ARGON2_KIB
        && work <= MOST_ARGON2_WORK
        && params.p_cost() <= MOST_ARGON2_LANES;
    if is_bounded { Ok(()) } else { Err(VerifierError::Cost) }
}

/// `$2b$12$`, 22 characters of salt, 31 of hash.
fn bcrypt(text: &str, of_sha256: bool) -> Result<Imported, VerifierError> {
    let malformed = VerifierError::Malformed;
    let mut parts = text.split('$');
    let (Some(""), Some("2a" | "2b" | "2y"), Some(cost), Some(rest), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed);
    };
    let (salt, hash) = rest.split_at_checked(22).ok_or(malformed)?;
    let decode = |text: &str| BCRYPT.decode(text).map_err(|_| malformed);
    let salt = decode(salt)?.try_into().map_err(|_| malformed)?;
    let hash = decode(hash)?;
    if cost.len() != 2 || hash.len() != 23 {
        return Err(malformed);
    }
    let cost = cost.parse().map_err(|_| malformed)?;
    if !BCRYPT_COSTS.contains(&cost) {
        return Err(VerifierError::Cost);
    }
    Ok(Imported::Bcrypt { cost, salt, hash, of_sha256 })
}

/// `-sha256$29000$SALT$HASH` of passlib, or `-sha256$i=600000,l=32$SALT$HASH` in PHC form.
fn passlib(rest: &str) -> Result<Imported, VerifierError> {
    let parts: Vec<&str> = rest.split('$').collect();
    let [function, rounds, salt, hash] = &*parts else { return Err(VerifierError::Malformed) };
    let function = match *function {
        "" | "-sha1" => Function::Sha1,
        "-sha256" => Function::Sha256,
        "-sha512" => Function::Sha512,
        _ => return Err(VerifierError::Unknown),
    };
    let rounds = match rounds.strip_prefix("i=") {
        Some(rest) => rest.split(',').next().unwrap_or(rest),
        None => rounds,
    };
    // passlib writes a dot for the plus sign of Base64.
    let decode = |text: &str| base64(&text.replace('.', "+"));
    pbkdf2(function, rounds, decode(salt)?, decode(hash)?)
}

/// `sha256$600000$salt$HASH` of Django, whose salt is text.
fn django(rest: &str) -> Result<Imported, VerifierError> {
    let parts: Vec<&str> = rest.split('$').collect();
    let [function, rounds, salt, hash] = &*parts else { return Err(VerifierError::Malformed) };
    pbkdf2(Function::named(function)?, rounds, salt.as_bytes().to_vec(), base64(hash)?)
}

/// `sha256:600000$salt$HEX` of Werkzeug, whose salt is text.
fn werkzeug(rest: &str) -> Result<Imported, VerifierError> {
    let parts: Vec<&str> = rest.split('$').collect();
    let [method, salt, hash] = &*parts else { return Err(VerifierError::Malformed) };
    let (function, rounds) = method.split_once(':').ok_or(VerifierError::Malformed)?;
    let hash = unhex(hash).ok_or(VerifierError::Malformed)?;
    pbkdf2(Function::named(function)?, rounds, salt.as_bytes().to_vec(), hash)
}

fn pbkdf2(
    function: Function,
    rounds: &str,
    salt: Vec<u8>,
    hash: Vec<u8>,
) -> Result<Imported, VerifierError> {
    if !rounds.bytes().all(|digit| digit.is_ascii_digit())
        || rounds.is_empty()
        || !HASH_LENGTHS.contains(&hash.len())
        || salt.len() > LONGEST_SALT
    {
        return match rounds.parse::<u64>() {
            Ok(rounds) if rounds > u64::from(MOST_PBKDF2_ITERATIONS) => Err(VerifierError::Cost),
            _ => Err(VerifierError::Malformed),
        };
    }
    let iterations: u32 = rounds.parse().map_err(|_| VerifierError::Cost)?;
    let iterations = NonZeroU32::new(iterations).ok_or(VerifierError::Malformed)?;
    if iterations.get() > MOST_PBKDF2_ITERATIONS {
        return Err(VerifierError::Cost);
    }
    Ok(Imported::Pbkdf2 { function, iterations, salt, hash })
}

/// A digest without salt: hexadecimal, or `sha256:HEX`, or `{SHA256}` with Base64.
fn digest(text: &str) -> Result<Imported, VerifierError> {
    let tagged = |tag: &str| {
        let start = text.get(..tag.len())?;
        start.eq_ignore_ascii_case(tag).then(|| text.get(tag.len()..)).flatten()
    };
    for (function, hexadecimal, base_64) in
        [(Function::Sha256, "sha256:", "{SHA256}"), (Function::Sha512, "sha512:", "{SHA512}")]
    {
        let hash = match (tagged(hexadecimal), tagged(base_64)) {
            (Some(hash), _) => unhex(hash).ok_or(VerifierError::Malformed)?,
            (_, Some(hash)) => base64(hash)?,
            (None, None) => match unhex(text) {
                Some(hash) if hash.len() == function.length() => hash,
                _ => continue,
            },
        };
        if hash.len() != function.length() {
            return Err(VerifierError::Malformed);
        }
        return Ok(Imported::Digest { function, hash });
    }
    Err(VerifierError::Unknown)
}

impl Function {
    fn named(name: &str) -> Result<Self, VerifierError> {
        match name {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(VerifierError::Unknown),
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    const fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    const fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The last character of bcrypt's salt has bits that some programs leave set.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Base64 with and without padding.
fn base64(text: &str) -> Result<Vec<u8>, VerifierError> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(text).map_err(|_| VerifierError::Malformed)
}

fn is_equal(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty()
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|c| c.is_ascii_hexdigit())
    {
        return None;
    }
    let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made by bcrypt 5.0, passlib 1.7, Werkzeug 3.1 and Django of "correct horse".
    const MADE_BY_OTHERS: [&str; 14] = [
        "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2",
        "$2y$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2",
        "$pbkdf2-sha256$1000$wfj/fw9hjHEuRShFyFmrVQ$nVfp6t1FHg5vM6v7pYs/U0djDPsYTLoiNiqXABLZG6o",
        "$pbkdf2-sha512$1000$GuP8n9MagxACAGCM0fr/Pw$gLSEDz4AhaqRWf1BajWJmR6bcPVb4z0td1s8AeXIloiiB3OACIQOEj0Gn.9SVWvGTM4VTbR5H6vA3kVsXqe28Q",
        "$pbkdf2$1000$4tybs3ZurXWudc7ZG2NMyQ$1a5CJSjCKzQrnz1xhzFaotpGovM",
        "pbkdf2:sha256:1000$BbT27jYnVRip9g6b$1bb673b07b26ed780883eba4ac5674b26a11ae855a0e5d81a34ba25fbfa49544",
        "pbkdf2:sha512:1000$ylsAzvfgIUIFLuOx$06cb1cdfd0d69aab892b57b38804cca7e8d625cb3d1e66de8cf5ea0a4db757b928eae3bf2a838263da0c3a5d832a1d5bbb3fd4c4bc432b7d058a017b58785861",
        "pbkdf2_sha256$1000$NaClNaClNaCl$uXisDtkZ3O8GJUTqimErIL5F7hM1q1d5W8GLpdBWUDw=",
        "pbkdf2_sha1$1000$NaClNaClNaCl$/HHt5CRqKE3Q5Q+UgWPRmuYiXsM=",
        "bcrypt_sha256$$2b$04$RqvcuuYNigkBC/hza1jfvubuzTip/jquIZZLXJmlRVy5d9Y83NPCK",
        "bcrypt$$2b$04$DAvDlWSotTG41uby7XK/3.W0bPCo9GTQhzndXhqJeipxKFc5lY4h6",
        "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631",
        "sha512:56b698defedb5a435b634afe3320bbaf3fdcd920b6c503a446fc7b7a776b298d479d1ba6a8b617808eb0bf579ce9a95d668347bcab7149085ac93cb27995197b",
        "{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
    ];

    #[test]
    fn verifiers_that_others_made_fit_their_secret_alone() {
        for text in MADE_BY_OTHERS {
            let verifier = Imported::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(verifier.is_of(&Secret::from("correct horse")), "{text}");
            for wrong in ["", "Correct horse", "correct horse ", text] {
                assert!(!verifier.is_of(&Secret::from(wrong)), "{text}: {wrong:?}");
            }
        }
    }

    #[test]
    fn bcrypt_reads_the_beginning_of_a_long_secret() {
        let text = "$2b$04$cQvaq4fdmETTNrzP.rFoJuehLmP254UDFH8RM1WCpRtpsVMFJMvau";
        let verifier = Imported::parse(text).unwrap();
        for (length, fits) in [(71, false), (72, true), (1000, true)] {
            assert_eq!(verifier.is_of(&Secret::from("x".repeat(length))), fits, "{length}");
        }
    }

    #[test]
    fn unknown_malformed_and_costly_verifiers_are_told_apart() {
        use VerifierError::{Cost, Malformed, Unknown};
        let hash = "A".repeat(43);
        let long = "A".repeat(400);
        for (text, error) in [
            (String::new(), Unknown),
            ("correct horse".to_owned(), Unknown),
            ("$1$salt$hash".to_owned(), Unknown),
            ("$2x$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2".to_owned(), Unknown),
            ("scrypt:32768:8:1$salt$00".to_owned(), Unknown),
            ("0".repeat(40), Unknown),
            ("0".repeat(63), Unknown),
            ("sha256:00".to_owned(), Malformed),
            ("sha256$salt$00".to_owned(), Unknown),
            ("{SHA256}!".to_owned(), Malformed),
            ("$2b$14$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2".to_owned(), Cost),
            ("$2b$31$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2".to_owned(), Cost),
            ("$2b$03$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2".to_owned(), Cost),
            ("$2b$4$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2".to_owned(), Malformed),
            ("$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA".to_owned(), Malformed),
            ("$2b$04$".to_owned(), Malformed),
            ("bcrypt_sha256$".to_owned(), Malformed),
            (format!("$pbkdf2-sha256$1500001$AAAA${hash}"), Cost),
            (format!("$pbkdf2-sha256$99999999999999$AAAA${hash}"), Cost),
            (format!("$pbkdf2-sha256$0$AAAA${hash}"), Malformed),
            (format!("$pbkdf2-sha256$-1$AAAA${hash}"), Malformed),
            (format!("$pbkdf2-sha256$+1$AAAA${hash}"), Malformed),
            (format!("$pbkdf2-md5$1$AAAA${hash}"), Unknown),
            ("$pbkdf2-sha256$1000$AAAA$AAAA".to_owned(), Malformed),
            (format!("$pbkdf2-sha256$1000${long}${hash}"), Malformed),
            (format!("$pbkdf2-sha256$1000$AAAA${long}"), Malformed),
            ("pbkdf2_sha256$1000$salt".to_owned(), Malformed),
            ("pbkdf2_md5$1000$salt$AAAA".to_owned(), Unknown),
            ("pbkdf2:sha256$salt$00".to_owned(), Malformed),
        ] {
            assert_eq!(Imported::parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn verifiers_of_real_systems_are_accepted_and_known_to_be_costly() {
        let hash = "A".repeat(43);
        let bcrypt =
            |cost| format!("$2b${cost}$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2");
        for (text, is_costly) in [
            (format!("pbkdf2_sha256$1200000$salt${hash}="), true),
            (format!("pbkdf2_sha256$1500000$salt${hash}="), true),
            (format!("$pbkdf2-sha256$29000$AAAA${hash}"), false),
            (bcrypt("13"), true),
            (bcrypt("10"), true),
            (bcrypt("08"), false),
            ("0".repeat(64), false),
        ] {
            assert_eq!(Imported::parse(&text).unwrap().is_costly(), is_costly, "{text}");
        }
    }

    #[test]
    fn argon2id_of_others_is_bounded() {
        let text = |m: u32, t: u32, p: u32| {
            format!(
                "$argon2id$v=19$m={m},t={t},p={p}$TmFDbE5hQ2xOYUNs$OrZOu81uOqcifggpYbxMJG7T2zGWgb1jfKj+ax9QJKU"
            )
        };
        assert_eq!(check_argon2id(&text(65536, 3, 4)), Ok(()));
        for (m, t, p) in [(262_145, 1, 1), (65536, 17, 1), (1024, 1025, 1), (1024, 1, 17)] {
            assert_eq!(check_argon2id(&text(m, t, p)), Err(VerifierError::Cost), "{m} {t} {p}");
        }
        for wrong in ["$argon2id$", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$AAAA"] {
            assert_eq!(check_argon2id(wrong), Err(VerifierError::Malformed), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            start in prop_oneof![
                Just("$2b$"), Just("$pbkdf2"), Just("pbkdf2_"), Just("pbkdf2:"), Just("{SHA256}"),
                Just("bcrypt$"), Just("bcrypt_sha256$"), Just(""),
            ],
            rest in "[-a-z0-9$:=,.{}\u{e4} ]{0,80}",
        ) {
            let _ = Imported::parse(&format!("{start}{rest}"));
            let _ = check_argon2id(&format!("$argon2id${rest}"));
        }
    }
}
