//! The choice of the words for each arrow.

use serde::Deserialize;

use super::super::{Act, Step, Words, common};
use crate::message::Message;

/// The words about requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    common: common::Asked,
    temporary: Words,
    call_later: Words,
    call_gone: Words,
}

/// The words about responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    common: common::Answered,
    temporary: Words,
    verifier: Words,
    token: Words,
    no: Words,
    problem: Words,
}

impl Asked {
    /// The words about the request of an exchange, if this dance has its own.
    pub(super) fn find(&self, step: Step, act: Option<Act>, again: bool) -> Option<&Words> {
        match (step, act) {
            (Step::Temporary, _) => Some(&self.temporary),
            (Step::Call, Some(Act::Later)) => Some(&self.call_later),
            (Step::Call, Some(Act::Revoke)) => Some(&self.call_gone),
            _ => self.common.find(step, act, again),
        }
    }
}

impl Answered {
    /// The words about the response of an exchange, if this dance has its own.
    pub(super) fn find(&self, step: Step, response: &Message) -> Option<&Words> {
        let status = common::status(response)?;
        let own = match (step, status) {
            (Step::Temporary, 200) => Some(&self.temporary),
            (Step::Authorize | Step::Decide, 300..400)
                if response.masked("oauth_verifier").is_some() =>
            {
                Some(&self.verifier)
            }
            (Step::Redeem, 200) => Some(&self.token),
            (Step::Temporary | Step::Redeem, _) => Some(&self.no),
            _ => None,
        };
        own.or_else(|| self.common.find(step, status, response)).or(match step {
            Step::Begin | Step::Callback | Step::Authorize | Step::Decide if status != 409 => {
                Some(&self.problem)
            }
            _ => None,
        })
    }
}
