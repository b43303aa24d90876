//! The keys of a ring, found by their ids.

pub(super) const KEY_ID_LEN: usize = 4;

/// The id of a ring's key: the first bytes of its digest.
pub type KeyId = [u8; KEY_ID_LEN];

/// Keys, the newest first; at least one.
#[derive(Debug)]
pub(crate) struct Keys<K> {
    newest: K,
    older: Vec<K>,
}

/// A key with the id of its key in the ring.
pub(crate) trait Named {
    fn id(&self) -> KeyId;
}

impl<K> Keys<K> {
    /// `None` without a key.
    pub(super) fn of(keys: impl IntoIterator<Item = K>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self { newest: keys.next()?, older: keys.collect() })
    }

    pub(super) const fn one(newest: K) -> Self {
        Self { newest, older: Vec::new() }
    }

    /// The key for everything new.
    pub(crate) const fn newest(&self) -> &K {
        &self.newest
    }

    /// All keys, the newest first.
    #[cfg(feature = "provider")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &K> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// A key derived from each of these.
    #[cfg(any(feature = "consumer", feature = "provider"))]
    pub(super) fn derive<D>(&self, derive: impl Fn(&K) -> D) -> Keys<D> {
        let newest = derive(&self.newest);
        Keys { newest, older: self.older.iter().map(derive).collect() }
    }

    pub(super) fn len(&self) -> usize {
        1 + self.older.len()
    }
}

impl<K: Named> Keys<K> {
    /// The key with this id, if it is in the ring.
    pub(crate) fn find(&self, id: KeyId) -> Option<&K> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id() == id)
    }
}
