//! Secrets in the database, sealed under the key ring.

/// A secret in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Text that opens under the right key ring only.
    Proof,
    /// A proof under each key of the ring that was used last, one after the other.
    RingKeys,
    /// The keys that sign access tokens, of a database on a server.
    SigningKeys,
    /// A hash of the secret of pairwise subjects; not sealed.
    PairwiseSecret,
    /// The mark of the database that is being moved into this one; not sealed.
    Move,
    /// The place to which the data was moved; not sealed.
    Moved,
    /// The place of the cache; not sealed.
    Cache,
}

impl Sealed {
    /// The name of the row.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::RingKeys => "ring_keys",
            Self::SigningKeys => "signing_keys",
            Self::PairwiseSecret => "pairwise_secret",
            Self::Move => "move",
            Self::Moved => "moved",
            Self::Cache => "cache",
        }
    }
}

/// The beginning of the names of proofs of rings that were given up.
pub(super) const GIVEN_UP: &str = "given up ";

/// The name of the row for the proof of a ring that is given up.
pub(super) fn given_up(proof: &[u8]) -> String {
    use std::fmt::Write as _;
    proof.iter().fold(GIVEN_UP.to_owned(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}
