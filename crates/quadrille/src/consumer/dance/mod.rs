//! The differences between the two protocols in a login: departure, the proof in the callback, and
//! its redemption. A file for each.

mod oauth1;
mod oauth1_answer;
mod oauth1_signing;
mod oauth2;
mod oauth2_answer;
mod oauth2_auth;
mod oauth2_device;
mod oauth2_hybrid;
mod oauth2_openid;
mod oauth2_request;
pub(super) mod trail;

use serde_json::{Map, Value};

use crate::{
    Scopes, Secret,
    oauth2::{TokenResponse, pkce::Verifier},
    oidc::IdToken,
};

use super::{
    account::Token,
    attempt::{Attempt, AttemptCookie, temporary::Temporary},
    claims::Claims,
    openid::presented::PresentedProof,
};

pub(crate) use {oauth1::OAuth1Dance, oauth2::OAuth2Dance, oauth2_device::NoToken};

/// A service's protocol, ready for use.
pub(crate) enum Dance {
    OAuth2(Box<OAuth2Dance>),
    OAuth1(Box<OAuth1Dance>),
}

/// A response of the service that belongs to an attempt of this browser. Nothing is used up yet.
pub(crate) struct Answered {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: AttemptCookie,
    /// The random bytes of the browser's cookie, where the attempt is in `state`.
    pub(crate) binding: Option<[u8; 16]>,
    pub(crate) proof: Proof,
}

/// The proof in the callback.
pub(crate) enum Proof {
    /// An authorization code (RFC 6749, section 4.1.2), and the PKCE verifier if PKCE is used.
    Code(CodeProof),
    /// A verifier for temporary credentials (RFC 5849, section 2.2).
    Verifier { temporary: Temporary, verifier: Secret },
    /// An ID token that a page or an app had already.
    IdToken(Box<PresentedProof>),
}

/// A code, and what the callback says besides.
pub(crate) struct CodeProof {
    pub(crate) code: Secret,
    pub(crate) verifier: Option<Verifier>,
    /// The `nonce` of the request, at an OpenID Provider.
    pub(crate) nonce: Option<String>,
    /// The tokens beside the code, in the hybrid flow.
    pub(crate) beside: Option<Beside>,
    /// The ID token beside the code, which is valid.
    pub(crate) identified: Option<Box<IdToken>>,
    /// The redirect URI of the request, unless it is the usual callback.
    pub(crate) redirect_uri: Option<String>,
    /// The scopes granted, if the callback names them.
    pub(crate) scopes: Option<Scopes>,
    /// The origin of the authorization server, if the callback names it.
    pub(crate) server: Option<Box<str>>,
}

/// The tokens beside a code. Each is there if the request asked for it.
pub(crate) struct Beside {
    id_token: Option<Secret>,
    access_token: Option<Secret>,
    state: Option<String>,
}

/// What the ID token of a login answers.
#[derive(Clone, Copy, Default)]
struct Answers<'a> {
    /// The `nonce` of the request; a device has none.
    nonce: Option<&'a str>,
    /// The ID token that the browser has brought beside the code.
    beside: Option<&'a IdToken>,
}

/// The outcome.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) token: Token,
    /// All other members of the response.
    pub(crate) more: Map<String, Value>,
    /// The account's claims, if the response identifies it: those of the ID token, for example.
    pub(crate) claims: Option<Claims>,
}

/// The response of the token endpoint.
pub(crate) struct Obtained {
    pub(crate) answer: TokenResponse,
    /// The account's identifier, if the response names it.
    pub(crate) subject: Option<String>,
    /// The origin of the account's API, if the response names it.
    pub(crate) api: Option<Box<str>>,
}
