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
    authorize_again: Words,
    authorize: Words,
    sign_in: Words,
    callback: Words,
    refused: Words,
    redeem: Words,
    refresh: Words,
    revoke: Words,
    call: Words,
}

/// The words about responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    begin: Words,
    consent_page: Words,
    code: Words,
    sign_in_first: Words,
    denied: Words,
    callback: Words,
    tokens: Words,
    new_pair: Words,
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
            (Step::Authorize, _) if again => &self.authorize_again,
            (Step::Authorize, _) => &self.authorize,
            (Step::SignIn, _) => &self.sign_in,
            (Step::Callback, _) => &self.callback,
            (Step::Refused, _) => &self.refused,
            (Step::Redeem, _) => &self.redeem,
            (Step::Refresh, _) => &self.refresh,
            (Step::Revoke, _) => &self.revoke,
            (Step::Call, _) => &self.call,
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
            (Step::Begin, 300..400) => &self.begin,
            (Step::Authorize, 200) => &self.consent_page,
            (Step::Authorize | Step::Decide, 300..400) if response.masked("code").is_some() => {
                &self.code
            }
            (Step::Authorize | Step::Decide, 300..400) if to_sign_in() => &self.sign_in_first,
            (Step::Decide | Step::Authorize, 300..400) => &self.denied,
            (Step::Callback, 200..400) => &self.callback,
            (Step::Redeem, 200) => &self.tokens,
            (Step::Refresh, 200) => &self.new_pair,
            (Step::Redeem | Step::Refresh, _) => &self.no,
            (Step::Revoke, 200) => &self.revoked,
            (Step::Call, 401) => &self.unauthorized,
            (Step::Call, 403) => &self.forbidden,
            (Step::Call, 200..300) => &self.call,
            (Step::Begin | Step::Callback | Step::Authorize | Step::Decide, _) => &self.problem,
            _ => return None,
        })
    }
}
