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
    /// The same query, if replicas may answer: it begins with the position of the last change, and
    /// the mark of the change at `$2`.
    const ON_REPLICA: Option<&'static str> = None;

    fn read<R: Fields>(row: &mut Reader<'_, R>) -> Result<Self, StoreError>;

    fn row(&self) -> RowId;
}

macro_rules! access {
    ($before:literal) => {
        concat!(
            "SELECT ",
            $before,
            "t.issuer, ",
            access_columns!(),
            " FROM quadrille_access_tokens t WHERE t.\"row\" IN [keys] AND ",
            alive!()
        )
    };
}

impl Kind for AccessRecord {
    const SQL: &'static str = access!("");
    const ON_REPLICA: Option<&'static str> = Some(access!(
        "(SELECT p.last FROM quadrille_positions p WHERE p.id = 1),
            (SELECT c.mark FROM quadrille_changes c WHERE c.position = $2), "
    ));

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
        " FROM quadrille_codes t WHERE t.\"row\" IN [keys]"
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
        let mut found = HashMap::with_capacity(keys.len());
        if let Some(sql) = K::ON_REPLICA
            && let Some(rows) = E::rows_of_replica(database, sql, &keys).await
        {
            for row in &rows {
                let mut row = Reader::of(row, database.keys());
                // Position and mark, which were compared.
                row.number()?;
                row.optional_number()?;
                found.extend([read::<E, K>(database, row)?]);
            }
            keys.retain(|key| !found.contains_key(key));
        }
        if !keys.is_empty() {
            for row in &E::rows_of_keys(database, K::SQL, &keys).await? {
                found.extend([read::<E, K>(database, Reader::of(row, database.keys()))?]);
            }
        }
        let answer = |entry: &&Self| {
            let found = found.get(&database.key(entry.row));
            found
                .filter(|(issuer, _)| *issuer == entry.issuer)
                .map(|(_, record)| Arc::clone(record))
        };
        Ok(entries.iter().map(|entry| Turn::Done(answer(entry))).collect())
    }
}

/// A row: its key, its issuer, and the record.
fn read<E: Dialect, K: Kind>(
    database: &Database<E>,
    mut row: Reader<'_, E::Row>,
) -> Result<(i64, (IssuerId, Arc<K>)), StoreError> {
    let issuer = IssuerId(row.number()?);
    let record = K::read(&mut row)?;
    Ok((database.key(record.row()), (issuer, Arc::new(record))))
}
