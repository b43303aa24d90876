//! The HTTP server of a loopback login: it lives as long as the login.

use std::{
    convert::Infallible,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::{page::Page, transport::Body};

use super::answer::{Answer, Expected, Heard};

/// The length of a request's head in bytes.
const LONGEST_HEAD: usize = 32 * 1024;
/// The time for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// The time for the last page to be sent.
const FLUSH: Duration = Duration::from_secs(2);
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of connections at a time.
const MOST: usize = 64;

/// The listeners and their connections, which end when it is dropped.
pub(super) struct Server {
    listeners: Vec<TcpListener>,
    expected: Arc<Expected>,
    answers: mpsc::Sender<Answer>,
    /// Each returns whether it carried the answer.
    connections: JoinSet<bool>,
}

impl Server {
    pub(super) fn new(
        listeners: Vec<TcpListener>,
        expected: Expected,
        answers: mpsc::Sender<Answer>,
    ) -> Self {
        Self { listeners, expected: Arc::new(expected), answers, connections: JoinSet::new() }
    }

    /// Serves connections for as long as it is awaited.
    pub(super) async fn run(&mut self) -> Infallible {
        loop {
            while self.connections.try_join_next().is_some() {}
            if self.connections.len() >= MOST {
                self.connections.join_next().await;
            }
            match self.accept().await {
                Ok(stream) => {
                    let (expected, answers) = (Arc::clone(&self.expected), self.answers.clone());
                    self.connections.spawn(serve(stream, expected, answers));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn accept(&self) -> std::io::Result<TcpStream> {
        poll_fn(|cx| {
            for listener in &self.listeners {
                if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                    return Poll::Ready(accepted.map(|(stream, _)| stream));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until the page for the answer is sent.
    pub(super) async fn flush(mut self) {
        let sent = async {
            while let Some(ended) = self.connections.join_next().await {
                if matches!(ended, Ok(true)) {
                    return;
                }
            }
        };
        // A browser that does not read its page keeps nobody waiting.
        let _ = tokio::time::timeout(FLUSH, sent).await;
    }
}

/// Serves one request of a connection. Returns whether it was the answer.
async fn serve(stream: TcpStream, expected: Arc<Expected>, answers: mpsc::Sender<Answer>) -> bool {
    let is_answer = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        let (expected, answers, is_answer) = (&expected, &answers, &is_answer);
        async move {
            let response = match expected.hear(request.method(), request.uri(), request.headers()) {
                Heard::Other(response) => response,
                Heard::Answer { outcome, callback } => {
                    is_answer.store(true, Ordering::SeqCst);
                    let (reply, page) = oneshot::channel();
                    // A login that was dropped answers nothing.
                    let _ = answers.send(Answer { outcome, callback, reply }).await;
                    let (status, page) = page.await.unwrap_or_else(|_| cancelled());
                    page.to_response(status)
                }
            };
            Ok::<Response<Body>, Infallible>(response.map(Body::from))
        }
    });
    // The fault of a connection concerns its browser alone.
    let _ = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LONGEST_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    is_answer.load(Ordering::SeqCst)
}

fn cancelled() -> (StatusCode, Page) {
    let page = Page::new("The login was cancelled").text("The program waits no longer.");
    (StatusCode::SERVICE_UNAVAILABLE, page)
}
