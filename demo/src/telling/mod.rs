//! Tells a dance: what each step is, why it is, and where it is written down.
//!
//! Both dances go the same way through the same pages; what differs is told by a [`Telling`] of each.

mod cards;
mod oauth1;
mod oauth2;
mod shared;
pub(super) mod steps;

use serde::Serialize;

use super::{
    dance::Dance,
    message::Message,
    value::{Kind, Protocol},
};

pub(super) use cards::{Card, Seen, seen};

/// A chapter of the dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Ask,
    /// The temporary credentials of OAuth 1.0a.
    Prepare,
    SignIn,
    Consent,
    Redeem,
    Use,
    Later,
    Revoke,
}

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A page of the website.
    Page,
    /// The website begins a login.
    Begin,
    /// The website asks for temporary credentials.
    Temporary,
    /// The authorization request.
    Authorize,
    SignInPage,
    SignIn,
    /// The answer on the consent page.
    Decide,
    /// The authorization response, with something to redeem,
    Callback,
    /// or without.
    Refused,
    /// The code, or the temporary credentials, for a token.
    Redeem,
    Refresh,
    Revoke,
    /// A call of the provider's API.
    Call,
    /// The clock is put forward.
    Later,
    Disconnect,
    Other,
}

/// A section of an RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rfc(pub(super) u16, pub(super) &'static str);

/// The same, to follow.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Link {
    text: String,
    url: String,
}

impl From<Rfc> for Link {
    fn from(Rfc(rfc, section): Rfc) -> Self {
        Self {
            text: format!("RFC {rfc}, section {section}"),
            url: format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}"),
        }
    }
}

/// What is said about one arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) rfc: Option<Rfc>,
    /// What its sender did before it was sent.
    pub(super) before: &'static [&'static str],
}

/// How one of the two dances is told.
pub(super) trait Telling: Sync {
    /// What is special about it, on top of the page.
    fn lead(&self) -> &'static str;
    /// Title and text of a chapter.
    fn chapter(&self, act: Act) -> (&'static str, &'static str);
    /// What is said about the request of an exchange. `again`: the same had been asked before.
    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words;
    /// What is said about the response of an exchange.
    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words;
    /// What a parameter, header or member is for.
    fn note(&self, name: &str, message: &Message) -> &'static str;
    /// What is said about a value where it is told who saw it.
    fn remark(&self, kind: Kind) -> &'static str;
    /// What kept it safe.
    fn cards(&self, dance: &Dance) -> Vec<Card>;
}

/// How a dance is told.
pub(super) fn of(protocol: Protocol) -> &'static dyn Telling {
    match protocol {
        Protocol::OAuth1 => &oauth1::OAuth1,
        Protocol::OAuth2 => &oauth2::OAuth2,
    }
}
