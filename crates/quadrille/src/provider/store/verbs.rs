//! The arguments and results of a store's verbs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Scopes, Timestamp};

use super::{
    ids::{RowId, SecretHash, TicketId},
    pending::{Approval, PendingRecord},
    records::{AccessRecord, CodeRecord, Consent, FamilyRecord},
};

/// A rotation of a refresh token. It happens only if the stored family is unchanged.
///
/// ```
/// use quadrille::provider::store::{FamilyRecord, Rotation};
///
/// fn fits(rotation: &Rotation, stored: &FamilyRecord) -> bool {
///     rotation.generation == stored.generation && rotation.presented == stored.current
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The row of the family.
    pub family: RowId,
    /// The presented generation, which must be the current one.
    pub generation: u32,
    /// The presented hash, which must be the current one.
    pub presented: SecretHash,
    /// The hash of the successor; `None` if the token stays as it is, with its generation.
    pub successor: Option<SecretHash>,
    /// The time of the rotation.
    pub rotated: Timestamp,
    /// The expiry of the successor if it lies unused.
    pub expires: Timestamp,
    /// The access token issued with it.
    pub access: AccessRecord,
}

impl Rotation {
    /// Carries the rotation out on a family, if generation and secret are those that it needs: whether
    /// they are. The access token is stored apart.
    ///
    /// ```
    /// use quadrille::provider::store::{FamilyRecord, Rotation};
    ///
    /// fn rotate(held: &mut FamilyRecord, rotation: &Rotation) -> Result<(), FamilyRecord> {
    ///     if rotation.apply(held) { Ok(()) } else { Err(held.clone()) }
    /// }
    /// ```
    #[must_use]
    pub fn apply(&self, family: &mut FamilyRecord) -> bool {
        if (family.generation, family.current) != (self.generation, self.presented) {
            return false;
        }
        if let Some(successor) = self.successor {
            family.generation += 1;
            family.previous = Some(std::mem::replace(&mut family.current, successor));
        }
        family.rotated = self.rotated;
        family.expires = self.expires;
        true
    }
}

/// The result of redeeming a code or a pending request.
///
/// ```
/// use quadrille::provider::store::{Redeemed, RowId};
///
/// fn to_revoke(redeemed: &Redeemed) -> Option<RowId> {
///     if let Redeemed::Replayed(grant) = redeemed { Some(*grant) } else { None }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// Redeemed for the first time: the tokens are stored.
    Issued,
    /// Redeemed before. Nothing was written; the grant with this number should be revoked.
    Replayed(RowId),
    /// The grant was revoked. Nothing was written.
    Revoked,
    /// The code is unknown (or gone), or the request is not approved. Nothing was written.
    Unknown,
}

/// The result of rotating a refresh token.
///
/// ```
/// use quadrille::provider::store::Rotated;
///
/// fn must_decide_again(rotated: &Rotated) -> bool {
///     matches!(rotated, Rotated::Lost(_))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The successor and the access token are issued: both are stored.
    Issued,
    /// The family has changed since it was read. Nothing was written; decide again.
    Lost(Arc<FamilyRecord>),
    /// The grant was revoked, or the family is gone.
    Gone,
}

/// A user's answer to a consent page.
///
/// ```
/// use quadrille::provider::store::{Answer, Outcome, TicketUse};
/// use quadrille::{Scopes, Timestamp};
///
/// let until = Timestamp::from_seconds(1_800_000_000);
/// let denial = Answer {
///     outcome: Outcome::Ticket(TicketUse { ticket: [7; 16], until }, None),
///     asked: Scopes::parse("photos")?,
///     consent: None,
/// };
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outcome.
    pub outcome: Outcome,
    /// The scopes on the page.
    pub asked: Scopes,
    /// The consent to remember with it, by the rule of [`Consent::following`]: scopes that the page
    /// did not ask about stay as remembered. It is not remembered if the approved grant is dead
    /// already.
    pub consent: Option<Consent>,
}

/// The outcome of a user's answer: `None` is a denial.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{Outcome, RowId, TicketUse}};
///
/// let until = Timestamp::from_seconds(1_800_000_000);
/// let no_on_a_page = Outcome::Ticket(TicketUse { ticket: [0; 16], until }, None);
/// let no_to_a_device = Outcome::Pending(RowId(7), None);
/// assert_ne!(no_on_a_page, no_to_a_device);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A page with a ticket, which the answer uses up; the code stands for an approval.
    Ticket(TicketUse, Option<CodeRecord>),
    /// The pending request in this row. It is approved or denied once, however many pages asked
    /// about it: its state replaces the ticket.
    Pending(RowId, Option<Approval>),
}

/// The ticket that an answer uses up.
///
/// ```
/// use quadrille::{Timestamp, provider::store::TicketUse};
///
/// let used = TicketUse { ticket: [7; 16], until: Timestamp::from_seconds(1_800_000_000) };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketUse {
    /// The number of the page.
    pub ticket: TicketId,
    /// The time until which its use must be remembered.
    pub until: Timestamp,
}

/// The result of storing an answer.
///
/// ```
/// use quadrille::provider::store::Answered;
///
/// fn is_first(answered: &Answered) -> bool {
///     matches!(answered, Answered::First)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The first answer: the ticket is used up, approval and consent are stored.
    First,
    /// The page was approved before, and this is its code, not redeemed. Nothing was written.
    Code(Arc<CodeRecord>),
    /// The pending request was approved before, and is not redeemed. Nothing was written.
    Pending(Arc<PendingRecord>),
    /// The earlier approval was redeemed or is gone. Nothing was written.
    Spent,
    /// The request was denied before. Nothing was written.
    Denied,
}

/// A change that other processes must know of, to forget their copies.
///
/// ```
/// use quadrille::provider::store::{Change, RowId};
///
/// let revoked = Change::Grant(RowId(42));
/// assert_ne!(revoked, Change::Client("app".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A client was added, changed or removed.
    Client(Arc<str>),
    /// A grant was revoked.
    Grant(RowId),
    /// A user withdrew a consent, or all grants of the user were revoked.
    Subject(Arc<str>),
}

/// A page of [`Change`]s.
///
/// ```
/// use quadrille::provider::store::Changes;
///
/// fn must_forget_everything(changes: &Changes) -> bool {
///     changes.gap
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The position to pass to the next call.
    pub position: i64,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// `true` if changes after the requested position may be missing: forget everything, and go on
    /// from the new position.
    pub gap: bool,
}

/// A lease of a worker number, so that no two processes draw the same [`RowId`].
///
/// ```
/// use quadrille::{Timestamp, provider::store::Worker};
///
/// fn may_draw(lease: &Worker, now: Timestamp) -> bool {
///     lease.not_before <= now && now < lease.expires
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The worker number, 0 to 1023.
    pub number: u16,
    /// A random number that identifies the holder at a renewal.
    pub holder: [u8; 16],
    /// The expiry of the lease, to the millisecond.
    pub expires: Timestamp,
    /// The earliest time for which row numbers may be drawn.
    pub not_before: Timestamp,
}

/// The extent of [`Grants::revoke_all`](super::Grants::revoke_all), and its occasion.
///
/// ```
/// use quadrille::provider::store::RevokeAll;
///
/// let everything = RevokeAll::Subject("ada".into());
/// let one = RevokeAll::Consent { subject: "ada".into(), client: "app".into() };
/// assert_ne!(everything, one);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokeAll {
    /// Every grant and consent of this subject.
    Subject(Arc<str>),
    /// Every grant and consent of this subject, whose user was removed:
    /// [`Grants::subject_since`](super::Grants::subject_since) remembers it.
    Removed(Arc<str>),
    /// Every grant and consent of this subject to this client.
    Consent {
        /// The user's subject.
        subject: Arc<str>,
        /// The `client_id`.
        client: Arc<str>,
    },
}

impl RevokeAll {
    /// The user's subject.
    pub const fn subject(&self) -> &Arc<str> {
        match self {
            Self::Subject(subject) | Self::Removed(subject) | Self::Consent { subject, .. } => {
                subject
            }
        }
    }

    /// The only client, if it is about one.
    pub fn client(&self) -> Option<&Arc<str>> {
        match self {
            Self::Subject(_) | Self::Removed(_) => None,
            Self::Consent { client, .. } => Some(client),
        }
    }
}
