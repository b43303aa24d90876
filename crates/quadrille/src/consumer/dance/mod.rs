//! What differs between the two protocols in a login: how a visitor leaves, what their coming back
//! proves, and how it is redeemed. A file for each.

mod oauth1;
mod oauth1_answer;
mod oauth1_signing;
mod oauth2;

use serde_json::{Map, Value};

use crate::{Secret, oauth2::pkce::Verifier};

use super::{
    account::Token,
    attempt::{Attempt, AttemptCookie, temporary::Temporary},
};

pub(crate) use {oauth1::OAuth1Dance, oauth2::OAuth2Dance};

/// A service's protocol, ready for use.
pub(crate) enum Dance {
    OAuth2(Box<OAuth2Dance>),
    OAuth1(Box<OAuth1Dance>),
}

/// An answer of the service that belongs to an attempt of this browser. Nothing is used up yet.
pub(crate) struct Answered {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: AttemptCookie,
    pub(crate) proof: Proof,
}

/// What the service's answer is redeemed by.
pub(crate) enum Proof {
    /// An authorization code (RFC 6749, section 4.1.2), and the PKCE verifier where there is one.
    Code { code: Secret, verifier: Option<Verifier> },
    /// A verifier for temporary credentials (RFC 5849, section 2.2).
    Verifier { temporary: Temporary, verifier: Secret },
}

/// The outcome.
pub(crate) struct Granted {
    pub(crate) token: Token,
    /// What else the service said.
    pub(crate) more: Map<String, Value>,
}
