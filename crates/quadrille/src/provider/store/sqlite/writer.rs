//! The thread that writes: it takes all waiting writes, commits them together, and then answers.

use std::{
    error::Error,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    Env,
    provider::{meter, store::StoreError},
};

use super::{pace::Pace, writes::Writes};

/// The most writes in one commit.
const BATCH: usize = 1024;

/// The most writes that may wait. Beyond it the disk cannot keep up, and a client must be told.
const WAITING: usize = 65_536;

/// A handle to the thread that writes.
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    /// Shares a transaction with others.
    Shared(Box<dyn Share>),
    /// Brings its own transaction.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
}

trait Share: Send {
    /// Called again if a neighbour failed.
    fn run(&mut self, writes: &mut Writes<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Write<F, T> {
    run: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    work: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// The number of writes for which the thread sleeps; zero while it is awake.
    wanted: usize,
    closed: bool,
}

impl Writer {
    pub(super) fn start(connection: Connection, env: Env) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let jobs = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("quadrille-sqlite".to_owned())
            .spawn(move || {
                // However the thread ends, no caller waits for it in vain.
                let _closing = Closing(&jobs);
                if let Err(error) = work(&connection, &jobs, &env) {
                    tracing::error!(%error, "the database's writer cannot start");
                }
            })
            .map_err(|error| StoreError::Failed(Arc::new(error)))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `run` in a transaction shared with other writes, and waits for the commit.
    pub(super) async fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Writes<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job::Shared(Box::new(Write { run, result: None, reply })))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs `run` on the connection, outside of any transaction.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job::Alone(Box::new(move |connection| {
            // The caller may have left.
            let _ = reply.send(run(connection));
        })))?;
        answer.await.map_err(|_| {
            if self.queue.lock().closed {
                StoreError::Closed
            } else {
                StoreError::Failed(Arc::new(Panicked))
            }
        })
    }

    /// Accepts no more writes, finishes the waiting ones, and ends the thread. Not to be waited for
    /// on an async thread.
    pub(super) fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A closure that holds the last reference to the store drops it on the thread itself.
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        if waiting.jobs.len() >= WAITING {
            return Err(StoreError::Busy);
        }
        waiting.jobs.push(job);
        if waiting.wanted != 0 && waiting.jobs.len() >= waiting.wanted {
            waiting.wanted = 0;
            drop(waiting);
            self.work.notify_one();
        }
        Ok(())
    }

    fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    /// Moves all waiting jobs into the empty `jobs`; none if the queue is closed and empty.
    fn take(&self, jobs: &mut Vec<Job>, pace: &mut Pace) {
        let mut waiting = self.lock();
        if let Some((wanted, patience)) = pace.wait_for(waiting.jobs.len()) {
            waiting.wanted = wanted;
            let is_wanting = |waiting: &mut Waiting| waiting.wanted != 0 && !waiting.closed;
            let woken = self.work.wait_timeout_while(waiting, patience, is_wanting);
            (waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
            pace.waited(wanted, waiting.jobs.len());
        }
        while waiting.jobs.is_empty() && !waiting.closed {
            waiting.wanted = 1;
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.wanted = 0;
        mem::swap(&mut waiting.jobs, jobs);
    }
}

struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.closed = true;
        let jobs = mem::take(&mut waiting.jobs);
        drop(waiting);
        drop(jobs);
    }
}

impl<T, F> Share for Write<F, T>
where
    T: Send,
    F: FnMut(&mut Writes<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, writes: &mut Writes<'_>) -> Result<(), StoreError> {
        self.result = Some((self.run)(writes)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // The caller may have left; its write is done nevertheless.
        let _ = reply.send(outcome.and_then(|()| result.ok_or(StoreError::Closed)));
    }
}

#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was to be written panicked")
    }
}

impl Error for Panicked {}

fn work(connection: &Connection, queue: &Queue, env: &Env) -> Result<(), StoreError> {
    let mut writes = Writes::prepare(connection, env.clone())?;
    let mut jobs = Vec::new();
    let mut batch = Vec::new();
    let mut pace = Pace::default();
    loop {
        queue.take(&mut jobs, &mut pace);
        if jobs.is_empty() {
            return Ok(());
        }
        for job in jobs.drain(..) {
            match job {
                Job::Shared(write) => batch.push(write),
                Job::Alone(run) => {
                    commit(&mut writes, &mut batch, &mut pace);
                    // Its transaction is rolled back as it unwinds, and its caller is told.
                    let _ = catch_unwind(AssertUnwindSafe(|| run(connection)));
                }
            }
            if batch.len() == BATCH {
                commit(&mut writes, &mut batch, &mut pace);
            }
        }
        commit(&mut writes, &mut batch, &mut pace);
    }
}

/// Commits `batch` and answers. If one of its writes fails, each gets a transaction of its own.
fn commit(writes: &mut Writes<'_>, batch: &mut Vec<Box<dyn Share>>, pace: &mut Pace) {
    if batch.is_empty() {
        return;
    }
    meter::batch(batch.len());
    let outcome = pace.time(batch.len(), || together(writes, batch));
    let Err(error) = outcome else {
        return batch.drain(..).for_each(|write| write.answer(Ok(())));
    };
    let is_everyones = matches!(error, StoreError::Busy | StoreError::Full | StoreError::ReadOnly);
    if is_everyones || batch.len() == 1 {
        return batch.drain(..).for_each(|write| write.answer(Err(error.clone())));
    }
    for mut write in batch.drain(..) {
        let outcome = together(writes, std::slice::from_mut(&mut write));
        write.answer(outcome);
    }
}

fn together(writes: &mut Writes<'_>, batch: &mut [Box<dyn Share>]) -> Result<(), StoreError> {
    writes.begin()?;
    let done = batch.iter_mut().try_for_each(|write| write.run(writes)).and_then(|()| {
        writes.sweep(batch.len());
        writes.commit()
    });
    if done.is_err() {
        writes.roll_back();
    }
    done
}
