//! OAuth 1.0a (RFC 5849): signatures and messages, both halves of each exchange.
//!
//! As in [`oauth2`](crate::oauth2), everything here is a value or a plain function without I/O. The
//! client signs with a [`Signer`]; the server reads a [`SignedRequest`] and verifies it with a key.
//!
//! | exchange | client | server |
//! |---|---|---|
//! | a signed request (section 3) | [`Signer::sign`] | [`SignedRequest::read`], [`SignedRequest::is_signed_by`] |
//! | temporary credentials (2.1) | `oauth_callback` in [`Signer::sign`], [`Credentials::parse`] | [`SignedRequest::callback`], [`Credentials::temporary`] |
//! | the user's decision (2.2) | [`authorization_url`], [`Callback::parse`] | [`Callback::to_url`] |
//! | token credentials (2.3) | `oauth_verifier` in [`Signer::sign`], [`Credentials::parse`] | [`SignedRequest::verifier`], [`Credentials::token`] |
//! | a signed request at an API without keys | [`Forwarded::of`], [`Verdict::parse`] | [`Forwarded::parse`], [`Verdict::to_response`] |
//! | errors (3.2) | [`Problem::parse`] | [`RequestError::problem`], [`Challenge`] |
//!
//! Nonces and the age of timestamps, which RFC 5849 leaves to the server, are not checked here.

mod base_string;
mod callback;
mod challenge;
mod credentials;
mod encoding;
mod error;
mod fields;
mod forwarded;
mod header;
mod keys;
mod method;
mod request;
#[cfg(feature = "rsa-sha1")]
mod rsa_sha1;
mod signer;

pub use callback::{Callback, OUT_OF_BAND, authorization_url};
pub use challenge::Challenge;
pub use credentials::{Credentials, CredentialsError};
pub use encoding::percent_encode;
pub use error::{Problem, RequestError};
pub use forwarded::{Forwarded, Verdict};
pub use keys::{KeyError, RsaSigningKey, RsaVerifyingKey};
pub use method::SignatureMethod;
pub use request::{HmacVerifyingKey, SignedRequest, VerifyingKey};
#[cfg(feature = "consumer")]
pub(crate) use signer::declare_no_form;
pub use signer::{Placement, SignError, Signer};
