//! The trail of a login: the facts about it that are known when it fails.

use std::sync::Arc;

use crate::consumer::{
    attempt::{AttemptCookie, Ending},
    registration::Settled,
};

/// The facts about a failed login, as far as they are known.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) service: Option<Arc<Settled>>,
    pub(crate) next: Option<String>,
    /// The URL for another attempt, unless it is the usual login.
    pub(crate) retry: Option<String>,
    /// The end of the login.
    pub(crate) ending: Ending,
    /// The attempt, which has failed for good.
    pub(crate) answered: Option<AttemptCookie>,
}
