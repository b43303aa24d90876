//! A login attempt: the data from the redirect to a service until the return.
//!
//! The server stores nothing. Each attempt has a cookie of its own, so tabs can finish in any
//! order. With OAuth 2 the data travels in `state` ([`state`]), and the part that is too long for
//! it in a second cookie; with OAuth 1, whose service issues a secret first, everything is in the
//! cookie ([`temporary`]).

pub(crate) mod required;
pub(super) mod returned;
pub(crate) mod state;
pub(crate) mod temporary;

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    Scopes, Timestamp,
    consumer::error::{BrowserError, OperatorError},
    digest::{first_half, sha256},
    seal::OpenError,
};

use required::Required;

use super::{
    account::Owner,
    cookies::{
        Jar,
        room::{PAGE, WITH_STATE},
    },
    site::Site,
    wire::{Reader, Writer},
};

/// The time that a user may take at the service, for example to find a password or to register.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
const VERSION: u64 = 5;
/// The number of digits at the end of a cookie's name that are not its time.
const MARK: usize = 8;

/// The data of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The service's name.
    pub(crate) service: Arc<str>,
    /// The path to redirect to in the end.
    pub(crate) next: String,
    /// The kind of login.
    pub(crate) kind: Kind,
    /// The client that began, where the site registers itself and may be another client soon.
    pub(crate) client: Option<ClientMark>,
    /// The user signed in at the beginning.
    pub(crate) begun_by: OwnerMark,
    /// The time of the beginning.
    pub(crate) begun: Timestamp,
    /// The end of the login.
    pub(crate) ending: Ending,
    /// The authentication that the ID token must have.
    pub(crate) required: Required,
    /// The application's data.
    pub(crate) data: Option<Value>,
}

/// The purpose of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Links an account.
    Link,
    /// Requests further scopes for an account with this subject, which is linked already.
    Widen { scopes: String, subject: String },
    /// Identifies the user; no token is stored.
    Identify,
}

/// The end of a login, if it succeeds or fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A redirect to a page.
    #[default]
    Page,
    /// A message to the page that opened the window.
    PopUp,
    /// A response to a script, or to a program, which began it.
    Json,
}

/// A digest of an owner: `None` if no user was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerMark(Option<[u8; 16]>);

impl OwnerMark {
    pub(crate) fn of(owner: &Owner) -> Self {
        if !owner.is_user() {
            return Self(None);
        }
        Self(Some(*first_half(&sha256(owner.as_str().as_bytes()))))
    }

    /// A short form that suffices to distinguish the users of one browser; empty for no user.
    pub(crate) fn short(self) -> String {
        self.0.map_or_else(String::new, |[a, b, c, d, ..]| AttemptCookie::new("", &[a, b, c, d]).0)
    }

    /// Whether no user was signed in.
    pub(crate) fn is_nobody(self) -> bool {
        self.0.is_none()
    }
}

/// A digest of a client identifier, which tells the few registrations of a site at one provider apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientMark([u8; 4]);

impl ClientMark {
    pub(crate) fn of(id: &str) -> Self {
        let [a, b, c, d, ..] = sha256(id.as_bytes());
        Self([a, b, c, d])
    }
}

/// The name of an attempt's cookie. The attempt ends when the cookie is removed.
#[derive(Clone, Debug)]
pub(crate) struct AttemptCookie(String);

impl AttemptCookie {
    /// A prefix and hexadecimal digits. The first bytes are the time, so names sort by age.
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

    /// A public identifier of the attempt within its browser.
    pub(crate) fn mark(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(MARK)..).unwrap_or(&self.0)
    }

    /// Ends the attempt.
    pub(crate) fn end(&self, site: &Site, jar: &Jar) -> Result<(), OperatorError> {
        if let Some(page) = self.page() {
            jar.remove(&site.style, &page)?;
        }
        jar.remove(&site.style, &self.0)
    }

    /// The name of the cookie with the part of an attempt that does not fit into `state`.
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

impl Ending {
    /// The end of a login whose callback a browser loads as a page.
    pub(crate) fn in_browser(self) -> Self {
        match self {
            Self::PopUp => Self::PopUp,
            Self::Page | Self::Json => Self::Page,
        }
    }

    fn write(self, out: &mut Writer) {
        out.number(match self {
            Self::Page => 0,
            Self::PopUp => 1,
            Self::Json => 2,
        });
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(match from.number()? {
            0 => Self::Page,
            1 => Self::PopUp,
            2 => Self::Json,
            _ => return None,
        })
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
    /// The scopes requested; `usual` are the service's.
    pub(crate) fn scopes(&self, usual: &Scopes) -> Scopes {
        match &self.kind {
            Kind::Widen { scopes, .. } => Scopes::of(scopes.split(' ')),
            Kind::Link | Kind::Identify => usual.clone(),
        }
    }

    fn write(&self, out: &mut Writer) {
        write_version(self.client, out);
        out.number(self.begun.seconds().unsigned_abs()).text(&self.service).text(&self.next);
        self.begun_by.write(out);
        self.ending.write(out);
        self.required.write(out);
        self.kind.write(out);
        write_data(self.data.as_ref(), out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let client = read_version(from)?;
        let begun = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
        let (service, next) = (from.text()?.into(), from.text()?.to_owned());
        let (begun_by, ending) = (OwnerMark::read(from)?, Ending::read(from)?);
        let required = Required::read(from)?;
        let kind = Kind::read(from)?;
        let data = read_data(from)?;
        Some(Self { service, next, kind, client, begun_by, begun, ending, required, data })
    }

    fn check_age(&self, now: Timestamp) -> Result<(), BrowserError> {
        if now.since(self.begun) > LIFETIME {
            return Err(BrowserError::AttemptExpired);
        }
        Ok(())
    }

    /// The first bytes of the name of an attempt's cookie.
    fn begun_bytes(&self) -> [u8; 4] {
        (self.begun.seconds() as u32).to_be_bytes()
    }
}

/// The version, and the client, for which the version is one more.
fn write_version(client: Option<ClientMark>, out: &mut Writer) {
    match client {
        None => out.number(VERSION),
        Some(ClientMark(mark)) => out.number(VERSION + 1).fixed(&mark),
    };
}

/// `None` if it cannot be read, `Some(None)` if there is no client.
fn read_version(from: &mut Reader<'_>) -> Option<Option<ClientMark>> {
    match from.number()?.checked_sub(VERSION)? {
        0 => Some(None),
        1 => Some(Some(ClientMark(from.fixed()?))),
        _ => None,
    }
}

fn write_data(data: Option<&Value>, out: &mut Writer) {
    match data {
        Some(data) => out.text(&data.to_string()),
        None => out.text(""),
    };
}

/// `None` if it cannot be read, `Some(None)` if there is none.
fn read_data(from: &mut Reader<'_>) -> Option<Option<Value>> {
    match from.text()? {
        "" => Some(None),
        text => Some(Some(serde_json::from_str(text).ok()?)),
    }
}

/// The error for a box that does not open.
fn not_ours(error: OpenError) -> BrowserError {
    match error {
        // Keys dropped from the ring within the last hour: to the user, the attempt has expired.
        OpenError::UnknownKey => BrowserError::AttemptExpired,
        OpenError::Malformed | OpenError::Broken => BrowserError::StateUnknown,
    }
}
