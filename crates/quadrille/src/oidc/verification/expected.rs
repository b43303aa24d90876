//! What a relying party expects of one ID token, and whether it says so.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Timestamp,
    digest::sha256,
    jose::Algorithm,
    oidc::{IdToken, token_hash_matches},
};

use super::rejected::IdTokenRejected;

/// The values that one ID token must agree with: those of the authorization request that it answers,
/// and the code and the access token beside it.
///
/// ```
/// use std::time::Duration;
/// use quadrille::oidc::Expected;
///
/// let expected = Expected::nonce("n-0S6_WzA2Mj")
///     .access_token("SlAV32hkKG")
///     .max_age(Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    nonce: Nonce<'a>,
    access_token: Option<Beside<'a>>,
    code: Option<Beside<'a>>,
    state: Option<Beside<'a>>,
    /// The ID token beside the code, whose user must be the same.
    beside: Option<&'a IdToken>,
    max_age: Option<Duration>,
    acr: &'a [&'a str],
}

/// The `nonce` of the request.
#[derive(Clone, Copy, Debug)]
enum Nonce<'a> {
    Sent(&'a str),
    /// Sent to a service that may forget it.
    Forgotten(&'a str),
    /// Sent as a hash, whose source an application shows now.
    Hashed(&'a str),
    NotSent,
    /// The token is of a refresh; the first one of this login is known.
    Refreshed(&'a IdToken),
    /// The token is of a refresh; only the subject of this login is known.
    RefreshedFor(&'a str),
}

/// A text issued beside the ID token, and whether its hash must be in there.
#[derive(Clone, Copy)]
struct Beside<'a> {
    text: &'a str,
    is_required: bool,
}

/// Hides the text.
impl std::fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("is_required", &self.is_required).finish_non_exhaustive()
    }
}

impl<'a> Expected<'a> {
    /// The answer to a request with this `nonce` (OpenID Connect Core, section 3.1.3.7, item 11).
    pub const fn nonce(nonce: &'a str) -> Self {
        Self::new(Nonce::Sent(nonce))
    }

    /// The answer to a request with this `nonce` of a service that does not repeat it: one that is
    /// there must still be this one. Gives up: only PKCE, if the service has it, keeps a code out
    /// that was stolen from another login.
    pub const fn nonce_that_the_service_may_forget(nonce: &'a str) -> Self {
        Self::new(Nonce::Forgotten(nonce))
    }

    /// The answer to a request of an app whose `nonce` is the SHA-256 hash of this text, in hexadecimal
    /// digits or base64url. The token tells everybody the hash, so only the text shows that the token
    /// comes from the app that requested it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{Timestamp, jose::*, oidc::{Expected, IdToken, IdTokenRules}};
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let now = Timestamp::from_seconds(1_800_000_000);
    /// let mut issued =
    ///     IdToken::new("https://id.example", "7", "our-app", now, now + Duration::from_secs(300));
    /// issued.nonce =
    ///     Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".into());
    /// let token = key.sign(&Protected::plain(), &issued.to_json())?;
    ///
    /// let keys = KeySet::from_iter([key.verifying_key().clone()]);
    /// let rules = IdTokenRules::new("https://id.example", "our-app");
    /// let read = Unverified::parse(&token)?;
    /// assert!(rules.verify(read, &keys, &Expected::hashed_nonce("hello"), now).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn hashed_nonce(text: &'a str) -> Self {
        Self::new(Nonce::Hashed(text))
    }

    /// The answer to a request that could have no `nonce`, such as that of a device. A token with
    /// one answers another request and is rejected.
    pub const fn no_nonce() -> Self {
        Self::new(Nonce::NotSent)
    }

    /// The ID token of a refresh (OpenID Connect Core, section 12.2): it must agree with that of the
    /// login, and needs no nonce.
    pub const fn refreshed(login: &'a IdToken) -> Self {
        Self::new(Nonce::Refreshed(login))
    }

    /// [`refreshed`](Self::refreshed) where only the subject of the login is known any more.
    pub const fn refreshed_for(subject: &'a str) -> Self {
        Self::new(Nonce::RefreshedFor(subject))
    }

    const fn new(nonce: Nonce<'a>) -> Self {
        Self {
            nonce,
            access_token: None,
            code: None,
            state: None,
            beside: None,
            max_age: None,
            acr: &[],
        }
    }

    /// The access token of the same response: `at_hash` must be its hash, if it is there (section
    /// 3.1.3.8).
    #[must_use]
    pub const fn access_token(mut self, token: &'a str) -> Self {
        self.access_token = Some(Beside { text: token, is_required: false });
        self
    }

    /// The access token of the same authorization response, through the browser, where `at_hash` is
    /// required (section 3.2.2.9).
    #[must_use]
    pub const fn access_token_of_the_browser(mut self, token: &'a str) -> Self {
        self.access_token = Some(Beside { text: token, is_required: true });
        self
    }

    /// The code of the same authorization response: `c_hash` must be its hash (section 3.3.2.10).
    #[must_use]
    pub const fn code_of_the_browser(mut self, code: &'a str) -> Self {
        self.code = Some(Beside { text: code, is_required: true });
        self
    }

    /// The `state` of the same authorization response: `s_hash` must be its hash, if it is there
    /// (Financial-grade API 1.0, part 2, section 5.1.1).
    #[must_use]
    pub const fn state_of_the_browser(mut self, state: &'a str) -> Self {
        self.state = Some(Beside { text: state, is_required: false });
        self
    }

    /// The ID token of the authorization response, beside the code that this token was issued for:
    /// issuer and subject must be the same (section 3.3.3.6).
    #[must_use]
    pub const fn same_user_as(mut self, beside: &'a IdToken) -> Self {
        self.beside = Some(beside);
        self
    }

    /// The `max_age` of the request: the user must have authenticated within this time (section
    /// 3.1.3.7, item 13).
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The authentication context classes of the request, of which one must have been met (section
    /// 3.1.3.7, item 12).
    #[must_use]
    pub const fn acr(mut self, classes: &'a [&'a str]) -> Self {
        self.acr = classes;
        self
    }

    /// Checks the claims of a token that was signed with this algorithm.
    pub(super) fn check(
        &self,
        token: &IdToken,
        algorithm: Algorithm,
        leeway: Duration,
        now: Timestamp,
    ) -> Result<(), IdTokenRejected> {
        self.nonce.check(token)?;
        let is_hash = |beside: Beside<'_>, hash: Option<&str>| match hash {
            Some(hash) => token_hash_matches(algorithm, beside.text, hash),
            None => !beside.is_required,
        };
        if let Some(access_token) = self.access_token
            && !is_hash(access_token, token.at_hash.as_deref())
        {
            return Err(IdTokenRejected::AccessTokenHash);
        }
        if let Some(code) = self.code
            && !is_hash(code, token.c_hash.as_deref())
        {
            return Err(IdTokenRejected::CodeHash);
        }
        if let Some(state) = self.state
            && !is_hash(state, token.s_hash.as_deref())
        {
            return Err(IdTokenRejected::StateHash);
        }
        if let Some(beside) = self.beside
            && (token.issuer != beside.issuer || token.subject != beside.subject)
        {
            return Err(IdTokenRejected::OtherUserThanBeside);
        }
        if let Some(age) = self.max_age {
            let since = token.auth_time.ok_or(IdTokenRejected::AuthTimeMissing)?;
            if since > now + leeway {
                return Err(IdTokenRejected::AuthTimeInFuture);
            }
            if now.since(since) > age.saturating_add(leeway) {
                return Err(IdTokenRejected::AuthTooLongAgo);
            }
        }
        if !self.acr.is_empty() && !token.acr.as_deref().is_some_and(|is| self.acr.contains(&is)) {
            return Err(IdTokenRejected::Acr);
        }
        Ok(())
    }
}

impl Nonce<'_> {
    fn check(self, token: &IdToken) -> Result<(), IdTokenRejected> {
        let is = token.nonce.as_deref();
        match self {
            Self::Sent(sent) | Self::Forgotten(sent) => match is {
                Some(is) if is == sent => Ok(()),
                Some(_) => Err(IdTokenRejected::NonceOther),
                None if matches!(self, Self::Forgotten(_)) => Ok(()),
                None => Err(IdTokenRejected::NonceMissing),
            },
            Self::Hashed(text) => match is {
                Some(is) if is_hash_of(is, text) => Ok(()),
                Some(_) => Err(IdTokenRejected::NonceOther),
                None => Err(IdTokenRejected::NonceMissing),
            },
            Self::NotSent if is.is_some() => Err(IdTokenRejected::NonceUnexpected),
            Self::NotSent => Ok(()),
            Self::Refreshed(login) => agrees(token, login),
            Self::RefreshedFor(subject) => unless_changed("sub", token.subject == subject),
        }
    }
}

/// Whether a nonce is the SHA-256 hash of this text, in one of the encodings that apps use.
fn is_hash_of(nonce: &str, text: &str) -> bool {
    let hash = sha256(text.as_bytes());
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let is = |known: &str| verify_slices_are_equal(known.as_bytes(), nonce.as_bytes()).is_ok();
    is(&digits) || is(&BASE64_URL_SAFE_NO_PAD.encode(hash))
}

/// Whether the ID token of a refresh agrees with that of the login (section 12.2).
fn agrees(token: &IdToken, login: &IdToken) -> Result<(), IdTokenRejected> {
    unless_changed("iss", token.issuer == login.issuer)?;
    unless_changed("sub", token.subject == login.subject)?;
    unless_changed("aud", is_same_audience(&token.audience, &login.audience))?;
    unless_changed("azp", token.azp == login.azp)?;
    unless_changed("nonce", token.nonce.is_none() || token.nonce == login.nonce)?;
    let is_other = |time: Timestamp| login.auth_time.is_some_and(|known| known != time);
    unless_changed("auth_time", !token.auth_time.is_some_and(is_other))
}

/// An audience has no order.
fn is_same_audience(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|each| other.contains(each))
}

fn unless_changed(claim: &'static str, is_same: bool) -> Result<(), IdTokenRejected> {
    if is_same { Ok(()) } else { Err(IdTokenRejected::Changed(claim)) }
}
