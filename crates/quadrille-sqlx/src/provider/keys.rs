//! The keys of rows that are numbered by time.

/// The number of low bits of a row's milliseconds that come first in a hashed key.
const SPREAD_BITS: u32 = 4;
/// The bits below the milliseconds: worker and sequence.
const LOW_BITS: u32 = 22;
/// A key has 63 bits; the first ones name its range.
const REST_BITS: u32 = 63 - SPREAD_BITS;

/// How the number of a row becomes its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// As it is, so that inserts are appends.
    Ordered,
    /// With the lowest bits of its milliseconds first: in a database that divides tables by ranges
    /// of their keys, inserts go to 16 ranges by turns.
    Hashed,
}

impl Keys {
    /// The key of a number.
    pub(super) const fn mix(self, number: i64) -> i64 {
        match self {
            Self::Ordered => number,
            Self::Hashed => {
                let low = number & ((1 << LOW_BITS) - 1);
                let spread = (number >> LOW_BITS) & ((1 << SPREAD_BITS) - 1);
                let high = number >> (LOW_BITS + SPREAD_BITS);
                (spread << REST_BITS) | (high << LOW_BITS) | low
            }
        }
    }

    /// The number of a key.
    pub(super) const fn unmix(self, key: i64) -> i64 {
        match self {
            Self::Ordered => key,
            Self::Hashed => {
                let low = key & ((1 << LOW_BITS) - 1);
                let spread = key >> REST_BITS;
                let high = (key & ((1 << REST_BITS) - 1)) >> LOW_BITS;
                (high << (LOW_BITS + SPREAD_BITS)) | (spread << LOW_BITS) | low
            }
        }
    }

    /// [`Keys::mix`] of a column, in SQL.
    pub(super) fn mixed(self, column: &str) -> String {
        let (low, spread) = ((1 << LOW_BITS) - 1, (1 << SPREAD_BITS) - 1);
        match self {
            Self::Ordered => column.to_owned(),
            Self::Hashed => format!(
                "(((({column} >> {LOW_BITS}) & {spread}) << {REST_BITS}) \
                 | (({column} >> {}) << {LOW_BITS}) | ({column} & {low}))",
                LOW_BITS + SPREAD_BITS
            ),
        }
    }

    /// The first and the last key of each range.
    pub(super) fn ranges(self) -> Vec<(i64, i64)> {
        match self {
            Self::Ordered => vec![(0, i64::MAX)],
            Self::Hashed => (0..1 << SPREAD_BITS)
                .map(|range| (range << REST_BITS, (range << REST_BITS) | ((1 << REST_BITS) - 1)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [i64; 6] = [0, 1, 4_194_304, 1 << 40, 6_917_529_027_641_081_856, i64::MAX];

    #[test]
    fn a_key_leads_back_to_its_number() {
        for number in NUMBERS {
            for keys in [Keys::Ordered, Keys::Hashed] {
                let key = keys.mix(number);
                assert!(key >= 0);
                assert_eq!(keys.unmix(key), number);
                let is_in = |(first, last): &(i64, i64)| (*first..=*last).contains(&key);
                assert_eq!(keys.ranges().iter().filter(|range| is_in(range)).count(), 1);
            }
        }
    }

    #[test]
    fn hashed_keys_of_successive_milliseconds_are_in_different_ranges() {
        let ranges = Keys::Hashed.ranges();
        let range = |number| {
            let key = Keys::Hashed.mix(number);
            ranges.iter().position(|(first, last)| (*first..=*last).contains(&key))
        };
        let now = 382_000_000_000_i64 << LOW_BITS;
        let mut seen: Vec<_> = (0..16).map(|tick| range(now + (tick << LOW_BITS))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 16);
    }
}
