//! The HTTP server of a loopback login: it lives as long as the login.

use std::{
    collections::VecDeque,
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
    task::{AbortHandle, JoinSet},
};

use crate::{
    page::{Language, Page},
    transport::Body,
};

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
    /// Those that have not ended, the oldest first.
    open: VecDeque<Connection>,
}

struct Connection {
    task: AbortHandle,
    /// Whether it carried the answer.
    is_answer: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn new(
        listeners: Vec<TcpListener>,
        expected: Expected,
        answers: mpsc::Sender<Answer>,
    ) -> Self {
        let (connections, open) = (JoinSet::new(), VecDeque::new());
        Self { listeners, expected: Arc::new(expected), answers, connections, open }
    }

    /// Serves connections for as long as it is awaited.
    pub(super) async fn run(&mut self) -> Infallible {
        loop {
            while self.connections.try_join_next().is_some() {}
            self.open.retain(|connection| !connection.task.is_finished());
            match self.accept().await {
                Ok(stream) => {
                    self.make_room();
                    let (expected, answers) = (Arc::clone(&self.expected), self.answers.clone());
                    let is_answer = Arc::default();
                    let serving = serve(stream, expected, answers, Arc::clone(&is_answer));
                    let task = self.connections.spawn(serving);
                    self.open.push_back(Connection { task, is_answer });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Closes the oldest connection if there are too many. Anyone on this machine may open them,
    /// and send nothing; a browser sends its request at once.
    fn make_room(&mut self) {
        if self.open.len() < MOST {
            return;
        }
        let is_idle = |one: &Connection| !one.is_answer.load(Ordering::SeqCst);
        if let Some(oldest) = self.open.iter().position(is_idle)
            && let Some(oldest) = self.open.remove(oldest)
        {
            oldest.task.abort();
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
async fn serve(
    stream: TcpStream,
    expected: Arc<Expected>,
    answers: mpsc::Sender<Answer>,
    is_answer: Arc<AtomicBool>,
) -> bool {
    let service = service_fn(|request: Request<Incoming>| {
        let (expected, answers, is_answer) = (&expected, &answers, &is_answer);
        async move {
            let language = Language::of(request.headers());
            let response = match expected.hear(request.method(), request.uri(), request.headers()) {
                Heard::Other(response) => response,
                Heard::Answer { outcome, callback } => {
                    is_answer.store(true, Ordering::SeqCst);
                    let (reply, page) = oneshot::channel();
                    // A login that was dropped answers nothing.
                    let _ = answers.send(Answer { outcome, callback, language, reply }).await;
                    let (status, page) = page.await.unwrap_or_else(|_| cancelled(language));
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

fn cancelled(language: Language) -> (StatusCode, Page) {
    let page = Page::new(language.pattern("program-cancelled-title")).language(language);
    (StatusCode::SERVICE_UNAVAILABLE, page.text(language.pattern("program-cancelled")))
}
