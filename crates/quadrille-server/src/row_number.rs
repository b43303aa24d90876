//! The numbers of rows, as people and programs see them.

use std::fmt;

use quadrille::provider::store::RowId;
use serde::{Serialize, Serializer};

/// The number of a row. In JSON it is a text, since it exceeds 2^53: JavaScript and jq would round a
/// number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowNumber(pub(crate) RowId);

impl fmt::Display for RowNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl Serialize for RowNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
