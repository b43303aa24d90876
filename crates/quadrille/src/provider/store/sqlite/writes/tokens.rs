//! Codes and tokens: stored, redeemed, rotated.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use crate::{
    actor::Actor,
    provider::store::{
        AccessRecord, CodeRecord, FamilyRecord, GrantColumns, Issue, IssuerId, Redeemed, Rotated,
        Rotation, RowId, StoreError, binding_column, exchange_column,
    },
};

use super::super::rows;
use super::Writes;

impl Writes<'_> {
    pub(crate) fn put_code(
        &mut self,
        issuer: IssuerId,
        code: &CodeRecord,
    ) -> Result<(), StoreError> {
        let grant = GrantColumns::of(&code.grant)?;
        self.put_code.execute(params![
            code.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.resources,
            grant.auth,
            code.hash,
            code.expires.seconds(),
            code.redirect_uri,
            code.challenge,
            code.redeemed,
        ])?;
        Ok(())
    }

    pub(crate) fn redeem(
        &mut self,
        issuer: IssuerId,
        code: RowId,
        issue: &Issue,
    ) -> Result<Redeemed, StoreError> {
        let found = self
            .find_code
            .query_row([code.0, issuer.0], |row| {
                Ok((row.get("redeemed")?, row.get("grant_id")?, row.get("is_alive")?))
            })
            .optional()?;
        match found {
            None => Ok(Redeemed::Unknown),
            Some((true, grant, _)) => Ok(Redeemed::Replayed(RowId(grant))),
            Some((false, _, false)) => Ok(Redeemed::Revoked),
            Some((false, _, true)) => {
                self.mark_code.execute([code.0])?;
                self.put(issuer, issue)?;
                Ok(Redeemed::Issued)
            }
        }
    }

    pub(crate) fn issue(&mut self, issuer: IssuerId, issue: &Issue) -> Result<bool, StoreError> {
        let grant = GrantColumns::of(&issue.access.grant)?;
        let lives = self.lives.exists(params![issuer.0, grant.id, grant.client, grant.actor])?;
        if lives {
            self.put(issuer, issue)?;
        }
        Ok(lives)
    }

    /// Stores tokens of a grant that is alive.
    pub(super) fn put(&mut self, issuer: IssuerId, issue: &Issue) -> Result<(), StoreError> {
        self.put_access(issuer, &issue.access)?;
        self.list(issuer, issue)?;
        match &issue.family {
            Some(family) => self.put_family(issuer, family),
            None => Ok(()),
        }
    }

    pub(crate) fn import(
        &mut self,
        issuer: IssuerId,
        access: &AccessRecord,
    ) -> Result<(), StoreError> {
        self.put_access(issuer, access)?;
        self.run(
            "INSERT INTO quadrille_foreign_tokens (key, row, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET row = ?2, expires = ?3",
            params![rows::key(issuer, "", &access.hash), access.row.0, access.expires.seconds()],
        )?;
        Ok(())
    }

    pub(crate) fn rotate(
        &mut self,
        issuer: IssuerId,
        rotation: &Rotation,
    ) -> Result<Rotated, StoreError> {
        let mut found = self.find_family.query([rotation.family.0, issuer.0])?;
        let Some(row) = found.next()? else { return Ok(Rotated::Gone) };
        let family = rows::family(row)?;
        drop(found);
        if family.generation != rotation.generation || family.current != rotation.presented {
            return Ok(Rotated::Lost(Arc::new(family)));
        }
        self.turn_family.execute(params![
            rotation.family.0,
            rotation.successor,
            rotation.rotated.seconds(),
            rotation.expires.seconds(),
        ])?;
        self.put_access(issuer, &rotation.access)?;
        Ok(Rotated::Issued)
    }

    /// Lists the grant of these tokens, if it is a user's, or postpones its end.
    fn list(&mut self, issuer: IssuerId, issue: &Issue) -> Result<(), StoreError> {
        let family = issue.family.as_ref();
        let granted = family.map_or(&issue.access.grant, |family| &family.grant);
        if !matches!(granted.actor, Actor::User(_)) {
            return Ok(());
        }
        let ends = family.map_or(issue.access.expires, |family| family.ends);
        let grant = GrantColumns::of(granted)?;
        self.put_grant.execute(params![
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.resources,
            grant.auth,
            family.map(|family| family.row.0),
            ends.max(issue.access.expires).seconds(),
        ])?;
        Ok(())
    }

    fn put_access(&mut self, issuer: IssuerId, access: &AccessRecord) -> Result<(), StoreError> {
        let grant = GrantColumns::of(&access.grant)?;
        self.put_access.execute(params![
            access.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.resources,
            grant.auth,
            access.hash,
            access.expires.seconds(),
            binding_column(access.binding),
            exchange_column(access.exchange.as_deref())?,
        ])?;
        Ok(())
    }

    fn put_family(&mut self, issuer: IssuerId, family: &FamilyRecord) -> Result<(), StoreError> {
        let grant = GrantColumns::of(&family.grant)?;
        self.put_family.execute(params![
            family.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.resources,
            grant.auth,
            family.generation,
            family.current,
            family.previous,
            family.rotated.seconds(),
            family.expires.seconds(),
            family.ends.seconds(),
        ])?;
        Ok(())
    }
}
