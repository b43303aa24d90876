//! A running demo.

use std::{net::SocketAddr, rc::Rc};

use quadrille_demo::Demo;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::support::{Browser, PATIENCE, in_a_browser};

/// A demo that runs in this process on its own ports until it is dropped.
pub(crate) struct Running {
    pub(crate) website: String,
    pub(crate) provider: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let demo = Demo::start(Some(any_port), Some(any_port)).await.expect("the demo starts");
        let (website, provider) = (demo.website().to_owned(), demo.provider().to_owned());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(demo.run(async {
            let _ = stopped.await;
        }));
        Self { website, provider, stop: Some(stop), task: Some(task) }
    }

    /// Stops the demo, and checks that it ends.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            tokio::time::timeout(PATIENCE, task).await.expect("the demo stops").unwrap();
        }
    }
}

/// Runs a test in a browser with a fresh demo.
pub(crate) async fn visit(
    name: &'static str,
    test: impl AsyncFnOnce(&Browser, &Running) + 'static,
) {
    let demo = Rc::new(Running::start().await);
    let shown = Rc::clone(&demo);
    in_a_browser(name, async move |browser| test(browser, &shown).await).await;
    Rc::into_inner(demo).expect("the test has ended").stop().await;
}
