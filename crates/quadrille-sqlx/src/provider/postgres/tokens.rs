//! Codes and tokens: issued, redeemed, rotated, by batches.

use std::{collections::HashSet, sync::Arc};

use quadrille::provider::store::{
    AccessRecord, FamilyRecord, GrantColumns, Issue, IssuerId, Redeemed, Rotated, Rotation, RowId,
    StoreError, binding_column, exchange_column,
};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{
    batches::{Entry, Turn},
    database::{Database, values},
    rows::{Reader, alive, family_columns},
};

/// The access tokens of a batch, `a`: 12 arrays, numbered as they come.
macro_rules! access_tokens {
    () => {
        "a AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[],
            $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bigint[],
            $11::text[], $12::text[])
            WITH ORDINALITY AS a(\"row\", issuer, grant_id, client, actor, scopes, resources, auth,
            hash, expires, binding, exchange, n))"
    };
}

/// The families of a batch, `f`: 17 arrays, the first of which has the numbers of their entries.
macro_rules! families {
    () => {
        "f AS (SELECT * FROM unnest($13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
            $17::bytea[], $18::bytea[], $19::text[], $20::text[], $21::text[], $22::bigint[],
            $23::bytea[], $24::bytea[], $25::bigint[], $26::text[], $27::text[], $28::bigint[],
            $29::bigint[])
            AS f(n, \"row\", issuer, grant_id, client, actor, scopes, resources, auth, generation,
            current, previous, rotated, rotated_scopes, rotated_resources, expires, ends))"
    };
}

/// Stores the access tokens of the entries in `won`.
macro_rules! put_access_tokens {
    () => {
        "put_access AS (INSERT INTO quadrille_access_tokens (\"row\", issuer, grant_id, client,
            actor, scopes, resources, auth, hash, expires, binding, exchange)
            SELECT a.\"row\", a.issuer, a.grant_id, a.client, a.actor, a.scopes, a.resources,
            a.auth, a.hash, a.expires, a.binding, a.exchange FROM a JOIN won ON won.n = a.n)"
    };
}

/// Stores the families of the entries in `won`, and lists their grants or postpones their ends.
macro_rules! put_families_and_grants {
    () => {
        "put_families AS (INSERT INTO quadrille_families (\"row\", issuer, grant_id, client, actor,
            scopes, resources, auth, generation, current, previous, rotated, rotated_scopes,
            rotated_resources, expires, ends)
            SELECT f.\"row\", f.issuer, f.grant_id, f.client, f.actor, f.scopes, f.resources,
            f.auth, f.generation, f.current, f.previous, f.rotated, f.rotated_scopes,
            f.rotated_resources, f.expires, f.ends FROM f JOIN won ON won.n = f.n),
        listed AS (SELECT f.n, f.issuer, f.grant_id, f.client, f.actor, f.scopes, f.resources,
            f.auth, f.\"row\" AS family, greatest(f.ends, a.expires) AS expires
            FROM f JOIN a ON a.n = f.n
            UNION ALL
            SELECT a.n, a.issuer, a.grant_id, a.client, a.actor, a.scopes, a.resources, a.auth,
            NULL, a.expires FROM a WHERE NOT EXISTS (SELECT 1 FROM f WHERE f.n = a.n)),
        put_grants AS (INSERT INTO quadrille_grants (\"row\", grant_id, issuer, client, actor,
            scopes, resources, auth, family, expires)
            SELECT DISTINCT ON (l.grant_id) mix(l.grant_id), l.grant_id, l.issuer, l.client,
            l.actor, l.scopes, l.resources, l.auth, l.family, l.expires
            FROM listed l JOIN won ON won.n = l.n
            WHERE substring(l.actor from 1 for 1) = 'u'
            ORDER BY l.grant_id, l.expires DESC
            ON CONFLICT (\"row\") DO UPDATE
            SET expires = greatest(quadrille_grants.expires, excluded.expires))"
    };
}
pub(super) use {access_tokens, families, put_access_tokens, put_families_and_grants};

const ISSUE: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", ",
    families!(),
    ", won AS (SELECT t.n FROM a t WHERE ",
    alive!(),
    "), ",
    put_access_tokens!(),
    ", ",
    put_families_and_grants!(),
    " SELECT n FROM won"
);

/// The codes of the entries are `$30`.
const REDEEM: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", ",
    families!(),
    ", e AS (SELECT e.code, a.issuer, a.n
        FROM unnest($30::bigint[]) WITH ORDINALITY AS e(code, n) JOIN a ON a.n = e.n),
    won AS (UPDATE quadrille_codes t SET redeemed = true FROM e
        WHERE t.\"row\" = e.code AND t.issuer = e.issuer AND NOT t.redeemed AND ",
    alive!(),
    " RETURNING e.n), ",
    put_access_tokens!(),
    ", ",
    put_families_and_grants!(),
    " SELECT n FROM won"
);

const CODES: &str = concat!(
    "SELECT e.n, t.redeemed, t.grant_id, ",
    alive!(),
    " FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS e(code, of, n)
    JOIN quadrille_codes t ON t.\"row\" = e.code AND t.issuer = e.of"
);

/// The rotations are the arrays from `$13`.
const ROTATE: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", e AS (SELECT a.issuer, e.* FROM unnest($13::bigint[], $14::bigint[], $15::bytea[],
        $16::bytea[], $17::bigint[], $18::text[], $19::text[], $20::bigint[])
        WITH ORDINALITY AS e(family, generation, presented, successor, rotated, scopes, resources,
        expires, n) JOIN a ON a.n = e.n),
    won AS (UPDATE quadrille_families t SET
        generation = t.generation + CASE WHEN e.successor IS NULL THEN 0 ELSE 1 END,
        previous = CASE WHEN e.successor IS NULL THEN t.previous ELSE t.current END,
        current = coalesce(e.successor, t.current), rotated = e.rotated,
        rotated_scopes = e.scopes, rotated_resources = e.resources, expires = e.expires
        FROM e WHERE t.\"row\" = e.family AND t.issuer = e.issuer
        AND t.generation = e.generation AND t.current = e.presented AND ",
    alive!(),
    " RETURNING e.n), ",
    put_access_tokens!(),
    " SELECT n FROM won"
);

const FAMILIES: &str = concat!(
    "SELECT e.n, ",
    family_columns!(),
    " FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS e(of_row, of_issuer, n)
    JOIN quadrille_families t ON t.\"row\" = e.of_row AND t.issuer = e.of_issuer WHERE ",
    alive!()
);

const IMPORT: &str = concat!(
    "WITH ",
    access_tokens!(),
    ", won AS (SELECT n FROM a), ",
    put_access_tokens!(),
    " INSERT INTO quadrille_foreign_tokens (issuer, hash, \"row\", expires)
    SELECT issuer, hash, \"row\", expires FROM a
    ON CONFLICT (hash, issuer) DO UPDATE SET \"row\" = excluded.\"row\", expires = excluded.expires"
);

/// Imports a foreign access token.
pub(super) async fn import(
    database: &Database,
    issuer: IssuerId,
    access: &AccessRecord,
) -> Result<(), StoreError> {
    let mut tokens = AccessTokens::default();
    tokens.push(database, issuer, access)?;
    let mut values = PgArguments::default();
    tokens.add_to(&mut values)?;
    database.rows(IMPORT, values).await?;
    Ok(())
}

/// Tokens to issue.
pub(super) struct Issuing {
    pub(super) issuer: IssuerId,
    pub(super) issue: Issue,
}

impl Entry for Issuing {
    type Answer = bool;

    async fn write(database: &Database, entries: &[&Self]) -> Result<Vec<Turn<bool>>, StoreError> {
        let issues = entries.iter().map(|entry| (entry.issuer, &entry.issue));
        let won = numbers(database, ISSUE, issues_values(database, issues)?).await?;
        Ok((1..).zip(entries).map(|(place, _)| Turn::Done(won.contains(&place))).collect())
    }
}

/// A code to redeem.
pub(super) struct Redeeming {
    pub(super) issuer: IssuerId,
    pub(super) code: RowId,
    pub(super) issue: Issue,
}

impl Entry for Redeeming {
    type Answer = Redeemed;

    async fn write(
        database: &Database,
        entries: &[&Self],
    ) -> Result<Vec<Turn<Redeemed>>, StoreError> {
        let firsts = firsts(entries, |entry| (entry.issuer.0, entry.code.0));
        let turn = || entries.iter().zip(&firsts).filter(|(_, first)| **first).map(|(e, _)| e);
        let mut values = issues_values(database, turn().map(|entry| (entry.issuer, &entry.issue)))?;
        let codes: Vec<_> = turn().map(|entry| database.key(entry.code)).collect();
        values.add(codes).map_err(StoreError::failed)?;
        let won = numbers(database, REDEEM, values).await?;
        let keys = entries.iter().map(|entry| (database.key(entry.code), entry.issuer.0));
        let read = |row: &mut Reader<'_>| {
            Ok(match (row.flag()?, row.number()?, row.flag()?) {
                (true, grant, _) => Some(Redeemed::Replayed(RowId(grant))),
                (false, _, false) => Some(Redeemed::Revoked),
                (false, _, true) => None,
            })
        };
        Ok(turns(database, &firsts, &won, Redeemed::Issued, CODES, keys, |found| match found {
            None => Ok(Some(Redeemed::Unknown)),
            Some(row) => read(row),
        })
        .await)
    }
}

/// A refresh token to rotate.
pub(super) struct Rotating {
    pub(super) issuer: IssuerId,
    pub(super) rotation: Rotation,
}

impl Entry for Rotating {
    type Answer = Rotated;

    async fn write(
        database: &Database,
        entries: &[&Self],
    ) -> Result<Vec<Turn<Rotated>>, StoreError> {
        let firsts = firsts(entries, |entry| (entry.issuer.0, entry.rotation.family.0));
        let mut tokens = AccessTokens::default();
        let mut rotations = Rotations::default();
        for (entry, _) in entries.iter().zip(&firsts).filter(|(_, first)| **first) {
            tokens.push(database, entry.issuer, &entry.rotation.access)?;
            rotations.push(database, &entry.rotation);
        }
        let mut values = PgArguments::default();
        tokens.add_to(&mut values)?;
        rotations.add_to(&mut values)?;
        let won = numbers(database, ROTATE, values).await?;
        let keys =
            entries.iter().map(|entry| (database.key(entry.rotation.family), entry.issuer.0));
        let mut rotations = entries.iter().map(|entry| &entry.rotation);
        Ok(turns(database, &firsts, &won, Rotated::Issued, FAMILIES, keys, |found| {
            let rotation = rotations.next();
            let Some(row) = found else { return Ok(Some(Rotated::Gone)) };
            let family = row.family()?;
            let is_unchanged = rotation.is_some_and(|rotation| {
                family.generation == rotation.generation && family.current == rotation.presented
            });
            Ok((!is_unchanged).then(|| Rotated::Lost(Arc::new(family))))
        })
        .await)
    }
}

/// `true` for the first entry of each key: a statement changes a row once.
fn firsts<E>(entries: &[&E], key: impl Fn(&E) -> (i64, i64)) -> Vec<bool> {
    let mut seen = HashSet::new();
    entries.iter().map(|entry| seen.insert(key(entry))).collect()
}

/// The numbers of the entries that won.
async fn numbers(
    database: &Database,
    sql: &'static str,
    values: PgArguments,
) -> Result<HashSet<i64>, StoreError> {
    let won = database.all(sql, values, |row| row.number()).await?;
    Ok(won.into_iter().collect())
}

/// The turns of entries of which the first ones of each key took part in a statement, and of those
/// some won. The others are answered by what `state` finds of their rows; `read` is called for every
/// entry in order, and returns `None` if the entry could win now.
async fn turns<A: Clone>(
    database: &Database,
    firsts: &[bool],
    won: &HashSet<i64>,
    winner: A,
    state: &'static str,
    keys: impl Iterator<Item = (i64, i64)>,
    mut read: impl FnMut(Option<&mut Reader<'_>>) -> Result<Option<A>, StoreError>,
) -> Vec<Turn<A>> {
    let mut place = 0;
    let winners: Vec<_> = firsts
        .iter()
        .map(|first| {
            place += i64::from(*first);
            *first && won.contains(&place)
        })
        .collect();
    if winners.iter().all(|won| *won) {
        return winners.iter().map(|_| Turn::Done(winner.clone())).collect();
    }
    let (rows, issuers): (Vec<i64>, Vec<i64>) = keys.unzip();
    let found = async { database.rows(state, values![rows, issuers]).await }.await;
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let lost = |won: &bool| {
                if *won { Turn::Done(winner.clone()) } else { Turn::Failed(error.clone()) }
            };
            return winners.iter().map(lost).collect();
        }
    };
    let mut found: std::collections::HashMap<i64, _> = found
        .iter()
        .filter_map(|row| {
            let mut reader = Reader::of(row, database.keys());
            Some((reader.number().ok()?, reader))
        })
        .collect();
    let mut turns = Vec::with_capacity(winners.len());
    for ((number, won), first) in (1..).zip(&winners).zip(firsts) {
        let answer = read(found.get_mut(&number));
        turns.push(match answer {
            _ if *won => Turn::Done(winner.clone()),
            Ok(Some(answer)) => Turn::Done(answer),
            Ok(None) if *first => Turn::Failed(StoreError::Busy),
            Ok(None) => Turn::Again,
            Err(error) => Turn::Failed(error),
        });
    }
    turns
}

/// The values of access tokens and families, as `ISSUE` and `REDEEM` have them.
pub(super) fn issues_values<'i>(
    database: &Database,
    issues: impl Iterator<Item = (IssuerId, &'i Issue)>,
) -> Result<PgArguments, StoreError> {
    let (mut tokens, mut families) = (AccessTokens::default(), Families::default());
    for (number, (issuer, issue)) in (1..).zip(issues) {
        tokens.push(database, issuer, &issue.access)?;
        if let Some(family) = &issue.family {
            families.push(database, number, issuer, family)?;
        }
    }
    let mut values = PgArguments::default();
    tokens.add_to(&mut values)?;
    families.add_to(&mut values)?;
    Ok(values)
}

/// Arrays, each with the values of one column.
macro_rules! arrays {
    ($(#[$doc:meta])* $name:ident { $($column:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name { $($column: Vec<$type>,)* }

        impl $name {
            pub(super) fn add_to(self, values: &mut PgArguments) -> Result<(), StoreError> {
                $(values.add(self.$column).map_err(StoreError::failed)?;)*
                Ok(())
            }
        }
    };
}

arrays! {
    /// Access tokens.
    AccessTokens {
        rows: i64,
        issuers: i64,
        grant_ids: i64,
        clients: Vec<u8>,
        actors: Option<Vec<u8>>,
        scopes: String,
        resources: String,
        auths: Option<String>,
        hashes: Vec<u8>,
        expires: i64,
        bindings: Option<String>,
        exchanges: Option<String>,
    }
}

arrays! {
    /// Families, with the numbers of their entries.
    Families {
        numbers: i64,
        rows: i64,
        issuers: i64,
        grant_ids: i64,
        clients: Vec<u8>,
        actors: Option<Vec<u8>>,
        scopes: String,
        resources: String,
        auths: Option<String>,
        generations: i64,
        current: Vec<u8>,
        previous: Option<Vec<u8>>,
        rotated: i64,
        rotated_scopes: String,
        rotated_resources: String,
        expires: i64,
        ends: i64,
    }
}

arrays! {
    /// Rotations.
    Rotations {
        families: i64,
        generations: i64,
        presented: Vec<u8>,
        successors: Option<Vec<u8>>,
        rotated: i64,
        scopes: String,
        resources: String,
        expires: i64,
    }
}

/// Pushes the columns of a grant.
macro_rules! push_grant {
    ($arrays:ident, $grant:expr) => {
        let grant = GrantColumns::of($grant)?;
        $arrays.grant_ids.push(grant.id);
        $arrays.clients.push(grant.client.as_bytes().to_vec());
        $arrays.actors.push(grant.actor.map(|actor| actor.into_owned().into_bytes()));
        $arrays.scopes.push(grant.scopes.into_owned());
        $arrays.resources.push(grant.resources.into_owned());
        $arrays.auths.push(grant.auth.map(|auth| auth.into_owned()));
    };
}

impl AccessTokens {
    pub(super) fn push(
        &mut self,
        database: &Database,
        issuer: IssuerId,
        access: &AccessRecord,
    ) -> Result<(), StoreError> {
        self.rows.push(database.key(access.row));
        self.issuers.push(issuer.0);
        push_grant!(self, &access.grant);
        self.hashes.push(access.hash.to_vec());
        self.expires.push(access.expires.seconds());
        self.bindings.push(binding_column(access.binding));
        self.exchanges.push(exchange_column(access.exchange.as_deref())?);
        Ok(())
    }
}

impl Families {
    fn push(
        &mut self,
        database: &Database,
        number: i64,
        issuer: IssuerId,
        family: &FamilyRecord,
    ) -> Result<(), StoreError> {
        self.numbers.push(number);
        self.rows.push(database.key(family.row));
        self.issuers.push(issuer.0);
        push_grant!(self, &family.grant);
        self.generations.push(family.generation.into());
        self.current.push(family.current.to_vec());
        self.previous.push(family.previous.map(|hash| hash.to_vec()));
        self.rotated.push(family.rotated.seconds());
        self.rotated_scopes.push(family.rotated_scopes.as_str().to_owned());
        self.rotated_resources.push(family.rotated_resources.as_str().to_owned());
        self.expires.push(family.expires.seconds());
        self.ends.push(family.ends.seconds());
        Ok(())
    }
}

impl Rotations {
    fn push(&mut self, database: &Database, rotation: &Rotation) {
        self.families.push(database.key(rotation.family));
        self.generations.push(rotation.generation.into());
        self.presented.push(rotation.presented.to_vec());
        self.successors.push(rotation.successor.map(|hash| hash.to_vec()));
        self.rotated.push(rotation.rotated.seconds());
        self.scopes.push(rotation.scopes.as_str().to_owned());
        self.resources.push(rotation.resources.as_str().to_owned());
        self.expires.push(rotation.expires.seconds());
    }
}
