//! Rows that are looked for by their numbers: look-ups that wait at the same time are one query.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use quadrille::provider::store::{
    AccessRecord, CodeRecord, FamilyRecord, IssuerId, RowId, StoreError,
};

use super::{
    batches::{Entry, Turn},
    columns::{access_columns, alive, code_columns, family_columns},
    database::Database,
    dialect::Dialect,
    reader::{Fields, Reader},
};

/// A kind of record that is looked for by the number of its row.
pub(super) trait Kind: Send + Sync + Sized + 'static {
    /// The query for issuer and record of the rows `[keys]`.
    const SQL: &'static str;

    fn read<R: Fields>(row: &mut Reader<'_, R>) -> Result<Self, StoreError>;

    fn row(&self) -> RowId;
}

impl Kind for AccessRecord {
    const SQL: &'static str = concat!(
        "SELECT t.issuer, ",
        access_columns!(),
        " FROM quadrille_access_tokens t WHERE t.\"row\" IN [keys] AND ",
        alive!()
    );

    fn read<R: Fields>(row: &mut Reader<'_, R>) -> Result<Self, StoreError> {
        row.access()
    }

    fn row(&self) -> RowId {
        self.row
    }
}

impl Kind for FamilyRecord {
    const SQL: &'static str = concat!(
        "SELECT t.issuer, ",
        family_columns!(),
        " FROM quadrille_families t WHERE t.\"row\" IN [keys] AND ",
        alive!()
    );

    fn read<R: Fields>(row: &mut Reader<'_, R>) -> Result<Self, StoreError> {
        row.family()
    }

    fn row(&self) -> RowId {
        self.row
    }
}

impl Kind for CodeRecord {
    const SQL: &'static str = concat!(
        "SELECT issuer, ",
        code_columns!(),
        " FROM quadrille_codes WHERE \"row\" IN [keys]"
    );

    fn read<R: Fields>(row: &mut Reader<'_, R>) -> Result<Self, StoreError> {
        row.code()
    }

    fn row(&self) -> RowId {
        self.row
    }
}

/// A row to look for.
pub(super) struct Lookup<K> {
    issuer: IssuerId,
    row: RowId,
    kind: PhantomData<fn() -> K>,
}

impl<K> Lookup<K> {
    pub(super) fn of(issuer: IssuerId, row: RowId) -> Self {
        Self { issuer, row, kind: PhantomData }
    }
}

impl<E: Dialect, K: Kind> Entry<E> for Lookup<K> {
    type Answer = Option<Arc<K>>;
    const WRITES: bool = false;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<Self::Answer>>, StoreError> {
        let mut keys: Vec<_> = entries.iter().map(|entry| database.key(entry.row)).collect();
        keys.sort_unstable();
        keys.dedup();
        let rows = E::rows_of_keys(database, K::SQL, &keys).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let mut reader = Reader::of(row, database.keys());
            let issuer = IssuerId(reader.number()?);
            let record = K::read(&mut reader)?;
            found.insert((issuer, record.row()), Arc::new(record));
        }
        let answer = |entry: &&Self| found.get(&(entry.issuer, entry.row)).cloned();
        Ok(entries.iter().map(|entry| Turn::Done(answer(entry))).collect())
    }
}
