//! JOSE: JWS (RFC 7515), JWE (RFC 7516), JWK (RFC 7517), JWT (RFC 7519), thumbprints (RFC 7638),
//! and the rules of RFC 8725.
//!
//! As in [`oauth2`](crate::oauth2), everything here is a value or a plain function without I/O; the
//! time is an argument. A [`SigningKey`] signs; [`Unverified`] reads a token, and becomes
//! [`Verified`] by a key and the rules of a [`Verification`]; a [`ClaimsPolicy`] says whether the
//! claims are valid now. [`SigningKeys`] rotates the keys of an issuer, and [`KeySet`] has those of
//! another party. An [`EncryptingKey`] encrypts, [`Encrypted`] reads such a token, and a
//! [`DecryptingKey`] opens it by the rules of a [`Decryption`]; a signed token may be within.
//!
//! | document | signs | verifies |
//! |---|---|---|
//! | JWT access token (RFC 9068) | [`Protected::typ`]`("at+jwt")` | [`TokenType::Is`]`("at+jwt")`, [`ClaimsPolicy::new`] |
//! | client assertion (RFC 7523) | [`Protected::plain`] | [`Unverified::claims_of_anybody`] names the client; [`ClaimsPolicy::subject`], [`longest_lifetime`](ClaimsPolicy::longest_lifetime), [`require`](ClaimsPolicy::require)`("jti")` |
//! | DPoP proof (RFC 9449) | [`Protected::with_jwk`] | [`Unverified::verify_with_its_own_key`], [`ClaimsPolicy::without_issuer_and_audience`] |
//! | request object (RFC 9101) | [`Protected::typ`]`("oauth-authz-req+jwt")` | [`TokenType::IsOrPlain`] |
//! | ID token (OpenID Connect Core) | [`Protected::plain`] | [`TokenType::Plain`], [`ClaimsPolicy::require`]`("nonce")` |
//!
//! # Never accepted
//!
//! * `none` (but for the request objects of a provider that is told so by a long name), and
//!   algorithms that the verifier did not name. HMAC and algorithms with public keys
//!   cannot be accepted together ([`Algorithms`]), and a key's own kind decides which algorithms it
//!   verifies, so a public key is never the secret of an HMAC.
//! * The JSON serialization, detached and unencoded payloads (RFC 7797), critical extensions.
//! * Repeated members, at any depth of header, claims and keys; base64url with padding, white space
//!   or bits behind the last byte.
//! * Tokens of more than [`MAX_TOKEN_LEN`] bytes; RSA keys of less than 2048 or more than 8192
//!   bits, shared keys shorter than their hash; keys whose `use` or `key_ops` say something else;
//!   keys on other curves; private keys where public ones are expected.
//! * Encryption with RSA 1.5, whose errors tell plaintexts, or with passwords, whose iterations a
//!   sender chooses; compressed payloads.
//! * `jku`, `x5u` and `x5c`: they are ignored, since a token must not say where its key is.

mod algorithm;
mod base64url;
mod claims;
mod claims_policy;
mod curve;
mod ed25519;
mod encryption;
mod encryption_algorithm;
mod error;
mod header;
mod jwk;
mod kept_key;
mod key_set;
mod public;
mod rsa;
mod signing_key;
mod signing_keys;
mod token;
mod verifying_key;

pub use algorithm::{Algorithm, Algorithms, AlgorithmsError};
pub use claims::Claims;
pub(crate) use claims::{REGISTERED, timestamp};
pub use claims_policy::ClaimsPolicy;
pub use encryption::{
    DecryptError, Decrypted, DecryptingKey, Decryption, EncryptError, Encrypted, EncryptedHeader,
    EncryptingKey,
};
pub use encryption_algorithm::{ContentEncryption, KeyManagement};
pub use error::{ClaimsError, KeyError, SignError, TokenError};
pub use header::{Header, Protected};
pub use kept_key::{Rotation, SigningKeysError};
pub use key_set::{KeySet, KeySetError, MOST_KEYS};
pub use signing_key::SigningKey;
pub use signing_keys::{SigningKeys, Swept};
#[cfg(feature = "consumer")]
pub(crate) use token::unsecured;
pub use token::{MAX_TOKEN_LEN, TokenType, Unverified, Verification, Verified};
#[cfg(feature = "provider")]
pub(crate) use token::{Part, payload_of_anybody, text_of_anybody};
pub use verifying_key::VerifyingKey;
