//! What a store keeps, what it is asked for, and how it says who won.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
};

use super::{Approval, PendingRecord};

/// A SHA-256 hash of a secret of at least 128 random bits.
pub type SecretHash = [u8; 32];

/// The number of a row: 41 bits of milliseconds since 2024, 10 bits of leased worker, 12 bits of
/// sequence. Never negative, never drawn twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowId(pub i64);

/// A number that a store gives an issuer; it is part of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub i64);

/// How a token is found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRef {
    /// One of ours: it carries the number of its row.
    Row {
        /// The row.
        row: RowId,
        /// What the row must hold.
        hash: SecretHash,
    },
    /// One that others made (an import, a generator of the application): found by its hash.
    Foreign {
        /// The hash of the whole token.
        hash: SecretHash,
    },
}

/// What a person, or a client for itself, has been granted. The number is drawn when it is
/// approved and travels in the code, so that it can be revoked before any token exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number.
    pub id: RowId,
    /// The `client_id` it was granted to.
    pub client: Arc<str>,
    /// For whom the client acts.
    pub actor: Actor,
    /// What may be done.
    pub scopes: Scopes,
    /// At which APIs (RFC 8707); at the server's own where there is none.
    pub resources: Resources,
    /// How and when the person signed in; `None` where nobody did (client credentials).
    pub authentication: Option<Arc<Authentication>>,
}

/// An authorization code that waits to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRecord {
    /// Its row.
    pub row: RowId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// What it buys.
    pub grant: Grant,
    /// The `redirect_uri` of the authorization request; `None` when none was sent.
    pub redirect_uri: Option<Arc<str>>,
    /// The `code_challenge` (S256); `None` when PKCE was not used.
    pub challenge: Option<Arc<str>>,
    /// When it stops being good.
    pub expires: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// Its row.
    pub row: RowId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// What it stands for. Scopes and resources are the token's own, which may be fewer than the
    /// grant's; the resources are its audience.
    pub grant: Grant,
    /// When it stops being good.
    pub expires: Timestamp,
}

/// A refresh token and all that succeed it: one row, however often it turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyRecord {
    /// Its row.
    pub row: RowId,
    /// What it stands for.
    pub grant: Grant,
    /// How often it turned.
    pub generation: u32,
    /// The hash of the secret of this generation.
    pub current: SecretHash,
    /// The hash of the secret of the generation before.
    pub previous: Option<SecretHash>,
    /// When it last turned.
    pub rotated: Timestamp,
    /// The scopes asked for when it last turned: a repeat must ask for the same.
    pub rotated_scopes: Scopes,
    /// The resources asked for when it last turned: likewise.
    pub rotated_resources: Resources,
    /// When it stops being good if it lies unused; moves at each turn.
    pub expires: Timestamp,
    /// When it stops being good in any case.
    pub ends: Timestamp,
}

/// What a token request puts into the store.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The access token.
    pub access: AccessRecord,
    /// The first refresh token of a new family, if one is given.
    pub family: Option<FamilyRecord>,
}

/// A turn of a refresh token: it happens only if the family still stands as it was read.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The family.
    pub family: RowId,
    /// The generation that was presented, which must be the current one.
    pub generation: u32,
    /// The hash that was presented, which must be the current one.
    pub presented: SecretHash,
    /// The hash of its successor.
    pub successor: SecretHash,
    /// The scopes of the access token.
    pub scopes: Scopes,
    /// The audience of the access token.
    pub resources: Resources,
    /// Now.
    pub rotated: Timestamp,
    /// When the successor stops being good if it lies unused.
    pub expires: Timestamp,
    /// The access token that goes with it.
    pub access: AccessRecord,
}

/// How a code or a pending request was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// For the first time: what it buys is stored.
    Issued,
    /// It had been already. Nothing was written; the grant with this number should be revoked.
    Replayed(RowId),
    /// Its grant was revoked. Nothing was written.
    Revoked,
    /// There is no such code (any more), or no approved request. Nothing was written.
    Unknown,
}

/// How a refresh token turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// It did: the successor and the access token are in.
    Turned,
    /// The family no longer stands as it was read. Nothing was written; decide again.
    Lost(Arc<FamilyRecord>),
    /// Its grant was revoked, or it is gone.
    Gone,
}

/// The number of a consent page, drawn when it is shown.
pub type TicketId = [u8; 16];

/// A user's answer to a consent page.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was answered, and how.
    pub outcome: Outcome,
    /// What the page asked for.
    pub asked: Scopes,
    /// The consent to remember with it, as [`Consent::following`] says: of what was remembered
    /// before, all that the page did not ask about stays. It is not remembered when what was
    /// approved is dead already.
    pub consent: Option<Consent>,
}

/// What a user answered, and how: `None` is a no.
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
    /// A page with a ticket, which the answer uses up; the code stands for a yes.
    Ticket(TicketUse, Option<CodeRecord>),
    /// The pending request in this row. It is approved or denied once, however many pages asked
    /// about it: its state does the work of the ticket.
    Pending(RowId, Option<Approval>),
}

/// The ticket that an answer uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketUse {
    /// The number of the page.
    pub ticket: TicketId,
    /// Until when its use must be remembered.
    pub until: Timestamp,
}

/// How an answer was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is the first: the ticket is used up, what was approved and the consent are in.
    First,
    /// The page was approved before, and this is its code, unspent. Nothing was written.
    Code(Arc<CodeRecord>),
    /// The pending request was approved before, and is not redeemed yet. Nothing was written.
    Pending(Arc<PendingRecord>),
    /// What was approved before is gone. Nothing was written.
    Spent,
    /// It was denied before. Nothing was written.
    Denied,
}

/// What a person has let a client do at certain APIs, remembered so as not to ask again. For other
/// APIs, or more of them at once, there is another one: a scope may mean something else there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The person.
    pub subject: Arc<str>,
    /// The `client_id`.
    pub client: Arc<str>,
    /// At which APIs; at the server's own where there is none.
    pub resources: Resources,
    /// All scopes consented to so far; in an [`Answer`] those of this answer.
    pub scopes: Scopes,
    /// When they last did.
    pub given: Timestamp,
}

impl Consent {
    /// What is remembered after this one was given, where `before` was remembered and `asked` was
    /// asked for. So a scope that somebody has unticked is asked for again. A store reads `before`
    /// and keeps the result at once, so that of two pages answered together neither is lost.
    ///
    /// ```
    /// use quadrille::{Scopes, Timestamp, oauth2::Resources, provider::store::Consent};
    ///
    /// let (subject, client, given) = ("ada".into(), "app".into(), Timestamp::default());
    /// let (scopes, resources) = (Scopes::parse("b")?, Resources::EMPTY);
    /// let consent = Consent { subject, client, resources, scopes, given };
    /// let consent = consent.following(&Scopes::parse("a c")?, &Scopes::parse("b c")?);
    /// assert_eq!(consent.scopes.as_str(), "a b");
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    #[must_use]
    pub fn following(mut self, before: &Scopes, asked: &Scopes) -> Self {
        let kept = before.iter().filter(|name| !asked.contains(name));
        self.scopes = kept.chain(self.scopes.iter()).collect();
        self
    }
}

/// Something that other processes must forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A client was added, changed or removed.
    Client(Arc<str>),
    /// A grant was revoked.
    Grant(RowId),
    /// A person withdrew a consent, or everything of theirs was revoked.
    Subject(Arc<str>),
}

/// A page of [`Change`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Ask for what comes after this next time.
    pub position: i64,
    /// What changed, in order.
    pub changes: Vec<Change>,
    /// Changes after the position asked for may be missing: forget everything, and ask for what
    /// comes after the new position.
    pub gap: bool,
}

/// A lease of a worker number, so that no two processes draw the same [`RowId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// 0 to 1023.
    pub number: u16,
    /// Identifies the holder when it renews.
    pub holder: [u8; 16],
    /// Until when, to the millisecond.
    pub expires: Timestamp,
    /// Row numbers must not be drawn for times before this.
    pub not_before: Timestamp,
}

/// What a person or client is cut off from: see [`Store::revoke_all`](super::Store::revoke_all).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokeAll {
    /// Every grant and remembered consent of this subject.
    Subject(Arc<str>),
    /// Every grant this subject gave to this client, and the remembered consents.
    Consent {
        /// The person.
        subject: Arc<str>,
        /// The `client_id`.
        client: Arc<str>,
    },
}

/// The grant types a client may use, by their names on the wire.
pub type GrantTypes = BTreeSet<crate::provider::client::record::GrantType>;
