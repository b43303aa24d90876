//! The secrets that are sealed in the database, at a start.

use std::sync::Arc;

use quadrille::provider::AuthorizationServer;

use crate::data::{Backend, ResealWork, seals};

/// Looks at all secrets beside the requests, and warns of those under an older key of the ring, or under
/// one that is not in it.
pub(super) fn look(backend: Arc<dyn Backend>, server: AuthorizationServer) {
    tokio::spawn(async move {
        match backend.reseal(&server, ResealWork::Count, &mut |_| {}).await {
            Ok(counted) => {
                for remark in seals::remarks(&counted) {
                    match counted.unreadable {
                        0 => tracing::warn!("{remark}"),
                        _ => tracing::error!("{remark}"),
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "the sealed secrets were not looked at"),
        }
    });
}
