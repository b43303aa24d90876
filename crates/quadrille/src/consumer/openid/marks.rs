//! Times by a short digest of a text, with a limit.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The same in the order of the times: strangers fill these, so none of them may cost a walk.
    in_order: BTreeSet<(Timestamp, Mark)>,
}

impl Marks {
    pub(super) const fn at_most(most: usize) -> Self {
        Self { most, times: BTreeMap::new(), in_order: BTreeSet::new() }
    }

    pub(super) fn get(&self, mark: Mark) -> Option<Timestamp> {
        self.times.get(&mark).copied()
    }

    pub(super) fn remove(&mut self, mark: Mark) -> Option<Timestamp> {
        let time = self.times.remove(&mark)?;
        self.in_order.remove(&(time, mark));
        Some(time)
    }

    /// Keeps the later time of a mark. Returns the one that gave way.
    pub(super) fn put(&mut self, mark: Mark, time: Timestamp) -> Option<(Mark, Timestamp)> {
        let gone = match self.get(mark) {
            Some(known) if known == time => return None,
            Some(known) if known > time => return Some((mark, time)),
            Some(known) => {
                self.in_order.remove(&(known, mark));
                Some((mark, known))
            }
            None if self.times.len() >= self.most => {
                let earliest = self.in_order.pop_first().map(|(time, mark)| (mark, time));
                if let Some((earliest, _)) = earliest {
                    self.times.remove(&earliest);
                }
                earliest
            }
            None => None,
        };
        self.times.insert(mark, time);
        self.in_order.insert((time, mark));
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_makes_room_whenever_it_came() {
        let at = |seconds| Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(seconds);
        let [a, b, c] = ["a", "b", "c"].map(Mark::of);
        let mut marks = Marks::at_most(2);
        assert_eq!(marks.put(a, at(7)), None);
        assert_eq!(marks.put(b, at(5)), None);
        assert_eq!(marks.put(b, at(5)), None, "it is there");
        assert_eq!(marks.put(b, at(3)), Some((b, at(3))), "the later time stays");
        assert_eq!(marks.put(b, at(9)), Some((b, at(5))));
        assert_eq!(marks.put(c, at(8)), Some((a, at(7))));
        assert_eq!([a, b, c].map(|mark| marks.get(mark)), [None, Some(at(9)), Some(at(8))]);
        assert_eq!(marks.remove(b), Some(at(9)));
        assert_eq!(marks.put(a, at(1)), None, "there is room again");
        assert_eq!(marks.put(b, at(2)), Some((a, at(1))));
    }
}
