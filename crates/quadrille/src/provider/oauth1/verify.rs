//! The check of a signed request (RFC 5849, section 3.2): cheap checks first, then the signature,
//! then the nonce.

use std::sync::{Arc, LazyLock};

use url::Url;

use crate::{
    RemoteAddress, Secret, Timestamp,
    guard::SignatureError,
    loopback::is_loopback,
    oauth1::{HmacVerifyingKey, RsaVerifyingKey, SignatureMethod, SignedRequest, VerifyingKey},
    provider::{
        client::{authenticate, record::Client, sealed::SecretUse},
        error::Error,
        server::Inner,
        store::{CredentialRecord, Identifier, PendingRecord, PendingRef, RowId, SealedSecret},
        token::{
            format::{TokenKind, TokenSecret, sha256},
            lookup,
        },
    },
};

use super::{
    OAuth1,
    keys::{Ready, ReadyKeys},
    seconds,
    values::Value,
};

/// The longest nonce that is remembered.
const NONCE: usize = 255;

/// The token that a request must be signed with, beside the client's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Nothing,
    Temporary,
    /// Token credentials or nothing.
    CredentialOrNothing,
}

/// The token that a request was signed with.
#[derive(Clone, Debug)]
pub(crate) enum CheckedToken {
    None,
    Temporary(Arc<PendingRecord>),
    Credential(Arc<CredentialRecord>),
}

impl CheckedToken {
    /// The shared-secret, empty without a token; `None` if it does not open for the client to which
    /// the token was issued.
    fn secret(&self, inner: &Inner) -> Option<Secret> {
        let (usage, client, sealed): (_, _, &SealedSecret) = match self {
            Self::None => return Some(Secret::default()),
            Self::Temporary(record) => {
                let secret = &record.kind.temporary()?.secret;
                (SecretUse::TemporaryCredentials, &record.client, secret)
            }
            Self::Credential(record) => {
                (SecretUse::TokenCredentials, &record.access.grant.client, &record.secret)
            }
        };
        inner.seal_of(client).open_bytes(usage, sealed)
    }

    /// `true` if the token was issued to this client. A client registered later, under the same
    /// name, has no part in it.
    fn is_of(&self, client: &Client) -> bool {
        match self {
            Self::None => true,
            Self::Temporary(record) => record.client == client.id && client.number <= record.row,
            Self::Credential(record) => {
                let grant = &record.access.grant;
                grant.client == client.id && client.number <= grant.id
            }
        }
    }
}

/// A request with a valid signature.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) client: Arc<Client>,
    pub(crate) token: CheckedToken,
    /// The time of the check, which all later decisions use.
    pub(crate) now: Timestamp,
}

/// Checks a request without looking anything up.
fn check_syntax(
    signed: &SignedRequest<'_>,
    origin: &str,
    wanted: Wanted,
    oauth1: &OAuth1,
    began: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let method = signed.method();
    if !oauth1.takes(method) {
        let accepted = oauth1.accepted();
        tracing::info!(%accepted, "the signature method of a request is not accepted here");
        return Err(SignatureError::SignatureMethod);
    }
    if method == SignatureMethod::Plaintext && !is_private(origin) {
        return Err(SignatureError::PlaintextWithoutTls);
    }
    match (wanted, signed.token()) {
        (Wanted::Nothing, Some(_)) => return Err(SignatureError::TokenUnexpected),
        (Wanted::Temporary, None) => return Err(SignatureError::TokenMissing),
        _ => {}
    }
    if signed.nonce().is_some_and(|nonce| nonce.len() > NONCE) {
        return Err(SignatureError::NonceTooLong);
    }
    // PLAINTEXT may omit it (section 3.1).
    let Some(timestamp) = signed.timestamp() else { return Ok(()) };
    let window = i64::try_from(oauth1.window.as_secs()).unwrap_or(i64::MAX);
    match now.seconds().saturating_sub(timestamp.seconds()) {
        age if age > window => Err(SignatureError::TimestampOld),
        age if age < -window => Err(SignatureError::TimestampAhead),
        _ if began.is_some_and(|began| timestamp.seconds() < began.seconds()) => {
            Err(SignatureError::TimestampBeforeStart)
        }
        _ => Ok(()),
    }
}

/// `true` if requests to this origin cannot be read on the way.
fn is_private(origin: &str) -> bool {
    origin.starts_with("https://") || Url::parse(origin).is_ok_and(|url| is_loopback(&url))
}

/// Checks a request. Its nonce is not used up yet, in case the request is invalid in another way:
/// call [`remember`](super::remember::remember) when it is not.
pub(crate) async fn check(
    inner: &Inner,
    signed: &SignedRequest<'_>,
    origin: &str,
    wanted: Wanted,
    from: Option<RemoteAddress>,
) -> Result<Checked, SignatureError> {
    let now = inner.now();
    let began = match inner.oauth1.shares_nonces {
        true => None,
        false => Some(seconds::start(inner, now).await?),
    };
    check_syntax(signed, origin, wanted, &inner.oauth1, began, now)?;
    let issuer = inner.issuer_id().await?;
    let client = inner.store.client(issuer, signed.client()).await.map_err(Error::from)?;
    let token = presented(inner, signed.token(), wanted).await?;
    let memo = &inner.shared.oauth1_keys;
    let keys =
        client.as_ref().and_then(|client| memo.ready(client, &inner.ring, inner.issuer.as_str()));
    let held = match (&client, &token) {
        (Some(client), Some(CheckedToken::Credential(held))) => Some((client, held)),
        _ => None,
    };
    let is_right = held.is_some_and(|held| memo.is_right_as_before(signed, origin, held, now))
        || is_right(inner, signed, origin, keys.as_deref(), token.as_ref(), held, now);
    match decide(client.as_ref(), token.as_ref(), keys.as_deref(), is_right, signed.method(), now) {
        Ok(()) => {}
        Err(error) => return Err(failed_signature(inner, signed, error, from)),
    }
    match (client, token) {
        (Some(client), Some(token)) => Ok(Checked { client, token, now }),
        _ => Err(SignatureError::UnknownClient),
    }
}

/// The token of a request; `None` if it is invalid.
async fn presented(
    inner: &Inner,
    token: Option<&str>,
    wanted: Wanted,
) -> Result<Option<CheckedToken>, SignatureError> {
    let Some(token) = token else { return Ok(Some(CheckedToken::None)) };
    let issuer = inner.issuer_id().await?;
    Ok(match wanted {
        Wanted::Nothing => None,
        Wanted::Temporary => match lookup::reference(inner, TokenKind::Temporary, token) {
            None => None,
            Some(reference) => {
                let reference = PendingRef::Identifier(reference);
                let found = inner.store.pending(issuer, &reference).await.map_err(Error::from)?;
                // A device code is no temporary credential.
                found.filter(|it| it.kind.temporary().is_some()).map(CheckedToken::Temporary)
            }
        },
        Wanted::CredentialOrNothing => {
            lookup::credential(inner, token).await?.map(CheckedToken::Credential)
        }
    })
}

/// Verifies the signature. If client, key or token is missing, spends the same time on a dummy key
/// and returns `false`.
fn is_right(
    inner: &Inner,
    signed: &SignedRequest<'_>,
    origin: &str,
    keys: Option<&ReadyKeys>,
    token: Option<&CheckedToken>,
    held: Option<(&Arc<Client>, &Arc<CredentialRecord>)>,
    now: Timestamp,
) -> bool {
    // The token is unknown, or its secret cannot be read.
    let Some(token_secret) = token.and_then(|token| token.secret(inner)) else {
        verify_for_nobody(signed, origin);
        return false;
    };
    let verify = |(key, expires): &(Ready, Option<Timestamp>)| match key {
        Ready::Secret(secret) => {
            let token_secret = Some(&token_secret);
            let Some(key) = HmacVerifyingKey::new(signed.method(), secret, token_secret) else {
                let key = VerifyingKey::Shared { client_secret: secret, token_secret };
                return signed.is_signed_by(origin, &key);
            };
            let is_right = signed.is_signed_by(origin, &VerifyingKey::Hmac(&key));
            if let Some(held) = held.filter(|_| is_right) {
                inner.shared.oauth1_keys.keep(held, *expires, key);
            }
            is_right
        }
        Ready::Rsa(key) => signed.is_signed_by(origin, &VerifyingKey::Rsa(key)),
    };
    let mut fitting = keys.into_iter().flat_map(|keys| keys.fit(signed.method(), now)).peekable();
    if fitting.peek().is_none() {
        verify_for_nobody(signed, origin);
        return false;
    }
    fitting.any(verify)
}

/// Counts a wrong signature or an unknown token. Too many are answered with 429, whether the client
/// exists or not. Valid requests are never delayed.
///
/// Unknown tokens are counted separately: a client may hold many that have ended, and must learn it
/// of each. They cannot be guessed.
fn failed_signature(
    inner: &Inner,
    signed: &SignedRequest<'_>,
    error: SignatureError,
    from: Option<RemoteAddress>,
) -> SignatureError {
    let client = signed.client();
    let wait = match (error, signed.token()) {
        (SignatureError::TokenUnknown, Some(token)) => {
            authenticate::count_failure(inner, &[client, "\0", token].concat(), None)
        }
        (
            SignatureError::TokenUnknown
            | SignatureError::SignatureWrong
            | SignatureError::UnknownClient
            | SignatureError::NoKey,
            _,
        ) => authenticate::count_failure(inner, client, from),
        _ => None,
    };
    wait.map_or(error, SignatureError::Throttled)
}

/// An identifier for new credentials in `row`, and its form in the store.
pub(super) fn identifier(
    inner: &Inner,
    value: Value,
    kind: TokenKind,
    row: RowId,
) -> (String, Identifier) {
    let secret = TokenSecret::new(inner.env.random());
    match inner.oauth1.own_value(value, &secret) {
        Some(own) => {
            let hash = sha256(own.as_bytes());
            (own, Identifier::Foreign(hash))
        }
        None => {
            let text = inner.tokens.write(kind, row, &secret).as_str().to_owned();
            (text, Identifier::Row(sha256(&secret[..])))
        }
    }
}

/// A shared-secret of credentials for this client, and its form in the store.
pub(super) fn shared_secret(
    inner: &Inner,
    client: &str,
    usage: SecretUse,
) -> (Secret, SealedSecret) {
    let secret = Secret::from(inner.oauth1.secret(&TokenSecret::new(inner.env.random())));
    let sealed = inner.seal_of(client).seal_bytes(&inner.env, usage, &secret);
    (secret, sealed.into())
}

/// The fault of a request whose signature was verified. An unknown token is named as such, so that
/// a client knows to request another: it cannot be guessed. It is checked first, so the answer does
/// not reveal which clients exist.
fn decide(
    client: Option<&Arc<Client>>,
    token: Option<&CheckedToken>,
    keys: Option<&ReadyKeys>,
    is_right: bool,
    method: SignatureMethod,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let token = token.ok_or(SignatureError::TokenUnknown)?;
    let (Some(client), Some(keys)) = (client, keys) else {
        return Err(SignatureError::UnknownClient);
    };
    if keys.fit(method, now).next().is_none() {
        return Err(SignatureError::NoKey);
    }
    if !is_right {
        return Err(SignatureError::SignatureWrong);
    }
    if !token.is_of(client) {
        return Err(SignatureError::TokenOfOtherClient);
    }
    if client.oauth1.as_ref().is_none_or(|oauth1| !oauth1.may_use(method)) {
        return Err(SignatureError::SignatureMethodOfClient);
    }
    match token {
        CheckedToken::Credential(record) if now >= record.access.expires => {
            Err(SignatureError::TokenExpired)
        }
        _ => Ok(()),
    }
}

/// Spends the time of a verification, for an unknown client or token. An RSA key costs most, and is
/// kept for the purpose.
fn verify_for_nobody(signed: &SignedRequest<'_>, origin: &str) {
    static NOBODY: LazyLock<Option<RsaVerifyingKey>> =
        LazyLock::new(|| RsaVerifyingKey::from_pem(include_str!("nobody.pem")).ok());
    let nobodys = Secret::default();
    let key = match &*NOBODY {
        Some(key) if signed.method().is_rsa() => VerifyingKey::Rsa(key),
        _ => VerifyingKey::Shared { client_secret: &nobodys, token_secret: Some(&nobodys) },
    };
    let _ = signed.is_signed_by(origin, &key);
}
