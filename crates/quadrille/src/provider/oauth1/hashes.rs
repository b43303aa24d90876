//! A set of hashes that takes little memory.

use std::hash::{BuildHasherDefault, Hasher};

/// Hashes of requests: eight bytes for each, in a table that is at least half full after it grows.
/// The maps of the standard library double, and so need up to twenty bytes.
#[derive(Default)]
pub(super) struct Hashes {
    /// Open addressing. Zero marks a free place.
    table: Vec<u64>,
    count: usize,
}

impl Hashes {
    /// Adds a hash; `false` if it was there.
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        // Four fifths full at most.
        if (self.count + 1) * 5 > self.table.len() * 4 {
            self.grow();
        }
        let is_new = place(&mut self.table, hash.max(1));
        self.count += usize::from(is_new);
        is_new
    }

    fn grow(&mut self) {
        let length = (self.table.len() / 2 * 3).max(8);
        let before = std::mem::replace(&mut self.table, vec![0; length]);
        for hash in before.into_iter().filter(|hash| *hash != 0) {
            place(&mut self.table, hash);
        }
    }
}

/// Puts a hash into the first free place from its own on. There always is one.
fn place(table: &mut [u64], hash: u64) -> bool {
    let home = ((u128::from(hash) * table.len() as u128) >> 64) as usize;
    let (before, after) = table.split_at_mut_checked(home).unwrap_or_default();
    for known in after.iter_mut().chain(before) {
        if *known == hash {
            return false;
        }
        if *known == 0 {
            *known = hash;
            return true;
        }
    }
    false
}

/// A hasher for maps whose keys are hashes already.
pub(super) type ByHash = BuildHasherDefault<AsItIs>;

/// A hash needs no further hashing.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::{
        collections::{HashSet, hash_map::RandomState},
        hash::BuildHasher as _,
    };

    proptest! {
        #[test]
        fn a_hash_is_new_once(
            hashes in vec(prop_oneof![any::<u64>(), 1..4_u64, Just(u64::MAX)], 0..400),
        ) {
            let (mut ours, mut model) = (Hashes::default(), HashSet::new());
            for hash in hashes {
                prop_assert_eq!(ours.insert(hash), model.insert(hash));
            }
        }
    }

    #[test]
    fn a_request_takes_eighteen_bytes_at_most() {
        let (hasher, mut hashes) = (RandomState::new(), Hashes::default());
        for number in 0..200_000_u64 {
            assert!(hashes.insert(hasher.hash_one(number)));
            if number > 100 {
                let each = hashes.table.capacity() * size_of::<u64>() / hashes.count;
                assert!(each <= 15, "{each} bytes for each of {number}");
            }
        }
    }
}
