//! Revocation of a grant, and of all grants of a user.

use std::sync::Arc;

use rusqlite::params;

use crate::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};

use super::Writes;

impl Writes<'_> {
    pub(crate) fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoked = self.run(
            "INSERT INTO quadrille_revoked (grant_id, issuer, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING",
            params![grant.0, issuer.0, until.seconds()],
        )?;
        if revoked == 0 {
            return Ok(false);
        }
        self.remove_credential(issuer, grant)?;
        self.tell(issuer, &Change::Grant(grant))?;
        Ok(true)
    }

    pub(crate) fn revoke_all(
        &self,
        issuer: IssuerId,
        what: &RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        let (subject, client) = (what.subject(), what.client().map_or("", |client| &**client));
        self.run(
            "DELETE FROM quadrille_consents WHERE issuer = ?1 AND subject = ?2
            AND (?3 = '' OR client = ?3)",
            params![issuer.0, subject, client],
        )?;
        self.run(
            "INSERT INTO quadrille_cut (issuer, actor, client, last) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET last = max(last, ?4)",
            params![issuer.0, user_column(subject), client, last.0],
        )?;
        if matches!(what, RevokeAll::Removed(_)) {
            self.run(
                "INSERT INTO quadrille_removed (issuer, subject, last) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET last = max(last, ?3)",
                params![issuer.0, subject, last.0],
            )?;
        }
        self.remember_newest(last)?;
        self.remove_credentials_of_actor(issuer, &user_column(subject), client, last)?;
        self.tell(issuer, &Change::Subject(Arc::clone(subject)))
    }
}
