//! The way from a request with an object to its parameters.

use std::sync::Arc;

use crate::{
    RemoteAddress, Timestamp,
    form::Params,
    jose::{
        Algorithms, Claims, DecryptingKey, Decryption, Encrypted, TokenError, TokenType,
        Unverified, Verification, payload_of_anybody,
    },
    provider::{
        authorize::error::AuthorizeError,
        client::{
            own_keys::{self, NoKeys},
            record::Client,
        },
        server::Inner,
    },
};

use super::{
    error::RequestObjectError,
    options::RequestObjects,
    parameters::{Outside, parameters},
    reference,
    signature::{Proof, Signer, proof},
};

/// The `typ` of a request object (RFC 9101, section 4); those of OpenID Connect have none.
const TYPE: TokenType = TokenType::IsOrPlain("oauth-authz-req+jwt");

/// The secrets of a client that are tried at most.
const MOST_SECRETS: usize = 4;

/// What became of the request object of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// The request has none, or the server does not read it.
    None,
    /// The parameters are those of the object.
    Read,
    /// The object is rejected, and the parameters are those outside.
    Rejected(AuthorizeError),
}

impl Object {
    /// `true` if the parameters are those of an object.
    pub(crate) fn is_read(self) -> bool {
        self == Self::Read
    }
}

/// The parameters of a request, with those of its object in the place of others. `from` is the
/// address of the request, and `seen` the time at which it was first seen.
pub(crate) async fn resolve<'p>(
    inner: &Inner,
    params: Params<'p>,
    client: Option<&Arc<Client>>,
    from: Option<RemoteAddress>,
    seen: Timestamp,
) -> (Params<'p>, Object) {
    let offered = inner.openid.as_ref().and_then(|openid| openid.objects.as_ref());
    let (Some(offered), Some(client)) = (offered, client) else { return (params, Object::None) };
    match read(inner, offered, &params, client, from, seen).await {
        Ok(None) => (params, Object::None),
        Ok(Some(inside)) => {
            let names: Vec<String> = inside.iter().map(|(name, _)| name.clone()).collect();
            // Else anybody could add to a request what its client did not sign (RFC 9101, section 6.3).
            let is_all_inside = client.openid.require_signed_request_object;
            let is_replaced = |name: &str| {
                ["request", "request_uri"].contains(&name)
                    || names.iter().any(|it| it == name)
                    || is_all_inside && name != "client_id"
            };
            (params.replaced(is_replaced, inside), Object::Read)
        }
        Err(error) => (params, Object::Rejected(error)),
    }
}

/// The parameters in the object of a request; `None` if it has none, or is wrong in another way.
async fn read(
    inner: &Inner,
    offered: &RequestObjects,
    params: &Params<'_>,
    client: &Arc<Client>,
    from: Option<RemoteAddress>,
    seen: Timestamp,
) -> Result<Option<Vec<(String, String)>>, AuthorizeError> {
    // Repeated parameters are refused where all are read.
    let (Ok(value), Ok(uri)) = (params.one("request"), params.one("request_uri")) else {
        return Ok(None);
    };
    // Both places must have it (OpenID Connect Core, section 6.1).
    let Ok(Some(response_type)) = params.one("response_type") else { return Ok(None) };
    let outside = Outside { issuer: inner.issuer.as_str(), client: &client.id, response_type };
    let claims = match (value, uri) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(RequestObjectError::Both.into()),
        (Some(token), None) => claims(inner, offered, client, token).await?,
        (None, Some(uri)) => {
            let remote = offered.remote.as_ref().ok_or(AuthorizeError::RequestUri)?;
            let registered = &client.openid.request_uris;
            let by = (&offered.visitors, from);
            let text = reference::object_at(remote, by, &inner.env, registered, uri).await?;
            claims(inner, offered, client, text.as_str()).await?
        }
    };
    Ok(Some(parameters(&claims, &outside, seen)?))
}

/// The claims of an object, decrypted and verified.
async fn claims(
    inner: &Inner,
    offered: &RequestObjects,
    client: &Arc<Client>,
    token: &str,
) -> Result<Claims, RequestObjectError> {
    if !Encrypted::is_one(token) {
        return signed(inner, offered, client, token).await;
    }
    let encrypted = Encrypted::parse(token).map_err(RequestObjectError::Encryption)?;
    let (alg, enc) = (encrypted.header().algorithm(), encrypted.header().encryption());
    let is_by_secret = alg.is_symmetric() && !offered.keys.is_empty();
    // Whatever is registered: the client may use others, and none (Dynamic Client Registration, section 2).
    let rules = if is_by_secret { Decryption::SYMMETRIC } else { Decryption::PUBLIC_KEY };
    let opened = if is_by_secret {
        // The newest secrets first (OpenID Connect Core, section 10.2).
        let secrets = own_keys::secrets(inner, client, inner.now()).rev().take(MOST_SECRETS);
        let key = |secret| DecryptingKey::of_client_secret(&secret, alg, enc).ok();
        encrypted.decrypt(rules, &secrets.filter_map(key).collect::<Vec<_>>())
    } else {
        encrypted.decrypt(rules, offered.keys.iter())
    };
    let opened = opened.map_err(RequestObjectError::Encryption)?;
    let token = opened.nested().map_err(RequestObjectError::Encryption)?;
    signed(inner, offered, client, token).await
}

/// The claims of an object whose signature is verified.
async fn signed(
    inner: &Inner,
    offered: &RequestObjects,
    client: &Arc<Client>,
    token: &str,
) -> Result<Claims, RequestObjectError> {
    let read = match Unverified::parse(token) {
        Ok(read) => Some(read),
        Err(TokenError::Unsecured) => None,
        Err(error) => return Err(RequestObjectError::Token(error)),
    };
    let keys = own_keys::public(client);
    let signer = Signer {
        registered: client.openid.request_object_signing_alg,
        is_required: client.openid.require_signed_request_object,
        has_keys: keys.is_some(),
        has_secret: own_keys::secrets(inner, client, inner.now()).next().is_some(),
    };
    let algorithm = read.as_ref().map(|read| read.header().algorithm());
    let proof = proof(signer, algorithm, offered.accepts_unsigned)?;
    let rules = |algorithm| Verification::new(Algorithms::only(algorithm), TYPE);
    let verified = match (proof, read, keys) {
        (Proof::PublicKey(algorithm), Some(read), Some(keys)) => {
            let keys = own_keys::set(inner, client, keys, |keys| read.has_key_in(keys)).await;
            let keys = keys.map_err(|reason| match reason {
                NoKeys::NotFetched => RequestObjectError::KeysUnknown,
                NoKeys::Unusable => RequestObjectError::KeysUnusable,
            })?;
            read.verify(&rules(algorithm), &keys)
        }
        (Proof::Secret(algorithm), ..) => {
            own_keys::verified_by_secret(inner, client, token, &rules(algorithm))
        }
        (Proof::Nothing, None, _) => {
            let payload = payload_of_anybody(token, TYPE).map_err(RequestObjectError::Token)?;
            return Claims::parse(&payload).map_err(RequestObjectError::Claims);
        }
        _ => return Err(RequestObjectError::KeyMissing),
    };
    let verified = verified.map_err(RequestObjectError::Token)?;
    Claims::parse(verified.payload()).map_err(RequestObjectError::Claims)
}
