//! The choice of the words for each arrow.

use serde::Deserialize;

use super::super::{Act, Step, Words};
use crate::message::{Head, Message};

/// The words about requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    page_later: Words,
    begin: Words,
    temporary: Words,
    authorize_again: Words,
    authorize: Words,
    sign_in: Words,
    callback: Words,
    refused: Words,
    redeem: Words,
    call_later: Words,
    call_gone: Words,
    call: Words,
    revoke: Words,
}

/// The words about responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    temporary: Words,
    begin: Words,
    consent_page: Words,
    verifier: Words,
    sign_in_first: Words,
    denied: Words,
    callback: Words,
    token: Words,
    no: Words,
    revoked: Words,
    unauthorized: Words,
    forbidden: Words,
    call: Words,
    problem: Words,
}

impl Asked {
    /// The words about the request of an exchange, if only this dance has them.
    pub(super) fn find(&self, step: Step, act: Option<Act>, again: bool) -> Option<&Words> {
        Some(match (step, act) {
            (Step::Page, Some(Act::Later)) => &self.page_later,
            (Step::Begin, _) => &self.begin,
            (Step::Temporary, _) => &self.temporary,
            (Step::Authorize, _) if again => &self.authorize_again,
            (Step::Authorize, _) => &self.authorize,
            (Step::SignIn, _) => &self.sign_in,
            (Step::Callback, _) => &self.callback,
            (Step::Refused, _) => &self.refused,
            (Step::Redeem, _) => &self.redeem,
            (Step::Call, Some(Act::Later)) => &self.call_later,
            (Step::Call, Some(Act::Revoke)) => &self.call_gone,
            (Step::Call, _) => &self.call,
            (Step::Revoke, _) => &self.revoke,
            _ => return None,
        })
    }
}

impl Answered {
    /// The words about the response of an exchange, if only this dance has them.
    pub(super) fn find(&self, step: Step, response: &Message) -> Option<&Words> {
        let Head::Response { status } = response.head else { return None };
        let to_sign_in = || response.header("location").is_some_and(|to| to.contains("/sign-in"));
        Some(match (step, status) {
            (_, 500..) => return None,
            (Step::Temporary, 200) => &self.temporary,
            (Step::Begin, 300..400) => &self.begin,
            (Step::Authorize, 200) => &self.consent_page,
            (Step::Authorize | Step::Decide, 300..400)
                if response.masked("oauth_verifier").is_some() =>
            {
                &self.verifier
            }
            (Step::Authorize | Step::Decide, 300..400) if to_sign_in() => &self.sign_in_first,
            (Step::Authorize | Step::Decide, 300..400) => &self.denied,
            (Step::Callback, 200..400) => &self.callback,
            (Step::Redeem, 200) => &self.token,
            (Step::Temporary | Step::Redeem, _) => &self.no,
            (Step::Revoke, 200) => &self.revoked,
            (Step::Call, 401) => &self.unauthorized,
            (Step::Call, 403) => &self.forbidden,
            (Step::Call, 200..300) => &self.call,
            (Step::Begin | Step::Callback | Step::Authorize | Step::Decide, _) if status != 409 => {
                &self.problem
            }
            _ => return None,
        })
    }
}

/// Whether the sender of the response failed.
pub(super) fn is_broken(response: &Message) -> bool {
    matches!(response.head, Head::Response { status: 500.. })
}
