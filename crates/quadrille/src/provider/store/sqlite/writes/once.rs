//! Keys that are remembered once.

use rusqlite::params;

use crate::{
    Timestamp,
    provider::store::{IssuerId, SecretHash, StoreError},
};

use super::super::rows;
use super::Writes;

impl Writes<'_> {
    pub(crate) fn remember_once(
        &self,
        issuer: IssuerId,
        space: &str,
        key: &SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let remembered = self.run(
            "INSERT INTO quadrille_once (key, expires) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET expires = max(expires, ?2) WHERE expires < ?3",
            params![rows::key(issuer, space, key), expires.seconds(), self.env.now().seconds()],
        )?;
        Ok(remembered > 0)
    }
}
