//! Times by a short digest of a text, with a limit.

use std::collections::BTreeMap;

use crate::{
    Timestamp,
    digest::{first_half, sha256},
};

/// A digest of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u128);

impl Mark {
    pub(super) fn of(text: &str) -> Self {
        Self(u128::from_be_bytes(*first_half(&sha256(text.as_bytes()))))
    }

    /// The digits of the mark.
    pub(super) fn digits(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Reads the output of [`Mark::digits`].
    pub(super) fn read(digits: &str) -> Option<Self> {
        u128::from_str_radix(digits, 16).ok().map(Self)
    }
}

/// Times by mark. If there is no room, the earliest makes some.
#[derive(Debug)]
pub(super) struct Marks {
    most: usize,
    times: BTreeMap<Mark, Timestamp>,
}

impl Marks {
    pub(super) const fn at_most(most: usize) -> Self {
        Self { most, times: BTreeMap::new() }
    }

    pub(super) fn get(&self, mark: Mark) -> Option<Timestamp> {
        self.times.get(&mark).copied()
    }

    pub(super) fn remove(&mut self, mark: Mark) {
        self.times.remove(&mark);
    }

    /// Keeps the later time of a mark. Returns the one that gave way.
    pub(super) fn put(&mut self, mark: Mark, time: Timestamp) -> Option<(Mark, Timestamp)> {
        if let Some(known) = self.times.get_mut(&mark) {
            let earlier = (*known).min(time);
            let is_known = *known == time;
            *known = (*known).max(time);
            return (!is_known).then_some((mark, earlier));
        }
        let gone = match self.times.len() >= self.most {
            true => self.times.iter().min_by_key(|(_, time)| **time).map(|(m, t)| (*m, *t)),
            false => None,
        };
        if let Some((first, _)) = gone {
            self.times.remove(&first);
        }
        self.times.insert(mark, time);
        gone
    }
}
