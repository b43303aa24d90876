//! What was signed is verified and read as it was, any other token is rejected, and an issuer's
//! tokens can be verified as long as they live.

use std::{sync::LazyLock, time::Duration};

use proptest::{collection::vec, option, prelude::*, sample};
use quadrille::{
    Secret, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, KeySet, Protected, Rotation, SigningKey, SigningKeys,
        TokenType, Unverified, Verification, VerifyingKey,
    },
};
use serde_json::{Map, Value};

/// A key of each algorithm. RSA keys cost too much to have one for each input.
static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| Algorithm::ALL.map(|each| SigningKey::generate(each).unwrap()).into());

fn key() -> impl Strategy<Value = &'static SigningKey> {
    (0..KEYS.len()).prop_map(|at| &KEYS[at])
}

fn rules(key: &SigningKey) -> Verification {
    Verification::new(Algorithms::only(key.algorithm()), TokenType::Plain)
}

fn payload(token: &str, key: &SigningKey) -> Option<Vec<u8>> {
    let verified = Unverified::parse(token).ok()?.verify_with(&rules(key), key.verifying_key());
    Some(verified.ok()?.payload().to_vec())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("\\PC{0,6}", inner), 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

prop_compose! {
    fn claims()(
        iss in option::of(any::<String>()),
        sub in option::of(any::<String>()),
        aud in vec("\\PC{0,20}", 0..4),
        times in any::<[Option<i32>; 3]>(),
        jti in option::of("\\PC{0,20}"),
        extra in vec(("\\PC{4,9}", json()), 0..4),
    ) -> Claims {
        let [exp, nbf, iat] =
            times.map(|time| time.map(|time| Timestamp::from_seconds(time.into())));
        let mut claims = Claims::default();
        (claims.iss, claims.sub, claims.aud, claims.jti) = (iss, sub, aud, jti);
        (claims.exp, claims.nbf, claims.iat) = (exp, nbf, iat);
        claims.extra = extra.into_iter().collect();
        claims
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_claims_are_read_as_they_were_signed_by_any_algorithm(claims in claims(), key in key()) {
        let token = key.sign_claims(&Protected::plain(), &claims).unwrap();
        let token = Unverified::parse_up_to(&token, token.len()).unwrap();
        prop_assert_eq!(token.claims_of_anybody().unwrap(), claims);
        prop_assert!(token.verify_with(&rules(key), key.verifying_key()).is_ok());
    }

    #[test]
    fn any_bytes_are_signed_and_any_changed_byte_is_refused(
        bytes in vec(any::<u8>(), 1..200),
        key in key(),
        at in any::<sample::Index>(),
        byte in "[A-Za-z0-9_=. \\-]",
    ) {
        let token = key.sign(&Protected::plain(), &bytes).unwrap();
        prop_assert_eq!(payload(&token, key), Some(bytes));
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &byte);
        prop_assert_eq!(payload(&changed, key).is_some(), changed == token, "{}", at);
        prop_assert!(payload(&token[..at], key).is_none());
    }

    #[test]
    fn no_key_verifies_the_tokens_of_another(signer in key(), other in key()) {
        let token = signer.sign(&Protected::plain(), b"{}").unwrap();
        let accepted = Unverified::parse(&token)
            .unwrap()
            .verify_with(&rules(signer), other.verifying_key());
        prop_assert_eq!(accepted.is_ok(), signer.algorithm() == other.algorithm());
    }

    #[test]
    fn a_key_is_written_and_read_and_published_without_its_private_part(
        algorithm in sample::select(vec![
            Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa,
            Algorithm::Ed25519, Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512,
        ]),
        kid in option::of("\\PC{0,20}"),
    ) {
        let key = SigningKey::generate(algorithm).unwrap();
        let key = kid.map_or(key.clone(), |kid| key.with_kid(&kid));
        let stored = key.to_private_jwk().unwrap();
        let read = SigningKey::from_jwk(algorithm, &stored).unwrap();
        prop_assert_eq!(read.kid(), key.kid());
        prop_assert_eq!(&read.to_private_jwk().unwrap(), &stored);
        let token = read.sign(&Protected::plain(), b"{}").unwrap();
        prop_assert!(payload(&token, &key).is_some());
        let stored: Value = serde_json::from_str(stored.expose()).unwrap();
        let published = KeySet::from_iter([key.verifying_key().clone()]).to_json();
        for name in ["d", "k"] {
            if let Some(private) = stored.get(name) {
                prop_assert!(!published.contains(private.as_str().unwrap()));
            }
        }
        let known = KeySet::parse(published.as_bytes()).unwrap();
        let thumbprints: Vec<_> = known.iter().map(VerifyingKey::thumbprint).collect();
        let expected = (!algorithm.is_symmetric()).then(|| key.verifying_key().thumbprint());
        prop_assert_eq!(thumbprints, Vec::from_iter(expected));
    }

    #[test]
    fn a_token_is_verified_by_the_set_published_before_it_and_until_it_expires(
        period in 1_u64..1000,
        ahead in 0_u64..200,
        overlap in 0_u64..200,
        steps in vec(0_u64..300, 1..30),
    ) {
        let seconds = Duration::from_secs;
        let rotation =
            Rotation { period: seconds(period), ahead: seconds(ahead), overlap: seconds(overlap) };
        let mut now = Timestamp::from_seconds(1_800_000_000);
        let mut keys =
            SigningKeys::new(SigningKey::generate(Algorithm::EdDsa).unwrap(), now).unwrap();
        let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);
        let mut tokens: Vec<(Timestamp, String)> = Vec::new();
        let mut sets = vec![(now, keys.published())];
        for step in steps {
            now = now + seconds(step);
            // A store may be read back between any two steps.
            keys = SigningKeys::from_json(&keys.to_json().unwrap()).unwrap();
            let signing = keys.signing(now).unwrap();
            tokens.push((now, signing.sign(&Protected::plain(), b"{}").unwrap()));
            let verifies = |token: &str, set: &KeySet| {
                Unverified::parse(token).unwrap().verify(&rules, set).is_ok()
            };
            // A set that was fetched less than `ahead` ago, or now, has the key.
            let (_, newest) = tokens.last().unwrap();
            prop_assert!(verifies(newest, &keys.published()));
            for (_, set) in sets.iter().filter(|(at, _)| now.since(*at) < rotation.ahead) {
                prop_assert!(verifies(newest, set));
            }
            if let Some(algorithm) = keys.due(now, &rotation) {
                keys.add(SigningKey::generate(algorithm).unwrap(), now, &rotation).unwrap();
            }
            keys.sweep(now, &rotation);
            let set = keys.published();
            for (issued, token) in &tokens {
                if now.since(*issued) < rotation.overlap {
                    prop_assert!(verifies(token, &set));
                }
            }
            sets.push((now, set));
            prop_assert!(keys.due(now, &rotation).is_none() || ahead >= period);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>(), bytes in vec(any::<u8>(), 0..100)) {
        let _ = Unverified::parse(&text);
        let _ = VerifyingKey::from_jwk(&text);
        let _ = KeySet::parse(&bytes);
        let _ = Claims::parse(&bytes);
        let _ = SigningKeys::from_json(&Secret::from(text.as_str()));
        for algorithm in Algorithm::ALL {
            let _ = SigningKey::from_pem(algorithm, &text);
            let _ = SigningKey::from_pkcs8(algorithm, &bytes);
            let _ = SigningKey::from_jwk(algorithm, &Secret::from(text.as_str()));
        }
    }
}
