//! Pending requests: put, answered, redeemed.

use std::sync::Arc;

use rusqlite::named_params;

use crate::provider::store::{
    Answered, Approval, Bought, GrantColumns, Identifier, IssuerId, PendingRecord, PendingState,
    Redeemed, RowId, StoreError,
};

use super::{
    super::{
        pending::{self, pending_columns},
        rows::{self, alive, grant_columns},
    },
    Writes,
};

impl Writes<'_> {
    pub(crate) fn put_pending(
        &self,
        issuer: IssuerId,
        pending: &PendingRecord,
    ) -> Result<bool, StoreError> {
        let (state, approval) = match &pending.state {
            PendingState::Pending => (pending::PENDING, None),
            PendingState::Approved(approval) => (pending::APPROVED, Some(approval)),
            PendingState::Redeemed(approval) => (pending::REDEEMED, Some(approval)),
            PendingState::Denied => (pending::DENIED, None),
        };
        let grant = approval.map(|approval| GrantColumns::of(&approval.grant)).transpose()?;
        let grant = grant.as_ref();
        let kind = serde_json::to_string(&pending.kind)
            .map_err(|_| rows::bad("the kind of a pending request"))?;
        let put = self.run(
            concat!(
                "INSERT INTO quadrille_pending (issuer, ",
                pending_columns!(),
                ") VALUES (:issuer, :row, :identifier, :is_foreign, :user_code, :asked,
                :asked_resources, :expires, :state, :kind, :proof, :grant_id, :client, :actor,
                :scopes, :resources, :auth) ON CONFLICT DO NOTHING"
            ),
            named_params! {
                ":issuer": issuer.0,
                ":row": pending.row.0,
                ":identifier": pending.identifier.hash(),
                ":is_foreign": matches!(pending.identifier, Identifier::Foreign(_)),
                ":user_code": pending.user_code,
                ":asked": pending.scopes.as_str(),
                ":asked_resources": pending.resources.as_str(),
                ":expires": pending.expires.seconds(),
                ":state": state,
                ":kind": kind,
                ":proof": approval.and_then(|approval| approval.proof),
                ":grant_id": grant.map(|grant| grant.id),
                ":client": pending.client,
                ":actor": grant.and_then(|grant| grant.actor.as_deref()),
                ":scopes": grant.map(|grant| &*grant.scopes),
                ":resources": grant.map(|grant| &*grant.resources),
                ":auth": grant.and_then(|grant| grant.auth.as_deref()),
            },
        )?;
        Ok(put > 0)
    }

    /// Stores an answer to a pending request. If it is the first, the caller stores the consent.
    pub(super) fn answer_pending(
        &self,
        issuer: IssuerId,
        row: RowId,
        approval: Option<&Approval>,
    ) -> Result<Answered, StoreError> {
        let Some((held, is_alive)) = self.find_pending(issuer, row)? else {
            return Ok(Answered::Spent);
        };
        match (&held.state, approval) {
            (PendingState::Pending, Some(approval)) => self.approve_pending(row, approval)?,
            (PendingState::Pending, None) => self.mark_pending(row, pending::DENIED)?,
            (PendingState::Denied, _) => return Ok(Answered::Denied),
            (PendingState::Approved(_), _) if is_alive => {
                return Ok(Answered::Pending(Arc::new(held)));
            }
            (PendingState::Approved(_) | PendingState::Redeemed(_), _) => {
                return Ok(Answered::Spent);
            }
        }
        Ok(Answered::First)
    }

    pub(crate) fn redeem_pending(
        &mut self,
        issuer: IssuerId,
        row: RowId,
        bought: &Bought,
    ) -> Result<Redeemed, StoreError> {
        let Some((held, is_alive)) = self.find_pending(issuer, row)? else {
            return Ok(Redeemed::Unknown);
        };
        match held.state {
            PendingState::Pending | PendingState::Denied => Ok(Redeemed::Unknown),
            PendingState::Redeemed(before) => Ok(Redeemed::Replayed(before.grant.id)),
            PendingState::Approved(_) if !is_alive => Ok(Redeemed::Revoked),
            PendingState::Approved(_) => {
                self.mark_pending(row, pending::REDEEMED)?;
                match bought {
                    Bought::Tokens(issue) => self.put(issuer, issue)?,
                    Bought::Credential(credential) => self.put_credential(issuer, credential)?,
                }
                Ok(Redeemed::Issued)
            }
        }
    }

    /// A pending request, and whether its grant, if there is one, is alive.
    pub(super) fn find_pending(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<(PendingRecord, bool)>, StoreError> {
        self.read(
            concat!(
                "SELECT ",
                pending_columns!(),
                ", ",
                alive!(),
                " AS is_alive FROM quadrille_pending t WHERE row = ?1 AND issuer = ?2"
            ),
            [row.0, issuer.0],
            |row| Ok((pending::read(row)?, row.get("is_alive")?)),
        )
    }

    fn approve_pending(&self, row: RowId, approval: &Approval) -> Result<(), StoreError> {
        let grant = GrantColumns::of(&approval.grant)?;
        self.run(
            "UPDATE quadrille_pending SET state = :state, proof = :proof, grant_id = :grant_id,
            actor = :actor, scopes = :scopes, resources = :resources, auth = :auth
            WHERE row = :row",
            named_params! {
                ":row": row.0,
                ":state": pending::APPROVED,
                ":proof": approval.proof,
                ":grant_id": grant.id,
                ":actor": grant.actor,
                ":scopes": grant.scopes,
                ":resources": grant.resources,
                ":auth": grant.auth,
            },
        )?;
        Ok(())
    }

    fn mark_pending(&self, row: RowId, state: i64) -> Result<(), StoreError> {
        self.run("UPDATE quadrille_pending SET state = ?2 WHERE row = ?1", [row.0, state])?;
        Ok(())
    }
}
