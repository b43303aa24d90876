//! Sessions that have ended otherwise than by a request for logout: by a command, on the account page,
//! by the sign-in of another user, or by their expiry.

use std::time::Duration;

use quadrille::provider::store::StoreError;

use super::app::App;

/// The time that a process has to tell the clients of some sessions; then another one does.
const LEASE: Duration = Duration::from_secs(60);

impl App {
    /// Tells the clients of some sessions that have ended. Of several processes, one gets each session.
    /// Returns `false` if there is none, or if clients could not be told.
    ///
    /// # Errors
    /// The errors of the store.
    pub(crate) async fn tell_ended(&self) -> Result<bool, StoreError> {
        let ended = self.backend.lease_ended(self.env.now(), LEASE).await?;
        let mut told = Vec::new();
        for session in &ended {
            let sign_out = self.server.sign_out(session.authentication());
            match sign_out.with_clients(session.clients.iter().cloned()).tell_clients().await {
                Ok(()) => told.push(session.name.clone()),
                Err(error) => tracing::error!(%error, "clients do not learn of a logout yet"),
            }
        }
        if told.is_empty() {
            return Ok(false);
        }
        let all_are_told = told.len() == ended.len();
        self.backend.forget_ended(told).await?;
        // Each client has room for so many tokens, as for those of one such round. One whose host hangs
        // keeps the others from none of theirs.
        let answered = self.server.logout_tokens_answered();
        let _ = tokio::time::timeout(LEASE / 2, answered).await;
        Ok(all_are_told)
    }

    /// Waits until a request here has ended a session so, or for so long.
    pub(crate) async fn session_ended(&self, longest: Duration) {
        let _ = tokio::time::timeout(longest, self.ended.notified()).await;
    }
}
