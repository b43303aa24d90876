//! Small applications of the tests.

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// An application on a port of its own, until it is dropped. Browsers know it by two names, which
/// are two sites to them.
pub(crate) struct Site {
    port: u16,
    task: JoinHandle<()>,
}

impl Site {
    /// Serves what `routes` makes of the port.
    pub(crate) async fn start(routes: impl AsyncFnOnce(u16) -> Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = routes(port).await;
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, task }
    }

    /// One that answers everything with an empty page.
    pub(crate) async fn blank() -> Self {
        Self::start(async |_| Router::new().fallback(async || ())).await
    }

    /// A page of it at `http://localhost`, as the provider is.
    pub(crate) fn near(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// A page of it at `http://127.0.0.1`.
    pub(crate) fn far(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}
