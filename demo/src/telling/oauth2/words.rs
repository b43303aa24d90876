//! The choice of the words for each arrow.

use serde::Deserialize;

use super::super::{Act, Step, Words, common};
use crate::message::Message;

/// The words about requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    common: common::Asked,
    refresh: Words,
}

/// The words about responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    common: common::Answered,
    code: Words,
    tokens: Words,
    new_pair: Words,
    no: Words,
    problem: Words,
}

impl Asked {
    /// The words about the request of an exchange, if this dance has its own.
    pub(super) fn find(&self, step: Step, act: Option<Act>, again: bool) -> Option<&Words> {
        match step {
            Step::Refresh => Some(&self.refresh),
            _ => self.common.find(step, act, again),
        }
    }
}

impl Answered {
    /// The words about the response of an exchange, if this dance has its own.
    pub(super) fn find(&self, step: Step, response: &Message) -> Option<&Words> {
        let status = common::status(response)?;
        let own = match (step, status) {
            (Step::Authorize | Step::Decide, 300..400) if response.masked("code").is_some() => {
                Some(&self.code)
            }
            (Step::Redeem, 200) => Some(&self.tokens),
            (Step::Refresh, 200) => Some(&self.new_pair),
            (Step::Redeem | Step::Refresh, _) => Some(&self.no),
            _ => None,
        };
        own.or_else(|| self.common.find(step, status, response)).or(match step {
            Step::Begin | Step::Callback | Step::Authorize | Step::Decide => Some(&self.problem),
            _ => None,
        })
    }
}
