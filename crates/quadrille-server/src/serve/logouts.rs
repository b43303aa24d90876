//! The clients of sessions that end: they are told beside the requests, and before the program stops.

use std::{sync::Arc, time::Duration};

use quadrille::provider::AuthorizationServer;
use tokio::{sync::Notify, task::JoinHandle, time::Sleep};

use crate::web::App;

/// The longest time between two looks at the sessions that have ended.
const LOOK: Duration = Duration::from_secs(2);

/// Tells the clients of sessions that have ended.
pub(super) struct Teller {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Teller {
    /// Begins with the sessions that ended while no process served.
    pub(super) fn start(app: App) -> Self {
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut has_failed = false;
            loop {
                let told = app.tell_ended().await;
                if let (Err(error), false) = (&told, has_failed) {
                    tracing::error!(%error, "clients do not learn of sessions that have ended");
                }
                has_failed = told.is_err();
                let pause = if told.unwrap_or(false) { Duration::ZERO } else { LOOK };
                tokio::select! {
                    biased;
                    () = stopped.notified() => return,
                    () = app.session_ended(pause) => {}
                }
            }
        });
        Self { stop, task }
    }

    /// Stops, and waits for the logout tokens that are on their way, with those that are sent once more,
    /// while there is time left. The log names the clients that did not get theirs.
    pub(super) async fn finish(self, server: &AuthorizationServer, time_left: Sleep) {
        self.stop.notify_one();
        let last = async {
            let _ = self.task.await;
            server.logout_tokens_sent().await;
        };
        tokio::select! {
            () = last => {}
            () = time_left => {
                for (client, tokens) in server.logout_tokens_under_way() {
                    let why = "a client does not learn of logouts: the program stops";
                    tracing::warn!(%client, tokens, "{why}");
                }
            }
        }
    }
}
