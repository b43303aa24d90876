//! The words that both dances have for the same arrows, each in its own version.

use serde::Deserialize;

use super::{Act, Step, Words, book::Chapter};
use crate::message::{Head, Message};

/// The chapters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chapters {
    ask: Chapter,
    sign_in: Chapter,
    consent: Chapter,
    redeem: Chapter,
    #[serde(rename = "use")]
    used: Chapter,
    later: Chapter,
    revoke: Chapter,
}

/// The words about requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    page_later: Words,
    begin: Words,
    authorize_again: Words,
    authorize: Words,
    sign_in: Words,
    callback: Words,
    refused: Words,
    redeem: Words,
    revoke: Words,
    call: Words,
}

/// The words about responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    begin: Words,
    consent_page: Words,
    sign_in_first: Words,
    denied: Words,
    callback: Words,
    revoked: Words,
    unauthorized: Words,
    forbidden: Words,
    call: Words,
}

impl Chapters {
    /// The words about a chapter. The preparation of OAuth 1.0a has none here.
    pub(super) fn find(&self, act: Act) -> &Chapter {
        match act {
            Act::Ask | Act::Prepare => &self.ask,
            Act::SignIn => &self.sign_in,
            Act::Consent => &self.consent,
            Act::Redeem => &self.redeem,
            Act::Use => &self.used,
            Act::Later => &self.later,
            Act::Revoke => &self.revoke,
        }
    }
}

impl Asked {
    /// The words about the request of an exchange, if both dances have such requests.
    pub(super) fn find(&self, step: Step, act: Option<Act>, again: bool) -> Option<&Words> {
        Some(match (step, act) {
            (Step::Page, Some(Act::Later)) => &self.page_later,
            (Step::Begin, _) => &self.begin,
            (Step::Authorize, _) if again => &self.authorize_again,
            (Step::Authorize, _) => &self.authorize,
            (Step::SignIn, _) => &self.sign_in,
            (Step::Callback, _) => &self.callback,
            (Step::Refused, _) => &self.refused,
            (Step::Redeem, _) => &self.redeem,
            (Step::Revoke, _) => &self.revoke,
            (Step::Call, _) => &self.call,
            _ => return None,
        })
    }
}

impl Answered {
    /// The words about the response of an exchange, if both dances have such responses.
    pub(super) fn find(&self, step: Step, status: u16, response: &Message) -> Option<&Words> {
        let to_sign_in = || response.header("location").is_some_and(|to| to.contains("/sign-in"));
        Some(match (step, status) {
            (Step::Begin, 300..400) => &self.begin,
            (Step::Authorize, 200) => &self.consent_page,
            (Step::Authorize | Step::Decide, 300..400) if to_sign_in() => &self.sign_in_first,
            (Step::Authorize | Step::Decide, 300..400) => &self.denied,
            (Step::Callback, 200..400) => &self.callback,
            (Step::Revoke, 200) => &self.revoked,
            (Step::Call, 401) => &self.unauthorized,
            (Step::Call, 403) => &self.forbidden,
            (Step::Call, 200..300) => &self.call,
            _ => return None,
        })
    }
}

/// The status of a response, unless its sender failed.
pub(super) fn status(response: &Message) -> Option<u16> {
    match response.head {
        Head::Response { status: 500.. } | Head::Request { .. } => None,
        Head::Response { status } => Some(status),
    }
}
