//! Times by a short digest of a text, with a limit.

use std::collections::BTreeMap;

use crate::{
    Timestamp,
    digest::{first_half, sha256},
};

/// Times by text. If there is no room, the earliest makes some.
#[derive(Debug)]
pub(super) struct Marks {
    most: usize,
    times: BTreeMap<[u8; 16], Timestamp>,
}

impl Marks {
    pub(super) const fn at_most(most: usize) -> Self {
        Self { most, times: BTreeMap::new() }
    }

    pub(super) fn get(&self, text: &str) -> Option<Timestamp> {
        self.times.get(&mark(text)).copied()
    }

    pub(super) fn put(&mut self, text: &str, time: Timestamp) {
        let mark = mark(text);
        if self.times.len() >= self.most
            && !self.times.contains_key(&mark)
            && let Some((first, _)) = self.times.iter().min_by_key(|(_, time)| **time)
        {
            let first = *first;
            self.times.remove(&first);
        }
        self.times.insert(mark, time);
    }
}

fn mark(text: &str) -> [u8; 16] {
    *first_half(&sha256(text.as_bytes()))
}
