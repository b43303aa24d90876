//! Codes and families of refresh tokens that this process wrote last.

use std::sync::{Arc, Mutex};

use crate::provider::store::{
    Answer, CodeRecord, FamilyRecord, Issue, Outcome, Rotated, Rotation, RowId, SecretHash,
};

use super::recent::{Halves, Recent, lock};

/// The number of codes kept, of which each lives for a minute: some 500 bytes each.
const CODES: usize = 4096;
/// The number of families kept: some 500 bytes each.
const FAMILIES: usize = 16_384;

/// Codes and families in the state in which this process left them: nothing is looked up for a request
/// that another answer of this process leads to.
///
/// Another process may have changed them since. A verdict from a state here is always followed by the
/// write that uses the code or the token up, and this write compares the state again.
pub(super) struct Written {
    codes: Mutex<Halves<RowId, CodeRecord>>,
    /// By the hash of the current secret.
    families: Recent<FamilyRecord>,
}

impl Default for Written {
    fn default() -> Self {
        Self { codes: Mutex::new(Halves::of(CODES)), families: Recent::of(FAMILIES) }
    }
}

impl Written {
    /// The code in an answer to a consent page.
    pub(super) fn code_of(answer: &Answer) -> Option<Arc<CodeRecord>> {
        match &answer.outcome {
            Outcome::Ticket(_, code) => code.clone().map(Arc::new),
            Outcome::Pending(..) => None,
        }
    }

    /// The family of issued tokens.
    pub(super) fn family_of(issue: &Issue) -> Option<Arc<FamilyRecord>> {
        issue.family.clone().map(Arc::new)
    }

    pub(super) fn keep_code(&self, code: Arc<CodeRecord>) {
        lock(&self.codes).put(code.row, code);
    }

    pub(super) fn code(&self, row: RowId) -> Option<Arc<CodeRecord>> {
        lock(&self.codes).get(&row)
    }

    pub(super) fn forget_code(&self, row: RowId) {
        lock(&self.codes).take(&row);
    }

    pub(super) fn keep_family(&self, family: &Arc<FamilyRecord>) {
        self.families.put(family.current, family);
    }

    /// A family whose current secret has this hash.
    pub(super) fn family(&self, row: RowId, current: &SecretHash) -> Option<Arc<FamilyRecord>> {
        self.families.get(current).filter(|family| family.row == row)
    }

    /// Takes the family that is rotated.
    pub(super) fn take_family(&self, rotation: &Rotation) -> Option<FamilyRecord> {
        let family = self.families.take(&rotation.presented)?;
        let mut family = Arc::unwrap_or_clone(family);
        (family.row == rotation.family && rotation.apply(&mut family)).then_some(family)
    }

    /// Keeps the state after a rotation, of which `turned` is the family if it was kept before.
    pub(super) fn keep_rotated(&self, rotated: &Rotated, turned: Option<FamilyRecord>) {
        match (rotated, turned) {
            (Rotated::Issued, Some(family)) => self.keep_family(&Arc::new(family)),
            (Rotated::Lost(family), _) => self.keep_family(family),
            (Rotated::Issued, None) | (Rotated::Gone, _) => {}
        }
    }
}
