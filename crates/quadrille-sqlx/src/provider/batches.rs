//! Entries that wait at the same time are one statement.

use std::{pin::pin, sync::Arc, time::Duration};

use quadrille::provider::store::StoreError;
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::timeout,
};

use super::{database::Database, dialect::Dialect};

/// The most entries that may wait. Beyond it the database cannot keep up, and a client must be told.
const WAITING: usize = 65_536;
/// The most statements of one kind in progress at the same time.
const AT_ONCE: usize = 4;
/// The time for which a statement of a kind is the only one in progress. Entries gather while it
/// runs, so that few statements and commits serve many; if it waits for a lock, or its server is far
/// away, others go on beside it.
const ALONE: Duration = Duration::from_millis(20);

/// An entry of a batch: a write, or a look-up.
pub(super) trait Entry<E: Dialect>: Send + Sync + Sized + 'static {
    type Answer: Send + 'static;

    /// `false` if entries only read.
    const WRITES: bool = true;

    /// Runs the entries in one transaction. An error means that none is written. Otherwise there
    /// is a turn for each entry, in order.
    fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> impl Future<Output = Result<Vec<Turn<Self::Answer>>, StoreError>> + Send;
}

/// What became of an entry.
pub(super) enum Turn<A> {
    /// It is committed, or refused for good.
    Done(A),
    /// It was not this one's turn: another entry of the batch concerns the same row.
    Again,
    /// It is not known what to answer; nothing was written for this entry.
    Failed(StoreError),
}

struct Waiting<T, A> {
    entry: T,
    reply: oneshot::Sender<Result<A, StoreError>>,
}

/// A queue of entries, and the tasks that run them.
pub(super) struct Batches<T, A>(mpsc::Sender<Waiting<T, A>>);

impl<T: Send + Sync + 'static, A: Send + 'static> Batches<T, A> {
    pub(super) fn start<E: Dialect>(database: &Database<E>) -> Self
    where
        T: Entry<E, Answer = A>,
    {
        let (sender, receiver) = mpsc::channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..AT_ONCE {
            let (receiver, database) = (Arc::clone(&receiver), database.clone());
            database.clone().beside(async move {
                loop {
                    let mut receiver = receiver.lock().await;
                    let mut batch = Vec::new();
                    if receiver.recv_many(&mut batch, E::BATCH).await == 0 {
                        return;
                    }
                    let entries = batch.len();
                    let mut running = pin!(run(&database, batch));
                    let is_done = timeout(ALONE, &mut running).await.is_ok();
                    drop(receiver);
                    if !is_done {
                        running.await;
                    }
                    if T::WRITES {
                        E::sweep_beside(&database, entries);
                    }
                }
            });
        }
        Self(sender)
    }

    /// Runs an entry, and waits for the commit.
    pub(super) async fn run(&self, entry: T) -> Result<A, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(Waiting { entry, reply }).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::unavailable("too many requests wait"),
            TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

async fn run<E: Dialect, T: Entry<E>>(
    database: &Database<E>,
    mut batch: Vec<Waiting<T, T::Answer>>,
) {
    while !batch.is_empty() {
        let entries: Vec<_> = batch.iter().map(|waiting| &waiting.entry).collect();
        match T::run(database, &entries).await {
            Ok(turns) => batch = answer(batch, turns),
            Err(error) if error.is_transient() || batch.len() == 1 => {
                for waiting in batch.drain(..) {
                    let _ = waiting.reply.send(Err(error.clone()));
                }
            }
            // Nothing is written. The entry at fault fails by itself.
            Err(_) => {
                for waiting in std::mem::take(&mut batch) {
                    Box::pin(run(database, vec![waiting])).await;
                }
            }
        }
    }
}

/// Answers what can be answered; returns the rest.
fn answer<T, A>(batch: Vec<Waiting<T, A>>, turns: Vec<Turn<A>>) -> Vec<Waiting<T, A>> {
    let mut rest = Vec::new();
    for (waiting, turn) in batch.into_iter().zip(turns) {
        // The caller may have left; its entry is written nevertheless.
        let _ = match turn {
            Turn::Done(answer) => waiting.reply.send(Ok(answer)),
            Turn::Failed(error) => waiting.reply.send(Err(error)),
            Turn::Again => {
                rest.push(waiting);
                continue;
            }
        };
    }
    rest
}
