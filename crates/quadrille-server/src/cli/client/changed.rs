//! The events of the audit log about clients.

use crate::audit::{Event, record};

/// Records that a command changed this client.
pub(super) fn changed(event: &'static str, text: &'static str, client: &str) {
    record(&Event { client: Some(client), ..Event::by_operator(event, text) });
}
