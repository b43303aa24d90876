//! Signing requests to one service of OAuth 1.

use bytes::Bytes;
use http::Request;

use crate::{
    Env, Secret,
    consumer::{
        account::Token,
        error::OperatorError,
        registration::Settled,
        service::{Credential, OAuth1Buf},
    },
    form::{Declared, is_form},
    oauth1::{Placement, RsaSigningKey, SignError, Signer, declare_no_form},
    transport::Body,
};

/// This application's key at a service, and the place of signatures.
pub(super) struct Signing {
    signer: Signer,
    placement: Placement,
}

impl Signing {
    pub(super) fn new(service: &Settled, spec: &OAuth1Buf) -> Result<Self, OperatorError> {
        let method = spec.signature_method;
        let name = || Box::from(&*service.name);
        let mismatch = |_| OperatorError::CredentialMismatch { service: name() };
        let unusable = || OperatorError::SigningKeyUnusable { service: name() };
        let signer = match &service.credential {
            Credential::Secret(secret) => Signer::hmac(method, &service.id, secret),
            Credential::Key(key) if method.is_rsa() => {
                let pem = pem(key).ok_or_else(unusable)?;
                let key = RsaSigningKey::from_pem(pem.expose()).map_err(|_| unusable())?;
                let signer = Signer::rsa(method, &service.id, &key);
                return Ok(Self::with(signer.map_err(|_| unusable())?, spec));
            }
            Credential::Key(_)
            | Credential::Made(_)
            | Credential::SiteKeys
            | Credential::Public => {
                return Err(mismatch(()));
            }
        };
        Ok(Self::with(signer.map_err(|_| mismatch(()))?, spec))
    }

    fn with(mut signer: Signer, spec: &OAuth1Buf) -> Self {
        if let Some(realm) = &spec.realm {
            signer = signer.realm(realm);
        }
        if !spec.body_hash {
            signer = signer.without_body_hash();
        }
        Self { signer, placement: spec.placement }
    }

    /// Signs a request for temporary credentials.
    pub(super) fn sign_first(
        &self,
        env: &Env,
        request: Request<Bytes>,
        callback: &str,
    ) -> Result<Request<Bytes>, SignError> {
        self.place(self.signer.clone(), &request).sign(
            env,
            request,
            &[("oauth_callback", callback)],
        )
    }

    /// Signs a request with a token.
    pub(super) fn sign(
        &self,
        env: &Env,
        request: Request<Bytes>,
        (token, secret): (&Secret, &Secret),
        further: &[(&str, &str)],
    ) -> Result<Request<Bytes>, SignError> {
        let signer = self.signer.clone().token(token.expose(), secret);
        self.place(signer, &request).sign(env, request, further)
    }

    /// Signs a call of the API. The signature does not cover a streamed body.
    pub(super) fn sign_call(
        &self,
        env: &Env,
        request: Request<Body>,
        token: &Token,
    ) -> Result<Request<Body>, OperatorError> {
        // RSA signatures do not use it (RFC 5849, section 3.4.3).
        let unused = Secret::default();
        let secret = match &token.token_secret {
            Some(secret) => secret,
            None if self.signer.method().is_rsa() => &unused,
            None => return Err(OperatorError::TokenSecretMissing),
        };
        let token = (&token.access_token, secret);
        let sign = |request| {
            let signed = self.sign(env, request, token, &[]);
            signed.map_err(|_| OperatorError::CallMalformed)
        };
        let (mut parts, body) = request.into_parts();
        let stream = match body {
            Body::Whole(bytes) => {
                return Ok(sign(Request::from_parts(parts, bytes))?.map(Body::Whole));
            }
            stream @ Body::Stream(_) => stream,
        };
        match Declared::of(&parts.headers) {
            // The signature always covers a form (RFC 5849, section 3.4.1.3.1), and this one is not
            // known yet.
            Declared::Form | Declared::Ambiguous => return Err(OperatorError::CallMalformed),
            Declared::Nothing => declare_no_form(&mut parts.headers),
            Declared::Other => {}
        }
        Ok(sign(Request::from_parts(parts, Bytes::new()))?.map(|_| stream))
    }

    /// Only a form has room for the protocol's parameters (RFC 5849, section 3.5.2).
    fn place(&self, signer: Signer, request: &Request<Bytes>) -> Signer {
        match self.placement {
            Placement::Body if !is_form(request.headers()) => signer.placement(Placement::Header),
            placement => signer.placement(placement),
        }
    }
}

/// The key itself, or what is in the file that it names. Line ends may be written as `\n`, as
/// environment variables often have them.
fn pem(key: &Secret) -> Option<Secret> {
    let text = key.expose().trim();
    if !text.starts_with("-----BEGIN") {
        return std::fs::read_to_string(text).ok().map(Secret::from);
    }
    Some(Secret::from(text.replace("\\n", "\n")))
}
