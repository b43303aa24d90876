//! Secrets that the processes share, sealed under their key ring.

use quadrille::provider::store::StoreError;
use quadrille_sqlx::store_error;
use sqlx::Row as _;

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
        let found = self.store.fetch(sqlx::query(sql).bind(which.name())).await?;
        found.first().map(|row| row.try_get(0)).transpose().map_err(store_error)
    }

    /// Removes a sealed secret.
    pub(in crate::data) async fn forget(&self, which: Sealed) -> Result<(), StoreError> {
        let sql = "DELETE FROM quadrille_program_sealed WHERE name = $1";
        self.store.execute(sqlx::query(sql).bind(which.name())).await.map(drop)
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
        Ok(self.store.execute(change).await? > 0)
    }
}
