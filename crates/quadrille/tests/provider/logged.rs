//! The log of some work.

use std::{
    io::{self, Seek as _},
    sync::Mutex,
};

/// The result of some work, and the log of this thread meanwhile.
pub(crate) async fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    let mut told = tempfile::tempfile().unwrap();
    let log = tracing_subscriber::fmt().with_writer(Mutex::new(told.try_clone().unwrap()));
    // With one subscriber alone, tracing asks that of whichever thread comes by an event first.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let logging = tracing::subscriber::set_default(log.with_ansi(false).finish());
    let result = work.await;
    drop(logging);
    told.rewind().unwrap();
    (result, io::read_to_string(told).unwrap())
}
