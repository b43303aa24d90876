//! The move of rows, with a fault.

use quadrille::provider::store::{
    IssuerId, KnownSince, RowId, StoreError, StoredRow, StoredTable, StoredValue, Transfer,
};

use super::{
    fault::Fault::{
        PutRowsCountsAll, PutRowsOverwrites, PutRowsStopsInTheMiddle, PutRowsTakesAnyShape,
        RaiseKnownSinceDoesNothing, RaiseNewestDoesNothing, RaiseNewestLowers, RowsIgnoreTheLimit,
        RowsRepeatOne, RowsSkipOne, SwapSecretIgnoresTheSecret, SwapSecretSaysYes,
    },
    faulty::{Faulty, Stored},
};

impl Transfer for Faulty {
    async fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Stored<Vec<StoredRow>> {
        let issuer = self.issuer("rows", issuer);
        let limit = if self.is(RowsIgnoreTheLimit) { 1000 } else { limit };
        let goes_on = after.is_some();
        let repeated = after.clone().filter(|_| self.is(RowsRepeatOne));
        let mut page = self.inner.rows(issuer, table, after, limit).await?;
        if self.is(RowsSkipOne) && goes_on && !page.is_empty() {
            page.remove(0);
        }
        if let Some(repeated) = repeated {
            page.insert(0, repeated);
            page.truncate(limit.try_into().unwrap());
        }
        Ok(page)
    }

    async fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        mut rows: Vec<StoredRow>,
    ) -> Stored<u64> {
        let count = rows.len() as u64;
        let width = table.columns().len();
        if self.is(PutRowsTakesAnyShape) {
            rows.iter_mut().for_each(|row| row.0.resize(width, StoredValue::Number(0)));
        }
        if self.is(PutRowsOverwrites) {
            self.sql(format!("DELETE FROM quadrille_{}", table.name())).await?;
        }
        if self.is(PutRowsStopsInTheMiddle) {
            let mut new = 0;
            for row in rows {
                new += self.inner.put_rows(issuer, table, vec![row]).await?;
            }
            return Ok(new);
        }
        let put = self.around("put_rows", self.inner.put_rows(issuer, table, rows)).await?;
        Ok(if self.is(PutRowsCountsAll) { count } else { put })
    }

    async fn swap_secret(
        &self,
        issuer: IssuerId,
        grant: RowId,
        mut before: Vec<u8>,
        after: Vec<u8>,
    ) -> Stored<bool> {
        let issuer = self.issuer("swap_secret", issuer);
        if self.is(SwapSecretIgnoresTheSecret) {
            let sql = "SELECT secret FROM quadrille_token_credentials";
            let secret = |db: &rusqlite::Connection| db.query_row(sql, [], |row| row.get(0));
            let secret = self.inner.read(|db| Ok::<_, StoreError>(secret(db).ok())).await?;
            before = secret.unwrap();
        }
        let swap = self.inner.swap_secret(issuer, grant, before, after);
        let swapped = self.around("swap_secret", swap).await?;
        Ok(swapped || self.is(SwapSecretSaysYes))
    }

    async fn raise_newest(&self, newest: RowId) -> Stored<()> {
        if self.is(RaiseNewestDoesNothing) {
            return Ok(());
        }
        if self.is(RaiseNewestLowers) {
            return self.sql(format!("UPDATE quadrille_newest SET number = {}", newest.0)).await;
        }
        self.inner.raise_newest(newest).await
    }

    async fn raise_known_since(&self, since: KnownSince) -> Stored<()> {
        if self.is(RaiseKnownSinceDoesNothing) {
            return Ok(());
        }
        self.inner.raise_known_since(since).await
    }
}
