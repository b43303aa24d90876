//! The threads that hash secrets, and the jobs that wait for them.
//!
//! A secret of another program may take a hundred times as long as one of this server. Such jobs
//! have half of the threads at most, so any number of guesses at one leaves threads to all others.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The order in which jobs are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// `true` for a client that has authenticated before: it is before all others of its cost.
    pub(super) is_first: bool,
    /// `true` for a job that takes much longer than others.
    pub(super) is_costly: bool,
}

/// The queue is full.
#[derive(Debug)]
pub(super) struct Full;

/// Threads with their jobs. The threads end when this is dropped.
pub(super) struct Jobs(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    comes: Condvar,
    /// The greatest length of a queue.
    longest: usize,
    /// The greatest number of threads with costly jobs.
    most_costly: usize,
}

#[derive(Default)]
struct State {
    ordinary: Queues,
    costly: Queues,
    costly_at_work: usize,
    has_ended: bool,
}

#[derive(Default)]
struct Queues {
    first: VecDeque<Job>,
    others: VecDeque<Job>,
}

impl Queues {
    fn next(&mut self) -> Option<Job> {
        self.first.pop_front().or_else(|| self.others.pop_front())
    }
}

impl Jobs {
    /// Starts the threads.
    pub(super) fn on(threads: NonZeroUsize, longest: usize) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            comes: Condvar::new(),
            longest: longest.max(1),
            most_costly: half(threads).get(),
        });
        let mut started = 0;
        for _ in 0..threads.get() {
            let shared = shared.clone();
            let thread = thread::Builder::new().name("quadrille-kdf".to_owned());
            match thread.spawn(move || shared.work()) {
                Ok(_) => started += 1,
                Err(error) => tracing::error!(%error, "no thread to hash secrets on"),
            }
        }
        shared.lock().has_ended = started == 0;
        Self(shared)
    }

    pub(super) fn push(&self, order: Order, job: Job) -> Result<(), Full> {
        let Shared { longest, comes, .. } = &*self.0;
        let mut state = self.0.lock();
        let has_ended = state.has_ended;
        let queues = if order.is_costly { &mut state.costly } else { &mut state.ordinary };
        let queue = if order.is_first { &mut queues.first } else { &mut queues.others };
        if has_ended || queue.len() >= *longest {
            return Err(Full);
        }
        queue.push_back(job);
        comes.notify_one();
        Ok(())
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.comes.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((job, costly)) = self.next() {
            job();
            drop(costly);
        }
    }

    /// Waits for a job. `None` if there is none and will be none.
    fn next(&self) -> Option<(Job, Option<Costly<'_>>)> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.ordinary.next() {
                return Some((job, None));
            }
            if state.costly_at_work < self.most_costly
                && let Some(job) = state.costly.next()
            {
                state.costly_at_work += 1;
                return Some((job, Some(Costly(self))));
            }
            if state.has_ended {
                return None;
            }
            state = self.comes.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A costly job at work.
struct Costly<'a>(&'a Shared);

impl Drop for Costly<'_> {
    fn drop(&mut self) {
        self.0.lock().costly_at_work -= 1;
        // The thread that was woken for the next one may have found no place for it.
        self.0.comes.notify_one();
    }
}

/// The number of threads that may do costly jobs.
pub(super) fn half(threads: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(threads.get() / 2).unwrap_or(NonZeroUsize::MIN)
}
