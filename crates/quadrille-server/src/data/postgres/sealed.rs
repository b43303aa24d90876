//! Secrets that the processes share, sealed under their key ring.

use quadrille::provider::store::StoreError;
use quadrille_sqlx::store_error;

use super::PostgresBackend;

/// A secret that the processes share.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) enum Sealed {
    /// Text that opens under the right key ring only.
    Proof,
    /// The keys that sign access tokens.
    SigningKeys,
    /// The mark of the database that is being moved into this one; not sealed.
    Move,
}

impl Sealed {
    const fn name(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::SigningKeys => "signing_keys",
            Self::Move => "move",
        }
    }
}

impl PostgresBackend {
    /// The sealed secret; `None` if there is none yet.
    pub(in crate::data) async fn sealed(
        &self,
        which: Sealed,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT sealed FROM quadrille_program_sealed WHERE name = $1";
        let found = sqlx::query_scalar(sql).bind(which.name()).fetch_optional(&self.pool);
        found.await.map_err(store_error)
    }

    /// Removes a sealed secret.
    pub(in crate::data) async fn forget(&self, which: Sealed) -> Result<(), StoreError> {
        let sql = "DELETE FROM quadrille_program_sealed WHERE name = $1";
        let delete = sqlx::query(sql).bind(which.name()).execute(&self.pool);
        delete.await.map(drop).map_err(store_error)
    }

    /// Compare-and-swap of a sealed secret: `false` if the stored one is not `before`.
    pub(in crate::data) async fn replace_sealed(
        &self,
        which: Sealed,
        before: Option<&[u8]>,
        after: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = match before {
            Some(_) => {
                "UPDATE quadrille_program_sealed SET sealed = $2 WHERE name = $1 AND sealed = $3"
            }
            None => {
                "INSERT INTO quadrille_program_sealed (name, sealed)
                SELECT $1, $2 WHERE $3::bytea IS NULL ON CONFLICT DO NOTHING"
            }
        };
        let change = sqlx::query(sql).bind(which.name()).bind(after).bind(before);
        let changed = change.execute(&self.pool).await.map_err(store_error)?;
        Ok(changed.rows_affected() > 0)
    }
}
