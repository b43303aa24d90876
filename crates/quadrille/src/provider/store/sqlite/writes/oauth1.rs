//! Token credentials: put and removed.

use rusqlite::{named_params, params};

use crate::provider::store::{
    CredentialRecord, GrantColumns, IssuerId, RowId, StoreError, binding_column,
};

use super::{
    super::{oauth1::credential_columns, rows::grant_columns},
    Writes,
};

impl Writes<'_> {
    pub(super) fn put_credential(
        &self,
        issuer: IssuerId,
        credential: &CredentialRecord,
    ) -> Result<(), StoreError> {
        let access = &credential.access;
        let grant = GrantColumns::of(&access.grant)?;
        self.run(
            concat!(
                "INSERT INTO quadrille_token_credentials (issuer, ",
                credential_columns!(),
                ") VALUES (:issuer, :grant_id, :client, :actor, :scopes, :resources, :auth, :hash,
                :is_foreign, :secret, :expires, :binding)"
            ),
            named_params! {
                ":issuer": issuer.0,
                ":grant_id": grant.id,
                ":client": grant.client,
                ":actor": grant.actor,
                ":scopes": grant.scopes,
                ":resources": grant.resources,
                ":auth": grant.auth,
                ":hash": access.hash,
                ":is_foreign": credential.is_foreign,
                ":secret": &credential.secret[..],
                ":expires": access.expires.seconds(),
                ":binding": binding_column(access.binding),
            },
        )?;
        Ok(())
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

    /// Removes the token credentials of a user, to one client or, if `client` is empty, to all.
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
}
