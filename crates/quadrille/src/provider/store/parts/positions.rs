//! Positions in the changes of two parts.

use std::collections::VecDeque;

/// The positions in the changes of two parts that were told as one number.
#[derive(Default)]
pub(super) struct Positions {
    last: i64,
    told: VecDeque<(i64, (i64, i64))>,
}

impl Positions {
    /// The number of positions remembered; after older ones there is a gap.
    const KEPT: usize = 1024;

    pub(super) fn find(&self, number: i64) -> Option<(i64, i64)> {
        self.told.iter().rev().find(|(known, _)| *known == number).map(|(_, positions)| *positions)
    }

    pub(super) fn number(&mut self, positions: (i64, i64)) -> i64 {
        if let Some((number, _)) = self.told.iter().rev().find(|(_, known)| *known == positions) {
            return *number;
        }
        if self.told.len() >= Self::KEPT {
            self.told.pop_front();
        }
        self.last += 1;
        self.told.push_back((self.last, positions));
        self.last
    }
}
