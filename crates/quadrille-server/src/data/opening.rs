//! The reasons for which a database is opened, and the mark of one into which data is moved.

/// The mark [`Sealed::Move`](crate::data::sealed::Sealed::Move) of a move that has made the tables, and
/// stored nothing.
pub(super) const BEGUN: &[u8] = b"";

/// The reason for which a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// It is used. Its tables are made if there are none.
    Made,
    /// It is used, and has tables.
    Existing,
    /// Data is moved into it.
    Moved,
}
