//! Changes that processes announce to each other, so that none waits for its next look.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::{sync::Notify, task::AbortHandle};

/// The announcements that this process makes and hears.
#[derive(Debug)]
pub(super) struct News {
    /// The name under which processes hear each other.
    pub(super) channel: Arc<str>,
    /// How often a change in the store was heard of.
    changes: AtomicU64,
    /// How often a change that the application announced was heard of.
    others: AtomicU64,
    wakes: Notify,
    /// Whether the database has refused an announcement, as one without `NOTIFY` does.
    is_silent: AtomicBool,
}

/// The text of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// A change in the store.
    Change,
    /// A change of the application's own.
    Other,
}

impl Announced {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Other => "other",
        }
    }
}

impl News {
    pub(super) fn new(channel: String) -> Self {
        Self {
            channel: channel.into(),
            changes: AtomicU64::new(0),
            others: AtomicU64::new(0),
            wakes: Notify::new(),
            is_silent: AtomicBool::new(false),
        }
    }

    /// How often a change in the store was heard of.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Waits until another number of changes was heard of that the application announced.
    #[cfg(feature = "postgres")]
    pub(super) async fn others_after(&self, seen: u64) -> u64 {
        loop {
            let waking = self.wakes.notified();
            let heard = self.others.load(Ordering::Acquire);
            if heard != seen {
                return heard;
            }
            waking.await;
        }
    }

    /// Counts an announcement. Any other text tells nothing.
    #[cfg(feature = "postgres")]
    pub(super) fn hear(&self, text: &str) {
        if text == Announced::Change.text() {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        if text == Announced::Other.text() {
            self.others.fetch_add(1, Ordering::AcqRel);
            self.wakes.notify_waiters();
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::Relaxed)
    }

    pub(super) fn be_silent(&self) {
        self.is_silent.store(true, Ordering::Relaxed);
    }
}

/// A task that listens. It ends with its store.
#[derive(Debug, Default)]
pub(super) struct Listening(Mutex<Option<AbortHandle>>);

impl Listening {
    /// Lets a task listen in the place of another one.
    #[cfg(feature = "postgres")]
    pub(super) fn replace(&self, task: AbortHandle) {
        self.end();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    fn end(&self) {
        if let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.end();
    }
}
