//! ID tokens of a replay: issued for the login of the test, by keys of the test.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    Env, Secret,
    jose::{Algorithm, Protected, SigningKey},
    oauth2::pkce::Challenge,
    oidc::token_hash,
    testing::{key::key, openid::FAR},
    transport::Purpose,
};

use super::{
    content::Content,
    error::NotIssued,
    exchange::{Exchange, Received, client_of_basic},
    signed::{ID_TOKEN, Unsigned},
};

/// The key of RSA. One of its own for each test would take seconds in an unoptimized build.
const RSA: &str = include_str!("rsa.pem");

/// The issuer of the ID tokens in a replay.
#[derive(Default)]
pub(super) struct Issuer {
    keys: BTreeMap<&'static str, SigningKey>,
    logins: Vec<Begun>,
    /// The time of the test, if it has been told.
    pub(super) env: Option<Env>,
    /// The seconds from the recording to the replay.
    later: Option<i64>,
}

/// A login that has begun at the tape.
pub(super) struct Begun {
    pub(super) nonce: Option<String>,
    /// The challenge, by which the request with the code is known.
    pub(super) challenge: Option<Challenge>,
}

impl Issuer {
    pub(super) fn begins(&mut self, login: Begun) {
        self.logins.push(login);
    }

    /// Signs what is signed in a response on the tape, and puts the keys of the test in the place of the
    /// service's.
    pub(super) fn issue(
        &mut self,
        response: &mut Received,
        request: &Request<Bytes>,
        purpose: Purpose,
        exchanges: &[Exchange],
    ) -> Result<(), NotIssued> {
        match &mut response.body {
            Some(Content::Jwt(unsigned)) => {
                let token = self.token(unsigned.clone(), request, None)?;
                response.body = Some(Content::Text(token));
            }
            Some(Content::Json(Value::Object(members))) => {
                if let Some(id_token) = members.get(ID_TOKEN).filter(|token| token.is_object()) {
                    let unsigned = Unsigned::deserialize_from(id_token)?;
                    let beside = Beside {
                        access_token: members.get("access_token").and_then(Value::as_str),
                        nonce: match purpose {
                            Purpose::RedeemCode => self.nonce(request),
                            // A refreshed one has none (section 12.2).
                            _ => Nonce::Absent,
                        },
                    };
                    let token = self.token(unsigned, request, Some(&beside))?;
                    members.insert(ID_TOKEN.to_owned(), token.into());
                } else if let Some(Value::Array(keys)) = members.get_mut("keys") {
                    self.replace_keys(keys, exchanges);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Leaves only those of the service's keys that verify no signature.
    fn replace_keys(&mut self, keys: &mut Vec<Value>, exchanges: &[Exchange]) {
        let signed: Vec<_> = exchanges.iter().filter_map(algorithm_of).collect();
        if signed.is_empty() {
            return;
        }
        keys.retain(|key| key.get("use").and_then(Value::as_str) == Some("enc"));
        for algorithm in signed.into_iter().filter(|algorithm| !algorithm.is_symmetric()) {
            let jwk = self.key(algorithm).and_then(|key| key.verifying_key().to_jwk());
            let jwk = jwk.and_then(|jwk| serde_json::from_str::<Value>(&jwk).ok());
            keys.extend(jwk.filter(|jwk| !keys.contains(jwk)));
        }
    }

    /// The key for this algorithm with a public one.
    fn key(&mut self, algorithm: Algorithm) -> Option<SigningKey> {
        let name = algorithm.as_str();
        if let Some(known) = self.keys.get(name) {
            return Some(known.clone());
        }
        let kid = format!("tape-{name}");
        let new = match name.starts_with("RS") || name.starts_with("PS") {
            true => SigningKey::from_pem(algorithm, RSA).ok()?.with_kid(&kid),
            false => key(&kid, algorithm)?,
        };
        self.keys.insert(name, new.clone());
        Some(new)
    }

    /// The token that the test gets. One without anything `beside` it is of the userinfo endpoint.
    fn token(
        &mut self,
        unsigned: Unsigned,
        request: &Request<Bytes>,
        beside: Option<&Beside<'_>>,
    ) -> Result<String, NotIssued> {
        let Unsigned { alg, typ, mut claims } = unsigned;
        self.date(&mut claims);
        if let Some(beside) = beside {
            beside.write(&mut claims, alg, request)?;
        }
        let key = match alg.is_symmetric() {
            true => client_secret(request)
                .and_then(|secret| SigningKey::hmac(alg, &secret).ok())
                .ok_or(NotIssued::SecretUnknown)?,
            false => self.key(alg).ok_or(NotIssued::Malformed)?,
        };
        let header = typ.as_deref().map_or_else(Protected::plain, Protected::typ);
        let claims = Value::Object(claims).to_string();
        key.sign(&header, claims.as_bytes()).map_err(|_| NotIssued::Malformed)
    }

    /// Counts lifetimes from the replay. Without a clock a token is valid at any time.
    fn date(&mut self, claims: &mut Map<String, Value>) {
        let issued = claims.get("iat").and_then(Value::as_i64);
        let mut shift = |name: &str, by: i64| {
            let time = claims.get(name).and_then(Value::as_i64);
            claims.extend(time.map(|time| (name.to_owned(), time.saturating_add(by).into())));
        };
        match (&self.env, issued) {
            (Some(env), Some(issued)) => {
                let by = env.now().seconds().saturating_sub(issued);
                for name in ["iat", "exp", "nbf"] {
                    shift(name, by);
                }
                // The same for all tokens of a login, however much later they are refreshed.
                shift("auth_time", *self.later.get_or_insert(by));
            }
            _ => {
                for (name, time) in [("iat", 0), ("nbf", 0), ("exp", FAR.seconds())] {
                    if let Some(known) = claims.get_mut(name) {
                        *known = time.into();
                    }
                }
            }
        }
    }

    /// The nonce of the login whose code a request redeems.
    fn nonce(&self, request: &Request<Bytes>) -> Nonce {
        let verifier = field(request, "code_verifier");
        let is_its = |login: &&Begun| match (&verifier, &login.challenge) {
            (Some(verifier), Some(challenge)) => challenge.matches(verifier),
            _ => true,
        };
        match self.logins.iter().rev().find(is_its) {
            Some(Begun { nonce: Some(nonce), .. }) => Nonce::Of(nonce.clone()),
            Some(_) => Nonce::Absent,
            None => Nonce::Unknown,
        }
    }
}

/// The nonce of a login.
enum Nonce {
    Of(String),
    Absent,
    /// The login did not begin at the tape.
    Unknown,
}

/// The texts of one response on which its ID token depends.
struct Beside<'a> {
    access_token: Option<&'a str>,
    nonce: Nonce,
}

impl Beside<'_> {
    /// Writes the claims whose values are others in each login, of those that are on the tape.
    fn write(
        &self,
        claims: &mut Map<String, Value>,
        algorithm: Algorithm,
        request: &Request<Bytes>,
    ) -> Result<(), NotIssued> {
        if claims.contains_key("nonce") {
            match &self.nonce {
                Nonce::Of(nonce) => drop(claims.insert("nonce".to_owned(), nonce.as_str().into())),
                Nonce::Absent => drop(claims.remove("nonce")),
                Nonce::Unknown => return Err(NotIssued::NonceUnknown),
            }
        }
        let hash = |text: &str| Value::from(token_hash(algorithm, text));
        let code = field(request, "code");
        for (name, value) in [
            ("at_hash", self.access_token.map(hash)),
            ("c_hash", code.as_deref().map(hash)),
            // No response of a token endpoint needs the one of the `state`.
            ("s_hash", None),
        ] {
            if claims.remove(name).is_some() {
                claims.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        Ok(())
    }
}

impl Unsigned {
    fn deserialize_from(value: &Value) -> Result<Self, NotIssued> {
        serde_json::from_value(value.clone()).map_err(|_| NotIssued::Malformed)
    }

    /// The token in a response of the tape.
    fn in_content(content: &Content) -> Option<Self> {
        match content {
            Content::Jwt(unsigned) => Some(unsigned.clone()),
            Content::Json(json) => Self::deserialize_from(json.get(ID_TOKEN)?).ok(),
            _ => None,
        }
    }
}

/// The algorithm of the signature in a response.
fn algorithm_of(exchange: &Exchange) -> Option<Algorithm> {
    Some(Unsigned::in_content(exchange.response.body.as_ref()?)?.alg)
}

/// A field of the form in a request.
fn field(request: &Request<Bytes>, name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(request.body());
    fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The client secret in a request to the token endpoint (RFC 6749, section 2.3.1).
fn client_secret(request: &Request<Bytes>) -> Option<Secret> {
    let basic = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic = basic.and_then(|value| client_of_basic(value.strip_prefix("Basic ")?));
    let secret = basic.map(|client| client.secret).or_else(|| field(request, "client_secret"));
    secret.map(Secret::from)
}
