//! Small applications for the tests.

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// An application on its own port, until it is dropped. Browsers know it by two names, and take
/// these for two sites.
pub(crate) struct Site {
    port: u16,
    task: JoinHandle<()>,
}

impl Site {
    /// Serves the routes that `routes` makes for the port.
    pub(crate) async fn start(routes: impl AsyncFnOnce(u16) -> Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = routes(port).await;
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, task }
    }

    /// A site that answers every request with an empty page.
    pub(crate) async fn blank() -> Self {
        Self::start(async |_| Router::new().fallback(async || ())).await
    }

    /// The URL of a page at `http://localhost`, the provider's host.
    pub(crate) fn near(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// The URL of a page at `http://127.0.0.1`.
    pub(crate) fn far(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}
