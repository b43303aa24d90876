//! The ID tokens, keys and metadata of a fake service that is an OpenID Provider, and their faults.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{
    Env, Secret, Timestamp,
    consumer::{Encryption, OpenId as Spec},
    jose::{Algorithm, DecryptingKey, EncryptingKey, KeyManagement, Protected, SigningKey},
    oidc::token_hash,
};

use super::{
    accounts::{put, value_at},
    key::key,
    openid_fault::OpenIdFault,
    rsa_key::rsa_key,
    scene::{Scene, json_answer, path_of},
};

/// The end of the time of a fake service without a clock: the year 2100.
pub(super) const FAR: Timestamp = Timestamp::from_seconds(4_102_444_800);

/// The tenant of each user, at a service with an issuer for each.
pub(super) const TENANT: &str = "9122040d-6c67-4c5b-b112-36a304b66dad";

/// An algorithm that no metadata name.
const OTHER: Algorithm = Algorithm::Es384;

/// The path of the metadata (OpenID Connect Discovery, section 4).
const METADATA: &str = "/.well-known/openid-configuration";

/// The OpenID Connect part of a fake service.
pub(super) struct OpenId {
    issuer: String,
    /// The path of the keys.
    pub(super) keys_path: String,
    pub(super) tenants: Option<(&'static str, &'static str)>,
    pub(super) algorithm: Algorithm,
    forgets_nonce: bool,
    key: SigningKey,
    /// Whether the key is the other one of RSA.
    is_other_key: bool,
    /// A key whose algorithm the metadata do not name.
    of_other_algorithm: LazyLock<Option<SigningKey>>,
    /// The key to which applications encrypt.
    pub(super) decrypting: LazyLock<Option<DecryptingKey>>,
    /// The key of the application to which tokens are encrypted, and how.
    pub(super) recipient: Option<(EncryptingKey, Encryption)>,
    /// Whether the claims of the userinfo endpoint are signed.
    pub(super) signs_userinfo: bool,
    pub(super) faults: Vec<OpenIdFault>,
    /// The number of logout tokens so far.
    pub(super) logouts: u64,
    /// The time of the service, if it has one.
    pub(super) env: Option<Env>,
}

/// The login that an ID token is about.
pub(super) struct Signed<'a> {
    pub(super) client: &'a str,
    pub(super) secret: &'a str,
    pub(super) user: u64,
    pub(super) nonce: Option<&'a str>,
    pub(super) access_token: &'a str,
    /// The code and the `state` beside the token, if the browser brings it.
    pub(super) beside: Option<(&'a str, Option<&'a str>)>,
    pub(super) auth_time: Option<Timestamp>,
    /// The request for the token.
    pub(super) request: &'a Request<Bytes>,
    /// The token endpoint of the service's row.
    pub(super) endpoint: &'a str,
}

impl OpenId {
    /// The provider with this issuer.
    pub(super) fn new(issuer: &str) -> Option<Self> {
        Some(Self {
            issuer: issuer.to_owned(),
            keys_path: [path_of(issuer), "/keys"].concat(),
            tenants: None,
            algorithm: Algorithm::Es256,
            forgets_nonce: false,
            key: key("1", Algorithm::Es256)?,
            is_other_key: false,
            of_other_algorithm: LazyLock::new(|| key("other", OTHER)),
            decrypting: LazyLock::new(|| DecryptingKey::generate(KeyManagement::EcdhEsA256Kw).ok()),
            recipient: None,
            signs_userinfo: false,
            faults: Vec::new(),
            logouts: 0,
            env: None,
        })
    }

    /// The provider that a service is.
    pub(super) fn of(spec: &Spec) -> Option<Self> {
        let issuer = spec.issuer?;
        let mut provider = Self::new(issuer)?;
        if let Some(keys) = spec.keys.map(path_of) {
            // The first segment of a service with tenants is the tenant.
            let of_each = keys.splitn(3, '/').last().filter(|_| spec.tenants.is_some());
            provider.keys_path = of_each.map_or_else(|| keys.to_owned(), |rest| format!("/{rest}"));
        }
        let Spec { tenants, id_token_algorithm, forgets_nonce, .. } = *spec;
        let algorithm = id_token_algorithm.unwrap_or(Algorithm::Rs256);
        let key = match algorithm.is_symmetric() {
            true => provider.key.clone(),
            false => rsa_key("1", algorithm, false).or_else(|| key("1", algorithm))?,
        };
        Some(Self { tenants, algorithm, forgets_nonce, key, ..provider })
    }

    /// Replaces the key, so that the old one is not published any more.
    pub(super) fn rotates_key(&mut self) {
        let next = self.key.kid().and_then(|kid| kid.parse::<u64>().ok()).map_or(1, |kid| kid + 1);
        if let Some(key) = self.another_key(&next.to_string()) {
            self.key = key;
            self.is_other_key = !self.is_other_key;
        }
    }

    /// Another key of the same kind.
    fn another_key(&self, kid: &str) -> Option<SigningKey> {
        let algorithm = Some(self.algorithm).filter(|algorithm| !algorithm.is_symmetric());
        let algorithm = algorithm.unwrap_or(Algorithm::Es256);
        rsa_key(kid, algorithm, !self.is_other_key).or_else(|| key(kid, algorithm))
    }

    /// Signs claims by the key.
    pub(super) fn sign(&self, header: &Protected<'_>, claims: &Value) -> Option<String> {
        self.key.sign(header, claims.to_string().as_bytes()).ok()
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn has(&self, fault: OpenIdFault) -> bool {
        self.faults.contains(&fault)
    }

    /// The time of an authentication now.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.env.as_ref().map(Env::now)
    }

    /// The ID token, unless a fault says otherwise.
    pub(super) fn issue(&self, scene: &Scene, login: &Signed<'_>) -> Option<String> {
        use OpenIdFault as F;
        if self.has(F::IdTokenMissing) {
            return None;
        }
        let mut claims = self.claims(scene, login);
        self.spoil(&mut claims, login);
        let payload = Value::Object(claims).to_string();
        if self.has(F::Unsecured) {
            let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
            return Some(format!("{}.{}.", part(r#"{"alg":"none"}"#), part(&payload)));
        }
        let hmac =
            |algorithm, secret: &str| SigningKey::hmac(algorithm, &Secret::from(secret)).ok();
        let key = match self.algorithm {
            _ if self.has(F::HmacWithPublicKey) => {
                hmac(Algorithm::Hs256, &self.key.verifying_key().to_jwk()?)?
            }
            _ if self.has(F::SignatureWrong) => self.another_key(self.key.kid()?)?,
            _ if self.has(F::KeyUnknown) => self.another_key("unknown")?,
            _ if self.has(F::AlgorithmOther) => self.of_other_algorithm.clone()?,
            algorithm if algorithm.is_symmetric() => hmac(algorithm, login.secret)?,
            _ => self.key.clone(),
        };
        self.encrypted(key.sign(&Protected::plain(), payload.as_bytes()).ok()?)
    }

    /// A signed token, encrypted to the application if the service encrypts.
    fn encrypted(&self, token: String) -> Option<String> {
        let Some((key, (algorithm, content))) = &self.recipient else { return Some(token) };
        let header = Protected::plain().cty("JWT");
        key.encrypt(*algorithm, *content, &header, token.as_bytes()).ok()
    }

    /// The claims of the userinfo endpoint, signed and encrypted if the service does so.
    pub(super) fn userinfo(&self, client: &str, claims: &Value) -> Option<Response<Bytes>> {
        if !self.signs_userinfo {
            return None;
        }
        let mut claims = claims.clone();
        put(&mut claims, "iss", self.issuer.clone().into());
        put(&mut claims, "aud", client.into());
        let signed = self.encrypted(self.sign(&Protected::plain(), &claims)?)?;
        let mut answer = Response::new(signed.into());
        let jwt = HeaderValue::from_static("application/jwt");
        answer.headers_mut().insert(header::CONTENT_TYPE, jwt);
        Some(answer)
    }

    fn claims(&self, scene: &Scene, login: &Signed<'_>) -> Map<String, Value> {
        let about = scene.claims(login.user);
        let is_plain = |value: &Value| !(value.is_array() || value.is_object() || value.is_null());
        let members = about.as_object().into_iter().flatten();
        let mut claims: Map<String, Value> = members
            .filter(|(_, value)| is_plain(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let now = self.now();
        let algorithm = match self.has(OpenIdFault::AlgorithmOther) {
            true => OTHER,
            false => self.algorithm,
        };
        let own = json!({
            "iss": self.issuer_for(scene, login),
            "sub": self.subject(scene, login.user),
            "aud": login.client,
            "iat": now.unwrap_or(Timestamp::from_seconds(0)).seconds(),
            "exp": now.map_or(FAR.seconds(), |now| now.seconds() + 3600),
            "at_hash": token_hash(algorithm, login.access_token),
        });
        claims.extend(own.as_object().cloned().into_iter().flatten());
        if login.access_token.is_empty() {
            claims.remove("at_hash");
        }
        if let Some((code, state)) = login.beside {
            claims.insert("c_hash".to_owned(), token_hash(algorithm, code).into());
            let state = state.map(|state| token_hash(algorithm, state).into());
            claims.extend(state.map(|hash| ("s_hash".to_owned(), hash)));
        }
        if let Some(nonce) = login.nonce.filter(|_| !self.forgets_nonce) {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        if let Some(time) = login.auth_time {
            claims.insert("auth_time".to_owned(), time.seconds().into());
        }
        if let Some((_, claim)) = self.tenants {
            claims.insert(claim.to_owned(), login.tenant().into());
        }
        claims
    }

    /// Changes what the faults are about.
    fn spoil(&self, claims: &mut Map<String, Value>, login: &Signed<'_>) {
        use OpenIdFault as F;
        let client = claims.get("aud").cloned().unwrap_or_default();
        for fault in &self.faults {
            let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
            match fault {
                F::NonceMissing => drop(claims.remove("nonce")),
                F::NonceOther => set("nonce", "of-another-login".into()),
                F::IssuerOther => set("iss", "https://evil.example".into()),
                F::IssuerWithSlash => set("iss", format!("{}/", self.issuer).into()),
                F::AudienceOther => set("aud", "another-client".into()),
                F::AudienceShared => set("aud", json!([client, "another-client"])),
                F::AuthorizedPartyOther => set("azp", "another-client".into()),
                F::SubjectMissing => drop(claims.remove("sub")),
                F::SubjectOther => set("sub", "another-user".into()),
                F::Expired => set("exp", 1.into()),
                F::IssuedInFuture => set("iat", FAR.seconds().into()),
                F::IssuedNever => drop(claims.remove("iat")),
                F::AccessTokenHashOther => {
                    set("at_hash", token_hash(Algorithm::Es256, "another token").into());
                }
                F::AccessTokenHashMissing => drop(claims.remove("at_hash")),
                F::CodeHashOther if login.beside.is_some() => {
                    set("c_hash", token_hash(Algorithm::Es256, "another code").into());
                }
                F::CodeHashMissing => drop(claims.remove("c_hash")),
                F::StateHashOther if login.beside.is_some() => {
                    set("s_hash", token_hash(Algorithm::Es256, "another state").into());
                }
                F::SubjectOtherBesideCode if login.beside.is_some() => {
                    set("sub", "another-user".into());
                }
                F::AuthTimeMissing => drop(claims.remove("auth_time")),
                _ => {}
            }
        }
    }

    /// The subject of a user.
    pub(super) fn subject(&self, scene: &Scene, user: u64) -> String {
        let claims = scene.claims(user);
        match value_at(&claims, scene.identity_member()) {
            Some(Value::String(subject)) => subject.clone(),
            _ => user.to_string(),
        }
    }

    /// The issuer: of the tenant, and where an installation of the service is that the request is for.
    fn issuer_for(&self, scene: &Scene, login: &Signed<'_>) -> String {
        let issuer = match login.base() {
            Some(base) => [&base, path_of(&self.issuer)].concat(),
            None => scene.placed(&self.issuer),
        };
        match self.tenants {
            Some((placeholder, _)) => issuer.replace(placeholder, login.tenant()),
            None => issuer,
        }
    }

    /// Whether a request is for keys or metadata.
    pub(super) fn is_for_documents(&self, request: &Request<Bytes>) -> bool {
        let path = request.uri().path();
        let is_its = path.ends_with(&*self.keys_path) || path.ends_with(METADATA);
        is_its && *request.method() == Method::GET
    }

    /// The keys or the metadata, if a request is for them.
    pub(super) fn document(
        &self,
        scene: &Scene,
        request: &Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        if !self.is_for_documents(request) {
            return None;
        }
        if request.uri().path().ends_with(METADATA) {
            return Some(json_answer(&self.metadata(scene, request)));
        }
        if self.has(OpenIdFault::KeysGone) {
            let mut gone = json_answer(&json!({}));
            *gone.status_mut() = StatusCode::NOT_FOUND;
            return Some(gone);
        }
        let verifying = self.key.verifying_key().to_jwk();
        let has_other = self.has(OpenIdFault::AlgorithmOther);
        let other = has_other.then_some(&self.of_other_algorithm).and_then(|key| key.as_ref());
        let other = other.and_then(|key| key.verifying_key().to_jwk());
        let encrypting = self.decrypting.as_ref().and_then(|key| key.encrypting_key().to_jwk());
        let keys = [verifying, other, encrypting];
        let keys = keys.into_iter().flatten().filter_map(|key| serde_json::from_str(&key).ok());
        Some(json_answer(&json!({ "keys": keys.collect::<Vec<Value>>() })))
    }
}

impl Signed<'_> {
    /// The URL of an installation, if the request is for another one than the service's own.
    fn base(&self) -> Option<String> {
        let path = path_of(self.endpoint);
        let own = self.endpoint.strip_suffix(path)?;
        let url = self.request.uri().to_string();
        let there = url.strip_suffix(path).filter(|_| !path.is_empty())?;
        (there != own).then(|| there.to_owned())
    }

    /// The tenant in the request's path, or the one of all users.
    fn tenant(&self) -> &str {
        tenant_of(self.request).unwrap_or(TENANT)
    }
}

/// The tenant in a request's path.
pub(super) fn tenant_of(request: &Request<Bytes>) -> Option<&str> {
    let is_tenant = |part: &&str| part.len() == TENANT.len() && part.matches('-').count() == 4;
    request.uri().path().split('/').find(is_tenant)
}

/// Hides the key.
impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
