//! The latest changes of one issuer.

use std::collections::VecDeque;

use crate::provider::store::{Change, Changes};

/// The number of changes kept for other processes.
const CHANGES: usize = 4096;

#[derive(Default)]
pub(super) struct Log {
    /// The position of the newest change.
    position: i64,
    changes: VecDeque<Change>,
}

impl Log {
    pub(super) fn since(&self, position: i64) -> Changes {
        let kept = i64::try_from(self.changes.len()).unwrap_or(i64::MAX);
        let gap = !(self.position - kept..=self.position).contains(&position);
        let skip = usize::try_from(position - (self.position - kept)).unwrap_or(0);
        let changes =
            if gap { Vec::new() } else { self.changes.iter().skip(skip).cloned().collect() };
        Changes { position: self.position, changes, gap }
    }

    pub(super) fn tell(&mut self, change: Change) {
        self.position += 1;
        if self.changes.len() == CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }
}
