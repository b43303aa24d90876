//! A client of a session.

use std::sync::Arc;

use crate::provider::client::record::Client;

/// A client to which the user has logged in during a session.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) client: Arc<Client>,
    /// The session, as the client knows it.
    pub(super) sid: Option<String>,
}
