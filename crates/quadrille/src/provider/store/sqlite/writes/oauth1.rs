//! Temporary credentials until they are exchanged, and token credentials.

use std::sync::Arc;

use rusqlite::{named_params, params};

use crate::{
    oauth1::OUT_OF_BAND,
    provider::{
        client::redirect_uri::RedirectUri,
        store::{
            Answered, Approval, CredentialRecord, Identifier, IssuerId, Redeemed, RowId,
            StoreError, TemporaryRecord, TemporaryState,
        },
    },
};

use super::{
    super::{
        oauth1::{self, temporary_columns},
        rows::{GrantRow, alive, grant_columns},
    },
    Writes,
};

impl Writes<'_> {
    pub(crate) fn put_temporary(
        &self,
        issuer: IssuerId,
        temporary: &TemporaryRecord,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO quadrille_temporary_credentials
            (row, issuer, identifier, is_foreign, secret, client, callback, asked, expires, state)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                temporary.row.0,
                issuer.0,
                temporary.identifier.hash(),
                matches!(temporary.identifier, Identifier::Foreign(_)),
                &temporary.secret[..],
                temporary.client,
                temporary.callback.as_ref().map_or(OUT_OF_BAND, RedirectUri::as_str),
                temporary.scopes.as_str(),
                temporary.expires.seconds(),
                oauth1::PENDING,
            ],
        )?;
        match &temporary.state {
            TemporaryState::Pending => Ok(()),
            TemporaryState::Denied => self.mark_temporary(temporary.row, oauth1::DENIED),
            TemporaryState::Approved(approval) => self.approve_temporary(temporary.row, approval),
            TemporaryState::Redeemed(approval) => {
                self.approve_temporary(temporary.row, approval)?;
                self.mark_temporary(temporary.row, oauth1::REDEEMED)
            }
        }
    }

    /// What is said of temporary credentials; the consent is the caller's, when it is the first to
    /// be said.
    pub(super) fn answer_temporary(
        &self,
        issuer: IssuerId,
        row: RowId,
        approval: Option<&Approval>,
    ) -> Result<Answered, StoreError> {
        let Some((held, is_alive)) = self.find_temporary(issuer, row)? else {
            return Ok(Answered::Spent);
        };
        match (&held.state, approval) {
            (TemporaryState::Pending, Some(approval)) => self.approve_temporary(row, approval)?,
            (TemporaryState::Pending, None) => self.mark_temporary(row, oauth1::DENIED)?,
            (TemporaryState::Denied, _) => return Ok(Answered::Denied),
            (TemporaryState::Approved(_), _) if is_alive => {
                return Ok(Answered::Verified(Arc::new(held)));
            }
            (TemporaryState::Approved(_) | TemporaryState::Redeemed(_), _) => {
                return Ok(Answered::Spent);
            }
        }
        Ok(Answered::First)
    }

    pub(crate) fn redeem_temporary(
        &self,
        issuer: IssuerId,
        row: RowId,
        credential: &CredentialRecord,
    ) -> Result<Redeemed, StoreError> {
        let Some((held, is_alive)) = self.find_temporary(issuer, row)? else {
            return Ok(Redeemed::Unknown);
        };
        match held.state {
            TemporaryState::Pending | TemporaryState::Denied => Ok(Redeemed::Unknown),
            TemporaryState::Redeemed(before) => Ok(Redeemed::Replayed(before.grant.id)),
            TemporaryState::Approved(_) if !is_alive => Ok(Redeemed::Revoked),
            TemporaryState::Approved(_) => {
                self.mark_temporary(row, oauth1::REDEEMED)?;
                self.put_credential(issuer, credential)?;
                Ok(Redeemed::Issued)
            }
        }
    }

    /// Removes the token credentials of a grant.
    pub(super) fn remove_credential(
        &self,
        issuer: IssuerId,
        grant: RowId,
    ) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM quadrille_token_credentials WHERE grant_id = ?1 AND issuer = ?2",
            [grant.0, issuer.0],
        )?;
        Ok(())
    }

    /// Removes the token credentials of a client whose number is less than `number`.
    pub(super) fn remove_credentials_of_client(
        &self,
        issuer: IssuerId,
        client: &str,
        number: RowId,
    ) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM quadrille_token_credentials WHERE issuer = ?1 AND client = ?2
            AND grant_id < ?3",
            params![issuer.0, client, number.0],
        )?;
        Ok(())
    }

    /// Removes the token credentials of a person, to one client or, where that is empty, to all.
    pub(super) fn remove_credentials_of_actor(
        &self,
        issuer: IssuerId,
        actor: &str,
        client: &str,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM quadrille_token_credentials
            WHERE issuer = ?1 AND actor = ?2 AND ?3 IN ('', client) AND grant_id <= ?4",
            params![issuer.0, actor, client, last.0],
        )?;
        Ok(())
    }

    /// Temporary credentials, and whether their grant, if there is one, is alive.
    pub(super) fn find_temporary(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<(TemporaryRecord, bool)>, StoreError> {
        self.read(
            concat!(
                "SELECT ",
                temporary_columns!(),
                ", ",
                alive!(),
                " AS is_alive FROM quadrille_temporary_credentials t WHERE row = ?1 AND issuer = ?2"
            ),
            [row.0, issuer.0],
            |row| Ok((oauth1::read_temporary(row)?, row.get("is_alive")?)),
        )
    }

    fn approve_temporary(&self, row: RowId, approval: &Approval) -> Result<(), StoreError> {
        let grant = GrantRow::of(&approval.grant)?;
        self.run(
            "UPDATE quadrille_temporary_credentials SET state = :state, verifier = :verifier,
            grant_id = :grant, actor = :actor, scopes = :scopes, resources = :resources,
            auth = :auth WHERE row = :row",
            named_params! {
                ":row": row.0,
                ":state": oauth1::APPROVED,
                ":verifier": approval.verifier,
                ":grant": grant.id,
                ":actor": grant.actor,
                ":scopes": grant.scopes,
                ":resources": grant.resources,
                ":auth": grant.auth,
            },
        )?;
        Ok(())
    }

    fn mark_temporary(&self, row: RowId, state: i64) -> Result<(), StoreError> {
        self.run(
            "UPDATE quadrille_temporary_credentials SET state = ?2
            WHERE row = ?1",
            [row.0, state],
        )?;
        Ok(())
    }

    fn put_credential(
        &self,
        issuer: IssuerId,
        credential: &CredentialRecord,
    ) -> Result<(), StoreError> {
        let access = &credential.access;
        let grant = GrantRow::of(&access.grant)?;
        self.run(
            "INSERT INTO quadrille_token_credentials
            (grant_id, issuer, client, actor, scopes, resources, auth, hash, is_foreign, secret,
            expires)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                grant.id,
                issuer.0,
                grant.client,
                grant.actor,
                grant.scopes,
                grant.resources,
                grant.auth,
                access.hash,
                credential.is_foreign,
                &credential.secret[..],
                access.expires.seconds(),
            ],
        )?;
        Ok(())
    }
}
