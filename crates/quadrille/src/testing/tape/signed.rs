//! Signed claims on a tape: without their signature, and signed again in a replay.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jose::{Algorithm, Unverified};

use super::secrets::Secrets;

/// The member of a token response with the ID token (OpenID Connect Core, section 3.1.3.3).
pub(super) const ID_TOKEN: &str = "id_token";

/// A signed token without its signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsigned {
    /// The algorithm of the signature.
    pub(super) alg: Algorithm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) typ: Option<String>,
    pub(super) claims: Map<String, Value>,
}

impl Unsigned {
    /// The claims of a token, whose secrets are left to the caller; `None` if the token is encrypted, or
    /// not signed. Token and signature are secrets wherever they come again.
    pub(super) fn of(token: &str, secrets: &mut Secrets) -> Option<Self> {
        let read = Unverified::parse(token).ok()?;
        let (alg, typ) = (read.header().algorithm(), read.header().typ().map(str::to_owned));
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, payload) = signed.split_once('.')?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        let claims = serde_json::from_slice(&claims).ok()?;
        secrets.stand_in(ID_TOKEN, token);
        secrets.stand_in("signature", signature);
        Some(Self { alg, typ, claims })
    }
}
