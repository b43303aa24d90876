//! The verbs of grants.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, Bought, CodeRecord, Consent, CredentialRecord,
        FamilyRecord, Grants, Issue, IssuerId, LiveGrant, OnceKeys, PendingRecord, PendingRef,
        Redeemed, RevokeAll, Rotated, Rotation, RowId, SecretHash, StoreError, TokenRef, is_same,
        user_column,
    },
};
use sqlx::postgres::PgArguments;

use super::{
    clients, consents,
    database::{Database, values},
    pending, revoking,
    rows::{access_columns, alive, code_columns, family_columns, grant_columns},
    store::PgStore,
    sweep,
    tokens::{AccessTokens, Issuing, Redeeming, Rotating, access_tokens, put_access_tokens},
};

const CODE: &str =
    concat!("SELECT ", code_columns!(), " FROM quadrille_codes WHERE \"row\" = $1 AND issuer = $2");

macro_rules! access {
    ($row:literal) => {
        concat!(
            "SELECT ",
            access_columns!(),
            " FROM quadrille_access_tokens t WHERE t.\"row\" = ",
            $row,
            " AND t.issuer = $1 AND ",
            alive!()
        )
    };
}

const ACCESS: &str = access!("$2");
const FOREIGN: &str = access!(
    "(SELECT f.\"row\" FROM quadrille_foreign_tokens f WHERE f.issuer = $1 AND f.hash = $2)"
);

const FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM quadrille_families t WHERE t.\"row\" = $2 AND t.issuer = $1 AND ",
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

const LISTED: &str = concat!(
    "SELECT ",
    grant_columns!(),
    ", expires, family,
        (SELECT f.rotated FROM quadrille_families f WHERE f.\"row\" = t.family)
    FROM quadrille_grants t WHERE t.issuer = $1 AND t.actor = $2 AND ",
    alive!(),
    " UNION ALL SELECT ",
    grant_columns!(),
    ", expires, NULL, NULL FROM quadrille_token_credentials t
    WHERE t.issuer = $1 AND t.actor = $2 AND ",
    alive!()
);

const REMEMBER: &str = "INSERT INTO quadrille_once AS held (issuer, space, hash, expires)
    VALUES ($1, $2, $3, $4) ON CONFLICT (hash, space, issuer) DO UPDATE
    SET expires = excluded.expires WHERE held.expires < $5 RETURNING 1";

impl PgStore {
    /// Runs a verb on the store's runtime; a few expired rows are removed after it.
    async fn write<T: Send + 'static, F>(
        &self,
        verb: impl FnOnce(Database) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (database, verb) = (self.database.clone(), verb(self.database.clone()));
        self.database
            .spawn(async move {
                let result = verb.await?;
                sweep::beside(&database, 1);
                Ok(result)
            })
            .await
    }

    /// Reads on the store's runtime.
    async fn read<T: Send + 'static, F>(
        &self,
        verb: impl FnOnce(Database) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.database.spawn(verb(self.database.clone())).await
    }
}

impl Grants for PgStore {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Result<Option<RowId>, StoreError> {
        let id = id.to_owned();
        self.read(|db| async move { clients::known_client(&db, issuer, &id).await }).await
    }

    async fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let id = Arc::from(id);
        self.write(move |db| async move { clients::know_client(&db, issuer, &id, number).await })
            .await
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        self.write(move |db| async move { consents::answer(&db, issuer, &answer).await }).await
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.write(move |db| async move { consents::put_code(&db, issuer, &code).await }).await
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        self.read(move |db| async move {
            let key = values![db.key(row), issuer.0];
            Ok(db.one(CODE, key, |row| row.code()).await?.map(Arc::new))
        })
        .await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.redeeming.write(Redeeming { issuer, code, issue }).await
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<(), StoreError> {
        self.issuing.write(Issuing { issuer, issue }).await
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Result<(), StoreError> {
        self.write(move |db| async move {
            let mut tokens = AccessTokens::default();
            tokens.push(&db, issuer, &access)?;
            let mut values = PgArguments::default();
            tokens.add_to(&mut values)?;
            db.rows(IMPORT, values).await?;
            Ok(())
        })
        .await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let token = token.clone();
        self.read(move |db| async move {
            let (sql, key, hash) = match token {
                TokenRef::Row { row, hash } => (ACCESS, values![issuer.0, db.key(row)], hash),
                TokenRef::Foreign { hash } => (FOREIGN, values![issuer.0, &hash[..]], hash),
                _ => return Ok(None),
            };
            let found = db.one(sql, key, |row| row.access()).await?;
            Ok(found.filter(|found| is_same(&found.hash, &hash)).map(Arc::new))
        })
        .await
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        self.read(move |db| async move {
            let key = values![issuer.0, db.key(row)];
            Ok(db.one(FAMILY, key, |row| row.family()).await?.map(Arc::new))
        })
        .await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.rotating.write(Rotating { issuer, rotation }).await
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move { pending::put(&db, issuer, &pending).await }).await
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        let reference = reference.clone();
        self.read(move |db| async move { pending::find(&db, issuer, &reference).await }).await
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        self.write(move |db| async move { pending::redeem(&db, issuer, pending, &bought).await })
            .await
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        let token = token.clone();
        self.read(move |db| async move { pending::credential(&db, issuer, &token).await }).await
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move { revoking::revoke_grant(&db, issuer, grant, until).await })
            .await
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.write(move |db| async move { revoking::revoke_all(&db, issuer, &what, last).await })
            .await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        let (subject, client) = (subject.to_owned(), client.to_owned());
        let resources = resources.clone();
        self.read(move |db| async move {
            let at = Some((&*client, &resources));
            Ok(consents::consents(&db, issuer, &subject, at).await?.into_iter().next())
        })
        .await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        let subject = subject.to_owned();
        self.read(move |db| async move { consents::consents(&db, issuer, &subject, None).await })
            .await
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Result<Vec<LiveGrant>, StoreError> {
        let actor = user_column(subject).into_bytes();
        self.read(move |db| async move {
            let mut grants = db.all(LISTED, values![issuer.0, actor], |row| row.listed()).await?;
            grants.sort_unstable_by_key(|listed| listed.grant.id);
            Ok(grants)
        })
        .await
    }
}

impl OnceKeys for PgStore {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| async move {
            let now = db.env().now().seconds();
            let values = values![issuer.0, space, &key[..], expires.seconds(), now];
            db.did(REMEMBER, values).await
        })
        .await
    }
}
