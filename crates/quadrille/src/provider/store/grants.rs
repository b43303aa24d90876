//! The part of a store that keeps grants, with all that they are made of.

use std::{future::Future, sync::Arc, time::Duration};

use crate::{Timestamp, oauth2::Resources};

use super::{
    AccessRecord, Answer, Answered, Bought, CodeRecord, Consent, CredentialRecord, FamilyRecord,
    Issue, IssuerId, KnownSince, LiveGrant, Part, PendingRecord, PendingRef, Redeemed, RevokeAll,
    Rotated, Rotation, RowId, SecretHash, StoreError, TokenRef,
};
#[cfg(doc)]
use super::{Change, Clients, Grant, Identifier};
#[cfg(doc)]
use crate::provider::Client;

/// Consents, codes, tokens and pending requests. They are one part, since they change together: an
/// answer stores code and consent, and redeeming a code stores tokens, at once.
///
/// A grant is dead if it was revoked ([`revoke_grant`](Self::revoke_grant),
/// [`revoke_all`](Self::revoke_all)), if its client is unknown, or if its client was registered
/// later: [`Client::number`] is greater than [`Grant::id`]. It may be dead before anything of it is
/// stored.
///
/// The clients may be kept elsewhere ([`Parts`](super::Parts)): this part needs to know their
/// numbers only ([`know_client`](Self::know_client)).
///
/// [`grants_contract!`](crate::grants_contract) (feature `testing`) tests all of this.
///
/// # Expiry
///
/// Codes, access tokens, families, pending requests, token credentials, used tickets and
/// revocations by [`revoke_grant`](Self::revoke_grant) end with their `expires` (or `until`) and are
/// removed after it: by [`Part::sweep`], and a few at a time by the verbs that store more of the
/// kind ([`rotate`](Self::rotate) stores access tokens), so an application need not sweep. A family
/// ends with its current `expires`, which the caller never sets beyond `ends`.
///
/// Consents, numbers of clients and the effects of [`revoke_all`](Self::revoke_all) are kept
/// forever.
///
/// ```
/// use quadrille::provider::store::{Grants, IssuerId, StoreError};
///
/// async fn clients_of(
///     grants: &impl Grants,
///     issuer: IssuerId,
///     subject: &str,
/// ) -> Result<Vec<String>, StoreError> {
///     let consents = grants.consents(issuer, subject).await?;
///     Ok(consents.iter().map(|consent| consent.client.to_string()).collect())
/// }
/// ```
pub trait Grants: Part {
    /// The longest time from a call of [`rotate`](Self::rotate) until the rotation is carried out, if it
    /// is. A store that gives a statement up fails with [`StoreError::Unavailable`], and does not know
    /// whether its database carries it out afterwards. The client is told an error and repeats its
    /// request, for which [`Policy::refresh_repeat_window`](crate::Policy::refresh_repeat_window) must
    /// be long enough: a server does not [start](crate::provider::AuthorizationServer::start) otherwise.
    ///
    /// Zero, the default, is for stores that know what became of a write when they answer.
    fn longest_rotation(&self) -> Duration {
        Duration::ZERO
    }

    /// The number of the client of which this part was told, or, if it keeps clients itself, of the
    /// client that it keeps; `None` if the client is unknown.
    fn known_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> impl Future<Output = Result<Option<RowId>, StoreError>> + Send;

    /// Tells this part of a client that is kept elsewhere: its [`Client::number`], or `None` if it
    /// is gone. As with [`Clients::put_client`], grants with smaller numbers are dead from now on,
    /// and another number than before, or `None`, removes the client's consents and token
    /// credentials.
    ///
    /// `false`, and nothing is changed, if the part keeps a client with this id itself. If it did
    /// change something, the change is included as [`Change::Client`].
    fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores a user's answer: ticket and code (or the approval of a pending request) and consent,
    /// at once. A denial, too, may carry a consent, which is remembered: a user who unticked
    /// everything has answered. If the approved grant is dead already, the consent is not
    /// remembered. Later answers write nothing: a ticket, or a pending request that is approved or
    /// denied, stays as it is.
    fn answer(
        &self,
        issuer: IssuerId,
        answer: Answer,
    ) -> impl Future<Output = Result<Answered, StoreError>> + Send;

    /// Stores a code granted without a page.
    fn put_code(
        &self,
        issuer: IssuerId,
        code: CodeRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A code, redeemed or not, by its row. The caller compares the hash.
    fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<Option<Arc<CodeRecord>>, StoreError>> + Send;

    /// Marks a code as redeemed, issues the tokens it buys and links the two, at once.
    fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Issues tokens without a code. `false`, with nothing stored, if their grant is dead already.
    fn issue(
        &self,
        issuer: IssuerId,
        issue: Issue,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Imports a foreign access token, to be found by [`TokenRef::Foreign`]. One with the same hash
    /// is replaced.
    fn import(
        &self,
        issuer: IssuerId,
        access: AccessRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A live access token: `None` if there is none, its hash differs, its grant was revoked or its
    /// client is gone. The caller checks its expiry.
    fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<AccessRecord>>, StoreError>> + Send;

    /// A family of refresh tokens: `None` if there is none, its grant was revoked or its client is
    /// gone.
    fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> impl Future<Output = Result<Option<Arc<FamilyRecord>>, StoreError>> + Send;

    /// The family of a refresh token that is presented, for a [`rotate`](Self::rotate): a store may
    /// answer with an earlier state of which `presented` is the hash of the current secret, since
    /// `rotate` finds what has changed since.
    ///
    /// By default [`family`](Self::family).
    fn family_of(
        &self,
        issuer: IssuerId,
        row: RowId,
        presented: SecretHash,
    ) -> impl Future<Output = Result<Option<Arc<FamilyRecord>>, StoreError>> + Send {
        let _ = presented;
        self.family(issuer, row)
    }

    /// Rotates a refresh token: stores the successor and the access token at once, if generation
    /// and secret are those of the [`Rotation`].
    fn rotate(
        &self,
        issuer: IssuerId,
        rotation: Rotation,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;

    /// Stores a pending request, which [`Grants::answer`] approves or denies. `false`, with nothing
    /// stored, if another one of this issuer has the user code or the
    /// [foreign](Identifier::Foreign) identifier: the caller draws again. `false`, with nothing
    /// changed, if the request itself is stored already, in whatever state.
    fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// A pending request in any state; `None` if there is none, or its identifier differs. The
    /// caller checks its expiry.
    fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> impl Future<Output = Result<Option<Arc<PendingRecord>>, StoreError>> + Send;

    /// Marks an approved pending request as redeemed and stores what it buys, at once.
    /// [`Redeemed::Unknown`] if it was not approved. Unless it returns [`Redeemed::Issued`],
    /// nothing is stored.
    fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Live token credentials (RFC 5849, section 2.3): `None` if there are none, their identifier
    /// differs, their grant was revoked or their client is gone. The caller checks their expiry.
    fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> impl Future<Output = Result<Option<Arc<CredentialRecord>>, StoreError>> + Send;

    /// Revokes a grant: its codes and tokens are dead, also those issued later. `until` is the last
    /// expiry among them, after which the store may forget the revocation; token credentials, which
    /// may never expire, are removed. `false` if it was revoked already; else included as
    /// [`Change::Grant`].
    fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Revokes all grants with numbers up to `last` (see [`RowId::last_at`]) of a user, or of a
    /// user to one client, also those stored later. A smaller `last` than before restores nothing.
    /// Consents and token credentials are removed. Always included as [`Change::Subject`], also for
    /// one client.
    fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The number since which a subject belongs to its user: grants with numbers up to it, and
    /// sign-ins from before it, are those of an earlier user. It is the greatest `last` of
    /// [`RevokeAll::Removed`], and `RowId(0)` if there was none.
    ///
    /// `None` if there is no such user, or if the user may do nothing now. Only a store that knows
    /// the users says so ([`Parts::user_table`](super::Parts::user_table)).
    fn subject_since(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Option<RowId>, StoreError>> + Send;

    /// The moment since which this part knows what was used: tickets, codes and pending requests.
    /// The server accepts no ticket that was made before. Codes and pending requests from before it
    /// are not in this part.
    ///
    /// It is [`KnownSince::ALWAYS`], or the moment of the last loss.
    fn uses_known_since(&self) -> impl Future<Output = Result<KnownSince, StoreError>> + Send;

    /// The consent of a user to a client, at exactly these APIs.
    ///
    /// By default, the one among all [`consents`](Self::consents) of the user.
    fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> impl Future<Output = Result<Option<Consent>, StoreError>> + Send {
        async move {
            let is_meant =
                |consent: &Consent| *consent.client == *client && consent.resources == *resources;
            Ok(self.consents(issuer, subject).await?.into_iter().find(is_meant))
        }
    }

    /// All consents of a user, ordered by client and resources.
    fn consents(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<Consent>, StoreError>> + Send;

    /// The grants of a user that are alive and have tokens, ordered by number: one for each first
    /// issue ([`Grants::redeem`], [`Grants::redeem_pending`], [`Grants::issue`]), with the scopes of
    /// its refresh tokens if it has any. Grants whose tokens have expired may be among them; the
    /// caller checks. It is found by an index: a user's grants cost other requests nothing.
    fn grants(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<LiveGrant>, StoreError>> + Send;
}
