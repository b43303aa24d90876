//! Each negative case of an ID token by name (OpenID Connect Core, section 3.1.3.7), and what a
//! good one may look like.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::{
    jose::{Protected, SigningKey, TokenError},
    oidc::{IdTokenError, token_hash},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://id.example";
const SECRET: &str = "a client secret of more than 32 bytes";

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Es256).unwrap().with_kid("1"));

/// A token of the issuer with these changes; `"-"` removes a claim.
fn claims(change: &Value) -> Value {
    let now = NOW.seconds();
    let mut all = json!({
        "iss": ISSUER, "sub": "ada", "aud": "web", "exp": now + 300, "iat": now, "nonce": "n",
    });
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
    all
}

fn signed(key: &SigningKey, header: &Protected<'_>, change: &Value) -> String {
    key.sign(header, claims(change).to_string().as_bytes()).unwrap()
}

fn token(change: &Value) -> String {
    signed(&KEY, &Protected::plain(), change)
}

fn keys() -> KeySet {
    KeySet::from_iter([KEY.verifying_key().clone()])
}

fn rules() -> IdTokenRules {
    IdTokenRules::new(ISSUER, "web")
}

fn verify_by(
    rules: &IdTokenRules,
    keys: &KeySet,
    token: &str,
    expected: &Expected<'_>,
) -> Result<IdToken, IdTokenRejected> {
    rules.verify(Unverified::parse(token)?, keys, expected, NOW)
}

fn verify(token: &str, expected: &Expected<'_>) -> Result<IdToken, IdTokenRejected> {
    verify_by(&rules(), &keys(), token, expected)
}

/// The error for a token with these changes.
fn reason(change: &Value, expected: &Expected<'_>) -> Option<IdTokenRejected> {
    verify(&token(change), expected).err()
}

#[test]
fn claims_that_anybody_could_send_are_rejected_one_by_one() {
    use IdTokenRejected as R;
    let now = NOW.seconds();
    let long = "1".repeat(256);
    for (change, expected) in [
        (json!({}), None),
        // Issuer: another one, with other letters, with a slash, as another scheme, missing.
        (json!({ "iss": "https://evil.example" }), Some(R::Claims(ClaimsError::Issuer))),
        (json!({ "iss": "https://ID.example" }), Some(R::Claims(ClaimsError::Issuer))),
        (json!({ "iss": "https://id.example/" }), Some(R::Claims(ClaimsError::Issuer))),
        (json!({ "iss": "id.example" }), Some(R::Claims(ClaimsError::Issuer))),
        (json!({ "iss": "-" }), Some(R::Claims(ClaimsError::Missing("iss")))),
        (json!({ "iss": [ISSUER] }), Some(R::Claims(ClaimsError::Malformed("iss")))),
        // Audience.
        (json!({ "aud": "other" }), Some(R::Claims(ClaimsError::Audience))),
        (json!({ "aud": "WEB" }), Some(R::Claims(ClaimsError::Audience))),
        (json!({ "aud": [] }), Some(R::Claims(ClaimsError::Malformed("aud")))),
        (json!({ "aud": "-" }), Some(R::Claims(ClaimsError::Missing("aud")))),
        (json!({ "aud": ["web"] }), None),
        (json!({ "aud": ["web", "other"], "azp": "web" }), Some(R::AudienceNotTrusted)),
        (json!({ "azp": "web" }), None),
        (json!({ "azp": "other" }), Some(R::AuthorizedPartyOther)),
        (json!({ "azp": "" }), Some(R::AuthorizedPartyOther)),
        (json!({ "azp": ["web"] }), Some(R::IdToken(IdTokenError::Malformed("azp")))),
        // Subject.
        (json!({ "sub": "-" }), Some(R::Claims(ClaimsError::Missing("sub")))),
        (json!({ "sub": "" }), Some(R::Claims(ClaimsError::Missing("sub")))),
        (json!({ "sub": 7 }), Some(R::Claims(ClaimsError::Malformed("sub")))),
        (json!({ "sub": long }), Some(R::IdToken(IdTokenError::Malformed("sub")))),
        (json!({ "sub": "\u{e4}da" }), Some(R::IdToken(IdTokenError::Malformed("sub")))),
        // Times.
        (json!({ "exp": now - 29 }), None),
        (json!({ "exp": now - 30 }), Some(R::Claims(ClaimsError::Expired))),
        (json!({ "exp": "-" }), Some(R::Claims(ClaimsError::Missing("exp")))),
        (json!({ "exp": "1800000300" }), Some(R::Claims(ClaimsError::Malformed("exp")))),
        (json!({ "iat": now + 30 }), None),
        (json!({ "iat": now + 31 }), Some(R::Claims(ClaimsError::IssuedInFuture))),
        (json!({ "iat": "-" }), Some(R::Claims(ClaimsError::Missing("iat")))),
        (json!({ "nbf": now + 31 }), Some(R::Claims(ClaimsError::NotYetValid))),
        (json!({ "nbf": null }), None),
        (json!({ "nbf": "soon" }), Some(R::Claims(ClaimsError::Malformed("nbf")))),
        // Nonce.
        (json!({ "nonce": "-" }), Some(R::NonceMissing)),
        (json!({ "nonce": null }), Some(R::NonceMissing)),
        (json!({ "nonce": "N" }), Some(R::NonceOther)),
        (json!({ "nonce": "" }), Some(R::NonceOther)),
        (json!({ "nonce": ["n"] }), Some(R::IdToken(IdTokenError::Malformed("nonce")))),
    ] {
        assert_eq!(reason(&change, &Expected::nonce("n")), expected, "{change}");
    }
}

#[test]
fn a_claim_that_is_repeated_is_rejected_whatever_its_values_are() {
    let all = claims(&json!({})).to_string();
    for repeated in [
        r#""sub":"ada""#,
        r#""nonce":"n""#,
        r#""nonce":null"#,
        r#""\u006eonce":"n""#,
        r#""email":null,"email":"ada@example.com""#,
        r#""address":{"country":"PT","country":"PT"}"#,
    ] {
        let payload = all.replacen('{', &format!("{{{repeated},"), 1);
        let token = KEY.sign(&Protected::plain(), payload.as_bytes()).unwrap();
        let error = verify(&token, &Expected::nonce("n")).err();
        assert_eq!(error, Some(IdTokenRejected::Claims(ClaimsError::Repeated)), "{payload}");
    }
}

#[test]
fn a_token_that_no_key_of_the_issuer_signed_is_rejected() {
    use TokenError as E;
    let strange = SigningKey::generate(Algorithm::Es256).unwrap().without_kid();
    let good = token(&json!({}));
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed_part.split_once('.').unwrap();
    let other_payload = token(&json!({ "sub": "eve" }));
    let other_payload = other_payload.split('.').nth(1).unwrap();
    let plain = Protected::plain();
    let public = KEY.verifying_key().to_jwk().unwrap();
    let with_public_key =
        SigningKey::hmac(Algorithm::Hs256, &Secret::from(public.as_str())).unwrap();
    let with_secret = SigningKey::hmac(Algorithm::Hs256, &Secret::from(SECRET)).unwrap();
    let change = json!({});
    for (text, error) in [
        (String::new(), E::NotCompact),
        ("a.b".to_owned(), E::NotCompact),
        // {"alg":"none"}, with and without a signature.
        (format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap()), E::Unsecured),
        (format!("eyJhbGciOiJub25lIn0.{other_payload}.{signature}"), E::Unsecured),
        (format!("{header}.{other_payload}.{signature}"), E::Signature),
        (format!("{signed_part}."), E::Signature),
        (signed(&strange.clone().with_kid("1"), &plain, &change), E::Signature),
        (signed(&strange.clone().with_kid("2"), &plain, &change), E::KeyUnknown),
        (signed(&strange, &plain, &change), E::Signature),
        // With its own key in the header, which proves nothing.
        (signed(&strange, &plain.with_jwk(), &change), E::Signature),
        (signed(&with_public_key, &plain, &change), E::AlgorithmNotAccepted),
        (signed(&with_secret, &plain, &change), E::AlgorithmNotAccepted),
        (signed(&KEY, &Protected::typ("at+jwt"), &change), E::OtherType),
        (signed(&KEY, &Protected::typ("logout+jwt"), &change), E::OtherType),
        (format!("{good}.{signature}.{signature}"), E::Encrypted),
    ] {
        let error = Some(IdTokenRejected::Token(error));
        assert_eq!(verify(&text, &Expected::nonce("n")).err(), error, "{text}");
    }
    let typed = signed(&KEY, &Protected::typ("JWT"), &change);
    assert!(verify(&typed, &Expected::nonce("n")).is_ok());
}

#[test]
fn a_header_that_names_a_place_of_keys_leads_nowhere() {
    // {"alg":"ES256","kid":"1","jku":...}, signed by another key: nothing is fetched, and the keys
    // of the issuer decide.
    let strange = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("1");
    let token = signed(&strange, &Protected::plain(), &json!({}));
    let (_, rest) = token.split_once('.').unwrap();
    for member in ["jku", "x5u"] {
        let header = json!({ "alg": "ES256", "kid": "1", member: "https://evil.example/keys" });
        let header = base64(header.to_string().as_bytes());
        let error = verify(&format!("{header}.{rest}"), &Expected::nonce("n")).err();
        assert_eq!(error, Some(IdTokenRejected::Token(TokenError::Signature)), "{member}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn of_two_keys_without_an_identifier_the_one_that_signed_is_found() {
    let generate = || SigningKey::generate(Algorithm::Es256).unwrap().without_kid();
    let (one, two) = (generate(), generate());
    let set =
        |all: &[&SigningKey]| KeySet::from_iter(all.iter().map(|key| key.verifying_key().clone()));
    let token = signed(&two, &Protected::plain(), &json!({}));
    let expected = Expected::nonce("n");
    assert!(verify_by(&rules(), &set(&[&one, &two]), &token, &expected).is_ok());
    let error = verify_by(&rules(), &set(&[&one]), &token, &expected).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::Signature)));
    let error = verify_by(&rules(), &KeySet::default(), &token, &expected).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::KeyUnknown)));
    // A key for encryption is not in the set that is read.
    let jwk = two.verifying_key().to_jwk().unwrap().replace("\"sig\"", "\"enc\"");
    let encryption = KeySet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).unwrap();
    let error = verify_by(&rules(), &encryption, &token, &expected).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::KeyUnknown)));
}

#[test]
fn only_the_algorithms_that_the_client_accepts_count() {
    let rules = rules().algorithms(Algorithms::only(Algorithm::Rs256));
    let error = verify_by(&rules, &keys(), &token(&json!({})), &Expected::nonce("n")).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::AlgorithmNotAccepted)));
}

#[test]
fn the_client_secret_signs_only_where_the_client_says_so_and_then_alone() {
    let secret = Secret::from(SECRET);
    let hmac = SigningKey::hmac(Algorithm::Hs256, &secret).unwrap();
    let rules = rules().signed_with_the_client_secret(Algorithm::Hs256, &secret).unwrap();
    assert!(!rules.needs_keys());
    let expected = Expected::nonce("n");
    let by_secret = signed(&hmac, &Protected::plain(), &json!({}));
    assert!(verify_by(&rules, &KeySet::default(), &by_secret, &expected).is_ok());
    let error = verify_by(&rules, &keys(), &token(&json!({})), &expected).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::AlgorithmNotAccepted)));
    let public = Secret::from(KEY.verifying_key().to_jwk().unwrap().as_str());
    let other = SigningKey::hmac(Algorithm::Hs256, &public).unwrap();
    let by_public_key = signed(&other, &Protected::plain(), &json!({}));
    let error = verify_by(&rules, &keys(), &by_public_key, &expected).err();
    assert_eq!(error, Some(IdTokenRejected::Token(TokenError::Signature)));

    let short = IdTokenRules::new(ISSUER, "web")
        .signed_with_the_client_secret(Algorithm::Hs256, &Secret::from("too short"));
    assert_eq!(short.err(), Some(KeyError::Length { bits: 72 }));
    let public_key =
        IdTokenRules::new(ISSUER, "web").signed_with_the_client_secret(Algorithm::Rs256, &secret);
    assert_eq!(public_key.err(), Some(KeyError::OtherAlgorithm));
}

#[test]
fn several_audiences_must_be_trusted_and_name_the_one_that_asked() {
    let rules = rules().trusted_audience("api").or_client("phone");
    for (change, expected) in [
        (json!({ "aud": ["web", "api"] }), Some(IdTokenRejected::AuthorizedPartyMissing)),
        (json!({ "aud": ["web", "api"], "azp": "web" }), None),
        (json!({ "aud": ["api", "web"], "azp": "phone" }), None),
        (
            json!({ "aud": ["web", "api"], "azp": "api" }),
            Some(IdTokenRejected::AuthorizedPartyOther),
        ),
        (json!({ "aud": ["web", "x"], "azp": "web" }), Some(IdTokenRejected::AudienceNotTrusted)),
        // Trust in an audience makes it no client.
        (json!({ "aud": "api" }), Some(IdTokenRejected::Claims(ClaimsError::Audience))),
        (json!({ "aud": "phone" }), None),
        (json!({ "aud": "web", "azp": "phone" }), None),
    ] {
        let verified = verify_by(&rules, &keys(), &token(&change), &Expected::nonce("n"));
        assert_eq!(verified.err(), expected, "{change}");
    }
}

#[test]
fn a_nonce_is_that_of_the_request_or_there_was_none() {
    let (with, without) = (json!({}), json!({ "nonce": "-" }));
    let forgotten = Expected::nonce_that_the_service_may_forget("n");
    let other = Expected::nonce_that_the_service_may_forget("m");
    for (change, expected, error) in [
        (&with, Expected::no_nonce(), Some(IdTokenRejected::NonceUnexpected)),
        (&without, Expected::no_nonce(), None),
        (&with, forgotten, None),
        (&without, forgotten, None),
        (&with, other, Some(IdTokenRejected::NonceOther)),
    ] {
        assert_eq!(reason(change, &expected), error, "{change} {expected:?}");
    }
}

#[test]
fn the_hashes_bind_the_code_and_the_access_token() {
    let (at_hash, c_hash) =
        (token_hash(Algorithm::Es256, "access"), token_hash(Algorithm::Es256, "code"));
    let both = json!({ "at_hash": at_hash, "c_hash": c_hash });
    let swapped = json!({ "at_hash": c_hash, "c_hash": at_hash });
    let longer = json!({ "at_hash": token_hash(Algorithm::Es512, "access") });
    let none = json!({});
    let basic = Expected::nonce("n").access_token("access");
    let browser = Expected::nonce("n").access_token_of_the_browser("access");
    let code = Expected::nonce("n").code_of_the_browser("code");
    for (change, expected, error) in [
        (&both, basic, None),
        (&none, basic, None),
        (&swapped, basic, Some(IdTokenRejected::AccessTokenHash)),
        (&longer, basic, Some(IdTokenRejected::AccessTokenHash)),
        (&json!({ "at_hash": "" }), basic, Some(IdTokenRejected::AccessTokenHash)),
        (&both, browser, None),
        (&none, browser, Some(IdTokenRejected::AccessTokenHash)),
        (&swapped, browser, Some(IdTokenRejected::AccessTokenHash)),
        (&both, code, None),
        (&none, code, Some(IdTokenRejected::CodeHash)),
        (&swapped, code, Some(IdTokenRejected::CodeHash)),
    ] {
        assert_eq!(reason(change, &expected), error, "{change} {expected:?}");
    }
}

#[test]
fn the_time_and_the_way_of_the_authentication_are_those_requested() {
    let now = NOW.seconds();
    let hour = Expected::nonce("n").max_age(Duration::from_secs(3600));
    let fresh = Expected::nonce("n").max_age(Duration::ZERO);
    let silver = Expected::nonce("n").acr(&["silver", "gold"]);
    let forever = Expected::nonce("n").max_age(Duration::MAX);
    for (change, expected, error) in [
        (json!({}), hour, Some(IdTokenRejected::AuthTimeMissing)),
        (json!({ "auth_time": now - 3630 }), hour, None),
        (json!({ "auth_time": now - 3631 }), hour, Some(IdTokenRejected::AuthTooLongAgo)),
        (json!({ "auth_time": now + 30 }), hour, None),
        (json!({ "auth_time": now + 31 }), hour, Some(IdTokenRejected::AuthTimeInFuture)),
        (json!({ "auth_time": now - 30 }), fresh, None),
        (json!({ "auth_time": now - 31 }), fresh, Some(IdTokenRejected::AuthTooLongAgo)),
        (json!({ "auth_time": 0 }), forever, None),
        (
            json!({ "auth_time": "now" }),
            hour,
            Some(IdTokenRejected::IdToken(IdTokenError::Malformed("auth_time"))),
        ),
        (json!({}), silver, Some(IdTokenRejected::Acr)),
        (json!({ "acr": "bronze" }), silver, Some(IdTokenRejected::Acr)),
        (json!({ "acr": "gold" }), silver, None),
    ] {
        assert_eq!(reason(&change, &expected), error, "{change} {expected:?}");
    }
}

#[test]
fn a_leeway_and_a_longest_age_are_the_clients_choice() {
    let now = NOW.seconds();
    let strict = rules().leeway(Duration::ZERO).longest_age(Duration::from_secs(60));
    for (change, expected) in [
        (json!({ "exp": now }), Some(ClaimsError::Expired)),
        (json!({ "iat": now + 1 }), Some(ClaimsError::IssuedInFuture)),
        (json!({ "iat": now - 60 }), None),
        (json!({ "iat": now - 61 }), Some(ClaimsError::TooOld)),
    ] {
        let verified = verify_by(&strict, &keys(), &token(&change), &Expected::nonce("n"));
        assert_eq!(verified.err(), expected.map(IdTokenRejected::Claims), "{change}");
    }
}

#[test]
fn a_refresh_changes_nothing_about_who_logged_in_and_when() {
    let now = NOW.seconds();
    let login = json!({ "auth_time": now - 100, "aud": ["web"], "azp": "web" });
    let login = verify(&token(&login), &Expected::nonce("n")).unwrap();
    let rules = rules().trusted_audience("api").or_client("phone");
    for (change, changed) in [
        (json!({ "azp": "web" }), None),
        (json!({ "azp": "web", "nonce": "-", "auth_time": now - 100 }), None),
        (json!({ "azp": "web", "nonce": "m" }), Some("nonce")),
        (json!({ "azp": "web", "sub": "eve" }), Some("sub")),
        (json!({ "azp": "web", "aud": ["web", "api"] }), Some("aud")),
        (json!({ "azp": "web", "aud": "phone" }), Some("aud")),
        (json!({ "azp": "phone" }), Some("azp")),
        (json!({}), Some("azp")),
        (json!({ "azp": "web", "auth_time": now }), Some("auth_time")),
    ] {
        let token = token(&change);
        let verified = verify_by(&rules, &keys(), &token, &Expected::refreshed(&login));
        assert_eq!(verified.err(), changed.map(IdTokenRejected::Changed), "{change}");
    }
    let eve = token(&json!({ "sub": "eve" }));
    let error = verify(&eve, &Expected::refreshed_for("ada")).err();
    assert_eq!(error, Some(IdTokenRejected::Changed("sub")));
    assert!(verify(&eve, &Expected::refreshed_for("eve")).is_ok());
}

#[test]
fn the_issuer_of_a_tenant_is_the_one_that_its_tokens_name() {
    let rules = IdTokenRules::of_each_tenant(
        "https://login.example/{tenantid}/v2.0",
        "{tenantid}",
        "tid",
        "web",
    );
    let at = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
    for (change, is_good) in [
        (json!({ "iss": at("9122040d"), "tid": "9122040d" }), true),
        (json!({ "iss": at("other"), "tid": "9122040d" }), false),
        (json!({ "iss": at("9122040d") }), false),
        (json!({ "iss": at(""), "tid": "" }), false),
        (json!({ "iss": at("a/../b"), "tid": "a/../b" }), false),
        (json!({ "iss": at("{tenantid}"), "tid": "{tenantid}" }), false),
        (json!({ "iss": "https://evil.example/a/v2.0", "tid": "a" }), false),
        (json!({ "iss": at("a"), "tid": ["a"] }), false),
        (json!({ "iss": at("a"), "sid": "a" }), false),
    ] {
        let verified = verify_by(&rules, &keys(), &token(&change), &Expected::nonce("n"));
        let error = (!is_good).then_some(IdTokenRejected::Claims(ClaimsError::Issuer));
        assert_eq!(verified.err(), error, "{change}");
    }
    let one = IdTokenRules::of_each_tenant(ISSUER, "{tenantid}", "tid", "web");
    assert!(verify_by(&one, &keys(), &token(&json!({})), &Expected::nonce("n")).is_ok());
}
