//! A login attempt: what is known when a visitor leaves for a service and needed when they return.
//!
//! Nothing is kept on the server. Each attempt has a cookie of its own, so that many tabs finish in
//! any order. With OAuth 2 everything travels in `state` ([`state`]), or what is too long for it in a
//! further cookie; with OAuth 1, whose service
//! gives out a secret before the visitor leaves, everything is in the cookie ([`temporary`]).

pub(crate) mod state;
pub(crate) mod temporary;

use std::{sync::Arc, time::Duration};

use crate::{
    Env, KeyRing, Timestamp,
    consumer::error::{BrowserError, OperatorError},
    digest::{first_half, sha256},
    seal::{Keys, MaskKey, OpenError},
};

use super::{
    account::Owner,
    cookie_room::{InUse, PAGE, WITH_STATE},
    cookies::{CookieStyle, Jar},
    wire::{Reader, Writer},
};

/// How long a visitor may take at the service: time to find a password, and to make an account.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
const VERSION: u64 = 1;
/// How many of a cookie name's last digits are no time.
const MARK: usize = 8;

/// What an attempt carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The service's name.
    pub(crate) service: Arc<str>,
    /// Where to go in the end.
    pub(crate) next: String,
    /// What kind of login.
    pub(crate) kind: Kind,
    /// Who was signed in when it began.
    pub(crate) begun_by: OwnerMark,
    /// When it began.
    pub(crate) begun: Timestamp,
}

/// What an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To link an account.
    Link,
    /// To grant further scopes for an account that is linked already, by this subject.
    Widen { scopes: String, subject: String },
    /// To know who the visitor is; no token is kept.
    Identify,
}

/// A digest of an owner: `None` when nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerMark(Option<[u8; 16]>);

impl OwnerMark {
    pub(crate) fn of(owner: &Owner) -> Self {
        if !owner.is_user() {
            return Self(None);
        }
        Self(Some(*first_half(&sha256(owner.as_str().as_bytes()))))
    }

    /// Enough of it to tell the users of one browser apart; empty for nobody.
    pub(crate) fn short(self) -> String {
        self.0.map_or_else(String::new, |[a, b, c, d, ..]| AttemptCookie::new("", &[a, b, c, d]).0)
    }

    /// Whether nobody was signed in.
    pub(crate) fn is_nobody(self) -> bool {
        self.0.is_none()
    }
}

/// What is needed to seal and to open.
pub(crate) struct Seals<'a> {
    pub(crate) env: &'a Env,
    pub(crate) keys: &'a KeyRing,
    pub(crate) verifiers: &'a Keys<MaskKey>,
    /// The public URL with the mount.
    pub(crate) site: &'a str,
    pub(crate) style: &'a CookieStyle,
    pub(crate) in_use: &'a InUse,
}

/// The name of an attempt's cookie. The attempt ends when the cookie goes.
#[derive(Clone, Debug)]
pub(crate) struct AttemptCookie(String);

impl AttemptCookie {
    /// Hexadecimal digits after a prefix. The first bytes are the time, so that names sort by age.
    fn new(prefix: &str, id: &[u8]) -> Self {
        let mut name = String::with_capacity(prefix.len() + 2 * id.len());
        name.push_str(prefix);
        for byte in id {
            for nibble in [byte >> 4, byte & 15] {
                name.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
            }
        }
        Self(name)
    }

    /// What tells one attempt of a browser from another, and no secret.
    pub(crate) fn mark(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(MARK)..).unwrap_or_default()
    }

    /// Ends the attempt.
    pub(crate) fn end(&self, seals: &Seals<'_>, jar: &Jar) -> Result<(), OperatorError> {
        if let Some(page) = self.page() {
            jar.remove(seals.style, &page)?;
        }
        jar.remove(seals.style, &self.0)
    }

    /// The name of the cookie with the rest of an attempt that travels in `state`.
    fn page(&self) -> Option<String> {
        let id = self.0.strip_prefix(WITH_STATE.name)?;
        Some([PAGE.name, id].concat())
    }
}

impl OwnerMark {
    fn write(self, out: &mut Writer) {
        match self.0 {
            None => out.number(0),
            Some(mark) => out.number(1).fixed(&mark),
        };
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self(match from.number()? {
            0 => None,
            _ => Some(from.fixed()?),
        }))
    }
}

impl Kind {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Link => out.number(0),
            Self::Identify => out.number(1),
            Self::Widen { scopes, subject } => out.number(2).text(scopes).text(subject),
        };
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(match from.number()? {
            0 => Self::Link,
            1 => Self::Identify,
            _ => Self::Widen { scopes: from.text()?.to_owned(), subject: from.text()?.to_owned() },
        })
    }
}

impl Attempt {
    fn write(&self, out: &mut Writer) {
        out.number(VERSION);
        out.number(self.begun.seconds().unsigned_abs()).text(&self.service).text(&self.next);
        self.begun_by.write(out);
        self.kind.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        if from.number()? != VERSION {
            return None;
        }
        let begun = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
        let (service, next) = (from.text()?.into(), from.text()?.to_owned());
        let (begun_by, kind) = (OwnerMark::read(from)?, Kind::read(from)?);
        Some(Self { service, next, kind, begun_by, begun })
    }

    fn check_age(&self, now: Timestamp) -> Result<(), BrowserError> {
        if now.since(self.begun) > LIFETIME {
            return Err(BrowserError::AttemptExpired);
        }
        Ok(())
    }

    /// The first bytes of an attempt's cookie's name.
    fn begun_bytes(&self) -> [u8; 4] {
        (self.begun.seconds() as u32).to_be_bytes()
    }
}

/// What a box that does not open means to the visitor who brings it.
fn not_ours(error: OpenError) -> BrowserError {
    match error {
        // Keys that were dropped from the ring within the hour: for the visitor, too late.
        OpenError::UnknownKey => BrowserError::AttemptExpired,
        OpenError::Malformed | OpenError::Broken => BrowserError::StateUnknown,
    }
}
